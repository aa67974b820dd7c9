"""Turns: a lock that is given in the order in which it was asked for.

Python's own lock goes to whoever is quickest, which is the thread that has just let go of it: a
storm of transitions would keep the senders waiting until it is over.
"""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """Not re-entrant. `with turns:` waits for its turn."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # until the one before hands over

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
