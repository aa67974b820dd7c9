"""The log on Apache Kafka: `append` returns when all in-sync replicas have every entry.

A position is the offset plus one, so that 0 is before everything as on the other logs. The
producer is idempotent: what it repeats after a lost answer stands once. After a failure it is
thrown away, since nobody knows what it still holds.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from kafka import KafkaProducer
from kafka.errors import KafkaError

from shared.clock import real_monotonic
from shared.errors import Unavailable
from shared.log.kafka_reader import Reader
from shared.log.port import Addition, Batch, Position
from shared.log.security import Security

LARGEST_BYTES = 20 * 1024 * 1024
"""One report may fill a body of 16 MiB; `topics.yaml` allows the broker as much."""
TIMEOUT_S = 10.0
FORCED_S = 2.0


class KafkaLog:
    """`bootstrap` is HOST:PORT[,HOST:PORT]. Nothing is connected before it is needed."""

    def __init__(
        self, bootstrap: str, security: Security | None = None, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._timeout_s = timeout_s
        self._arguments = {
            "bootstrap_servers": bootstrap.split(","),
            "reconnect_backoff_max_ms": 1_000,
            "request_timeout_ms": int(timeout_s * 1_000),
            "bootstrap_timeout_ms": int(timeout_s * 1_000),
            **(security or Security()).kafka_python(),
        }
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._producer: KafkaProducer | None = None
        self._readers: dict[str, Reader] = {}
        self._counts: dict[str, int] = {}

    def partitions(self, topic: str) -> int:
        if topic not in self._counts:
            try:
                found = self._open_producer().partitions_for(topic)
            except (KafkaError, OSError) as error:
                self._give_up()
                raise Unavailable(f"{topic}: {_words(error)}") from error
            if not found:
                raise Unavailable(f"there is no topic {topic}; run yujing topics apply")
            self._counts[topic] = len(found)
        return self._counts[topic]

    def append(
        self, topic: str, entries: Sequence[tuple[str, bytes]], partition: int = 0
    ) -> Position:
        added = self.append_all([Addition(topic, *entry, partition) for entry in entries])
        return added[-1] if added else Position(0)

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        """Add to several topics and partitions, in order within each."""
        deadline = real_monotonic() + 2 * self._timeout_s
        try:
            producer = self._open_producer()
            with self._sending:  # so that what belongs together stands together
                under_way = [
                    producer.send(
                        each.topic, each.value, key=each.key.encode() or None,
                        partition=each.partition,
                    )
                    for each in additions
                ]  # fmt: skip
            return [
                Position(one.get(max(deadline - real_monotonic(), 0.0)).offset + 1)
                for one in under_way
            ]
        except (KafkaError, OSError, AssertionError) as error:
            self._give_up()
            raise Unavailable(f"the log cannot be written: {_words(error)}") from error

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        return self._reader(topic).read(partition, start, limit)

    def held(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        """What `wait_any` has fetched already; empty does not mean that there is nothing."""
        return self._reader(topic).held(partition, start, limit)

    def end(self, topic: str, partition: int) -> Position:
        return self._reader(topic).end(partition)

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        return self.wait_any(topic, {partition: start}, timeout_s)

    def wait_any(self, topic: str, starts: Mapping[int, Position], timeout_s: float) -> bool:
        """True once any of these partitions has an entry at or after its start."""
        return self._reader(topic).wait(starts, timeout_s)

    def close(self) -> None:
        self._give_up(1.0)
        for reader in self._readers.values():
            reader.close()

    def _reader(self, topic: str) -> Reader:
        with self._lock:
            if topic not in self._readers:
                self._readers[topic] = Reader(topic, self._arguments, self._timeout_s)
            return self._readers[topic]

    def _open_producer(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = KafkaProducer(
                    acks="all",
                    linger_ms=1,
                    batch_size=256 * 1024,
                    max_request_size=LARGEST_BYTES + 64 * 1024,
                    max_block_ms=int(self._timeout_s * 1_000),
                    delivery_timeout_ms=int(self._timeout_s * 1_000) + 100,
                    allow_auto_create_topics=False,
                    **self._arguments,
                )
            return self._producer

    def _give_up(self, within_s: float = 0.0) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=within_s)
        except KafkaError:
            # kafka-python gives up its flush and leaves the thread alive with all it holds: that
            # would send what the sender was told no about, whenever the broker is back.
            thread = producer._sender
            thread.force_close()
            thread.join(FORCED_S)
            with suppress(KafkaError):
                producer.close(timeout=0)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}; look at the broker and its topics"
