"""Moments: a unit of the desk at the instant at which it holds it, and timers that follow the clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from services.notify.clockwatch import Clockwatch
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.desk.unit import Unit
from services.notify.port import Counts
from services.notify.shift import shift
from services.notify.work import Work
from shared.clock import Clock
from shared.model.configuration import Configuration
from shared.model.instants import Instant


class Moments:
    """Where every verb that writes gets its unit, and the only place that asks what time it is."""

    def __init__(
        self, desk: Desk, configuration: Configuration, clock: Clock, counts: Counts
    ) -> None:
        self._desk, self.configuration, self._counts = desk, configuration, counts
        self._watch = Clockwatch(clock, is_served=desk.is_served)

    @contextmanager
    def work(self, *, alone: bool = False) -> Iterator[Work]:
        """One unit at the instant at which it holds the desk.

        The clocks are read inside: an instant from before the wall clock was set, used after
        another has moved the timers with it, would ring the whole ladder.
        """
        while True:
            with self._desk.unit(alone=alone) as unit:
                now = self._watch.observe(unit)
                if now is not None:
                    yield Work(unit, self.configuration, self._counts, now)
                    unit.flush()
                    return
            self.follow_clock()

    def estimate(self) -> Instant:
        """About the instant at which a verb would decide now."""
        return self._watch.estimate()

    def follow_clock(self) -> None:
        """The wall clock was set: what waits goes on waiting as long as it would have."""
        with self._desk.unit(alone=True) as unit:
            reading = self._watch.settle(unit)
            by_us = 0 if reading is None else self._watch.by(reading)
            if reading is not None:
                self._shift(unit, by_us, reading.now)
        if reading is not None:
            self._watch.moved(reading, by_us)

    def notice_set_back(self) -> None:
        """At start: a clock behind what is written already was set back while nobody ran."""
        with self._desk.read() as connection:  # long, so without keeping anybody waiting
            newest = connection.execute(select(func.max(t.ledger.c.at_us))).scalar()
        if newest is None:
            return
        with self._desk.unit(alone=True) as unit:
            now, by_us = self._watch.behind(unit, newest)
            if by_us:
                self._shift(unit, by_us, now)
        self._watch.forget()

    def _shift(self, unit: Unit, by_us: int, now: Instant) -> None:
        gap_us = self._desk.min_step_gap_us
        shift(unit, by_us, now, gap_us, with_leases=self._watch.asks_server)
