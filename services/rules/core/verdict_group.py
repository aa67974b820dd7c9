"""Verdict of a rule on several stations: the newest slot that was judged, and who was in it."""

from typing import Any

from services.rules.core import silent
from services.rules.core.beside import BesideOf
from services.rules.core.book import Judging
from services.rules.core.composite import CompositeOf, value_of
from services.rules.core.derive import Quality, Step
from services.rules.core.engine import Engine
from services.rules.core.memory import BesideMemory, CompositeMemory, SlotsMemory
from services.rules.core.silent import SilentOf
from services.rules.core.verdict import Verdict, judged, never_heard, time, verdict
from services.rules.core.verdict_other import of_silence


def of_group(engine: Engine, judging: Judging, facility: str) -> Verdict:
    """What it says at a facility, or at a station beside others: the station of its series."""
    if isinstance(judging.group, CompositeOf):
        return _of_composite(engine, judging, facility)
    if isinstance(judging.group, SilentOf):
        return _of_silent(engine, judging, facility)
    cell = engine.cell((facility, judging.interval))
    series = cell.series.get(judging.indicator) if cell is not None else None
    for own, hold in series.holds if series is not None else ():
        if own.rule.id == judging.rule.id and isinstance(hold.memory, SlotsMemory):
            assert engine.book is not None and judging.group is not None
            assert not isinstance(judging.group, CompositeOf | SilentOf)
            zone, slot = engine.book.zone, hold.memory.last
            stations = hold.memory.members
            if slot is None:
                waits = len(hold.memory.waiting)
                found = verdict(
                    judging, "window", f"还没有判读过任何一格，{waits} 格在等成员",
                    f"no slot was judged yet; {waits} wait for their members",
                )  # fmt: skip
                found.state = "unknown"
                return found
            if isinstance(judging.group, BesideOf):
                assert isinstance(hold.memory, BesideMemory)
                step = Step(slot.start_us, _quality(hold.memory), hold.memory.value)
            else:
                step = judging.group.step(slot, stations)
            found = judged(judging, hold, step.at_us, step.value, step.quality == "over", zone)
            members = judging.group.members(slot, stations)
            found.derived = _slot(hold.memory, time(slot.start_us, zone), members)
            if found.stage == "unknown":
                absent = "、".join(members.unknown)
                found.reason = f"成员不足：{len(members.known)}/{len(stations)} 已知，未知 {absent}"
                found.reason_en = (
                    f"too few members: {len(members.known)} of {len(stations)} known, "
                    f"unknown {', '.join(members.unknown)}"
                )
            return found
    return never_heard(judging)


def _quality(memory: BesideMemory) -> Quality:
    return "unknown" if memory.value is None else "known"


def _of_silent(engine: Engine, judging: Judging, facility: str) -> Verdict:
    home = engine.cell((facility, judging.interval))
    watch = silent.watch_of(home, judging) if home is not None else None
    if watch is None:
        return never_heard(judging)
    heard = silent.last_heard(engine, judging, facility)
    return of_silence(judging, watch, heard, engine.clock, engine.zone)


def _of_composite(engine: Engine, judging: Judging, facility: str) -> Verdict:
    assert engine.book is not None
    cell = engine.cell((facility, judging.interval))
    series = cell.series.get(judging.indicator) if cell is not None else None
    for own, hold in series.holds if series is not None else ():
        if own.rule.id == judging.rule.id and isinstance(hold.memory, CompositeMemory):
            firing = hold.memory.firing
            value = value_of(engine, hold.memory)
            found = judged(judging, hold, hold.memory.at_us, value, False, engine.book.zone)
            found.derived = {"firing": [f"{rule} {station}" for rule, station, *_ in firing]}
            return found
    return verdict(judging, "level", "其中没有一条规则在报警", "none of its rules is firing")


def _slot(memory: SlotsMemory, at: str, members: Any) -> dict[str, Any]:
    return {
        "slot": at, "known": list(members.known), "unknown": list(members.unknown),
        "waiting": len(memory.waiting),
    }  # fmt: skip
