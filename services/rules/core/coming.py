"""Coming: what a tick looks at when it comes up in the heap; one that is no longer true is dropped."""

from typing import TYPE_CHECKING

from services.rules.core import group, judgement, missing, silent
from services.rules.core.book import Judging
from services.rules.core.cell import Cell, Series
from services.rules.core.hold import Hold
from services.rules.core.missing import Watch
from services.rules.core.territory import Territory
from shared.model.rule import Missing, Silent

if TYPE_CHECKING:
    from services.rules.core.engine import Engine


def look(engine: "Engine", cell: Cell, indicator: str, rule: str, at_us: int) -> None:
    if isinstance(cell.roll, Territory):
        return  # it was none when this was put into the heap
    cell.settle()
    series = cell.series.get(indicator)
    for state in cell.ratios:
        if state.judging.rule.id == rule and state.hold.timer_us is not None:
            judgement.timer(engine, cell, state.judging, state.hold, at_us)
    if series is None:
        return
    for judging, hold in series.holds:
        if judging.rule.id != rule:
            continue
        if judging.group is not None:
            group.tick(engine, cell, judging, hold, at_us)
        elif hold.memory is not None:
            overdue(engine, cell, series, judging, hold, at_us)
        elif hold.timer_us is not None:
            judgement.timer(engine, cell, judging, hold, at_us)
    for judging, watch in series.watches:
        if judging.rule.id == rule and isinstance(judging.rule.condition, Silent):
            silent.look(engine, cell, judging, watch)
        elif judging.rule.id == rule:
            silence(engine, cell, series, judging, watch)


def overdue(
    engine: "Engine", cell: Cell, series: Series, judging: Judging, hold: Hold, at_us: int
) -> None:
    """A tick and a derived condition: what time alone derives, which lies in the past of
    the tick, then a timer that an earlier record started and that still stands.
    """
    memory, first_us = hold.memory, engine.clock.first_us
    assert judging.derive is not None and memory is not None and first_us is not None
    if not engine.looks_at(cell, judging, hold):
        return
    waits_us = hold.timer_us
    heard_us = series.heard_us if series.heard_us is not None else first_us
    steps = judging.derive.overdue(memory, engine.clock, heard_us, at_us)
    judgement.derived(engine, cell, judging, hold, memory, steps, None)
    memory.alarm_us = None
    judgement.set_alarm(engine, cell, judging, memory, heard_us)
    if waits_us is not None and hold.timer_us == waits_us:
        judgement.timer(engine, cell, judging, hold, at_us)
    engine.dirty.add((cell.station, cell.interval))


def silence(engine: "Engine", cell: Cell, series: Series, judging: Judging, watch: Watch) -> None:
    assert engine.book is not None
    condition = judging.rule.condition
    assert isinstance(condition, Missing)
    edition = judging.edition
    again: int | None
    if condition.due is not None:
        newest = None if series.heard is None else series.newest_us
        changes, again = missing.look_daily(
            watch, condition, edition, newest, engine.clock, engine.book.zone
        )
    else:
        changes, again = missing.look_often(watch, condition, edition, series.heard, engine.clock)
    if again is not None:
        engine.push(again, cell, judging)
    engine.dirty.add((cell.station, cell.interval))
    if changes:
        cell.quiet = False
        engine.emit(cell, judging, changes, None)
