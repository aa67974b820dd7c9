"""Alike: equal tuples are kept once.

The cells of a country have few lists of columns and few bands between them. What a hundred
thousand cells share stays in the processor's cache, and costs its memory once.
"""

from typing import TypeVar

T = TypeVar("T", bound=tuple[object, ...])
MOST = 4096
"""Tuples remembered; stations that invent new columns all day cost no more than this."""


class Alike:
    """One per engine."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[object, ...]] = {}

    def __call__(self, one: T) -> T:
        """The first tuple that was equal to this one."""
        found = self._known.get(one)
        if found is None:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[one] = found = one
        return found  # type: ignore[return-value]  # equal, so of its type

    def __len__(self) -> int:
        return len(self._known)
