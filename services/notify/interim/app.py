"""Notify's loop and its routes, put together: the composition root of this service."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from services.notify.interim.machine import Notify
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.transition import Transition

log = structlog.get_logger()
BATCH = 100


class TransitionFeed(Protocol):
    """Where transitions come from: rules.db here, a topic elsewhere."""

    def read(self, after_seq: int, limit: int) -> list[tuple[int, Transition]]: ...

    def wait(self, after_seq: int, timeout_s: float) -> bool: ...


def run(
    notify: Notify,
    feed: TransitionFeed,
    clock: Clock,
    tick_us: Callable[[], int],
    stop: threading.Event,
    wake_sender: threading.Event,
) -> None:
    """Take transitions as they come and let time pass every tick, until `stop`."""
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
            every = tick_us()
            if steady - last_tick >= every:
                notify.late_us = max(2_000_000, 3 * every)
                notify.tick(clock.now(), steady)
                last_tick = steady
                wake_sender.set()
            if not batch:
                if stop.is_set():
                    return
                feed.wait(after, 0.05)
        except Unavailable as error:
            log.error("notify_waiting", detail=str(error))
            after = None
            if stop.wait(1.0):
                return
        except Exception:
            log.exception("notify_step_failed")
            notify.metrics.failures.labels("notify").inc()
            after = None
            if stop.wait(1.0):
                return
