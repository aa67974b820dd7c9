"""The amendments' way into notify: each waits until what it amends has been taken."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from services.notify.machine import Notify
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.amendment import Amendment

log = structlog.get_logger()

BATCH = 200
IDLE_S = 0.25


class AmendmentFeed(Protocol):
    """Where amendments come from: the rules' own file."""

    def amendments(
        self, after: int, limit: int, *, told_only: bool = False
    ) -> list[tuple[int, Amendment]]: ...

    def wait(self, after_seq: int, timeout_s: float) -> bool: ...


def take_next(
    notify: Notify, feed: AmendmentFeed, decided: Callable[[int], int | None], clock: Clock
) -> bool | None:
    """
    Take what may be told now; False when there is nothing, None when it must wait.

    `decided(position)`: the number of the last transition once rules have judged the log beyond
    `position`, else None. An amendment that overtook its own alert would find nobody told.
    """
    items = feed.amendments(notify.after_amendment(), BATCH, told_only=True)
    if not items:
        return False
    last_seq = decided(max(each.position for _, each in items))
    if last_seq is None or notify.after_seq() < last_seq:
        return None
    notify.on_amendments(items, clock.now())
    return True


def run(
    notify: Notify,
    feed: AmendmentFeed,
    decided: Callable[[int], int | None],
    clock: Clock,
    stop: threading.Event,
    wake_sender: threading.Event,
) -> None:
    """Until `stop`; what waits then is taken after the next start."""
    while not stop.is_set():
        try:
            taken = take_next(notify, feed, decided, clock)
            if taken:
                wake_sender.set()
            elif taken is None:
                stop.wait(IDLE_S)
            else:
                feed.wait(notify.after_amendment(), IDLE_S)
        except Unavailable as error:
            log.error("amendments_waiting", detail=str(error))
            stop.wait(1.0)
        except Exception:
            log.exception("amendments_step_failed")
            stop.wait(1.0)
