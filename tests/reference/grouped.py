"""What rules on several stations judge, by looking at all readings again at every record."""

from fractions import Fraction
from typing import NamedTuple

from shared.model.beside import Beside
from shared.model.report import Report, Tick
from shared.model.rule import Across, Balance, Group
from tests.reference.arithmetic import converted, exact, holds, ratio_of, rounded
from tests.reference.beside import Over, beside
from tests.reference.derived import step_of
from tests.reference.history import History, Life, applying
from tests.reference.seen import Seen

MINUTE = 60_000_000
LONG_AGO = -(1 << 62)


class Told(NamedTuple):
    """A judged reading of a member."""

    index: int
    at: int
    station: str
    indicator: str
    value: float
    flag: str


def shown_group_unit(condition: Group, own: str) -> str:
    if isinstance(condition, Balance):
        return condition.unit or "1"
    if isinstance(condition, Beside):
        return "%" if condition.of == "share" else "1"
    if condition.of == "share":
        return "%"
    return "1" if condition.of == "count" else condition.unit or own


def members(history: History, life: Life, index: int) -> list[str]:
    bundle = history.bundle(index)
    assert bundle is not None
    return sorted(
        station
        for rule, facility, station in applying(bundle)
        if (rule, facility) == (life.rule.id, life.facility)
    )


def grouped(history: History, life: Life, condition: Group) -> list[Seen]:
    told = readings(history, life, condition)
    found: list[Seen] = []
    closed = LONG_AGO
    over: list[Over] = []
    for i, record in enumerate(history.records):
        if i <= life.begin or (life.end is not None and i >= life.end):
            continue
        so_far = [t for t in told if t.index <= i]
        is_heard = any(t.index == i for t in so_far)
        if not isinstance(record, Tick) and not (isinstance(record, Report) and is_heard):
            continue
        stations = members(history, life, i)
        while waiting := sorted({t.at for t in so_far if t.at > closed}):
            slot = waiting[0]
            here = [t for t in so_far if t.at == slot]
            if isinstance(record, Tick):
                index, is_ready = i - 0.4, due(history, condition, here, i) <= record.at_us
            else:
                index, is_ready = float(i), nothing_more_comes(condition, so_far, slot, stations)
            if not is_ready:
                break
            closed = slot
            if isinstance(condition, Beside):
                told_here = {t.station: t.value for t in here if t.flag in ("N", "S")}
                over.append(Over(slot, told_here, stations))
                own = own_unit(history, life, condition)
                made = beside(history, condition, life.station, own, over)
                if made is None:
                    continue
                quality, value = made
            elif isinstance(condition, Balance):
                quality, value = balanced(history, life, condition, so_far, slot, stations)
            else:
                quality, value = result(history, life, condition, here, stations)
            found.append(Seen(index + len(found) / 1e5, slot, quality, value))
    return found


def nothing_more_comes(
    condition: Group, so_far: list[Told], slot: int, stations: list[str]
) -> bool:
    """Whoever was heard, and whoever must be, has shown this slot or a later one."""
    mine = [t for t in so_far if t.station in stations]
    if isinstance(condition, Across | Beside):
        return all(any(t.station == s and t.at >= slot for t in mine) for s in stations)
    meters = {(t.station, t.indicator) for t in mine}
    return (
        {station for station, _ in meters} == set(stations)
        and {indicator for _, indicator in meters} == {*condition.ins, *condition.outs}
        and all(
            any((t.station, t.indicator) == meter and t.at >= slot for t in mine)
            for meter in meters
        )
    )


