"""Notify put together: its machine, its sender, its loop. The composition root of this service."""

import math
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from services.notify.channels.opened import open_channels
from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.links import Links
from services.notify.machine import Notify
from services.notify.port import ChannelPort
from services.notify.sender import Sender
from shared.clock import Clock, ScenarioClock, real_monotonic
from shared.errors import Unavailable
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.transition import Transition
from shared.observe.metrics import Metrics

log = structlog.get_logger()

BATCH = 200
"""Between two batches the senders get their turn: a storm must not silence the severe ones."""
LOOK_S = 0.25
"""Beside other replicas: how often the next timer is looked up when nothing has happened here."""
STUCK_S = 1.0
"""How long a partition whose next transition cannot be taken is let alone."""
IDLE_S = 0.05
"""How late a step may start when nothing else wakes the loop."""
TICKS_LATE = 3


class TransitionFeed(Protocol):
    """Where transitions come from: the rules' own file here, a topic elsewhere."""

    def read(self, after_seq: int, limit: int) -> list[tuple[int, Transition]]: ...

    def wait(self, after_seq: int, timeout_s: float) -> bool: ...


class AlertsFeed(Protocol):
    """The topic of alerts, by partition; the positions are the desk's."""

    def partitions(self) -> int: ...

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Transition]], int]:
        """Entries from `start` on, and where to read on; what is not readable is left out."""

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        """Until some partition has something at or after its start (one not named: 0)."""


