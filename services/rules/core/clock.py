"""Log time: the highest tick. Only ticks move it, and gaps between them are our deafness."""

from bisect import bisect_left, bisect_right

import msgspec

LONGEST_MEMORY = 65_536
"""Deaf intervals remembered; a year of ticks an hour apart has 8,760. The oldest are forgotten,
which matters only to a station that was last heard before all of them."""


class LogClock(msgspec.Struct):
    """`now_us` is None before the first tick. Deaf intervals are (begin, end) of two ticks.

    `before` holds, for each deaf interval, the deaf time of all earlier ones, so that any span
    is judged in logarithmic time: a backtest with sparse ticks is deaf between all of them.
    """

    deaf_after_us: int
    first_us: int | None = None
    now_us: int | None = None
    begins: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    deaf_us: int = 0

    def tick(self, at_us: int) -> None:
        """Move to a tick; one that is not later moves nothing."""
        if self.now_us is None:
            self.first_us = self.now_us = at_us
            return
        if at_us <= self.now_us:
            return
        if at_us - self.now_us > self.deaf_after_us:
            self._deaf(self.now_us, at_us)
        self.now_us = at_us

    def _deaf(self, begin: int, end: int) -> None:
        self.begins.append(begin)
        self.ends.append(end)
        self.before.append(self.deaf_us)
        self.deaf_us += end - begin
        if len(self.begins) > LONGEST_MEMORY:
            half = LONGEST_MEMORY // 2
            del self.begins[:half], self.ends[:half], self.before[:half]

    def deaf_within(self, start_us: int, end_us: int) -> int:
        """How much of a span we were deaf, as far as we know by now."""
        first, last = bisect_right(self.ends, start_us), bisect_left(self.begins, end_us)
        if first >= last:
            return 0
        whole = self.before[last - 1] + self.ends[last - 1] - self.begins[last - 1]
        whole -= self.before[first]
        return whole - max(0, start_us - self.begins[first]) - max(0, self.ends[last - 1] - end_us)

    def listened_until(self, start_us: int, wanted_us: int) -> int:
        """The instant at which `wanted_us` of listening since `start_us` have passed.

        Deaf time does not count, and the instant is never inside a deaf interval; it may be
        the tick that ends one.
        """
        first = bisect_right(self.ends, start_us)
        if first == len(self.begins):
            return start_us + wanted_us
        inside = max(0, start_us - self.begins[first])
        # Listening time at which each interval begins never falls, so it can be searched.
        wanted_at = start_us + wanted_us - self.before[first] - inside
        count = bisect_left(
            range(first, len(self.begins)),
            wanted_at,
            key=lambda index: self.begins[index] - self.before[index],
        )
        last = max(first + count, first + 1 if inside else first)
        passed = self.before[last] if last < len(self.begins) else self.deaf_us
        return wanted_at + passed
