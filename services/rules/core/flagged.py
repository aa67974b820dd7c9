"""Flagged: how long a series has stood in maintenance, calibration, fault or stopped.

    flag    N   M   M   D   M   M   N   T
    hours   0   0   1   2   3   4   0   0        flags: [M, C, F, D, B]
                ^ the clock begins      ^ over range is evidence: never muted, so it ends too

What mutes a limit starts a clock of its own, which only evidence stops.
"""

from decimal import Decimal

from services.rules.core.derive import Step
from services.rules.core.memory import FlagMemory, Memory
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.timed import SHOWN_US, Flagged


class FlaggedOf(Witness):
    """Silence is not seen here: that is what `missing` is for."""

    def __init__(self, condition: Flagged) -> None:
        self.flags = frozenset(condition.flags)
        self.unit_us = Decimal(SHOWN_US[condition.shown_in])

    def empty(self) -> FlagMemory:
        return FlagMemory()

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, FlagMemory)
        if said.quality != "unknown":
            memory.begin_us = None
            return [Step(said.at_us, "known", 0.0)]
        if memory.begin_us is None:
            if said.flag not in self.flags:
                return [Step(said.at_us, "unknown", None)]
            memory.begin_us = said.at_us
        stood = numbers.divide(Decimal(said.at_us - memory.begin_us), self.unit_us)
        return [Step(said.at_us, "known", numbers.rounded(stood))]
