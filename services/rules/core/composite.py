"""Composite: how many of some other rules are firing at a facility, whatever station they judge.

    record ──▶ every other rule ──▶ their transitions ──▶ composites, the inner ones first
                                     fired, ended          judged once, at the latest of them

So a composite never sees half of a record. It is judged when one of its rules begins or ceases
to fire, and when it is activated while some do. Its memory: the alerts that fire, as many as its
rules have series at the facility.
"""

from collections.abc import Iterator
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
    names = judging.group.rules
    moved = [t for t in said if t.facility == facility and t.rule in names and _begins_or_ends(t)]
    hold = _hold(engine, facility, judging)
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
            step = _step(memory, now_us if now_us is not None else max(standing.values()))
        else:
            step = _step(memory, max(int(t.at_us) for t in moved))
    elif moved:
        assert isinstance(hold.memory, CompositeMemory)
        memory = hold.memory
        _move(memory, moved)
        step = _step(memory, max(memory.at_us, *(int(t.at_us) for t in moved)))
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


def _begins_or_ends(t: Transition) -> bool:
    return t.state in ("resolved", "withdrawn") or (
        t.state == "firing" and t.cause in ("raised", "missing")
    )


def _move(memory: CompositeMemory, moved: list[Transition]) -> None:
    firing = set(memory.firing)
    for t in moved:
        alert = (t.rule, t.station, t.indicator, str(t.interval))
        if t.state == "firing":
            firing.add(alert)
        else:
            firing.discard(alert)
    memory.firing = sorted(firing)


def _step(memory: CompositeMemory, at_us: int) -> Step:
    memory.at_us = at_us
    return Step(at_us, "known", float(len({rule for rule, *_ in memory.firing})))


def _hold(engine: "Engine", facility: str, judging: "Judging") -> Hold | None:
    cell = engine.cell((facility, judging.interval))
    series = cell.series.get(judging.indicator) if cell is not None else None
    for own, hold in series.holds if series is not None else ():
        if own.rule.id == judging.rule.id:
            return hold
    return None


def _standing(
    engine: "Engine", facility: str, names: frozenset[str]
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
