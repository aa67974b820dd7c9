"""A glance: something dear to compute, remembered for a moment, computed by one at a time.

Every open page asks once a second. Ten of them must not cost ten times the queries, and a site of
100,000 series must not spend its processor on drawing: the longer the last look took, the longer
it is kept, up to a bound that still leaves the three seconds of contract §4.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SHORTEST_S = 0.3
LONGEST_S = 1.5
"""With the page's own second and the time to draw, below 3 s."""
SHARE = 5
"""A look that took 0.1 s is kept for 0.5 s: at most a sixth of one processor."""


class Glance(Generic[T]):
    """`get` gives a value at most `LONGEST_S` old; `forget` makes the next one new."""

    def __init__(self, look: Callable[[], T], monotonic: Callable[[], float]) -> None:
        self._look, self._monotonic = look, monotonic
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._seen: list[T] = []

    def get(self) -> T:
        """Errors of the look are the caller's; nothing is remembered of them."""
        with self._lock:
            started = self._monotonic()
            if not self._seen or started >= self._until:
                self._seen = [self._look()]
                ended = self._monotonic()
                keep = min(max((ended - started) * SHARE, SHORTEST_S), LONGEST_S)
                self._until = ended + keep
            return self._seen[0]

    def forget(self) -> None:
        with self._lock:
            self._until = float("-inf")
