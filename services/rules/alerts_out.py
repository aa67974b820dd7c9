"""Out: what rules decided leaves for Kafka, and somebody counts what the brokers acknowledged.

A `Batch` collects what belongs to one checkpoint; it is settled when every in-sync replica has
all of it. Nothing here waits while records are judged: the queue is bounded, and whoever fills
it waits in `room`.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from shared.errors import Unavailable
from shared.log.security import Security

LINGER_MS = 5
QUEUE_MESSAGES = 200_000
QUEUE_KBYTES = 262_144
DELIVERY_S = 120
"""How long librdkafka tries again. A broker that is away longer ends the process, and what was
not acknowledged is decided again from the checkpoint."""
LARGEST_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()


class Batch:
    """Messages that are awaited together. `sent` counts here, `done` in the producer's thread."""

    def __init__(self) -> None:
        self.sent = 0
        self.done = 0
        self.failed: str | None = None
        self._wake: Callable[[], object] | None = None

    @property
    def pending(self) -> int:
        return self.sent - self.done

    def acknowledged(self, error: str | None) -> None:
        """One message has its answer; called from the producer's thread only."""
        if error is not None and self.failed is None:
            self.failed = error
        self.done += 1
        self.check()

    def hold(self) -> None:
        """Not settled before `release`: more will be sent into it."""
        self.sent += 1

    def release(self) -> None:
        self.sent -= 1
        self.check()

    def check(self) -> None:
        wake = self._wake
        if wake is not None and self.done >= self.sent:
            wake()

    async def settled(self) -> None:
        """Wait until everything sent has its answer.

        Raises:
            Unavailable: the broker did not take all of it.

        """
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(event.set)
        if self.pending:
            await event.wait()
        self._wake = None
        if self.failed is not None:
            raise Unavailable(f"the broker did not take what rules said: {self.failed}")


class Out(Protocol):
    """Where alerts, dead letters and facility states go. One caller; order is kept per key."""

    def send(
        self, batch: Batch, topic: str, key: bytes, value: bytes | None, partition: int | None
    ) -> None:
        """Hand over without waiting; `partition` None: by the hash of the key.

        Raises:
            BufferError: the queue is full; wait for room and send the same again.

        """

    @property
    def waiting(self) -> int:
        """How many messages are on their way."""

    def flush(self, within_s: float) -> int:
        """Nothing more is sent: wait for the last answers; how many are still owed then."""

    def close(self) -> None: ...


class ConfluentOut:
    """librdkafka: idempotent, acks=all. A thread of its own collects the answers."""

    def __init__(self, bootstrap: str, security: Security, *, linger_ms: int = LINGER_MS) -> None:
        settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": "yujing-rules",
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": linger_ms,
            "message.max.bytes": LARGEST_BYTES,
            "delivery.timeout.ms": DELIVERY_S * 1000,
            "queue.buffering.max.messages": QUEUE_MESSAGES,
            "queue.buffering.max.kbytes": QUEUE_KBYTES,
            "reconnect.backoff.max.ms": 1000,
            "partitioner": "murmur2_random",
            "error_cb": _told,
            **security.confluent(),
        }
        # With a logger its lines are ours, JSON on stderr as all others.
        self._producer = Producer(settings, logger=logging.getLogger("librdkafka"))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answers, name="alerts-out", daemon=True)
        self._thread.start()

    def send(
        self, batch: Batch, topic: str, key: bytes, value: bytes | None, partition: int | None
    ) -> None:
        def answered(error: KafkaError | None, _message: Message) -> None:
            batch.acknowledged(None if error is None else str(error))

        more = {} if partition is None else {"partition": partition}
        try:
            self._producer.produce(topic, value=value, key=key, on_delivery=answered, **more)
        except KafkaException as error:
            raise Unavailable(f"{topic}: {error}") from error
        batch.sent += 1

    @property
    def waiting(self) -> int:
        return len(self._producer)

    def flush(self, within_s: float) -> int:
        """For the end of the process: answers are collected by the caller from now on."""
        self._stop.set()
        self._thread.join(2)
        return int(self._producer.flush(within_s))

    def close(self) -> None:
        self.flush(5)

    def _answers(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(0.1)


def _told(error: KafkaError) -> None:
    log.warning("broker_away", detail=str(error))
