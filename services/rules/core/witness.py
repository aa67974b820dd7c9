"""Witness: a derivation that asks more of a reading than its value and quality."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from services.rules.core.clock import LogClock
from services.rules.core.derive import FromReadings, Quality, Step
from services.rules.core.memory import Memory


def _nobody_knows() -> bool | None:
    return None


class Said(NamedTuple):
    """A newer reading, in the unit of its indicator, with what surrounds it."""

    at_us: int
    quality: Quality
    value: float
    flag: str
    clock: LogClock
    capacity: Callable[[], float | None]
    """What the facility can treat on the day of the reading, t per day, by its configuration."""
    revision: int = 0
    runs: Callable[[], bool | None] = _nobody_knows
    """Whether the plant runs, of a rule with a companion; None: nobody knows."""


Witnessing = Callable[[Memory, Said], list[Step]]


class Witness(FromReadings, ABC):
    """The engine hands it what was said; `reading` is for those who have nothing more."""

    @abstractmethod
    def empty(self) -> Memory:
        """The memory of a series that was never heard."""

    @abstractmethod
    def witness(self, memory: Memory, said: Said) -> list[Step]:
        """What a newer reading makes of the memory; in order of time."""

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        flag = {"known": "N", "over": "T", "unknown": "D"}[quality]
        clock = LogClock(deaf_after_us=0)
        return self.witness(memory, Said(at_us, quality, value, flag, clock, lambda: None))