class RegisteredCounts:
    """`Counts` on the register of metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def notification(self, channel: str, outcome: str) -> None:
        self._metrics.notifications.labels(channel, outcome).inc()

    def report_to_gateway(self, seconds: float) -> None:
        self._metrics.report_to_gateway.observe(seconds)

    def reply_from_nobody(self, channel: str) -> None:
        self._metrics.strangers.labels(channel).inc()

    def orphan(self) -> None:
        self._metrics.orphans.inc()

    def wording_failed(self, channel: str) -> None:
        self._metrics.broken_texts.inc()


class Explaining(Notify):
    """Notify that is asked `why` on behalf of everything in the process."""

    explain: Callable[[str], dict[str, Any] | None] | None = None

    def why(self, id_: str) -> dict[str, Any] | None:
        return self.told_why(id_) if self.explain is None else self.explain(id_)

    def told_why(self, id_: str) -> dict[str, Any] | None:
        """What notify itself knows."""
        return super().why(id_)


def build(
    desk: Desk,
    configuration: Configuration,
    clock: Clock,
    metrics: Metrics,
    replica: str | None = None,
) -> tuple[Explaining, Sender, Links, dict[str, ChannelPort]]:
    """
    All of notify but its listeners and threads. Nothing is sent before `run`.

    `replica` names this process among those on one database server; a name that stays over a
    restart lets it take over its own claims at once.
    """
    if replica is None:
        replica = f"{socket.gethostname()}-{os.getpid()}" if desk.is_served else "main"
    site = configuration.site
    links = Links(site.base_url, site.secret_key)
    notify = Explaining(
        desk,
        configuration,
        clock,
        read_reply=decide,
        link=links.address,
        counts=RegisteredCounts(metrics),
        drill=isinstance(clock, ScenarioClock),
        replica=replica,
    )
    channels = open_channels(configuration.channels, site.base_url)
    return notify, Sender(notify, channels, clock), links, channels


def run(
    notify: Notify,
    feed: TransitionFeed,
    clock: Clock,
    tick_us: Callable[[], int],
    metrics: Metrics,
    stop: threading.Event,
    wake_sender: threading.Event,
) -> None:
    """Take transitions as they come, and steps when they are due, until `stop`."""
    after: int | None = None
    last_tick = -(1 << 62)
    while True:
        try:
            if after is None:
                after = notify.after_seq()
            batch = feed.read(after, BATCH)
            if batch:
                notify.on_transitions(batch, clock.now())
                after = batch[-1][0]
                wake_sender.set()
            steady = clock.steady_us()
            timer = notify.next_timer()
            # On time to the step, not to the tick: a short wait is not rounded up to a second.
            is_due = timer is not None and timer <= clock.now()
            if is_due or steady - last_tick >= tick_us():
                notify.tick_slack_us = TICKS_LATE * tick_us()
                notify.tick(clock.now(), steady)
                last_tick = steady
                wake_sender.set()
            if not batch:
                if stop.is_set():
                    return
                feed.wait(after, IDLE_S)
        except Exception as error:
            # The disk may be full: nothing of the unit was kept, so the same is tried again.
            if isinstance(error, Unavailable):
                log.error("notify_waiting", detail=str(error))
            else:
                log.exception("notify_step_failed")
                metrics.failures.labels("notify").inc()
            after = None
            if stop.wait(1.0):
                return


def run_partitions(
    notify: Notify,
    feed: AlertsFeed,
    clock: Clock,
    tick_us: Callable[[], int],
    metrics: Metrics,
    stop: threading.Event,
    wake_sender: threading.Event,
) -> None:
    """
    The same beside other replicas: each takes from the partitions that nobody else has in hand.

    It begins with what an earlier process of this name was sending, and beats: `leave` is for
    whoever ends it.

    Whatever fails, the desk says where to read on. A transition that cannot be taken is tried
    again and nothing behind it is; the other partitions and all timers go on.
    """
    starts: dict[int, int] | None = None
    stuck: dict[int, float] = {}
    is_new = True
    timer: Instant | None = None
    last_tick, last_beat_s, last_look_s = -(1 << 62), -math.inf, -math.inf
    # A race through years must look at every turn; on the machine's clock a quarter will do.
    look_s = 0.0 if isinstance(clock, ScenarioClock) else LOOK_S
    while not stop.is_set():
        try:
            if is_new:
                notify.recover_claims(clock.now())
                is_new = False
            if starts is None:
                starts = notify.positions()
            moved: list[bool | None] = []
            for each in range(feed.partitions()):
                if real_monotonic() < stuck.get(each, 0.0):
                    moved.append(None)
                    continue
                try:
                    moved.append(_take_next(notify, feed, each, starts))
                    stuck.pop(each, None)
                except Unavailable:
                    raise
                except Exception:
                    # What cannot be taken holds back its own partition only, and loudly.
                    log.exception("partition_not_taken", partition=each)
                    metrics.failures.labels("notify").inc()
                    stuck[each] = real_monotonic() + STUCK_S
                    moved.append(None)
            if any(moved):
                wake_sender.set()
            if real_monotonic() - last_beat_s >= notify.beat_us / 1e6:
                notify.beat()
                last_beat_s = real_monotonic()
            if any(moved) or real_monotonic() - last_look_s >= look_s:
                timer, last_look_s = notify.next_timer(), real_monotonic()
            steady = clock.steady_us()
            is_due = timer is not None and timer <= notify.clock_now()
            if is_due or steady - last_tick >= tick_us():
                notify.tick_slack_us = TICKS_LATE * tick_us()
                notify.tick(clock.now(), steady)
                last_tick, last_look_s = steady, -math.inf
                wake_sender.set()
            if any(each is None for each in moved):
                stop.wait(IDLE_S)  # another is at it, or it does not go on
            elif not any(moved):
                feed.wait(starts, IDLE_S)
        except Exception as error:
            if isinstance(error, Unavailable):
                log.error("notify_waiting", detail=str(error))
            else:
                log.exception("notify_step_failed")
                metrics.failures.labels("notify").inc()
            starts = None
            stop.wait(1.0)


def _take_next(
    notify: Notify, feed: AlertsFeed, partition: int, starts: dict[int, int]
) -> bool | None:
    """One batch of one partition; whether there was any, None when another replica has it."""
    start = starts.get(partition, 0)
    batch, next_ = feed.read(partition, start, BATCH)
    if next_ == start:
        return False
    stands = notify.take_entries(partition, batch, next_, start=start)
    if stands is None:
        starts[partition] = notify.positions().get(partition, 0)
        return None
    starts[partition] = stands
    return True


def refresh_metrics(notify: Notify, metrics: Metrics, clock: Clock) -> None:
    """Before /metrics is read: the oldest message owed, timers overdue."""
    figures = notify.figures(clock.now())
    metrics.outbox_oldest.set(figures.outbox_oldest_s)
    metrics.timers_overdue.set(figures.timers_overdue)
