"""Edition: when a rule judges. From, to, and the pauses in which a campaign judges instead."""

from collections.abc import Iterable

import msgspec


class Edition(msgspec.Struct, frozen=True):
    """`from_us` inclusive, `to_us` exclusive; pauses likewise, in order of time, none in another."""

    from_us: int
    to_us: int | None
    pauses: tuple[tuple[int, int], ...] = ()

    def without(self, pauses: Iterable[tuple[int, int]]) -> "Edition":
        return Edition(self.from_us, self.to_us, tuple(pauses))

    def holds(self, at_us: int) -> bool:
        """Is the rule in force at this instant?"""
        if at_us < self.from_us or (self.to_us is not None and at_us >= self.to_us):
            return False
        return not self.pauses or not self._is_paused(at_us)

    def is_over(self, at_us: int) -> bool:
        """A reading of this instant ends what stands: the edition ended, or a campaign judges."""
        return (self.to_us is not None and at_us >= self.to_us) or self._is_paused(at_us)

    def begins(self, at_us: int) -> int | None:
        """The first instant from `at_us` on at which the rule is in force."""
        at_us = max(at_us, self.from_us)
        for from_us, to_us in self.pauses:
            if from_us <= at_us < to_us:
                at_us = to_us
        return at_us if self.to_us is None or at_us < self.to_us else None

    def _is_paused(self, at_us: int) -> bool:
        return any(from_us <= at_us < to_us for from_us, to_us in self.pauses)
