"""Change: against the known reading before, as a rate (sign kept) or as a jump (size alone)."""

from decimal import Decimal

from services.rules.core.derive import FromReadings, Quality, Step
from services.rules.core.memory import ChangeMemory, Memory
from shared.model import numbers
from shared.model.rule import Jump, Rate


class ChangeOf(FromReadings):
    """`rate` and `jump`. An over-range reading is compared and never compared with."""

    def __init__(self, condition: Rate | Jump, factor: Decimal) -> None:
        self.condition, self.factor = condition, factor

    def empty(self) -> ChangeMemory:
        return ChangeMemory()

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        assert isinstance(memory, ChangeMemory)
        if quality == "unknown":
            return [Step(at_us, "unknown", None)]
        before_us, before = memory.at_us, memory.value
        if quality == "known":
            memory.at_us, memory.value = at_us, value
        if before_us is None:
            return []
        gap_us, longest_us = at_us - before_us, self.condition.max_gap_us
        if longest_us is not None and gap_us > longest_us:
            return [Step(at_us, "unknown", None)]
        return [Step(at_us, quality, self._value(value, before, gap_us, quality))]

    def _value(self, value: float, before: float, gap_us: int, quality: Quality) -> float:
        change = numbers.multiply(
            numbers.subtract(numbers.exact(value), numbers.exact(before)), self.factor
        )
        if isinstance(self.condition, Rate):
            per_us = numbers.multiply(change, Decimal(self.condition.per_us))
            return numbers.rounded(numbers.divide(per_us, Decimal(gap_us)))
        # At least `value` stood there: what lies below the reading before proves no jump.
        return numbers.rounded(max(change, Decimal(0)) if quality == "over" else abs(change))
