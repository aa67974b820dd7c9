"""Flatline: how long a value has stood within a tolerance of the one its stand began with.

Anchored to its first value, so that a slow drift ends a stand and nothing but it is remembered.
"""

from decimal import Decimal

from services.rules.core.derive import FromReadings, Quality, Step
from services.rules.core.memory import FlatMemory, Memory
from shared.model import numbers
from shared.model.rule import Flatline

UNIT_US = {"min": 60_000_000, "h": 3_600_000_000}


class FlatlineOf(FromReadings):
    """An unknown reading is no evidence of standing or moving; one over range says neither."""

    def __init__(self, condition: Flatline, factor: Decimal) -> None:
        self.condition, self.factor = condition, factor
        self.within = numbers.exact(condition.within)
        self.above = None if condition.above is None else numbers.exact(condition.above)
        self.unit_us = Decimal(UNIT_US[condition.shown_in])

    def empty(self) -> FlatMemory:
        return FlatMemory()

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        assert isinstance(memory, FlatMemory)
        if quality == "unknown":
            return [Step(at_us, "unknown", None)]
        if quality == "over":
            return []
        if self.above is not None and self._is_nothing(value, self.above):
            memory.begin_us = None
            return [Step(at_us, "known", 0.0)]
        begin_us = memory.begin_us
        if begin_us is None or not self._stands(memory, at_us, value):
            begin_us = memory.begin_us = at_us
            memory.value = value
        memory.newest_us = at_us
        stood = numbers.divide(Decimal(at_us - begin_us), self.unit_us)
        return [Step(at_us, "known", numbers.rounded(stood))]

    def _is_nothing(self, value: float, above: Decimal) -> bool:
        return numbers.multiply(numbers.exact(value), self.factor) <= above

    def _stands(self, memory: FlatMemory, at_us: int, value: float) -> bool:
        longest_us = self.condition.max_gap_us
        if longest_us is not None and at_us - memory.newest_us > longest_us:
            return False
        if value == memory.value:
            return True
        apart = abs(numbers.subtract(numbers.exact(value), numbers.exact(memory.value)))
        return numbers.multiply(apart, self.factor) <= self.within
