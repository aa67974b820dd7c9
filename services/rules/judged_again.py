"""Judged again: records of the log into an engine of one facility, up to an instant."""

from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec

from services.rules.core.engine import Engine
from services.rules.core.trace import Steps, trace
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import Transition

MOST_PASSED = 5

By = Literal["log", "observed"]


class Question(msgspec.Struct, frozen=True):
    """One series and an instant. `by` None: log time, when the log had begun by then."""

    facility: str
    station: str
    indicator: str
    interval: str
    at_us: int
    by: By | None = None


class Passed(msgspec.Struct, frozen=True):
    """A reading that was not newer than the newest, so nobody judged it."""

    observed_us: int
    value: float
    flag: str
    received_us: int


class Stand(msgspec.Struct):
    """How it stood. Not `complete`: what came before `since_us` was not read, so a level or an
    episode that began earlier is not known.
    """

    engine: Engine
    by: By
    complete: bool = True
    since_us: int | None = None
    ended: bool = True
    """False: the time allowed was over before the instant was reached."""
    assumed: bool = False
    """What was read names no configuration; the newest one was taken."""
    records: int = 0
    heard: int = 0
    """Readings of the series among them."""
    passed: deque[Passed] = msgspec.field(default_factory=lambda: deque(maxlen=MOST_PASSED))
    said: dict[str, Transition] = {}
    """The newest transition of each rule at this station and interval."""


class Again:
    """Records of the log, as far as they concern the facility, into the engine."""

    def __init__(
        self, stand: Stand, asked: Question, until: Report | None, newest: Callable[[], str | None]
    ) -> None:
        self._stand, self._asked, self._until, self._newest = stand, asked, until, newest
        self._steps: Steps = {}

    def take(self, record: Record) -> bool:
        """Judge it; True when it is beyond the instant and was not judged, or was the last one."""
        stand, asked = self._stand, self._asked
        stand.records += 1
        if isinstance(record, Report):
            book = stand.engine.book
            if record.facility != asked.facility and (
                book is None or record.facility not in book.facilities
            ):
                return False
            is_series = (
                record.station == asked.station
                and record.interval == asked.interval
                and asked.indicator in record.indicators
            )
            if self._until is None:
                if stand.by == "log":
                    if record.received_us > asked.at_us:
                        return False  # its tick is still to come
                elif is_series and record.observed_us > asked.at_us:
                    return True
            if stand.engine.book is None:
                self.assume()
            if is_series:
                self._look(record)
            self._apply(record)
            return self._until is not None and record == self._until
        if isinstance(record, Tick) and self._is_beyond(record):
            return True
        self._apply(record)
        if isinstance(record, Activate) and stand.engine.book is not None:
            trace(stand.engine.book, self._steps)
        return False

    def _is_beyond(self, tick: Tick) -> bool:
        by_log = self._until is None and self._stand.by == "log"
        return by_log and tick.at_us > self._asked.at_us

    def assume(self) -> None:
        """No configuration is known: what was in force before is not in what is read."""
        name = self._newest()
        self._stand.assumed = True
        if name is not None:
            self.take(Activate(name))

    def _look(self, report: Report) -> None:
        """Is it newer than the newest?"""
        stand, asked = self._stand, self._asked
        stand.heard += 1
        cell = stand.engine.cell((asked.station, asked.interval))
        if cell is None:
            return
        cell.settle()
        series = cell.series.get(asked.indicator)
        if series is None or report.observed_us > series.newest_us:
            return
        index = report.indicators.index(asked.indicator)
        stand.passed.append(
            Passed(report.observed_us, report.values[index], report.flag(index), report.received_us)
        )

    def _apply(self, record: Record) -> None:
        engine = self._stand.engine
        try:
            said = engine.apply((record,))
        except Exception:  # the live engine set the same record aside, loudly
            said = engine.broken()
        for transition in said:
            if (transition.station, transition.interval) == (
                self._asked.station,
                self._asked.interval,
            ):
                self._stand.said[transition.rule] = transition
