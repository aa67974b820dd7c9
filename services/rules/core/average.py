"""Average: the mean of a calendar window of site time, judged once, when the window is over.

    readings   . . . . . . . . . . | . . .
    buckets   [ hour ][ hour ]...[ hour ]        exact sums; 8h and 24h slide by the hour
    window    [------- over -------)
              ^ observed_at of the mean

A window is over with the first reading after which no other can belong to it, or with the tick
by which `grace` was listened since its end and since the series was last heard.
"""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.rules.core.clock import LogClock
from services.rules.core.derive import Quality, Step
from services.rules.core.memory import AverageMemory, Bucket, Memory
from shared.model import numbers
from shared.model.instants import INTERVAL_US, local_instant, to_datetime, window_end, window_start
from shared.model.rule import Average

HOUR_US = 3_600_000_000
SPAN_US = {
    "5m": 300_000_000,
    "1h": HOUR_US,
    "3h": 3 * HOUR_US,
    "8h": 8 * HOUR_US,
    "24h": 24 * HOUR_US,
}


class AverageOf:
    def __init__(self, condition: Average, zone: ZoneInfo, factor: Decimal) -> None:
        self.condition, self.zone, self.factor = condition, zone, factor
        self.complete = numbers.exact(condition.complete)
        # Two readings of such an interval are at least this far apart, so the last one is known.
        self.apart_us = INTERVAL_US.get(condition.interval, 0)

    def empty(self) -> AverageMemory:
        return AverageMemory()

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        assert isinstance(memory, AverageMemory)
        steps = self._close(memory, at_us)
        bucket = self._bucket(memory, at_us)
        if quality != "unknown":
            bucket.total = numbers.add([bucket.total, numbers.exact(value)])
            bucket.count += 1
            bucket.over |= quality == "over"
            slot = (at_us - bucket.start_us) // self.condition.every_us
            bucket.slots += slot != bucket.last_slot
            bucket.last_slot = slot
        return steps + self._close(memory, at_us + self.apart_us)

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        assert isinstance(memory, AverageMemory)
        steps: list[Step] = []
        while (end_us := self._next_end(memory)) is not None:
            if clock.listened_until(max(end_us, heard_us), self.condition.grace_us) > at_us:
                break
            steps += self._close(memory, end_us)
        return steps

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        assert isinstance(memory, AverageMemory)
        end_us = self._next_end(memory)
        if end_us is None:
            return None
        since = end_us if heard_us is None else max(end_us, heard_us)
        return clock.listened_until(since, self.condition.grace_us)

    # -- windows -------------------------------------------------------------------------------

    def _bucket(self, memory: AverageMemory, at_us: int) -> Bucket:
        if memory.buckets and memory.buckets[-1].end_us > at_us:
            return memory.buckets[-1]
        start_us, end_us = self.bounds(at_us)
        memory.buckets.append(Bucket(start_us, end_us))
        return memory.buckets[-1]

    def bounds(self, at_us: int) -> tuple[int, int]:
        """The step of the calendar that holds an instant: 5 minutes, 1 or 3 hours, or a day."""
        if self.condition.over == "day":
            start = window_start(at_us, "day", self.zone)
            return start, window_end(start, "day", self.zone)
        if self.condition.over == "5m":
            local = to_datetime(at_us, self.zone)
            past = timedelta(
                minutes=local.minute % 5, seconds=local.second, microseconds=local.microsecond
            )
            start_us = at_us - past // timedelta(microseconds=1)
            return start_us, start_us + SPAN_US["5m"]
        if self.condition.over == "3h":
            local = to_datetime(at_us, self.zone).replace(tzinfo=None)
            begin = datetime.combine(local.date(), time(local.hour // 3 * 3))
            end = begin + timedelta(hours=3)
            return (
                local_instant(begin.date(), begin.time(), self.zone),
                local_instant(end.date(), end.time(), self.zone),
            )
        start = window_start(at_us, "hour", self.zone)
        return start, start + HOUR_US

    def _next_end(self, memory: AverageMemory) -> int | None:
        """End of the next window to be judged; forgets what no window to come holds."""
        buckets = memory.buckets
        while buckets:
            end_us = buckets[0].end_us
            if self.condition.over in ("8h", "24h"):
                end_us = max(end_us, memory.closed_us + HOUR_US)
                gone = buckets[0].start_us < end_us - SPAN_US[self.condition.over]
            else:
                gone = end_us <= memory.closed_us
            if not gone:
                return end_us
            del buckets[0]
        return None

    def _close(self, memory: AverageMemory, until_us: int) -> list[Step]:
        """Judge every window with a reading in it that ends at or before `until_us`."""
        steps: list[Step] = []
        while (end_us := self._next_end(memory)) is not None and end_us <= until_us:
            steps.append(self._mean([b for b in memory.buckets if b.end_us <= end_us], end_us))
            memory.closed_us = end_us
        return steps

    def _mean(self, buckets: list[Bucket], end_us: int) -> Step:
        condition = self.condition
        start_us = buckets[0].start_us
        if condition.over in ("8h", "24h"):
            start_us = end_us - SPAN_US[condition.over]
        count = sum(bucket.count for bucket in buckets)
        heard_us = sum(bucket.slots for bucket in buckets) * condition.every_us
        if count == 0 or heard_us < self.complete * (end_us - start_us):
            return Step(start_us, "unknown", None)
        total = numbers.multiply(numbers.add([b.total for b in buckets]), self.factor)
        mean = numbers.rounded(numbers.divide(total, Decimal(count)))
        over = any(bucket.over for bucket in buckets)
        return Step(start_us, "over" if over else "known", mean)
