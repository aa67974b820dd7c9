"""Composite: how many of some other rules are firing at a facility, whatever station they judge.

    record ──▶ every other rule ──▶ their transitions ──▶ composites, the inner ones first
                                     fired, ended          judged once, at the latest of them

So a composite never sees half of a record. It is judged when one of its rules begins or ceases
to fire, and when it is activated while some do. The edition that a campaign made of a rule counts
as that rule. Its memory: the alerts that fire, as many as its rules have series at the facility.
"""

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from services.rules.core import judgement
from services.rules.core.derive import Step
from services.rules.core.hold import Hold
from services.rules.core.memory import CompositeMemory
from shared.model.report import Activate, Record, Tick
from shared.model.rule import Composite
from shared.model.transition import Transition

if TYPE_CHECKING:
    from services.rules.core.book import Judging
    from services.rules.core.cell import Cell
    from services.rules.core.engine import Engine

Alert = tuple[str, str, str, str]
"""(rule, station, indicator, interval) at a facility."""


class CompositeOf:
    """One `composite` condition made ready; it takes nothing from reports."""

    indicators: tuple[str, ...] = ()
    unit = "1"

    def __init__(self, condition: Composite) -> None:
        self.rules = frozenset(condition.rules)


def settle(engine: "Engine", record: Record, said: list[Transition]) -> None:
    """After a record was judged; `said` is what came of it, and grows by what composites say."""
    book = engine.book
    if book is None:
        return
    if isinstance(record, Activate):
        facilities = list(book.facilities)
    else:
        facilities = sorted({t.facility for t in said} | engine.late)
    for facility in facilities:
        for judging in book.composites(facility):
            _settle_one(engine, facility, judging, record, said)


def _settle_one(
    engine: "Engine", facility: str, judging: "Judging", record: Record, said: list[Transition]
) -> None:
    assert isinstance(judging.group, CompositeOf)
    assert engine.book is not None
    names = engine.book.counted(judging.group.rules)
    hold = _hold(engine, facility, judging)
    moved = list(_moved(facility, names, hold, said))
    waits_us = hold.timer_us if hold is not None else None
    step: Step | None = None
    if hold is None or hold.memory is None:
        begins = isinstance(record, Activate)
        if not moved and not begins:
            return
        standing = dict(_standing(engine, facility, names))
        if begins and not standing:
            return
        memory = CompositeMemory(firing=sorted(standing))
        if begins:
            now_us = engine.clock.now_us
            step = _step(engine, memory, now_us if now_us is not None else max(standing.values()))
        else:
            step = _step(engine, memory, max(int(t.at_us) for t in moved))
    elif moved:
        assert isinstance(hold.memory, CompositeMemory)
        memory = hold.memory
        _move(memory, moved)
        step = _step(engine, memory, max(memory.at_us, *(int(t.at_us) for t in moved)))
    elif waits_us is None:
        return
    home = engine.home(facility, judging)
    home.series_of(judging.indicator)
    hold = _hold(engine, facility, judging)
    assert hold is not None
    if step is not None:
        hold.memory = memory
        if hold.phase == "inactive" and hold.step and hold.start_us == step.at_us:
            # Another episode may begin at the same instant: it goes on counting its steps.
            home.remember(judging, hold.start_us, hold.step)
            hold.step = 0
        judgement.derived(engine, home, judging, hold, memory, [step], None)
    if isinstance(record, Tick) and waits_us is not None and hold.timer_us == waits_us:
        judgement.timer(engine, home, judging, hold, record.at_us)
    engine.dirty.add((home.station, home.interval))


def _moved(
    facility: str, names: Container[str], hold: Hold | None, said: list[Transition]
) -> Iterator[Transition]:
    """What began or ceased to fire of its rules. What ends may be an edition that went away with
    this record: it is known by its alert.
    """
    memory = hold.memory if hold is not None else None
    firing = set(memory.firing) if isinstance(memory, CompositeMemory) else set()
    for t in said:
        if t.facility != facility:
            continue
        if _begins(t) and t.rule in names:
            firing.add(_alert(t))
            yield t
        elif _ends(t) and _alert(t) in firing:
            firing.discard(_alert(t))
            yield t


def _begins(t: Transition) -> bool:
    return t.state == "firing" and t.cause in ("raised", "missing")


def _ends(t: Transition) -> bool:
    return t.state in ("resolved", "withdrawn")


def _move(memory: CompositeMemory, moved: list[Transition]) -> None:
    firing = set(memory.firing)
    for t in moved:
        if t.state == "firing":
            firing.add(_alert(t))
        else:
            firing.discard(_alert(t))
    memory.firing = sorted(firing)


def _alert(t: Transition) -> Alert:
    return t.rule, t.station, t.indicator, str(t.interval)


def _step(engine: "Engine", memory: CompositeMemory, at_us: int) -> Step:
    memory.at_us = at_us
    return Step(at_us, "known", value_of(engine, memory))


def value_of(engine: "Engine", memory: CompositeMemory) -> float:
    """How many of its rules fire, each once, whatever edition of it and wherever."""
    assert engine.book is not None
    return float(len({engine.book.written(rule) for rule, *_ in memory.firing}))


def _hold(engine: "Engine", facility: str, judging: "Judging") -> Hold | None:
    cell = engine.cell((facility, judging.interval))
    series = cell.series.get(judging.indicator) if cell is not None else None
    for own, hold in series.holds if series is not None else ():
        if own.rule.id == judging.rule.id:
            return hold
    return None


def _standing(
    engine: "Engine", facility: str, names: Container[str]
) -> Iterator[tuple[Alert, int]]:
    """What fires at a facility of some rules, with the starts of their episodes."""
    assert engine.book is not None
    for cell in engine.cells_of(facility):
        for judging, hold, indicator in _holds(cell):
            if judging.rule.id in names and hold.phase == "firing":
                yield (judging.rule.id, cell.station, indicator, cell.interval), hold.start_us
        for series in cell.series.values():
            for judging, watch in series.watches:
                if judging.rule.id in names and watch.open_us is not None:
                    alert = (judging.rule.id, cell.station, series.indicator, cell.interval)
                    yield alert, watch.open_us


def _holds(cell: "Cell") -> Iterator[tuple["Judging", Hold, str]]:
    for series in cell.series.values():
        for judging, hold in series.holds:
            yield judging, hold, series.indicator
    for ratio in cell.ratios:
        yield ratio.judging, ratio.hold, ratio.judging.indicator
