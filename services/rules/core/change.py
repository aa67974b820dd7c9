"""Change: against the known reading before, as a rate (sign kept) or as a jump (size alone)."""

from decimal import Decimal

from services.rules.core import band
from services.rules.core.derive import FromReadings, Quality, Step
from services.rules.core.memory import Band, ChangeMemory, Memory
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
        size = self._value(value, before, gap_us, quality)
        if isinstance(self.condition, Rate) or self.condition.memory_us is None:
            return [Step(at_us, quality, size)]
        return self._place(memory, self.condition.memory_us, Step(at_us, quality, size), size)

    def _place(self, memory: ChangeMemory, memory_us: int, step: Step, size: float) -> list[Step]:
        """Beside the usual jumps: 1 is as large as the largest, 1.2 a tenth of the band more."""
        if memory.band is None:
            memory.band = Band()
        place = band.place(memory.band, memory_us, step.at_us, size)
        if step.quality == "known":
            band.learn(memory.band, memory_us, step.at_us, size)
        if place is None:
            return []
        return [step._replace(value=numbers.rounded(numbers.exact(place)))]

    def _value(self, value: float, before: float, gap_us: int, quality: Quality) -> float:
        change = numbers.multiply(
            numbers.subtract(numbers.exact(value), numbers.exact(before)), self.factor
        )
        if isinstance(self.condition, Rate):
            per_us = numbers.multiply(change, Decimal(self.condition.per_us))
            return numbers.rounded(numbers.divide(per_us, Decimal(gap_us)))
        # At least `value` stood there: what lies below the reading before proves no jump.
        return numbers.rounded(max(change, Decimal(0)) if quality == "over" else abs(change))
