"""What a rule gets to judge: one list of judgements per life, in log order (§8.1, §8.6-8.9)."""

from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from shared.model.report import Tick
from shared.model.rule import Group, Index, Limited, Missing, Range, Ratio, Threshold
from shared.model.timed import TimeToClear
from tests.reference.arithmetic import converted, exact, rounded
from tests.reference.derived import derived, numbered
from tests.reference.grouped import grouped
from tests.reference.history import History, Life, Reading
from tests.reference.joint import index_value, limited_value
from tests.reference.seen import Seen
from tests.reference.timed import clearing

Quality = str
"""known | over | unknown"""


class Judged(NamedTuple):
    index: float
    """The record; several derived readings of one record follow each other within it. What a
    tick derives comes before the timers of that tick, a little below its number."""
    at: int
    quality: Quality
    value: float


def judged(history: History, life: Life) -> list[Judged]:
    condition = life.rule.condition
    if isinstance(condition, Ratio | Index | Limited | TimeToClear):
        return _ratio(history, life, condition)
    if isinstance(condition, Group):
        return [Judged(*step) for step in grouped(history, life, condition)]
    assert not isinstance(condition, Missing)
    readings = history.series(life.facility, life.station, condition.interval, condition.indicator)
    bundle = history.bundle(life.begin)
    assert bundle is not None
    own = next(i.unit for i in bundle.indicators if i.code == condition.indicator)
    mine = [r for r in readings if _within(life, r.index)]
    if not isinstance(condition, Threshold | Range):
        known = [Seen(r.index, r.at, _quality(r.flag), r.value) for r in mine]
        steps = derived(history, life, condition, own, known)
        found = [Judged(*step) for step in numbered(steps)]
        return [
            j._replace(index=j.index - 0.4)
            if isinstance(history.records[int(j.index)], Tick)
            else j
            for j in found
        ]
    return [
        Judged(r.index, r.at, _quality(r.flag), converted(r.value, own, condition.unit or own))
        for r in mine
    ]


def _within(life: Life, index: int) -> bool:
    return index > life.begin and (life.end is None or index < life.end)


def _quality(flag: str) -> Quality:
    return {"N": "known", "S": "known", "T": "over"}.get(flag, "unknown")


def _ratio(
    history: History, life: Life, condition: Ratio | Index | Limited | TimeToClear
) -> list[Judged]:
    match condition:
        case Ratio():
            names = {*condition.of, condition.over}
        case Index():
            names = {*condition.of}
        case Limited():
            names = {condition.indicator, condition.by}
        case TimeToClear():
            names = {condition.backlog, condition.intake, condition.capacity}
    readings = {
        name: history.series(life.facility, life.station, condition.interval, name)
        for name in names
    }
    moments = sorted({r.index for part in readings.values() for r in part})
    found: list[Judged] = []
    for index in moments:
        if not _within(life, index):
            continue
        so_far = {name: [r for r in part if r.index <= index] for name, part in readings.items()}
        slot = max(r.at for part in so_far.values() for r in part)
        if not any(r.index == index and r.at == slot for part in so_far.values() for r in part):
            continue
        partial = ("unknown", "over") if isinstance(condition, Index) else ("unknown",)
        final = [j for j in found if j.at == slot and j.quality not in partial]
        # Not what a campaign kept the rule from judging, that ended by a change of configuration.
        if any(history.is_in_force(life, slot, round(j.index)) for j in final):
            continue
        here = {n: r for n, part in so_far.items() for r in part if r.at == slot}
        parts = {name: (r.value, _quality(r.flag)) for name, r in here.items()}
        match condition:
            case Ratio():
                quality, value = _value(history, life, condition, here, slot, index)
            case Index():
                quality, value = index_value(condition, parts)
            case Limited():
                quality, value = limited_value(condition, parts)
            case TimeToClear():
                configured = _capacity(history, life, slot, index)
                quality, value = clearing(condition, parts, configured)
        found.append(Judged(index, slot, quality, value))
    return found


def _value(
    history: History, life: Life, condition: Ratio, here: dict[str, Reading], slot: int, index: int
) -> tuple[Quality, float]:
    parts: dict[str, tuple[Fraction, str]] = {}
    for name in {*condition.of, condition.over}:
        if name in here:
            parts[name] = (exact(here[name].value), _quality(here[name].flag))
        elif name == "mw.capacity_t" and (configured := _capacity(history, life, slot, index)):
            parts[name] = (exact(configured), "known")
        elif name == "mw.backlog_t":
            parts[name] = (Fraction(0), "known")
        else:
            return "unknown", 0.0
    if any(quality == "unknown" for _, quality in parts.values()):
        return "unknown", 0.0
    divisor, quality = parts[condition.over]
    if divisor <= 0 or quality == "over":
        return "unknown", 0.0
    total = sum((parts[name][0] for name in condition.of), Fraction(0))
    over = any(parts[name][1] == "over" for name in condition.of)
    value = rounded(total / divisor * (100 if condition.unit == "%" else 1))
    return ("over" if over else "known"), value


def _capacity(history: History, life: Life, slot: int, index: int) -> float | None:
    bundle = history.bundle(index)
    assert bundle is not None
    facility = next(f for f in bundle.facilities if f.id == life.facility)
    day = datetime.fromtimestamp(slot / 1e6, history.zone).date()
    begun = sorted((c.since, c.t_per_day) for c in facility.capacity if c.since <= day)
    return begun[-1][1] if begun else None
