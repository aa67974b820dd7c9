"""The log port: `append` and `read`. The log never remembers its readers.

A consumer keeps its position in the transaction that keeps its effects. An entry is opaque
bytes: on the judged log one envelope of records (shared.model.report), on dead letters one
refused item. SQLite and Kafka are the same port.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NewType, Protocol

import msgspec

Position = NewType("Position", int)
"""Where an entry stands in one partition of one topic. Rises; gaps are allowed."""

REPORTS = "yujing.reports.v1"
DEAD_LETTERS = "yujing.dead-letters.v1"


READ_BYTES = 16 * 1024 * 1024
"""A read ends early rather than hold more than this (one entry may be larger)."""


class Entry(msgspec.Struct, frozen=True):
    position: Position
    key: str
    value: bytes


class Batch(msgspec.Struct, frozen=True):
    """What a read found, in order, and where to read next (also when nothing was found)."""

    entries: list[Entry]
    next: Position


def within_bounds(entries: Iterable[Entry]) -> Iterator[Entry]:
    """As many entries as a read may hold at once; never none of some."""
    size = 0
    for entry in entries:
        size += len(entry.value)
        if size > READ_BYTES and size > len(entry.value):
            return
        yield entry


class Log(Protocol):
    """Thread-safe. One partition here is 0; more on Kafka."""

    def append(self, topic: str, entries: Sequence[tuple[str, bytes]]) -> Position:
        """Add (key, value) entries in order, all or none; durable when it returns.

        Returns the position of the last one.

        Raises:
            Unavailable: nothing was added, or nobody can tell (then a reader may see it later).

        """

    def append_all(self, entries: Sequence[tuple[str, str, bytes]]) -> Position:
        """Add (topic, key, value) entries of several topics, all or none, as `append`."""

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        """Entries at or after `start`, at most `limit` and about 16 MiB, at least one if any.

        Position 0 is the beginning. Nothing found means there is nothing (yet).
        """

    def end(self, topic: str, partition: int) -> Position:
        """Where the next entry will stand, or later."""

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        """True once an entry at or after `start` can be read."""

    def close(self) -> None: ...


class Bundles(Protocol):
    """Content-addressed configuration beside the log: a replay is (log, bundles)."""

    def put(self, name: str, body: bytes) -> None: ...

    def get(self, name: str) -> bytes:
        """Raises KeyError for a name that was never put."""
