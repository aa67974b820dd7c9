"""Random conditions about time and discipline, on the grid of the case."""

from typing import TYPE_CHECKING

from shared.model.rule import Comparison, Derived, Level, number_text
from shared.model.severity import Severity
from shared.model.timed import Companion, Compliance, Discipline, Flagged, TimeToLimit

if TYPE_CHECKING:
    from tests.reference.cases import Generator

TIMED = ("time_to_limit", "time_to_limit", "flagged", "compliance", "discipline", "discipline")
HOUR = 3_600_000_000
SHOWN = {"min": HOUR // 60, "h": HOUR, "d": 24 * HOUR}


def timed(
    g: "Generator", kind: str, scale: dict[str | None, float]
) -> tuple[Derived, tuple[Level, ...]]:
    code = g.random.choice(g.codes)
    if kind == "discipline":
        return discipline(g, code, scale)
    if kind == "compliance" and (g.daily or g.hourly):
        return compliance(g, code)
    if kind in ("flagged", "compliance"):
        return flagged(g, code, scale)
    unit = g.unit(code)
    return time_to_limit(g, code, unit, scale.get(unit, 1.0))


def compliance(g: "Generator", code: str) -> tuple[Derived, tuple[Level, ...]]:
    per = g.random.choice(["day", "week", "week", "month"] if g.daily else ["day", "day", "week"])
    most = {"day": 1, "week": 5, "month": 9} if g.daily else {"day": 20, "week": 90}
    apart = g.random.choice([0, 0, 2, 9]) * g.grid
    grace = g.random.choice([0, 0, 1, 12]) * g.grid
    at_least = g.random.randint(1, most[per])
    condition = Compliance(code, g.interval, at_least, per, apart, grace)
    below = Comparison("<", 50.0, "< 50")
    clears = g.random.choice([None, Comparison(">=", 100.0, ">= 100")])
    if g.random.random() < 0.2:
        return condition, (Level(Severity.BLUE, Comparison(">", 100.0, "> 100")),)
    return condition, (
        Level(Severity.BLUE, Comparison("<", 100.0, "< 100"), clears),
        Level(Severity.RED, below),
    )


def discipline(
    g: "Generator", code: str, scale: dict[str | None, float]
) -> tuple[Derived, tuple[Level, ...]]:
    """Short memories, which YAML refuses, so that they fill."""
    within = g.random.choice([2, 4, 10, 30])
    of = g.random.choice(["late", "gaps", "heaping", "marks", "edits"])
    condition = Discipline(code, g.interval, of, within)
    if of == "late":
        allowed = g.random.choice([0, 0, 1, 3]) * g.grid
        condition = Discipline(code, g.interval, of, within, allowed)
    elif of == "gaps":
        every = 24 * HOUR if g.daily else g.grid * g.random.choice([1, 1, 3])
        condition = Discipline(code, g.interval, of, within, every_us=every)
    elif of == "marks":
        flags = g.random.choice([("D",), ("D", "B"), ("M", "C")])
        condition = Discipline(code, g.interval, of, within, flags=flags)
    elif of == "edits":
        unit = g.unit(code)
        limit = g.random.choice([0.15, 4.0, 5.0]) * scale.get(unit, 1.0)
        op = g.random.choice([">", ">=", "<"])
        undoes = g.random.choice([None, Comparison(op, limit, f"{op} {number_text(limit)}")])
        condition = Discipline(code, g.interval, of, within, unit=unit, undoes=undoes)
    else:
        unit = g.unit(code)
        limit, below = g.random.choice([(4.0, 5.0), (0.2, 30.0), (5.0, 20.0)])
        condition = Discipline(
            code, g.interval, of, within, limit=limit * scale.get(unit, 1.0), below=below,
            least=g.random.choice([1, 5]), unit=unit,
        )  # fmt: skip
    return condition, rising(g.random.choice([5.0, 25.0, 50.0]))


def companion(g: "Generator", code: str, scale: dict[str | None, float]) -> Companion:
    """Another series of the station, of a named one, or of those at a point."""
    among = [*g.codes, *(name for name in ("w01018", "a21026") if name not in g.codes)]
    other = g.random.choice(among)
    unit = g.unit(other)
    own = g.own(other)
    op = g.random.choice([">", ">=", "<"])
    limit = g.random.choice([0.15, 4.0, 5.0]) * scale.get(unit, 1.0)
    place = g.random.choice(
        [(None, None), (None, "outfall"), (f"420100-x-{g.random.choice('ab')}", None)]
    )
    if place == (None, None) and other == code:
        place = (None, "outfall")
    interval = g.random.choice([g.interval] * 6 + ["realtime"])
    return Companion(
        other, interval, Comparison(op, limit, f"{op} {number_text(limit)}"),
        g.random.choice([0, 1, 2, 9]) * g.grid, own, unit or own, *place,
        g.random.choice([(), ("D",), ("D", "B")]),
    )  # fmt: skip


def flagged(
    g: "Generator", code: str, scale: dict[str | None, float]
) -> tuple[Derived, tuple[Level, ...]]:
    flags = g.random.choice([("D",), ("D", "B"), ("M", "C", "D", "F", "B"), ("M",)])
    shown = g.random.choice(["min", "h", "d"])
    condition = Flagged(code, g.interval, flags, shown)
    if g.random.random() < 0.6:
        condition = Flagged(code, g.interval, flags, shown, companion(g, code, scale))
    return condition, rising(g.grid / SHOWN[shown] * g.random.choice([1, 2, 4]))


def rising(first: float) -> tuple[Level, ...]:
    text = number_text(first)
    clears = Comparison("<", first / 2, f"< {number_text(first / 2)}")
    higher = Comparison(">", 2 * first, f"> {number_text(2 * first)}")
    return (
        Level(Severity.BLUE, Comparison(">=", first, f">= {text}"), clears),
        Level(Severity.RED, higher),
    )


def time_to_limit(
    g: "Generator", code: str, unit: str | None, scale: float
) -> tuple[Derived, tuple[Level, ...]]:
    over = g.random.choice([4, 8, 20, 60]) * g.grid
    limit: float | None = g.random.choice([5.0, 6.5, 10.0, 0.15]) * scale
    if g.daily and code.startswith("mw.") and g.random.random() < 0.5:
        limit, unit = None, "t"
    shown = g.random.choice(["min", "h", "d"])
    horizon = 4 * over
    condition = TimeToLimit(
        code, g.interval, limit, over, horizon, g.random.choice([3, 4]),
        g.random.choice(["up", "up", "down"]), g.random.choice(["middle", "early", "late"]),
        shown, unit,
    )  # fmt: skip
    first = horizon / SHOWN[shown] * g.random.choice([0.05, 0.3, 0.9])
    return condition, falling(first, g.random.random() < 0.5)


def falling(first: float, two: bool) -> tuple[Level, ...]:
    def below(limit: float) -> Comparison:
        return Comparison("<=", limit, f"<= {number_text(limit)}")

    levels = [Level(Severity.BLUE, below(first))]
    if two:
        clears = Comparison(">", first, f"> {number_text(first)}")
        levels.append(Level(Severity.RED, below(first / 3), clears))
    return tuple(levels)
