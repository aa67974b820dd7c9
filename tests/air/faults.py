"""Faults: seeded, of every kind, put into a series at a known hour for a known time.

The sizes are measured against the series itself: `high` is its 95th percentile, `reach` the way
from its median to its 99th. What a fault changes is what arrives when: the hour that is
reported, the value, or nothing.
"""

from bisect import bisect_left
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.air.stations import HOURS_A_DAY

KINDS = {
    "spike": ("spike",),
    "jump": ("jump up", "jump down"),
    "flatline": ("flatline",),
    "drift": ("drift up", "drift down"),
    "silence": ("silence",),
    "clock": ("clock 8 h behind", "clock 8 h ahead"),
    "unit": ("unit ×1000", "unit ÷1000"),
}
EACH = 200
WARM_HOURS, REST_HOURS = 90 * HOURS_A_DAY, 30 * HOURS_A_DAY
DRIFT_HOURS = 14 * HOURS_A_DAY
CLOCK_HOURS = 8
KNOWN = 0.9
"""So much of a fault's hours must have a value, or there is nothing to put it into."""
TRIES = 1000
Arrival = tuple[int, int, float]
"""(hour in which it arrives, hour it says it is of, value)."""


class Fault(NamedTuple):
    kind: str
    start: int
    hours: int
    size: float

    @property
    def end(self) -> int:
        return self.start + self.hours


class Scale(NamedTuple):
    """Of one series."""

    high: float
    reach: float


def scale(values: list[float | None]) -> Scale:
    known = sorted(value for value in values if value is not None)
    at = [known[round(part * (len(known) - 1))] for part in (0.5, 0.95, 0.99)]
    return Scale(at[1], at[2] - at[0])


def drawn(rng: Random, kind: str, values: list[float | None], after: int = WARM_HOURS) -> Fault:
    """One fault at a place where the series has something to be falsified."""
    of = scale(values)
    for _ in range(TRIES):
        start = rng.randrange(after, len(values) - REST_HOURS)
        fault = _drawn_at(rng, kind, start, of)
        inside = values[start : fault.end]
        if inside[0] is not None and sum(v is not None for v in inside) >= KNOWN * len(inside):
            return fault
    raise ValueError(f"no place for {kind} in {TRIES} tries; the series has too many gaps")


def _drawn_at(rng: Random, kind: str, start: int, of: Scale) -> Fault:
    match kind:
        case "spike":
            return Fault(kind, start, 1, rng.uniform(1, 3) * of.reach)
        case "jump up":
            return Fault(kind, start, 72, rng.uniform(0.5, 2) * of.high)
        case "jump down":
            return Fault(kind, start, 72, rng.uniform(0.1, 0.4))
        case "drift up":
            return Fault(kind, start, 21 * HOURS_A_DAY, rng.uniform(0.5, 2) * of.high)
        case "drift down":
            return Fault(kind, start, 21 * HOURS_A_DAY, rng.uniform(0.1, 0.4))
        case "flatline":
            return Fault(kind, start, rng.randint(24, 96), 0.0)
        case "silence":
            return Fault(kind, start, rng.randint(6, 72), 0.0)
        case "unit ×1000":
            return Fault(kind, start, 72, 1000.0)
        case "unit ÷1000":
            return Fault(kind, start, 72, 0.001)
        case _:
            return Fault(kind, start, 72, 0.0)


def arrivals(values: list[float | None], fault: Fault | None, begin: int, end: int) -> Iterator[Arrival]:  # fmt: skip
    """What ingest takes in the hours from `begin` to `end`, in order; without a fault as it was."""
    for hour in range(begin, min(end, len(values))):
        value = values[hour]
        if value is None:
            continue
        if fault is None or not fault.start <= hour < fault.end:
            yield hour, hour, value
            continue
        match fault.kind:
            case "silence" | "clock 8 h ahead":
                continue  # what claims to be of the future is refused, so nothing is heard
            case "clock 8 h behind":
                yield hour, hour - CLOCK_HOURS, value
            case _:
                yield hour, hour, _changed(values, fault, hour, value)


def _changed(values: list[float | None], fault: Fault, hour: int, value: float) -> float:
    part = min(1.0, (hour - fault.start + 1) / DRIFT_HOURS)
    match fault.kind:
        case "spike" | "jump up":
            return round(value + fault.size, 1)
        case "jump down":
            return round(value * fault.size, 1)
        case "drift up":
            return round(value + part * fault.size, 1)
        case "drift down":
            return round(value * (1 - part * (1 - fault.size)), 1)
        case "flatline":
            stands = values[fault.start]
            assert stands is not None
            return stands
        case _:
            return float(f"{value * fault.size:.6g}")


def plan(
    rng: Random, every: list[list[float | None]], each: int = EACH, after: int = WARM_HOURS
) -> list[list[Fault]]:
    """`each` faults of every kind, none before an hour, dealt to the series in turn; of each series in order of time."""
    found: list[list[Fault]] = [[] for _ in every]
    dealt = 0
    for kinds in KINDS.values():
        for n in range(each):
            place = dealt % len(every)
            found[place].append(drawn(rng, kinds[n % len(kinds)], every[place], after))
            dealt += 1 if len(kinds) == 1 or n % len(kinds) == len(kinds) - 1 else 0
    for faults in found:
        faults.sort(key=lambda fault: fault.start)
    return found


def due(faults: list[Fault], hour: int) -> int:
    """How many of faults in order of time begin before an hour."""
    return bisect_left(faults, hour, key=lambda fault: fault.start)
