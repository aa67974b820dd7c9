"""The engine: records of the judged log in, transitions out. Pure; the same log, the same words.

A reading is judged once, in log order, when it is newer than its series' newest. Timers and
missing slots wait in a heap by due time and are looked at by ticks; an entry that is no longer
true is dropped or pushed again when it comes up, so a reading never touches the heap.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

from services.rules.core import (
    coming,
    composite,
    contribute,
    edits,
    group,
    judgement,
    silent,
    territory,
)
from services.rules.core.activation import AT_ONCE, activate
from services.rules.core.alike import Alike
from services.rules.core.book import Book, Judging
from services.rules.core.cell import Cell
from services.rules.core.clock import LogClock
from services.rules.core.hold import Change, Hold
from services.rules.core.said import order, transition
from services.rules.core.territory import Territory
from shared.model.configuration import Bundle
from shared.model.instants import INTERVALS, LATEST_US, Interval
from shared.model.report import WITHDRAWN, Activate, Record, Report, Tick
from shared.model.rollup import Contribution
from shared.model.transition import Transition

Key = tuple[str, str]
Due = tuple[int, int, Key, str, str]
"""(due, tie, cell, indicator, rule): something to look at when log time reaches `due`."""


class Engine:
    """One partition. `apply` is all there is to it; the rest reads or restores its state."""

    def __init__(self, bundle_of: Callable[[str], Bundle], *, alone: bool = True) -> None:
        """Not `alone`, contributions wait in `sent` for whoever brings them to their partition."""
        self._bundle_of, self._alone = bundle_of, alone
        self.sent: deque[Contribution] = deque()
        self.book: Book | None = None
        self.bundle_name: str | None = None
        self.clock = LogClock(deaf_after_us=0)
        self.cells: dict[Key, Cell] = {}
        self.asleep: dict[Key, bytes] = {}
        """Restored cells that nobody needed yet, as they were saved (core.sleep)."""
        self.awaken: Callable[[bytes], Cell] | None = None
        self.alike = Alike()
        self.judged = 0
        self.emitted = 0
        self.dirty: set[Key] = set()
        self.touched: dict[str, None] = {}
        """Facilities with a reading since somebody last looked at them, the oldest first."""
        self.deaf_never = False
        """A backtest without ticks of its own has no deafness (contract §8.20)."""
        self._due: list[Due] = []
        self._tie = 0
        self._looked: dict[int, tuple[Cell, Judging, Hold]] = {}
        """Holds of derived conditions that this tick has looked at."""
        self.late: set[str] = set()
        """Facilities where a tick reached the timer of a composite."""
        self._composing = False
        self._out: list[Transition] = []
        self._emitted: list[Transition] = []

    # -- records -----------------------------------------------------------------------------

    def apply(
        self, records: Iterable[Record], admit: Callable[[Record], bool] | None = None
    ) -> list[Transition]:
        """Judge records in order; transitions come in the order of their records.

        When a record raises, `broken` gives the transitions of those before it; handing over
        an iterator lets the caller go on with those after it. `admit` is asked about every
        record but those on the quiet path: they are like one that it let in.
        """
        cells, dirty = self.cells, self.dirty
        for record in records:
            if type(record) is Report:
                # The quiet path, inline: most of what a country sends ends here (see cell).
                observed_us = record.observed_us
                cell = cells.get((record.station, record.interval))
                if (
                    cell is not None
                    and cell.quiet
                    and cell.observed_us < observed_us < LATEST_US
                    and record.flags is None
                    and record.indicators == cell.shape
                    and record.facility == cell.facility
                ):
                    values = record.values
                    try:
                        for low, value, high in zip(cell.lows, values, cell.highs, strict=True):
                            if not low < value < high:
                                break
                        else:
                            cell.observed_us = observed_us
                            cell.values = values
                            cell.received_us = record.received_us
                            cell.pending_heard_us = self.clock.now_us
                            self.judged += len(values)
                            if cell.settled:
                                cell.settled = False
                                dirty.add((record.station, record.interval))
                                self.touched[cell.facility] = None
                            continue
                    except ValueError:
                        pass  # not as many values as indicators: the long way finds words for it
            if admit is not None and not admit(record):
                continue
            if isinstance(record, Report):
                self._judge(record)
            elif isinstance(record, Tick):
                self._tick(record.at_us)
            elif isinstance(record, Activate):
                activate(self, record.bundle)
            elif self.book is not None and self.book.rollups is not None:
                territory.take(self, self.book.rollups, record)
            if self._composing:
                self._compose(record)
            if self._out:
                self._say()
            if self.sent and self._alone:
                self._come_back()
        return self._take()

    def _compose(self, record: Record) -> None:
        """What counts other rules is judged after them."""
        composite.settle(self, record, self._out)
        self.late.clear()

    def _say(self) -> None:
        self._out.sort(key=order)
        self._emitted += self._out
        self._out = []

    def _come_back(self) -> None:
        """Each contribution is a record of its own, right after the one that caused it."""
        while self.sent:
            contribution = self.sent.popleft()
            if self.book is not None and self.book.rollups is not None:
                territory.take(self, self.book.rollups, contribution)
            if self._composing:
                self._compose(contribution)
            if self._out:
                self._say()

    def _judge(self, report: Report) -> None:
        """One report in full: every newer reading by every rule, then the ratios."""
        book = self.book
        if book is None:
            return
        if book.has_edits:
            edits.heard(self, report)
        if report.flags is not None and WITHDRAWN in report.flags:
            said = report.without_withdrawn()
            if said is None:
                return  # history may change (core.history), the stream does not
            report = said
        key = (report.station, report.interval)
        self.judged += len(report.values)
        cell = self.cell(key)
        if cell is None:
            cell = self.cells[key] = Cell(
                report.facility, report.station, report.interval, book.rules_of(report.station),
                book.at_home(report.facility, report.station),
            )  # fmt: skip
        self.dirty.add(key)
        self.touched[report.facility] = None
        cell.settle()
        if (
            cell.quiet
            and report.flags is None
            and report.indicators == cell.shape
            and report.observed_us > cell.observed_us
        ):
            cell.quiet = False  # should a rule break, the next report takes the long way
            self._judge_partly(cell, report)
            cell.quiet = True
            return
        cell.quiet = False
        newer: set[str] = set()
        fed: list[Judging] = []
        for index, indicator in enumerate(report.indicators):
            value, flag = report.values[index], report.flag(index)
            series = cell.series_of(indicator)
            if report.observed_us <= series.newest_us:
                continue
            series.newest_us, series.value, series.flag = report.observed_us, value, flag
            series.heard_us = self.clock.now_us
            cell.received_us = report.received_us
            newer.add(indicator)
            for judging, hold in series.holds:
                if judging.group is None:
                    judgement.reading(self, cell, judging, hold, report, value, flag)
            for judging, watch in series.watches:
                judgement.heard(self, cell, judging, watch, series, report)
            for judging in series.feeds:
                group.hear(self, judging, cell, series)
                fed.append(judging)
        if fed:
            group.judge(self, cell.facility, fed, report)
        if newer:
            for state in cell.ratios:
                judgement.ratio(self, cell, state, report, newer)
        if newer and cell.roll is not None and book.rollups is not None:
            contribute.contribute(self, book.rollups, cell, report)
        cell.arm(report.indicators, self.alike)
        if book.has_silents:
            silent.spoke(self, cell, report, bool(newer))

    def judge(self, report: Report) -> None:
        """What a territory says, judged as what a station says."""
        self._judge(report)

    def contribute(self, contribution: Contribution) -> None:
        """For the territory above; it is judged after all that the record itself caused."""
        self.sent.append(contribution)

    def new_cell(self, station: str, interval: Interval) -> Cell:
        """The cell of a configured station that was not heard yet."""
        assert self.book is not None
        facility, rules = self.book.stations[station].facility, self.book.rules_of(station)
        cell = Cell(facility, station, interval, rules, self.book.at_home(facility, station))
        self.cells[station, interval] = cell
        return cell

    def _judge_partly(self, cell: Cell, report: Report) -> None:
        """A report like the last one: only the series outside their quiet bands ask their rules."""
        at_us, now_us = report.observed_us, self.clock.now_us
        values, lows, highs = report.values, cell.lows, cell.highs
        cell.observed_us, cell.received_us = at_us, report.received_us
        moved = []
        fed: list[Judging] = []
        for index, series in enumerate(cell.shape_series):
            value = values[index]
            series.newest_us, series.value, series.flag = at_us, value, "N"
            series.heard_us = now_us
            if lows[index] < value < highs[index]:
                continue
            for judging, hold in series.holds:
                if judging.group is None:
                    judgement.reading(self, cell, judging, hold, report, value, "N")
            for judging, watch in series.watches:
                judgement.heard(self, cell, judging, watch, series, report)
            for judging in series.feeds:
                group.hear(self, judging, cell, series)
                fed.append(judging)
            moved.append(index)
        if fed:
            group.judge(self, cell.facility, fed, report)
        cell.arm_again(moved, self.alike)

    def broken(self) -> list[Transition]:
        """After `apply` raised: what was said before the record that broke; its own is forgotten."""
        self._out = []
        return self._take()

    def _take(self) -> list[Transition]:
        emitted, self._emitted = self._emitted, []
        self.emitted += len(emitted)
        return emitted

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone; there are no transitions without a book."""
        assert self.book is not None
        return self.book.zone

    # -- time --------------------------------------------------------------------------------

    def _tick(self, at_us: int) -> None:
        rollups = self.book.rollups if self.book is not None else None
        if rollups is not None and not rollups.open:
            contribute.begin(self, rollups)  # after a restore: from where it was saved
        self.clock.tick(at_us)
        # Also a tick that moves nothing: a late reading may have started a timer that is due.
        due = self._due
        while due and due[0][0] <= at_us:
            _, _, key, indicator, rule = heapq.heappop(due)
            cell = self.cell(key)
            if cell is not None:
                coming.look(self, cell, indicator, rule, at_us)
        if self._looked:
            # What began in this tick waits for the next record (contract §8.5).
            for cell, judging, hold in self._looked.values():
                if hold.timer_us is not None and hold.timer_us <= at_us:
                    self.push(hold.timer_us, cell, judging)
            self._looked.clear()
        if rollups is not None and (rollups.next_us is None or at_us > rollups.next_us):
            contribute.close_slots(self, rollups)

    def looks_at(self, cell: Cell, judging: Judging, hold: Hold) -> bool:
        """Once per tick for each hold that time alone may move; False: it was looked at."""
        if id(hold) in self._looked:
            return False
        self._looked[id(hold)] = (cell, judging, hold)
        return True

    def push(self, due_us: int, cell: Cell, judging: Judging) -> None:
        if isinstance(cell.roll, Territory):
            return  # its timers run with its slots (core.territory)
        self._tie += 1
        key = (cell.station, cell.interval)
        heapq.heappush(self._due, (due_us, self._tie, key, judging.indicator, judging.rule.id))

    # -- rules on several stations (core.group) ------------------------------------------------

    def home(self, facility: str, judging: Judging, place: str | None = None) -> Cell:
        """The cell that holds the state of a rule on several stations: its facility's, or of
        one of them (core.beside).
        """
        assert self.book is not None
        place = facility if place is None else place
        key = (place, judging.interval)
        cell = self.cell(key)
        if cell is None:
            book = self.book
            cell = self.cells[key] = Cell(
                facility, *key, book.rules_of(place), book.at_home(facility, place)
            )
        return cell

    def cells_of(self, facility: str) -> Iterator[Cell]:
        """What there is of a facility, in order of station and interval."""
        assert self.book is not None
        for station in sorted({facility, *self.book.stations_of(facility)}):
            for interval in INTERVALS:
                cell = self.cell((station, interval))
                if cell is not None and cell.facility == facility:
                    yield cell

    # -- sleeping cells ----------------------------------------------------------------------

    def cell(self, key: Key) -> Cell | None:
        """The cell of a key, woken when it sleeps."""
        cell = self.cells.get(key)
        if cell is None and key in self.asleep:
            assert self.awaken is not None
            cell = self.cells[key] = self.awaken(self.asleep[key])
            del self.asleep[key]
            self.push_all(cell)
        return cell

    def wake_all(self) -> None:
        """Before anything that goes through every cell."""
        for key in list(self.asleep):
            self.cell(key)

    # -- configuration -----------------------------------------------------------------------

    def open_book(self, name: str) -> Book:
        """Take a bundle without touching any state: the first step of activation and restore."""
        book = Book(self._bundle_of(name))
        self.book, self.bundle_name = book, name
        self._composing = book.has_composites
        self.clock.deaf_after_us = (1 << 62) if self.deaf_never else book.deaf_after_us
        return book

    # -- out ---------------------------------------------------------------------------------

    def emit(
        self, cell: Cell, judging: Judging, changes: list[Change], report: Report | None
    ) -> None:
        for change in changes:
            self._out.append(transition(cell, judging, change, report))

    @property
    def dues(self) -> Iterator[int]:
        """The instants for which something waits, in no order."""
        return (due[0] for due in self._due)

    def rebuild_due(self) -> None:
        """After a restore: everything that waits, from the state itself."""
        self._due = []
        for cell in self.cells.values():
            self.push_all(cell)

    def push_all(self, cell: Cell) -> None:
        """Everything of one cell that waits; its watches are looked at by the next tick."""
        for state in cell.ratios:
            if state.hold.timer_us is not None:
                self.push(state.hold.timer_us, cell, state.judging)
        for series in cell.series.values():
            for judging, hold in series.holds:
                if hold.timer_us is not None:
                    self.push(hold.timer_us, cell, judging)
                if hold.memory is not None and hold.memory.alarm_us is not None:
                    self.push(hold.memory.alarm_us, cell, judging)
            for judging, _ in series.watches:
                self.push(AT_ONCE, cell, judging)

    def alarm(self, due: Iterable[tuple[int, Key]]) -> None:
        """Sleeping cells to be woken when log time reaches their instant."""
        for due_us, key in due:
            self._tie += 1
            self._due.append((due_us, self._tie, key, "", ""))
        heapq.heapify(self._due)
