"""Running: how long a plant has run while a series of it stood in maintenance, fault or stopped.

    flag        N   F   F   F   F   F   N
    furnace °C  870 870 875 300 290 880 870     runs: > 850
    hours       0   0   1   1   1   2   0
                    ^ the clock begins      ^ evidence ends it

Time counts from one reading to the next when the companion shows at the later one that the plant
runs. Time of which nobody knows does not count, and makes the rest a lower bound.
"""

from decimal import Decimal

from services.rules.core.derive import Quality, Step
from services.rules.core.memory import Memory, RunMemory
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.timed import SHOWN_US, Flagged


class RunningOf(Witness):
    """`flagged` with `while`."""

    def __init__(self, condition: Flagged) -> None:
        self.flags = frozenset(condition.flags)
        self.unit_us = Decimal(SHOWN_US[condition.shown_in])

    def empty(self) -> RunMemory:
        return RunMemory()

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, RunMemory)
        if said.quality != "unknown":
            memory.begin_us = None
            return [Step(said.at_us, "known", 0.0)]
        if memory.begin_us is None:
            if said.flag not in self.flags:
                return [Step(said.at_us, "unknown", None)]
            memory.begin_us, memory.ran_us, memory.partial = said.at_us, 0, False
        elif (runs := said.runs()) is None:
            memory.partial = True
        elif runs:
            memory.ran_us += said.at_us - memory.last_us
        memory.last_us = said.at_us
        ran = numbers.rounded(numbers.divide(Decimal(memory.ran_us), self.unit_us))
        quality: Quality = "over" if memory.partial else "known"
        return [Step(said.at_us, quality, ran)]
