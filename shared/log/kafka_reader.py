"""Reader: one Kafka consumer without a group that reads the partitions of one topic in any order.

It keeps what it fetched for each partition until it is asked for, so that a reader that goes round
the partitions does not fetch everything anew each time. Bounded: a partition that holds enough is
paused until it is read.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from shared.clock import real_monotonic
from shared.errors import Unavailable
from shared.log.port import Batch, Entry, Position, within_bounds

HELD_BYTES = 4 * 1024 * 1024
"""A partition that holds this much is not fetched further."""
FETCH_BYTES = 2 * 1024 * 1024
POLLED = 10_000_000
"""Records a poll may give: all that was fetched. kafka-python parks what it has half parsed when the
partition is paused, and forgets it there as long as the one it parsed last is empty."""
SLICE_S = 0.1
"""Others may use the reader between two slices of a wait."""


class _Part:
    """One partition: what stands from `base` to before `next` is held, all of it."""

    def __init__(self, tp: TopicPartition) -> None:
        self.tp = tp
        self.entries: deque[Entry] = deque()
        self.held = 0
        self.base = self.next = 0

    def covers(self, position: int) -> bool:
        return self.base <= position <= self.next and self.base > 0

    def forget_before(self, position: int) -> None:
        while self.entries and self.entries[0].position < position:
            self.held -= len(self.entries.popleft().value)
        self.base = position

    def begin_at(self, position: int) -> None:
        self.entries.clear()
        self.held = 0
        self.base = self.next = position

    def take(self, limit: int, start: Position) -> Batch:
        found = list(within_bounds(islice(self.entries, limit)))
        if not found:
            return Batch([], start)
        after = Position(found[-1].position + 1)
        self.forget_before(after)
        return Batch(found, after)


class Reader:
    """Thread-safe: one call at a time."""

    def __init__(self, topic: str, arguments: Mapping[str, Any], timeout_s: float) -> None:
        self._topic, self._arguments, self._timeout_s = topic, dict(arguments), timeout_s
        self._lock = threading.RLock()
        self._consumer: KafkaConsumer | None = None
        self._parts: dict[int, _Part] = {}

    def read(self, partition: int, start: Position, limit: int) -> Batch:
        """Entries from `start` on; none means that the log has none there now."""
        with self._using() as consumer:
            part = self._at(consumer, partition, start)
            if not part.entries:
                end = self._end(consumer, part.tp)
                deadline = real_monotonic() + self._timeout_s
                # A stretch without records (compacted away) ends at `end` with nothing to give.
                while not part.entries and self._reached(consumer, part) < end:
                    self._poll(consumer, [part], SLICE_S)
                    if real_monotonic() > deadline:
                        raise Unavailable(f"the broker does not give {self._topic}-{partition}")
            return part.take(limit, start)

    def held(self, partition: int, start: Position, limit: int) -> Batch:
        """What a `wait` has fetched already, without asking the broker: for who follows the end."""
        with self._lock:
            part = self._parts.get(partition)
            if part is None or not part.covers(max(start, 1)):
                return Batch([], start)
            part.forget_before(max(start, 1))
            return part.take(limit, start)

    def end(self, partition: int) -> Position:
        with self._using() as consumer:
            return Position(self._end(consumer, TopicPartition(self._topic, partition)) + 1)

    def wait(self, starts: Mapping[int, Position], timeout_s: float) -> bool:
        """True once any of these partitions has an entry at or after its start."""
        deadline = real_monotonic() + timeout_s
        while True:
            with self._using() as consumer:
                parts = [self._at(consumer, number, start) for number, start in starts.items()]
                if not any(part.entries for part in parts):
                    left = min(SLICE_S, max(deadline - real_monotonic(), 0.0))
                    self._poll(consumer, parts, left)
                if any(part.entries for part in parts):
                    return True
            if real_monotonic() >= deadline:
                return False

    def close(self) -> None:
        with self._lock:
            self._drop(1.0)

    # -- inside ------------------------------------------------------------------------------

    @contextmanager
    def _using(self) -> Iterator[KafkaConsumer]:
        with self._lock:
            try:
                if self._consumer is None:
                    self._consumer = KafkaConsumer(
                        group_id=None, enable_auto_commit=False, auto_offset_reset="earliest",
                        max_partition_fetch_bytes=FETCH_BYTES, fetch_max_wait_ms=100,
                        max_poll_records=POLLED,
                        allow_auto_create_topics=False, **self._arguments,
                    )  # fmt: skip
                yield self._consumer
            except (KafkaError, OSError) as error:
                self._drop()
                raise Unavailable(
                    f"{self._topic} cannot be read: {type(error).__name__}: {error}"
                ) from error
            except BaseException:
                self._drop()
                raise

    def _drop(self, within_s: float = 0.0) -> None:
        """After a failure nobody knows what a consumer thinks: the next call makes a new one."""
        consumer, self._consumer = self._consumer, None
        self._parts.clear()
        if consumer is not None:
            with suppress(KafkaError, OSError):
                consumer.close(autocommit=False, timeout_ms=within_s * 1000)

    def _at(self, consumer: KafkaConsumer, number: int, start: Position) -> _Part:
        """The partition, holding what follows `start` or nothing."""
        part = self._parts.get(number)
        wanted = max(start, 1)
        if part is None:
            part = self._parts[number] = _Part(TopicPartition(self._topic, number))
            consumer.assign([each.tp for each in self._parts.values()])
        if part.covers(wanted):
            part.forget_before(wanted)
        else:
            part.begin_at(wanted)
            consumer.seek(part.tp, wanted - 1)
        return part

    def _reached(self, consumer: KafkaConsumer, part: _Part) -> int:
        return int(consumer.position(part.tp, timeout_ms=self._timeout_s * 1000))

    def _end(self, consumer: KafkaConsumer, tp: TopicPartition) -> int:
        return int(consumer.end_offsets([tp], timeout_ms=self._timeout_s * 1000)[tp])

    def _poll(self, consumer: KafkaConsumer, wanted: list[_Part], timeout_s: float) -> None:
        tps = [part.tp for part in wanted if part.held < HELD_BYTES]
        others = [each.tp for each in self._parts.values() if each.tp not in tps]
        consumer.pause(*others)
        consumer.resume(*tps)
        for tp, records in consumer.poll(timeout_ms=max(int(timeout_s * 1000), 0)).items():
            part = self._parts[tp.partition]
            for record in records:
                if record.offset + 1 < part.base:
                    continue  # the log is shorter than the reader thought: it was put back
                value = record.value or b""
                key = (record.key or b"").decode("utf-8", "replace")
                part.entries.append(Entry(Position(record.offset + 1), key, value))
                part.held += len(value)
            part.next = max(part.next, records[-1].offset + 2)
