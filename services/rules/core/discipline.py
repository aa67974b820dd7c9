"""Discipline: the share of the last readings that came late, are missing, heap, or are marked.

    of: late      1 for a reading that was judged later than `allowed` after its window
    of: gaps      1 for a slot without a reading, 0 for one with
    of: marks     1 for a reading with one of the flags
    of: heaping   1 just under the limit, 2 in the band of the same width below that, else 0

    of: edits     core.edits

         limit ├──1──┤
               ├──2──┤        without heaping there are about as many 2 as 1, or more

A suspicion with its evidence, never a verdict: what is said of it says 疑似 and asks to verify.
"""

from decimal import Decimal
from zoneinfo import ZoneInfo

from services.rules.core.clock import LogClock
from services.rules.core.derive import Quality, Step
from services.rules.core.edits import EditsOf
from services.rules.core.memory import HabitMemory, Memory
from services.rules.core.numbered import Slots
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.instants import window_end
from shared.model.timed import Discipline


class Habit(Witness):
    """Keeps a digit for each of the last n; the share of ones, a lower bound until n are there."""

    def __init__(self, condition: Discipline) -> None:
        self.condition = condition

    def empty(self) -> HabitMemory:
        return HabitMemory()

    def _push(self, memory: HabitMemory, *digits: int) -> bool:
        """True when n are there."""
        kept = memory.digits + bytes(digits)
        memory.digits = kept[-self.condition.within :]
        return len(memory.digits) == self.condition.within

    def _share(self, memory: HabitMemory, at_us: int, is_full: bool) -> list[Step]:
        quality: Quality = "known" if is_full else "over"
        return [Step(at_us, quality, _percent(memory.digits.count(1), self.condition.within))]


class LateOf(Habit):
    """By log time, so that a replay says the same; what we were deaf for is not late."""

    def __init__(self, condition: Discipline, zone: ZoneInfo) -> None:
        super().__init__(condition)
        self.zone = zone

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, HabitMemory)
        end_us = window_end(said.at_us, self.condition.interval, self.zone)
        now_us = said.clock.now_us
        is_late = now_us is not None and now_us > said.clock.listened_until(
            end_us, self.condition.allowed_us
        )
        return self._share(memory, said.at_us, self._push(memory, int(is_late)))


class MarksOf(Habit):
    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, HabitMemory)
        is_marked = said.flag in self.condition.flags
        return self._share(memory, said.at_us, self._push(memory, int(is_marked)))


class GapsOf(Habit):
    """A slot counts as missing only when we listened during it and the one after it."""

    def __init__(self, condition: Discipline, zone: ZoneInfo) -> None:
        super().__init__(condition)
        self.slots = Slots(condition.every_us, zone)

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, HabitMemory)
        slot, last = self.slots.number(said.at_us), memory.last_slot
        if slot == last:
            return []
        memory.last_slot = slot
        missed = [] if last is None else range(max(last + 1, slot - self.condition.within), slot)
        gaps = [1 for each in missed if self._is_gap(each, said.clock)]
        return self._share(memory, said.at_us, self._push(memory, *gaps, 0))

    def _is_gap(self, slot: int, clock: LogClock) -> bool:
        start_us, end_us = self.slots.start(slot), self.slots.start(slot + 1)
        if clock.now_us is None or end_us > clock.now_us:
            return False
        return clock.deaf_within(start_us, self.slots.start(slot + 2)) == 0


class HeapingOf(Habit):
    def __init__(self, condition: Discipline, factor: Decimal) -> None:
        super().__init__(condition)
        self.factor = factor
        assert condition.limit is not None
        self.limit = numbers.exact(condition.limit)
        width = numbers.divide(
            numbers.multiply(self.limit, numbers.exact(condition.below)), Decimal(100)
        )
        self.middle = numbers.subtract(self.limit, width)
        self.low = numbers.subtract(self.middle, width)

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, HabitMemory)
        if said.quality == "unknown":
            return [Step(said.at_us, "unknown", None)]
        if not self._push(memory, self._digit(said)):
            return []
        heap, below = memory.digits.count(1), memory.digits.count(2)
        share = _percent(heap, max(heap + below, self.condition.least))
        return [Step(said.at_us, "known", share)]

    def _digit(self, said: Said) -> int:
        value = numbers.multiply(numbers.exact(said.value), self.factor)
        if said.quality == "over" or value > self.limit or value < self.low:
            return 0
        return 1 if value >= self.middle else 2


def discipline(condition: Discipline, zone: ZoneInfo, factor: Decimal) -> Witness:
    match condition.of:
        case "late":
            return LateOf(condition, zone)
        case "gaps":
            return GapsOf(condition, zone)
        case "marks":
            return MarksOf(condition)
        case "heaping":
            return HeapingOf(condition, factor)
        case "edits":
            return EditsOf(condition, factor)


def _percent(part: int, whole: int) -> float:
    return numbers.rounded(numbers.divide(Decimal(100 * part), Decimal(whole)))
