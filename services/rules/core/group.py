"""Group: rules that judge several stations of a facility at once, slot by slot.

Their series is (facility, facility, indicator, interval), and its state lives in the cell of
that name: held level, delays, editions, restart and activation are those of every series. The
members' cells only hand their readings on; a series that no such rule looks at pays nothing.
"""

from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from services.rules.core import judgement, slots
from services.rules.core.across import AcrossOf, Members
from services.rules.core.balance import BalanceOf
from services.rules.core.beside import BesideOf
from services.rules.core.clock import LogClock
from services.rules.core.composite import CompositeOf
from services.rules.core.derive import Step
from services.rules.core.hold import Hold
from services.rules.core.memory import BesideMemory, Slot, SlotsMemory
from services.rules.core.silent import SilentOf
from shared.model.beside import Beside
from shared.model.configuration import Indicator
from shared.model.report import Report
from shared.model.rule import Balance, Composite, Group, Silent

if TYPE_CHECKING:
    from services.rules.core.book import Book, Judging
    from services.rules.core.cell import Cell, Series
    from services.rules.core.engine import Engine


class Combination(Protocol):
    """One condition on several stations, made ready. It has no state."""

    indicators: tuple[str, ...]
    """What it takes from its members."""
    unit: str

    def source(self, station: str, indicator: str) -> str:
        """The name under which a reading is remembered; it begins with the station."""

    def expected(self, memory: SlotsMemory, stations: tuple[str, ...]) -> tuple[str, ...]:
        """The sources without which a slot is not whole."""

    def due(self, slot: Slot, clock: LogClock) -> int:
        """When a tick judges the slot as it stands; may be early, never late."""

    def step(self, slot: Slot, expected: tuple[str, ...]) -> Step:
        """The judged value of a slot."""

    def members(self, slot: Slot | None, expected: tuple[str, ...]) -> Members:
        """Which of what is expected is known in a slot, and which is not."""


def combination(
    condition: Group, indicators: dict[str, Indicator], zone: ZoneInfo
) -> Combination | BesideOf | CompositeOf | SilentOf:
    if isinstance(condition, Composite):
        return CompositeOf(condition)
    if isinstance(condition, Silent):
        return SilentOf()
    if isinstance(condition, Balance):
        return BalanceOf(condition, {code: each.unit for code, each in indicators.items()}, zone)
    if isinstance(condition, Beside):
        return BesideOf(condition, indicators[condition.indicator].unit, zone)
    return AcrossOf(condition, indicators[condition.indicator].unit, zone)


def hear(engine: "Engine", judging: "Judging", cell: "Cell", series: "Series") -> None:
    """A member has a newer reading."""
    combine = judging.group
    assert combine is not None and not isinstance(combine, CompositeOf | SilentOf)
    source, said = combine.source(cell.station, series.indicator), (series.value, series.flag)
    for place in _places(engine, judging, cell.facility):
        _, _, memory = _state(engine, cell.facility, judging, place)
        slots.hear(memory, source, series.newest_us, said, engine.clock.now_us)


def judge(engine: "Engine", facility: str, fed: list["Judging"], report: Report) -> None:
    """After a report was heard in full: what it settled, rule by rule."""
    assert engine.book is not None
    for judging in dict.fromkeys(fed):
        combine = judging.group
        assert combine is not None and not isinstance(combine, CompositeOf | SilentOf)
        stations = engine.book.members(judging, facility)
        for place in _places(engine, judging, facility):
            home, hold, memory = _state(engine, facility, judging, place)
            expected = combine.expected(memory, stations)
            found = slots.settled(memory, expected)
            steps = _judged(combine, memory, found, expected, place)
            engine.dirty.add((home.station, home.interval))
            judgement.derived(engine, home, judging, hold, memory, steps, report)
            _set_alarm(engine, home, judging, memory)


def tick(engine: "Engine", home: "Cell", judging: "Judging", hold: Hold, at_us: int) -> None:
    """What is due by now, as it stands; then a timer that an earlier record started."""
    if not engine.looks_at(home, judging, hold):
        return
    combine, memory, waits_us = judging.group, hold.memory, hold.timer_us
    if isinstance(combine, CompositeOf):
        engine.late.add(home.facility)  # after the others (core.composite)
        return
    assert combine is not None and engine.book is not None
    assert not isinstance(combine, SilentOf)  # it has a watch, no hold
    if isinstance(memory, SlotsMemory):
        stations = engine.book.members(judging, home.facility)
        found = slots.overdue(memory, combine.due, engine.clock, at_us)
        steps = _judged(combine, memory, found, combine.expected(memory, stations), home.station)
        judgement.derived(engine, home, judging, hold, memory, steps, None)
        memory.alarm_us = None
        _set_alarm(engine, home, judging, memory)
    if waits_us is not None and hold.timer_us == waits_us:
        judgement.timer(engine, home, judging, hold, at_us)
    engine.dirty.add((home.station, home.interval))


def forget(book: "Book", cell: "Cell") -> None:
    """After an activation: stations that are no longer members are not waited for."""
    for series in cell.series.values():
        for judging, hold in series.holds:
            if judging.group is not None and isinstance(hold.memory, SlotsMemory):
                slots.forget(hold.memory, book.members(judging, cell.facility))


def _places(engine: "Engine", judging: "Judging", facility: str) -> tuple[str, ...]:
    """Where its state lies: at the facility, or at each of its members (core.beside)."""
    assert engine.book is not None
    if isinstance(judging.group, BesideOf):
        return engine.book.members(judging, facility)
    return (facility,)


def _state(
    engine: "Engine", facility: str, judging: "Judging", place: str
) -> tuple["Cell", Hold, SlotsMemory]:
    home = engine.home(facility, judging, place)
    for own, hold in home.series_of(judging.indicator).holds:
        if own.rule.id == judging.rule.id:
            if hold.memory is None:
                is_beside = isinstance(judging.group, BesideOf)
                hold.memory = BesideMemory() if is_beside else SlotsMemory()
            assert isinstance(hold.memory, SlotsMemory)
            return home, hold, hold.memory
    raise AssertionError(f"rule {judging.rule.id} has no state at {place}")


def _judged(
    combine: Combination | BesideOf, memory: SlotsMemory, found: list[Slot],
    expected: tuple[str, ...], place: str,
) -> list[Step]:  # fmt: skip
    if found:
        memory.members = expected
    if isinstance(combine, BesideOf):
        return combine.steps(memory, place, found, expected)
    return [combine.step(slot, expected) for slot in found]


def _set_alarm(engine: "Engine", home: "Cell", judging: "Judging", memory: SlotsMemory) -> None:
    """Wake up for the first slot that waits; an alarm that stands early may stay."""
    combine = judging.group
    if not memory.waiting or combine is None or isinstance(combine, CompositeOf | SilentOf):
        memory.alarm_us = None
        return
    if memory.alarm_us is not None and memory.alarm_slot == memory.waiting[0].start_us:
        return
    memory.alarm_slot = memory.waiting[0].start_us
    due_us = combine.due(memory.waiting[0], engine.clock)
    if memory.alarm_us is None or due_us < memory.alarm_us:
        memory.alarm_us = due_us
        engine.push(due_us, home, judging)
