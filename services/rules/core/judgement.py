"""Judgement: one reading and one rule; what the hold makes of it is emitted.

The engine calls these in the order of contract §8; the state they change is the cell's.
"""

from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from services.rules.core import companion, joint, missing
from services.rules.core.derive import Quality, Step
from services.rules.core.hold import Hold
from services.rules.core.memory import Memory
from services.rules.core.missing import Watch
from services.rules.core.witness import Said
from shared.model import units
from shared.model.instants import local_day
from shared.model.report import Report
from shared.model.rule import Joint, Missing

if TYPE_CHECKING:
    from services.rules.core.book import Judging
    from services.rules.core.cell import Cell, RatioState, Series
    from services.rules.core.engine import Engine


def reading(
    engine: "Engine",
    cell: "Cell",
    judging: "Judging",
    hold: Hold,
    report: Report,
    value: float,
    flag: str,
) -> None:
    quality: Quality = "over" if flag == "T" else "known" if flag in ("N", "S") else "unknown"
    at_us = report.observed_us
    if judging.derive is not None:
        if hold.memory is None:
            hold.memory = judging.derive.empty()
        if judging.witness is None:
            steps = judging.derive.reading(hold.memory, at_us, quality, value)
        else:
            capacity = partial(capacity_at, engine, cell, at_us)
            said = Said(at_us, quality, value, flag, engine.clock, capacity, report.revision or 0)
            if judging.companion is not None:
                runs = partial(companion.runs, engine, cell, judging.companion, report)
                said = said._replace(runs=runs)
            steps = judging.witness(hold.memory, said)
        derived(engine, cell, judging, hold, hold.memory, steps, report)
        set_alarm(engine, cell, judging, hold.memory, engine.clock.now_us)
        return
    if not edition(engine, cell, judging, hold, at_us, report):
        return
    if judging.convert is not None:
        value = units.convert(value, *judging.convert)
    held(engine, cell, judging, hold, at_us, report, quality, value)


def capacity_at(engine: "Engine", cell: "Cell", at_us: int) -> float | None:
    assert engine.book is not None
    return engine.book.capacity(cell.facility, at_us)


def derived(engine: "Engine", cell: "Cell", judging: "Judging", hold: Hold, memory: Memory, steps: list[Step],
    report: Report | None,
) -> None:  # fmt: skip
    """Derived readings are judged one by one, as if each had been reported."""
    for at_us, quality, value in steps:
        if value is not None and not isfinite(value):
            quality, value = "unknown", None  # beyond all numbers; nobody could read it
        memory.unknown = quality == "unknown"
        if edition(engine, cell, judging, hold, at_us, report):
            held(engine, cell, judging, hold, at_us, report, quality, value)


def set_alarm(
    engine: "Engine", cell: "Cell", judging: "Judging", memory: Memory, heard_us: int | None
) -> None:
    """Wake up once for what time alone will derive; an alarm that stands early may stay."""
    assert judging.derive is not None
    due_us = judging.derive.alarm(memory, engine.clock, heard_us)
    if due_us is None:
        memory.alarm_us = None
    elif memory.alarm_us is None or due_us < memory.alarm_us:
        memory.alarm_us = due_us
        engine.push(due_us, cell, judging)


def edition(
    engine: "Engine",
    cell: "Cell",
    judging: "Judging",
    hold: Hold,
    at_us: int,
    report: Report | None,
) -> bool:
    """Run timers first; False when the rule does not judge this instant."""
    if hold.timer_us is not None:
        engine.emit(cell, judging, hold.due(at_us), report)
    if judging.edition.holds(at_us):
        return True
    if judging.edition.is_over(at_us):
        engine.emit(cell, judging, hold.withdraw(at_us), report)
    return False


def held(engine: "Engine", cell: "Cell", judging: "Judging", hold: Hold, at_us: int, report: Report | None,
    quality: Quality, value: float | None,
) -> None:  # fmt: skip
    delays = judging.delays
    before = hold.timer_us
    if quality == "unknown":
        changes = hold.unknown(judging.alerts_unknown, delays, at_us)
    elif quality == "over":
        assert value is not None
        changes = hold.over_range(judging.ladder, delays, at_us, value)
    else:
        assert value is not None
        changes = hold.known(judging.ladder, delays, at_us, value)
    if hold.timer_us is not None and hold.timer_us != before:
        engine.push(hold.timer_us, cell, judging)
    engine.emit(cell, judging, changes, report)


def ratio(
    engine: "Engine", cell: "Cell", state: "RatioState", report: Report, newer: set[str]
) -> None:
    assert engine.book is not None
    if state.components.isdisjoint(newer):
        return
    at_us = report.observed_us
    parts = [cell.series[name] for name in state.components if name in cell.series]
    if any(part.newest_us > at_us for part in parts):
        return  # not the newest slot that any component has shown
    if state.final_us == at_us:
        return
    if not edition(engine, cell, state.judging, state.hold, at_us, report):
        return
    condition = state.judging.rule.condition
    assert isinstance(condition, Joint)
    components = {
        part.indicator: (part.value, part.flag) for part in parts if part.newest_us == at_us
    }
    capacity = engine.book.capacity(cell.facility, at_us)
    quality, combined = joint.result(condition, components, capacity)
    if joint.is_final(condition, quality):
        state.final_us = at_us
    state.last_unknown = quality == "unknown"
    held(engine, cell, state.judging, state.hold, at_us, report, quality, combined)


def heard(
    engine: "Engine",
    cell: "Cell",
    judging: "Judging",
    watch: Watch,
    series: "Series",
    report: Report,
) -> None:
    if watch.open_us is None:
        return
    assert engine.book is not None and engine.clock.now_us is not None
    condition = judging.rule.condition
    if not isinstance(condition, Missing):
        return  # a facility has spoken: core.silent
    day = None
    if condition.due is not None:
        day = local_day(report.observed_us, engine.book.zone).toordinal()
    changes = missing.reported(watch, day, engine.clock.now_us)
    if changes:
        engine.emit(cell, judging, changes, report)
        if condition.every_us is not None:  # the daily look is in the heap already
            engine.push(engine.clock.now_us, cell, judging)


def timer(engine: "Engine", cell: "Cell", judging: "Judging", hold: Hold, at_us: int) -> None:
    changes = hold.due(at_us)
    if changes:
        engine.dirty.add((cell.station, cell.interval))
        engine.emit(cell, judging, changes, None)
