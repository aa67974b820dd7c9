"""The log in memory: for tests and the backtest; nothing survives it."""

import threading
from collections.abc import Sequence

from shared.log.port import DEAD_LETTERS, Addition, Batch, Entry, Position, within_bounds


class MemoryLog:
    """Positions rise by one from 1 in each partition of each topic."""

    def __init__(self, partitions: int = 1) -> None:
        self._partitions = partitions
        self._topics: dict[tuple[str, int], list[Entry]] = {}
        self._grown = threading.Condition()

    def partitions(self, topic: str) -> int:
        return 1 if topic == DEAD_LETTERS else self._partitions

    def append(
        self, topic: str, entries: Sequence[tuple[str, bytes]], partition: int = 0
    ) -> Position:
        added = self.append_all([Addition(topic, *entry, partition) for entry in entries])
        return added[-1] if added else Position(0)

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        added = []
        with self._grown:
            for each in additions:
                kept = self._topics.setdefault((each.topic, each.partition), [])
                kept.append(Entry(Position(len(kept) + 1), each.key, each.value))
                added.append(kept[-1].position)
            self._grown.notify_all()
        return added

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        with self._grown:
            kept = self._topics.get((topic, partition), [])
            first = max(start, 1) - 1
            found = list(within_bounds(kept[first : first + limit]))
        return Batch(found, Position(found[-1].position + 1) if found else start)

    def end(self, topic: str, partition: int) -> Position:
        with self._grown:
            return Position(len(self._topics.get((topic, partition), [])) + 1)

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        with self._grown:
            return self._grown.wait_for(
                lambda: len(self._topics.get((topic, partition), [])) >= max(start, 1), timeout_s
            )

    def close(self) -> None: ...


class MemoryBundles:
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, name: str, body: bytes) -> None:
        self._kept[name] = body

    def get(self, name: str) -> bytes:
        return self._kept[name]
