"""Log time: the highest tick. Only ticks move it, and gaps between them are our deafness."""

import msgspec

LONGEST_MEMORY = 4_096
"""Deaf intervals remembered; older ones are joined, which can only delay a missing report."""


class LogClock(msgspec.Struct):
    """`now_us` is None before the first tick; `deaf` holds (from, to) tick pairs, ascending."""

    deaf_after_us: int
    first_us: int | None = None
    now_us: int | None = None
    deaf: list[tuple[int, int]] = []
    deaf_us: int = 0

    def tick(self, at_us: int) -> bool:
        """Move to a later tick; False for one that is not later."""
        if self.now_us is None:
            self.first_us = self.now_us = at_us
            return True
        if at_us <= self.now_us:
            return False
        if at_us - self.now_us > self.deaf_after_us:
            self.deaf.append((self.now_us, at_us))
            self.deaf_us += at_us - self.now_us
            if len(self.deaf) > LONGEST_MEMORY:
                first, second = self.deaf[0], self.deaf[1]
                self.deaf[:2] = [(first[0], second[1])]
        self.now_us = at_us
        return True

    def listened_until(self, start_us: int, wanted_us: int) -> int:
        """The instant at which `wanted_us` of listening since `start_us` have passed.

        Deaf time does not count, and the instant is never inside a deaf interval.
        """
        at = start_us + wanted_us
        for begin, end in self.deaf:
            if end <= start_us:
                continue
            if begin >= at:
                break
            at += end - max(begin, start_us)
        return at
