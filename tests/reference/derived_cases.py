"""Random derived conditions, on the grid of the case, with limits that its values reach."""

from typing import TYPE_CHECKING

from shared.model.rule import (
    Average,
    Comparison,
    Count,
    Derived,
    Deviation,
    Drift,
    Flatline,
    Jump,
    Level,
    Rate,
    number_text,
)
from shared.model.severity import Severity
from tests.reference.timed_cases import TIMED, timed

if TYPE_CHECKING:
    from tests.reference.cases import Generator

DERIVED = (
    "average",
    "average",
    "rate",
    "jump",
    "flatline",
    "count",
    "deviation",
    "deviation",
    "drift",
    *TIMED,
)
MINUTE, HOUR = 60_000_000, 3_600_000_000
SCALE = {None: 1.0, "µg/L": 1e3, "µg/m³": 1e3, "g/L": 1e-3, "ng/L": 1e6, "ng/m³": 1e6,
         "kg": 1e3, "g": 1e6}  # fmt: skip


def derived(g: "Generator", kind: str) -> tuple[Derived, tuple[Level, ...]]:
    if kind in TIMED:
        return timed(g, kind, SCALE)
    code = g.random.choice(g.codes)
    unit = g.unit(code)
    scale = SCALE.get(unit, 1.0)
    max_gap = g.random.choice([None, None, 2 * g.grid, 12 * g.grid])
    if kind == "average":
        return average(g, code, unit), g.levels(scale * 0.7, g.random.random() < 0.8)
    if kind == "rate":
        per, text = g.random.choice([(HOUR, "h"), (MINUTE, "m"), (600_000_000, "10m")])
        size = scale * per / g.grid * g.random.choice([0.1, 1.0])
        rate = Rate(code, g.interval, per, text, max_gap, unit)
        return rate, g.levels(size * g.random.choice([1, 1, -1]), g.random.random() < 0.8)
    if kind == "jump" and g.random.random() < 0.3:
        return Jump(code, g.interval, max_gap, unit, memory(g)), place_levels(g)
    if kind == "deviation":
        over = g.random.choice(["reading", "1h", "3h"])
        season = "none" if over == "reading" else g.random.choice(["none", "day", "week", "auto"])
        return Deviation(code, g.interval, over, season, memory(g), side(g)), place_levels(g)
    if kind == "drift":
        return Drift(code, g.interval, memory(g), side(g)), place_levels(g)
    if kind == "jump":
        return Jump(code, g.interval, max_gap, unit), g.levels(scale * 0.8, g.random.random() < 0.9)
    if kind == "flatline":
        shown = g.random.choice(["min", "h"])
        flat = Flatline(
            code,
            g.interval,
            g.random.choice([0.0, 0.1, 4.0]) * scale,
            shown,
            max_gap,
            unit,
            g.random.choice([None, None, None, 0.15 * scale]),
        )
        size = g.grid / (MINUTE if shown == "min" else HOUR)
        return flat, g.levels(size * g.random.choice([0.2, 1.0]), True)
    op = g.random.choice([">", ">=", "<", "<="])
    within = g.random.choice([2, 3, 5, 60])
    of = g.comparison(op, 4.9 * scale)
    return Count(code, g.interval, of, within, unit), count_levels(g, within)


def average(g: "Generator", code: str, unit: str | None) -> Average:
    over, every = g.random.choice(
        [("8h", HOUR), ("24h", HOUR), ("day", 3 * HOUR), ("day", 6 * HOUR)]
        if g.daily
        else [("3h", HOUR), ("8h", HOUR), ("24h", HOUR), ("day", HOUR)]
        if g.hourly
        else [("5m", MINUTE), ("5m", MINUTE), ("1h", MINUTE), ("1h", 10 * MINUTE), ("8h", HOUR)]
    )
    complete = g.random.choice([0.1, 0.25, 0.4, 0.6, 0.75, 1.0])
    grace = g.random.choice([0, 0, 1, 2, 5]) * g.grid
    return Average(code, g.interval, over, every, complete, grace, unit)


def memory(g: "Generator") -> int:
    return g.random.choice([1, 7, 21]) * 24 * HOUR


def side(g: "Generator") -> str:
    return g.random.choice(["both", "both", "high", "low"])


def place_levels(g: "Generator") -> tuple[Level, ...]:
    first, clear = g.random.choice([0.5, 0.9, 1.0, 1.2]), g.random.choice([None, 0.4])
    clears = None if clear is None else Comparison("<", clear, f"< {clear}")
    levels = [Level(Severity.BLUE, Comparison(">", first, f"> {number_text(first)}"), clears)]
    if g.random.random() < 0.5:
        levels.append(Level(Severity.RED, Comparison(">", first + 0.5, f"> {first + 0.5}")))
    return tuple(levels)


def count_levels(g: "Generator", within: int) -> tuple[Level, ...]:
    first = g.random.randint(1, within)
    clears = g.random.choice([None, Comparison("<=", 0.0, "<= 0")])
    if g.random.random() < 0.2:
        return (Level(Severity.BLUE, Comparison("<", float(first), f"< {first}")),)
    levels = [Level(Severity.BLUE, Comparison(">=", float(first), f">= {first}"), clears)]
    if first < within:
        levels.append(Level(Severity.RED, Comparison(">=", float(within), f">= {within}")))
    return tuple(levels)
