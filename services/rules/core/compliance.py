"""Compliance: did the readings that a plan requires come, judged when the period is over.

    period   [---- week ----)[---- week ----)[---- week
    readings    .  .   .         .
    judged                  ^ 100 %         ^ 33 %        at_least: 3; at its end and grace

Only a tick judges, so a point that is never sampled is told too. What we could not hear does not
count against the station: the number required shrinks with the time that we were deaf.
"""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.rules.core.clock import LogClock
from services.rules.core.derive import Step
from services.rules.core.memory import Memory, PlanMemory
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.instants import local_day, local_midnight
from shared.model.timed import Compliance

MOST = 64
"""Periods that wait to be judged; readings of later ones do not count."""
BEFORE_ALL = -(1 << 62)


class ComplianceOf(Witness):
    def __init__(self, condition: Compliance, zone: ZoneInfo) -> None:
        self.condition, self.zone = condition, zone

    def empty(self) -> PlanMemory:
        return PlanMemory()

    def armed(self, now_us: int | None) -> PlanMemory:
        """From its activation on; None: before the first tick, which counts as the first tick."""
        return PlanMemory(begin_us=now_us)

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        """Counts; nothing is judged by a reading."""
        assert isinstance(memory, PlanMemory)
        at_us, last_us = said.at_us, memory.last_us
        if said.quality == "unknown":
            return []
        if last_us is not None and at_us - last_us < self.condition.apart_us:
            return []
        start_us = self._start(at_us)
        if memory.next_us is not None and start_us < memory.next_us:
            return []
        if memory.starts and memory.starts[-1] == start_us:
            memory.counts[-1] += 1
        elif len(memory.starts) < MOST:
            memory.starts.append(start_us)
            memory.counts.append(1)
        else:
            return []
        memory.last_us = at_us
        return []

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        assert isinstance(memory, PlanMemory)
        begin_us = self._begin(memory, clock)
        if begin_us is None or memory.next_us is None:
            return []
        steps = []
        while clock.listened_until(self._end(memory.next_us), self.condition.grace_us) <= at_us:
            start_us, end_us = memory.next_us, self._end(memory.next_us)
            gone = sum(start < start_us for start in memory.starts)
            del memory.starts[:gone], memory.counts[:gone]
            count = memory.counts[0] if memory.starts[:1] == [start_us] else 0
            deaf_us = clock.deaf_within(start_us, end_us)
            steps.append(self._step(start_us, end_us, count, deaf_us, begin_us))
            memory.next_us = end_us
        return steps

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        assert isinstance(memory, PlanMemory)
        if self._begin(memory, clock) is None or memory.next_us is None:
            return BEFORE_ALL
        return clock.listened_until(self._end(memory.next_us), self.condition.grace_us)

    def _begin(self, memory: PlanMemory, clock: LogClock) -> int | None:
        """Where watching began; known from the first tick on."""
        begin_us = memory.begin_us if memory.begin_us is not None else clock.first_us
        if begin_us is not None and memory.next_us is None:
            memory.begin_us, memory.next_us = begin_us, self._start(begin_us)
        return begin_us

    def _step(self, start_us: int, end_us: int, count: int, deaf_us: int, begin_us: int) -> Step:
        length_us = end_us - start_us
        required = -(-self.condition.at_least * (length_us - deaf_us) // length_us)
        if required == 0:
            return Step(start_us, "unknown", None)
        share = numbers.rounded(numbers.divide(Decimal(100 * count), Decimal(required)))
        # Of a period that had begun before us, what came is a lower bound.
        return Step(start_us, "known" if begin_us <= start_us else "over", share)

    def _start(self, at_us: int) -> int:
        return local_midnight(self._first_day(local_day(at_us, self.zone)), self.zone)

    def _first_day(self, day: date) -> date:
        if self.condition.per == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.condition.per == "month" else day

    def _end(self, start_us: int) -> int:
        days = {"day": 1, "week": 7, "month": 31}[self.condition.per]
        day = local_day(start_us, self.zone) + timedelta(days=days)
        return local_midnight(self._first_day(day), self.zone)
