"""Sender: claims a message, calls its channel outside any transaction, records the outcome."""

import threading
from collections.abc import Callable, Mapping

import structlog
from msgspec.structs import replace

from services.notify.claims import Claim
from services.notify.facts import plain_words
from services.notify.machine import Notify
from services.notify.port import ChannelPort, Message, Outcome, Refused, Retry
from shared.clock import Clock, real_monotonic
from shared.errors import Unavailable

log = structlog.get_logger()

BEGIN_WITHIN_S = 5.0
"""A claim that could not be sent by then (the process was frozen) is put back: see Replica."""
LOOK_EVERY_S = 0.2
"""Retries that have become due are found this late at most."""


class Sender:
    """
    `drain` sends everything that is due; several threads may drain at once.

    `at_once` bounds the calls under way by one channel, so that a gateway that hangs does not
    take the threads that other channels need.
    """

    def __init__(
        self,
        notify: Notify,
        channels: Mapping[str, ChannelPort],
        clock: Clock,
        *,
        at_once: int = 3,
    ) -> None:
        self._notify, self._channels, self._clock = notify, channels, clock
        self._at_once = at_once
        self._lock = threading.Lock()
        self._under_way: dict[str, int] = {}
        self._unrecorded: list[tuple[Claim, Outcome]] = []

    def drain(self, stop: Callable[[], bool] = lambda: False) -> int:
        """
        Send until nothing is due; returns how many attempts were made.

        Raises:
            Unavailable: the desk cannot be written now. Outcomes that could not be recorded are
                kept and recorded first when it can be; nothing is sent twice for it.

        """
        self._record_late()
        count = 0
        while not stop():
            deadline_s = real_monotonic() + BEGIN_WITHIN_S
            claimed = self._claim()
            if claimed is None:
                break
            try:
                outcome = self._attempt(claimed, deadline_s)
            finally:
                with self._lock:
                    self._under_way[claimed.channel] -= 1
            self._record(claimed, outcome)
            count += 1
        return count

    def _record(self, claimed: Claim, outcome: Outcome) -> None:
        try:
            self._notify.record(claimed, outcome, self._clock.now())
        except Unavailable:
            with self._lock:
                self._unrecorded.append((claimed, outcome))
            raise

    def _record_late(self) -> None:
        """What was sent while the disk was full."""
        while self._unrecorded:
            with self._lock:
                if not self._unrecorded:
                    return
                claimed, outcome = self._unrecorded.pop(0)
            self._record(claimed, outcome)

    def _claim(self) -> Claim | None:
        with self._lock:
            busy = [name for name, n in self._under_way.items() if n >= self._at_once]
            claimed = self._notify.claim(self._clock.now(), busy)
            if claimed is not None:
                self._under_way[claimed.channel] = self._under_way.get(claimed.channel, 0) + 1
            return claimed

    def _attempt(self, claimed: Claim, deadline_s: float) -> Outcome:
        channel = self._channels.get(claimed.channel)
        if channel is None:
            return Refused("the channel is not configured any more")
        if real_monotonic() > deadline_s:
            return Retry("held up before it was sent", 0)
        try:
            return channel.send(claimed.message)
        except Exception:
            # Wording is made before anything is written, so nothing went out: say it plainly.
            log.exception("wording_failed", notification=claimed.notification)
            self._notify.wording_failed(claimed.channel)
        try:
            return channel.send(_plainly(claimed.message))
        except Exception:
            log.exception("attempt_failed", notification=claimed.notification)
            return Retry("the message could not be made")


def _plainly(message: Message) -> Message:
    return replace(message, plain=plain_words(message.facts))


def run(
    sender: Sender, stop: threading.Event, wake: threading.Event, look_s: float = LOOK_EVERY_S
) -> None:
    """Drain whenever woken and every `look_s`, until `stop`; an attempt under way is finished."""
    while not stop.is_set():
        try:
            sender.drain(stop.is_set)
        except Unavailable as error:
            log.error("sender_waiting", detail=str(error))
            stop.wait(1.0)
        except Exception:
            log.exception("sender_failed")
            stop.wait(1.0)
        wake.wait(look_s)
        wake.clear()
