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
INBOX = "yujing.inbox.v1"
ALERTS = "yujing.alerts.v1"
AMENDMENTS = "yujing.amendments.v1"
FACILITIES = "yujing.facilities.v1"
BUNDLES = "yujing.bundles.v1"


READ_BYTES = 16 * 1024 * 1024
"""A read ends early rather than hold more than this (one entry may be larger)."""


class Entry(msgspec.Struct, frozen=True):
    position: Position
    key: str
    value: bytes


class Addition(msgspec.Struct, frozen=True):
    """What is to be added where. On one machine every topic has one partition, 0."""

    topic: str
    key: str
    value: bytes
    partition: int = 0


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
    """Thread-safe. Topics have one partition on one machine, several on Kafka."""

    def partitions(self, topic: str) -> int:
        """How many there are, numbered from 0.

        Raises:
            Unavailable: the log does not answer, or has no such topic.

        """

    def append(
        self, topic: str, entries: Sequence[tuple[str, bytes]], partition: int = 0
    ) -> Position:
        """Add (key, value) entries in order; all durable when it returns.

        Returns the position of the last one. On one machine all or none are added; on Kafka a
        failure may leave some of them, which a reader then sees although nobody was told yes.

        Raises:
            Unavailable: nothing was added, or nobody can tell (then a reader may see it later).

        """

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        """Add to several topics and partitions, as `append`; where each of them stands."""

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