def balanced(
    history: History, life: Life, condition: Balance, so_far: list[Told], slot: int,
    stations: list[str],
) -> tuple[str, float]:  # fmt: skip
    mine = [t for t in so_far if t.station in stations]
    here = {(t.station, t.indicator): t for t in mine if t.at == slot}
    if {(t.station, t.indicator) for t in mine} != set(here):
        return "unknown", 0.0
    if {station for station, _ in here} != set(stations):
        return "unknown", 0.0
    if {indicator for _, indicator in here} != {*condition.ins, *condition.outs}:
        return "unknown", 0.0
    if any(t.flag not in ("N", "S", "T") for t in here.values()):
        return "unknown", 0.0
    bundle = history.bundle(life.begin)
    assert bundle is not None
    units = {i.code: i.unit for i in bundle.indicators}
    first = units[condition.ins[0]]

    def total(names: tuple[str, ...]) -> Fraction:
        parts = [t for t in here.values() if t.indicator in names]
        return sum(
            (exact(t.value) * ratio_of(units[t.indicator], first) for t in parts), Fraction(0)
        )

    goes_in, goes_out = total(condition.ins), total(condition.outs)
    over = {t.indicator for t in here.values() if t.flag == "T"}
    if goes_in <= 0 or over & {*condition.outs}:
        return "unknown", 0.0
    lost = (goes_in - goes_out) / goes_in * (100 if condition.unit == "%" else 1)
    return "over" if over else "known", rounded(lost)


def readings(history: History, life: Life, condition: Group) -> list[Told]:
    found = []
    stations = {
        station
        for bundle in history.bundles.values()
        for _, facility, station in applying(bundle)
        if facility == life.facility
    }
    for station in sorted(stations):
        for name in looked_at(condition):
            for r in history.series(life.facility, station, condition.interval, name):
                inside = r.index > life.begin and (life.end is None or r.index < life.end)
                if inside and station in members(history, life, r.index):
                    found.append(Told(r.index, r.at, station, name, r.value, r.flag))
    return sorted(found)


def looked_at(condition: Group) -> tuple[str, ...]:
    if isinstance(condition, Balance):
        return (*condition.ins, *condition.outs)
    return (condition.indicator,)


def due(history: History, condition: Group, here: list[Told], index: int) -> int:
    """Grace of listening after the end of the slot, and after its first word."""
    at = here[0].at
    end = (
        at + MINUTE
        if condition.interval == "minute"
        else step_of(history, "day" if condition.interval == "day" else "1h", at)[1]
    )
    heard = history.log_time(min(t.index for t in here))
    assert heard is not None
    return history.becomes_missing(index, max(end, heard), condition.grace_us)


def result(
    history: History, life: Life, condition: Across, here: list[Told], stations: list[str]
) -> tuple[str, float]:
    own = own_unit(history, life, condition)
    unit = condition.unit or own
    by = ratio_of(own, unit)
    certain: list[Fraction] = []
    least: list[Fraction] = []
    for t in here:
        if t.station not in stations or t.flag not in ("N", "S", "T"):
            continue
        if condition.than is None:
            (least if t.flag == "T" else certain).append(exact(t.value))
            continue
        yes = holds(condition.than, converted(t.value, own, unit))
        upwards = condition.than.op in (">", ">=")
        if t.flag != "T" or yes == upwards:
            certain.append(Fraction(yes))
    known = len(certain) + len(least)
    enough = (
        condition.complete if condition.complete > 1 else exact(condition.complete) * len(stations)
    )
    if known == 0 or known < enough:
        return "unknown", 0.0
    partly = known < len(stations)
    values = certain + least
    if condition.of == "mean":
        return "over" if least else "known", rounded(sum(values) * by / known)
    if condition.of == "share":
        return "known", rounded(sum(values) * 100 / known)
    if condition.of == "count":
        return "over" if partly else "known", rounded(Fraction(sum(values)))
    if condition.of == "sum":
        return "over" if partly or least else "known", rounded(sum(values) * by)
    if condition.of == "max":
        return "over" if partly or least else "known", shown(max(values), own, unit)
    if partly:
        return "unknown", 0.0
    lowest = min(values)
    return "known" if lowest in certain else "over", shown(lowest, own, unit)


def own_unit(history: History, life: Life, condition: Across | Beside) -> str:
    bundle = history.bundle(life.begin)
    assert bundle is not None
    return next(i.unit for i in bundle.indicators if i.code == condition.indicator)


def shown(value: Fraction, own: str, unit: str) -> float:
    return converted(float(value), own, unit)
