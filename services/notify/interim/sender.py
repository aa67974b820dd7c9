"""The sender: claims a message, calls its channel outside any transaction, records the outcome."""

import threading
from collections.abc import Callable, Mapping

import structlog

from services.notify.interim.channels.kannel import KannelChannel
from services.notify.interim.channels.local import LocalChannel
from services.notify.interim.channels.smtp import SmtpChannel
from services.notify.interim.core.incident import Incident
from services.notify.interim.facts import facts_of
from services.notify.interim.machine import Notify
from services.notify.interim.port import ChannelPort, Facts, Message, Outcome, Refused, Retry
from services.notify.interim.wording.sms import plain_words
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.configuration import Configuration

log = structlog.get_logger()


def channels_of(configuration: Configuration) -> dict[str, ChannelPort]:
    """Every configured channel, ready to send."""
    built: dict[str, ChannelPort] = {}
    for channel in configuration.channels.values():
        match channel.kind:
            case "kannel":
                built[channel.id] = KannelChannel(channel, configuration.site.base_url)
            case "smtp":
                built[channel.id] = SmtpChannel(channel)
            case "local":
                built[channel.id] = LocalChannel()
    return built


class Sender:
    """`drain` sends everything that is due; several threads may drain at once."""

    def __init__(
        self, notify: Notify, channels: Mapping[str, ChannelPort], clock: Clock, *, drill: bool
    ) -> None:
        self._notify, self._channels, self._clock, self._drill = notify, channels, clock, drill

    def drain(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Send until nothing is due; returns how many attempts were made."""
        count = 0
        while not stop() and (claimed := self._notify.claim(self._clock.now())) is not None:
            row, incident = claimed
            self._attempt(row, incident)
            count += 1
        return count

    def _attempt(self, row: "object", incident: Incident | None) -> None:
        outcome: Outcome
        text = ""
        notification = row.id  # type: ignore[attr-defined]  # a row of the outbox
        try:
            facts = facts_of(self._notify, row, incident, self._clock.now(), drill=self._drill)
            address = self._notify.address_of(row)
            channel = self._channels.get(row.channel)  # type: ignore[attr-defined]
            if channel is None or address is None:
                outcome = Refused("the contact is no longer configured")
            else:
                outcome, text = self._send(channel, Message(notification, address, facts))
        except Exception:
            log.exception("attempt_failed", notification=notification)
            self._notify.metrics.failures.labels("notify").inc()
            outcome = Retry("the message could not be made")
        self._notify.record(notification, outcome, text, self._clock.now())

    def _send(self, channel: ChannelPort, message: Message) -> tuple[Outcome, str]:
        try:
            return channel.send(message)
        except Exception:
            # Wording is made before anything is written, so nothing went out: say it plainly.
            log.exception("text_broken", notification=message.notification)
            self._notify.metrics.broken_texts.inc()
            return channel.send(_plainly(message))


def _plainly(message: Message) -> Message:
    """The same message as an answer in plain words: no template, no names that can break."""
    import msgspec

    facts: Facts = msgspec.structs.replace(
        message.facts, kind="answer", words=plain_words(message.facts)
    )
    return msgspec.structs.replace(message, facts=facts)


def run(sender: Sender, stop: threading.Event, wake: threading.Event) -> None:
    """Drain whenever woken, and at least every 200 ms."""
    while not stop.is_set():
        try:
            sender.drain(stop.is_set)
        except Unavailable as error:
            log.error("sender_waiting", detail=str(error))
            stop.wait(1.0)
        except Exception:
            log.exception("sender_failed")
            stop.wait(1.0)
        wake.wait(0.2)
        wake.clear()
