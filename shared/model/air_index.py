"""The air quality index: breakpoints of HJ 633 in its two editions, and one pollutant's index.

Tables 1 and 2 of HJ 633-2012 and table 3 of HJ 633-2026. Concentrations are first rounded to whole
µg/m³ (CO: to 0.1 mg/m³), half to even (GB/T 8170); between breakpoints the index is linear and is
rounded up to the next whole number. Where a table stops: docs/conditions/index.md.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Literal, NamedTuple

from shared.model import numbers

STEPS = (0, 50, 100, 150, 200, 300, 400, 500)
"""The index at each breakpoint."""
PM25, PM10, SO2, NO2, CO, O3, O3_8H = (
    "a34004", "a34002", "a21026", "a21004", "a21005", "a05024", "o3_8h_max",
)  # fmt: skip
Beyond = Literal["at least", "is", "left out"]


class Row(NamedTuple):
    """One pollutant; `beyond` says what the index of the last breakpoint means above it."""

    unit: str
    places: int
    breakpoints: tuple[int, ...]
    """In 10 to the minus `places` of the unit."""
    beyond: Beyond = "at least"


class Part(NamedTuple):
    """`exact` is False for a lower bound."""

    iaqi: int
    exact: bool


_UG, _MG = "µg/m³", "mg/m³"
_PM25 = {
    "2012": Row(_UG, 0, (0, 35, 75, 115, 150, 250, 350, 500)),
    "2026": Row(_UG, 0, (0, 35, 60, 115, 150, 250, 350, 500)),
}
_PM10 = {
    "2012": Row(_UG, 0, (0, 50, 150, 250, 350, 420, 500, 600)),
    "2026": Row(_UG, 0, (0, 50, 120, 250, 350, 420, 500, 600)),
}


def _hourly(edition: str, beyond_so2: Beyond) -> dict[str, Row]:
    """Particles have no hourly breakpoints; the hourly report uses the daily ones."""
    return {
        PM25: _PM25[edition],
        PM10: _PM10[edition],
        SO2: Row(_UG, 0, (0, 150, 500, 650, 800), beyond_so2),
        NO2: Row(_UG, 0, (0, 100, 200, 700, 1200, 2340, 3090, 3840)),
        CO: Row(_MG, 1, (0, 50, 100, 350, 600, 900, 1200, 1500)),
        O3: Row(_UG, 0, (0, 160, 200, 300, 400, 800, 1000, 1200)),
    }


def _daily(edition: str, beyond_o3: Beyond) -> dict[str, Row]:
    return {
        PM25: _PM25[edition],
        PM10: _PM10[edition],
        SO2: Row(_UG, 0, (0, 50, 150, 475, 800, 1600, 2100, 2620)),
        NO2: Row(_UG, 0, (0, 40, 80, 180, 280, 565, 750, 940)),
        CO: Row(_MG, 1, (0, 20, 40, 140, 240, 360, 480, 600)),
        O3_8H: Row(_UG, 0, (0, 100, 160, 215, 265, 800), beyond_o3),
    }


TABLES: dict[str, dict[str, Row]] = {
    "hj633-2012-hour": _hourly("2012", "left out"),
    "hj633-2012-day": _daily("2012", "at least"),
    "hj633-2026-hour": _hourly("2026", "is"),
    "hj633-2026-day": _daily("2026", "is"),
}


def part(row: Row, value: float) -> Part | None:
    """The index of one concentration in the unit of its row; None where the table leaves it out."""
    if value <= 0:
        return Part(0, True)
    last = len(row.breakpoints) - 1
    if value > (row.breakpoints[last] + 1) / 10**row.places:
        return _beyond(row)  # also numbers that are too large to be rounded
    shown = numbers.exact(value).quantize(Decimal(1).scaleb(-row.places), ROUND_HALF_EVEN)
    place = int(shown.scaleb(row.places))
    steps = pairwise(zip(row.breakpoints, STEPS, strict=False))
    for (low, low_index), (high, high_index) in steps:
        if place <= high:
            # Rounded up: minus the floor of the negative.
            rise = -(-(place - low) * (high_index - low_index) // (high - low))
            return Part(low_index + rise, True)
    return _beyond(row)


def _beyond(row: Row) -> Part | None:
    if row.beyond == "left out":
        return None
    return Part(STEPS[len(row.breakpoints) - 1], row.beyond == "is")
