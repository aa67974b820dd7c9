"""The log in memory: for tests and the backtest; nothing survives it."""

import threading
from collections.abc import Sequence

from shared.log.port import Batch, Entry, Position, within_bounds


class MemoryLog:
    """Positions rise by one from 1 in each topic."""

    def __init__(self) -> None:
        self._topics: dict[str, list[Entry]] = {}
        self._grown = threading.Condition()

    def append(self, topic: str, entries: Sequence[tuple[str, bytes]]) -> Position:
        return self.append_all([(topic, key, value) for key, value in entries])

    def append_all(self, entries: Sequence[tuple[str, str, bytes]]) -> Position:
        last = Position(0)
        with self._grown:
            for topic, key, value in entries:
                kept = self._topics.setdefault(topic, [])
                last = Position(len(kept) + 1)
                kept.append(Entry(last, key, value))
            self._grown.notify_all()
        return last

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        with self._grown:
            kept = self._topics.get(topic, [])
            first = max(start, 1) - 1
            found = list(within_bounds(kept[first : first + limit]))
        return Batch(found, Position(found[-1].position + 1) if found else start)

    def end(self, topic: str, partition: int) -> Position:
        with self._grown:
            return Position(len(self._topics.get(topic, [])) + 1)

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        with self._grown:
            return self._grown.wait_for(
                lambda: len(self._topics.get(topic, [])) >= max(start, 1), timeout_s
            )

    def close(self) -> None: ...


class MemoryBundles:
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, name: str, body: bytes) -> None:
        self._kept[name] = body

    def get(self, name: str) -> bytes:
        return self._kept[name]
