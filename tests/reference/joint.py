"""Index and limited, said again: tables as text, fractions, and a search from the top."""

from fractions import Fraction
from math import ceil

from shared.model.rule import Index, Limited
from tests.reference.arithmetic import converted, exact, holds, rounded

Parts = dict[str, tuple[float, str]]
"""(value, known | over | unknown) of what the slot has."""
INDEX = "0 50 100 150 200 300 400 500"
BOTH_HOUR = {
    "a21026": "0 150 500 650 800",
    "a21004": "0 100 200 700 1200 2340 3090 3840",
    "a21005": "0 5 10 35 60 90 120 150",
    "a05024": "0 160 200 300 400 800 1000 1200",
}
BOTH_DAY = {
    "a21026": "0 50 150 475 800 1600 2100 2620",
    "a21004": "0 40 80 180 280 565 750 940",
    "a21005": "0 2 4 14 24 36 48 60",
    "o3_8h_max": "0 100 160 215 265 800",
}
PARTICLES = {
    "2012": {"a34004": "0 35 75 115 150 250 350 500", "a34002": "0 50 150 250 350 420 500 600"},
    "2026": {"a34004": "0 35 60 115 150 250 350 500", "a34002": "0 50 120 250 350 420 500 600"},
}


def index_value(condition: Index, parts: Parts) -> tuple[str, float]:
    _, edition, window = condition.table.split("-")
    known, found = True, []
    for name, own in zip(condition.of, condition.units, strict=True):
        value, quality = parts.get(name, (0.0, "unknown"))
        if quality != "known":
            known = False
        if quality == "unknown":
            continue
        rows = {**(BOTH_HOUR if window == "hour" else BOTH_DAY), **PARTICLES[edition]}
        unit = "mg/m³" if name == "a21005" else "µg/m³"
        concentration = _whole(exact(converted(value, own, unit)) * (10 if unit == "mg/m³" else 1))
        if unit == "mg/m³":
            concentration /= 10
        limits = [Fraction(text) for text in rows[name].split()]
        steps = [Fraction(text) for text in INDEX.split()][: len(limits)]
        if concentration > limits[-1]:
            if name == "a21026" and window == "hour" and edition == "2012":
                continue
            if not (len(limits) == 5 + (window == "day") and edition == "2026"):
                known = False
            found.append(steps[-1])
            continue
        index = Fraction(0)
        for low, high, a, b in zip(limits, limits[1:], steps, steps[1:], strict=False):
            if low < concentration <= high:
                index = a + (b - a) * (concentration - low) / (high - low)
        found.append(Fraction(ceil(index)))
    if not found:
        return "unknown", 0.0
    return ("known" if known else "over"), float(max(found))


def limited_value(condition: Limited, parts: Parts) -> tuple[str, float]:
    value, quality = parts.get(condition.indicator, (0.0, "unknown"))
    by, by_quality = parts.get(condition.by, (0.0, "unknown"))
    if quality == "unknown" or by_quality != "known":
        return "unknown", 0.0
    for test, limit in condition.limits:
        if holds(test, by):
            shown = exact(converted(value, condition.own, condition.unit))
            return quality, rounded(100 * shown / exact(limit))
    return "unknown", 0.0


def _whole(value: Fraction) -> Fraction:
    """Half to even."""
    return Fraction(round(value))
