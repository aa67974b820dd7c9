"""Count: how many of the last n known readings hold against a test (k of n).

Until n were seen the count is a lower bound, like a reading over range: it raises, it never
clears.
"""

from services.rules.core.derive import FromReadings, Quality, Step
from services.rules.core.memory import CountMemory, Memory
from shared.model import units
from shared.model.rule import Count


class CountOf(FromReadings):
    """An over-range reading takes a place only when it surely holds against the test."""

    def __init__(self, condition: Count, convert: tuple[str, str] | None) -> None:
        self.condition, self.convert = condition, convert
        self.upwards = condition.of.op in (">", ">=")

    def empty(self) -> CountMemory:
        return CountMemory()

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        assert isinstance(memory, CountMemory)
        if quality == "unknown":
            return [Step(at_us, "unknown", None)]
        if self.convert is not None:
            value = units.convert(value, *self.convert)
        holds = self.condition.of.holds(value)
        if quality == "over" and not (self.upwards and holds):
            return []
        within = self.condition.within
        memory.bits = (memory.bits << 1 | holds) & ((1 << within) - 1)
        memory.seen = min(memory.seen + 1, within)
        full = memory.seen == within
        return [Step(at_us, "known" if full else "over", float(memory.bits.bit_count()))]
