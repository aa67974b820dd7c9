"""Inbox: `yujing.inbox.v1` as one more listener, so that any Kafka client can publish reports.

A record is a report, an array of reports, or a CloudEvent whose data is one. Whoever may write to
the topic may report for every facility: that is what its ACL decides. The group's offset moves
when the judged log has what was read; a crash in between reads again, and ingest knows it then.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from kafka import KafkaConsumer, OffsetAndMetadata
from kafka.errors import KafkaError

from services.ingest.bodies import Item, Refused, read_items
from services.ingest.events import event_item, is_event
from services.ingest.port import Submission
from shared.errors import SlowDown, Unavailable
from shared.log.port import INBOX
from shared.observe.metrics import Metrics
from shared.reports.candidate import Rejection, Source
from shared.reports.parse import rejection

GROUP = "yujing-ingest-inbox"
AT_ONCE = 500
"""Records in one go: what is in memory here beside the writer's queue."""
FETCH_BYTES = 4 * 1024 * 1024
ANSWER_S = 60.0
AGAIN_S = 1.0
SOURCE = Source("kafka", "inbox")

log = structlog.get_logger()


def items_of(value: bytes | None, zone: ZoneInfo) -> list[Item]:
    """What one record says: at least one item, so that nothing is passed over in silence."""
    if not value:
        refused = rejection("bad-json", "the record has no value; publish a report as JSON")
        return [(refused, b"")]
    try:
        if is_event(value):
            return [event_item(value, zone)]
        return read_items(value, False, zone) or [
            (rejection("bad-json", "an empty array; publish a report"), value)
        ]
    except Refused as error:
        return [(Rejection(error.name, error.name, error.detail), value)]


class Inbox:
    """A thread: `start` it, `close` it."""

    def __init__(
        self, bootstrap: str, arguments: Mapping[str, Any], submission: Submission, zone: ZoneInfo,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._bootstrap, self._arguments = bootstrap, dict(arguments)
        self._submission, self._zone, self._metrics = submission, zone, metrics
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-inbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._consume()
            except (KafkaError, OSError) as error:
                log.error("inbox_waiting", detail=f"{type(error).__name__}: {error}")
            except Exception:
                log.exception("inbox_failed")
                self._metrics.failures.labels("ingest").inc()
            self._stop.wait(AGAIN_S)

    def _consume(self) -> None:
        consumer = KafkaConsumer(
            INBOX, bootstrap_servers=self._bootstrap.split(","), group_id=GROUP,
            enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=AT_ONCE,
            max_partition_fetch_bytes=FETCH_BYTES, session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000, allow_auto_create_topics=False,
            reconnect_backoff_max_ms=1_000, bootstrap_timeout_ms=10_000, **self._arguments,
        )  # fmt: skip
        try:
            while not self._stop.is_set():
                read = consumer.poll(timeout_ms=250, max_records=AT_ONCE)
                self._show_lag(consumer)
                items = [
                    item
                    for records in read.values()
                    for record in records
                    for item in items_of(record.value, self._zone)
                ]
                if items and not self._take(items):
                    return  # stopping: what was not taken is read again by whoever is next
                if items:
                    consumer.commit(
                        {
                            tp: OffsetAndMetadata(records[-1].offset + 1, "", -1)
                            for tp, records in read.items()
                        }
                    )
        finally:
            consumer.close(autocommit=False, timeout_ms=2_000)

    def _take(self, items: list[Item]) -> bool:
        """True once the log has all of it, however long that takes; False when stopping."""
        while not self._stop.is_set():
            try:
                self._submission.submit(items, SOURCE).result(timeout=ANSWER_S)
                return True
            except (Unavailable, SlowDown, FutureTimeout):
                self._stop.wait(AGAIN_S)
        return False

    def _show_lag(self, consumer: KafkaConsumer) -> None:
        for tp in consumer.assignment():
            end = consumer.highwater(tp)
            if end is not None:
                lag = max(0, end - consumer.position(tp, timeout_ms=1_000))
                self._metrics.consumer_lag.labels(INBOX, str(tp.partition)).set(lag)
