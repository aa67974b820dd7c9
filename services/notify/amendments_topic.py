"""Amendments of a cluster: `yujing.amendments.v1`, partition by partition, after their alerts.

Rules publish an amendment when the brokers have every alert of what was judged before it. So what
stands in the partition of the alerts once it has been read is all that it may be about.
"""

import threading
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from services.notify.machine import Notify
from shared.errors import Unavailable
from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, AMENDMENTS, Position
from shared.model.amendment import Amendment, decode_amendment
from shared.observe.metrics import Metrics

log = structlog.get_logger()

BATCH = 50
IDLE_S = 0.25


class AmendmentsFeed(Protocol):
    """The topic of amendments, by partition; the positions are the desk's."""

    def partitions(self) -> int: ...

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Amendment]], int]:
        """Entries from `start` on, and where to read on; what is not readable is left out."""

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        """Until some partition has something at or after its start (one not named: 0)."""

    def alerts_end(self, partition: int) -> int:
        """Where the next alert of this partition will stand."""


class KafkaAmendments:
    """A connection of its own, so that the alerts never wait for it."""

    def __init__(self, log_: KafkaLog, metrics: Metrics) -> None:
        self._log, self._metrics = log_, metrics

    def partitions(self) -> int:
        return self._log.partitions(AMENDMENTS)

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Amendment]], int]:
        batch = self._log.held(AMENDMENTS, partition, Position(start), limit)
        found: list[tuple[int, Amendment]] = []
        for entry in batch.entries:
            try:
                found.append((entry.position, decode_amendment(entry.value)))
            except (ValueError, UnicodeDecodeError, RecursionError):
                log.exception("amendment_not_readable", partition=partition, at=entry.position)
                self._metrics.failures.labels("notify").inc()
        return found, batch.next

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        positions = {n: Position(starts.get(n, 0)) for n in range(self.partitions())}
        return self._log.wait_any(AMENDMENTS, positions, timeout_s)

    def alerts_end(self, partition: int) -> int:
        return self._log.end(ALERTS, partition)


class Waiting(msgspec.Struct):
    """What was read of a partition and may be taken once its alerts up to `alerts_end` are."""

    items: list[tuple[int, Amendment]]
    start: int
    next: int
    alerts_end: int


class Amended:
    """Takes what may be told now. Bounded: one batch of each partition waits at most."""

    def __init__(self, notify: Notify, feed: AmendmentsFeed) -> None:
        self._notify, self._feed = notify, feed
        self._waiting: dict[int, Waiting] = {}
        self.starts: dict[int, int] = {}
        self.forget()

    def forget(self) -> None:
        """After a failure the desk says where to read on."""
        self._waiting.clear()
        self.starts = self._notify.amendment_positions()

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def turn(self) -> bool:
        """Once round the partitions; whether anything was taken."""
        for number in range(self._feed.partitions()):
            if number not in self._waiting:
                self._read(number)
        if not self._waiting:
            return False
        alerts = self._notify.positions()
        is_moved = False
        for number, one in list(self._waiting.items()):
            if max(alerts.get(number, 0), 1) < one.alerts_end:
                continue
            stands = self._notify.take_amended(number, one.items, one.next, start=one.start)
            if stands is not None:  # else another replica is at it: asked again
                del self._waiting[number]
                self.starts[number] = stands
                is_moved = True
        return is_moved

    def _read(self, number: int) -> None:
        start = self.starts.get(number, 0)
        items, next_ = self._feed.read(number, start, BATCH)
        if next_ != start:
            end = self._feed.alerts_end(number) if items else 0
            self._waiting[number] = Waiting(items, start, next_, end)


def run(
    notify: Notify, feed: AmendmentsFeed, stop: threading.Event, wake_sender: threading.Event
) -> None:
    """Until `stop`; what waits then is read again after the next start."""
    amended: Amended | None = None
    while not stop.is_set():
        try:
            if amended is None:
                amended = Amended(notify, feed)
            if amended.turn():
                wake_sender.set()
            elif amended.has_waiting:
                stop.wait(IDLE_S)
            else:
                feed.wait(amended.starts, IDLE_S)
        except Unavailable as error:
            log.error("amendments_waiting", detail=str(error))
            amended = None
            stop.wait(1.0)
        except Exception:
            log.exception("amendments_step_failed")
            amended = None
            stop.wait(1.0)
