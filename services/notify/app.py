"""Notify put together: its machine, its sender, its loop. The composition root of this service."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from services.notify.channels.opened import open_channels
from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.links import Links
from services.notify.machine import Notify
from services.notify.port import ChannelPort
from services.notify.sender import Sender
from shared.clock import Clock, ScenarioClock
from shared.errors import Unavailable
from shared.model.configuration import Configuration
from shared.model.transition import Transition
from shared.observe.metrics import Metrics

log = structlog.get_logger()

BATCH = 200
"""Between two batches the senders get their turn: a storm must not silence the severe ones."""
IDLE_S = 0.05
"""How late a step may start when nothing else wakes the loop."""
TICKS_LATE = 3


class TransitionFeed(Protocol):
    """Where transitions come from: the rules' own file here, a topic elsewhere."""

    def read(self, after_seq: int, limit: int) -> list[tuple[int, Transition]]: ...

    def wait(self, after_seq: int, timeout_s: float) -> bool: ...


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
    desk: Desk, configuration: Configuration, clock: Clock, metrics: Metrics
) -> tuple[Explaining, Sender, Links, dict[str, ChannelPort]]:
    """All of notify but its listeners and threads. Nothing is sent before `run`."""
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


def refresh_metrics(notify: Notify, metrics: Metrics, clock: Clock) -> None:
    """Before /metrics is read: the oldest message owed, timers overdue."""
    figures = notify.figures(clock.now())
    metrics.outbox_oldest.set(figures.outbox_oldest_s)
    metrics.timers_overdue.set(figures.timers_overdue)
