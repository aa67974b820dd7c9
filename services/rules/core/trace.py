"""Trace: a derivation that remembers the newest derived reading of each series.

The live engine has no use for it once it was judged; whoever asks what a window made of the
readings has. One step per series that is asked about.
"""

from services.rules.core.book import Book
from services.rules.core.clock import LogClock
from services.rules.core.derive import Derivation, Quality, Step
from services.rules.core.edits import EditsOf
from services.rules.core.memory import Memory
from services.rules.core.witness import Said, Witness

Steps = dict[int, tuple[Memory, Step]]
"""By the identity of the memory, which is held so that it stays its own."""


class Trace:
    """Says what the derivation says, and remembers it."""

    def __init__(self, derivation: Derivation, last: Steps) -> None:
        self.derivation, self._last = derivation, last

    def last(self, memory: Memory | None) -> Step | None:
        """The newest derived reading of the series with this memory."""
        found = None if memory is None else self._last.get(id(memory))
        return None if found is None else found[1]

    def keep(self, memory: Memory, steps: list[Step]) -> list[Step]:
        """The newest of them is the newest of the series."""
        if steps:
            self._last[id(memory)] = memory, steps[-1]
        return steps

    def empty(self) -> Memory:
        return self.derivation.empty()

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        return self.keep(memory, self.derivation.reading(memory, at_us, quality, value))

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(self.derivation, Witness)
        return self.keep(memory, self.derivation.witness(memory, said))

    def edited(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(self.derivation, EditsOf)
        return self.keep(memory, self.derivation.edited(memory, said))

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        return self.keep(memory, self.derivation.overdue(memory, clock, heard_us, at_us))

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        return self.derivation.alarm(memory, clock, heard_us)


def trace(book: Book, last: Steps) -> None:
    """Let every derived condition of a book remember; `last` outlives a change of books."""
    for judging in book.made():
        if judging.derive is not None and not isinstance(judging.derive, Trace):
            traced = Trace(judging.derive, last)
            judging.derive = traced
            if judging.witness is not None:
                judging.witness = traced.witness
            if judging.edited is not None:
                judging.edited = traced.edited
