"""Derive: readings of a series become derived readings, which are judged like any other.

A derived reading has a time, a quality and a value of its own. The rest of the engine (levels,
delays, editions, unknown, T) does not know that nobody reported it. docs/conditions says what
each kind makes of a reading that is unknown or over range.
"""

from typing import Literal, NamedTuple, Protocol

from services.rules.core.clock import LogClock
from services.rules.core.memory import Memory

Quality = Literal["known", "over", "unknown"]


class Step(NamedTuple):
    """One derived reading; `value` is None exactly when it is unknown."""

    at_us: int
    quality: Quality
    value: float | None


class Derivation(Protocol):
    """One derived condition made ready. It has no state: that is in the memory it is given."""

    def empty(self) -> Memory:
        """The memory of a series that was never heard."""

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        """What a newer reading, in the unit of its indicator, makes; in order of time."""

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        """What a tick at `at_us` makes; the series was last heard at log time `heard_us`."""

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        """When a tick must ask `overdue`; may be early, never late. None: only readings derive."""


class FromReadings:
    """For conditions that only readings move."""

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        return []

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        return None
