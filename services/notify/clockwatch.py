"""Clockwatch: which instant a unit stands at, and whether the clock was set since the last one.

With the machine's clock on a database server, the server's clock counts, for all replicas. A step
is seen by each of them; `shifted_us` in the desk says how far the timers have been moved so far,
so that one replica moves them and the others see that it is done.
"""

import threading
from typing import NamedTuple

from sqlalchemy import func, select

from services.notify.desk import tables as t
from services.notify.desk.server import server_now
from services.notify.desk.unit import Unit
from shared.clock import Clock, ScenarioClock, SystemClock
from shared.model.instants import Instant

CLOCK_STEP_US = 1_000_000
"""A wall clock that went this much more or less than the steady one was set."""
DRIFT = 1_000
"""Two machines' clocks may differ by one part in this many without having been set."""
READ_APART_US = 100_000
"""Both clocks are read within this, or again: we may be stopped between the two."""
READINGS = 10


class Reading(NamedTuple):
    now: Instant
    steady_us: int
    shifted_us: int


class Clockwatch:
    """May be used from any thread."""

    def __init__(self, clock: Clock, *, is_served: bool) -> None:
        self._clock = clock
        self._is_served = is_served
        self.asks_server = is_served and isinstance(clock, SystemClock)
        self._never_steps = isinstance(clock, ScenarioClock)  # and runs far between two readings
        self._guard = threading.Lock()
        self._last: Reading | None = None

    def observe(self, unit: Unit) -> Instant | None:
        """
        The instant of this unit; None when the clock was set: then the timers must be moved
        first, by `settle` in a unit alone.
        """
        if self._never_steps:
            return self._clock.now()
        reading = self._read(unit)
        with self._guard:
            if self._last is not None and self._is_step(self._by(self._last, reading), reading):
                return None
            self._keep(reading)
        return reading.now

    def settle(self, unit: Unit) -> Reading | None:
        """In a unit alone: the reading whose timers stand wrong; None when all is well.

        `moved` is to be called once it is done and kept.
        """
        reading = self._read(unit)._replace(shifted_us=unit.meta("shifted_us"))
        last = self._last
        by_us = 0 if last is None else self._by(last, reading)
        if not self._is_step(by_us, reading) or self._was_away(unit, by_us):
            with self._guard:
                self._last = reading
            return None
        return reading

    def by(self, reading: Reading) -> int:
        """How far the timers are to be moved for it."""
        assert self._last is not None
        return self._by(self._last, reading)

    def moved(self, reading: Reading, by_us: int) -> None:
        with self._guard:
            self._last = reading._replace(shifted_us=reading.shifted_us + by_us)

    def forget(self) -> None:
        """The timers were moved by other means: begin anew."""
        with self._guard:
            self._last = None

    def behind(self, unit: Unit, newest_us: int) -> tuple[Instant, int]:
        """
        At start: now, and how far the clock was set back while nothing ran (negative), else 0.

        How far is not known, at least by this much; set forward looks like time passed. What was
        written before a step that was noticed is later than now and means nothing.
        """
        now = self._read(unit).now
        if self._never_steps:
            return now, 0
        if newest_us <= unit.meta("set_back_from"):
            newest_us = unit.meta("set_back_to")
        return now, now - newest_us if newest_us - now > CLOCK_STEP_US else 0

    def estimate(self) -> Instant:
        """About now, without asking the server."""
        last = self._last
        if last is None or not self.asks_server:
            return self._clock.now()
        return Instant(last.now + self._clock.steady_us() - last.steady_us)

    def _read(self, unit: Unit) -> Reading:
        for _ in range(READINGS):
            before = self._clock.steady_us()
            now, shifted = self._now(unit)
            after = self._clock.steady_us()
            if after - before < READ_APART_US:
                break
        return Reading(now, after, shifted)

    def _now(self, unit: Unit) -> tuple[Instant, int]:
        if not self._is_served and self._last is not None:  # nobody else moves the timers
            return self._clock.now(), self._last.shifted_us
        moved = select(t.meta.c.value).where(t.meta.c.key == "shifted_us").scalar_subquery()
        if self.asks_server:
            now, shifted = unit.connection.execute(select(server_now(), moved)).one()
            return Instant(now), shifted
        return self._clock.now(), unit.connection.execute(select(moved)).scalar_one()

    def _keep(self, reading: Reading) -> None:
        if self._last is None or reading.steady_us >= self._last.steady_us:
            self._last = reading

    @staticmethod
    def _by(last: Reading, reading: Reading) -> int:
        stepped = (reading.now - last.now) - (reading.steady_us - last.steady_us)
        return stepped - (reading.shifted_us - last.shifted_us)

    def _is_step(self, by_us: int, reading: Reading) -> bool:
        if self._last is None:
            return False
        drift = abs(reading.steady_us - self._last.steady_us) // DRIFT
        own = (reading.now - self._last.now) - (reading.steady_us - self._last.steady_us)
        # What others have moved is right also where this replica saw no step of its own.
        return min(abs(by_us), abs(own)) > CLOCK_STEP_US + drift

    def _was_away(self, unit: Unit, by_us: int) -> bool:
        """
        Whether it was this machine that stood still (a paused virtual machine), not the clock
        that went forward: then some other replica was alive in the time that we miss.
        """
        if not self.asks_server or by_us < 0:
            return False
        r = t.replicas.c
        newest = unit.connection.execute(select(func.max(r.renewed_us))).scalar()
        now = unit.connection.execute(select(server_now())).scalar_one()
        return newest is not None and now - by_us + CLOCK_STEP_US < newest <= now
