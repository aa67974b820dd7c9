"""A station beside the others, made anew from every slot that is over."""

from datetime import datetime
from statistics import median
from typing import NamedTuple

from shared.model.beside import Beside
from tests.reference.arithmetic import converted, exact, rounded
from tests.reference.derived import band, place_in
from tests.reference.history import History

DAY, SLOT = 86_400_000_000, {"minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000}


class Over(NamedTuple):
    """A slot that is over: what its members said as evidence, in the unit of the indicator."""

    at: int
    told: dict[str, float]
    members: list[str]


def beside(
    history: History, condition: Beside, station: str, own: str, over: list[Over]
) -> tuple[str, float] | None:
    """Of the last of the slots; None: nothing is usual yet."""
    rests = [(slot.at, rest(condition, station, own, slot)) for slot in over]
    at, last = rests[-1]
    if last is None:
        return "unknown", 0.0
    known = [(when, value) for when, value in rests if value is not None]
    if condition.of == "difference":
        found = place_in(known[:-1], condition.memory_us, at, last)
        if found is not None:
            high, low = band(known[:-1], condition.memory_us, at)
            found = (last - (high / 2 + low / 2)) / (high / 2 - low / 2 + condition.floor)
    else:
        begin = at - condition.over * SLOT[condition.interval]
        mean = [value for when, value in known if when > begin]
        if 2 * len(mean) < condition.over:
            return "unknown", 0.0
        middle = usual(history, condition, known)
        found = None if middle is None else 100 * (sum(mean) / len(mean) - middle)
    if found is None:
        return None
    sided = {"both": abs(found), "high": found, "low": -found}[condition.side]
    return "known", rounded(exact(sided))


def rest(condition: Beside, station: str, own: str, slot: Over) -> float | None:
    unit = condition.unit or own
    told = {s: converted(v, own, unit) for s, v in slot.told.items() if s in slot.members}
    mine = told.pop(station, None)
    if mine is None or len(told) < condition.least:
        return None
    middle = median(told.values())
    if condition.of == "difference":
        return mine - middle
    mine, middle = max(mine, 0.0), max(middle, 0.0)
    whole = mine + middle + condition.floor
    return (mine - middle) / whole if whole > 0 else 0.0


def usual(history: History, condition: Beside, known: list[tuple[int, float]]) -> float | None:
    """The middle of the days before that had half of their slots."""

    def day(at: int) -> int:
        return datetime.fromtimestamp(at / 1e6, history.zone).toordinal()

    today = day(known[-1][0])
    means = []
    for each in range(today - condition.memory_us // DAY, today):
        shares = [value for at, value in known if day(at) == each]
        if shares and 2 * len(shares) >= max(1, DAY // SLOT[condition.interval]):
            means.append(sum(shares) / len(shares))
    return median(means) if len(means) >= 7 else None
