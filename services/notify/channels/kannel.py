"""Kannel: one SMS by POST to smsbox, and what its answer means (contract §5).

The text is the body; number, password and the receipt's address stand in X-Kannel headers, so
nothing of them is in a URL or an access log. Tried with Kannel 1.4.5.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from services.notify.channels.gateway_call import Answered, AnswerLost, NotWritten, post
from services.notify.core.phone import plain_number
from services.notify.port import Accepted, Message, Outcome, Refused, Retry, Unknown
from services.notify.wording.sms import LONGEST_UNITS, sms_text
from services.notify.wording.units import cut
from shared.clock import real_wall
from shared.model.people import Channel

_ACCEPTED = (b"0:", b"3:")
"""`0: Accepted for delivery`, `3: Queued for later delivery` (the link to the centre is down)."""
_RECEIPTS_WANTED = "31"
"""DLR mask: delivered 1, failed 2, buffered 4, handed over 8, refused 16."""
_LONGEST_WAIT_US = 3_600_000_000
"""A gateway that asks for more than an hour is asked again after an hour all the same."""


class KannelChannel:
    """Thread-safe: each send has a connection of its own."""

    def __init__(self, channel: Channel, base_url: str) -> None:
        self._channel = channel
        # %d is Kannel's to fill in, so a percent sign of ours is doubled.
        ours = f"{base_url.rstrip('/')}/gateway/{quote(channel.id, safe='')}/receipt?id="
        self._receipt = ours.replace("%", "%%")

    def send(self, message: Message) -> Outcome:
        """Hand the text over; blocks at most the channel's time-out."""
        signature = self._channel.signature
        text = (
            cut(message.plain, LONGEST_UNITS)
            if message.plain is not None
            else sms_text(message.facts, signature)
        )
        number = plain_number(message.address)
        if not number.lstrip("+").isascii() or not number.lstrip("+").isdigit():
            return Refused("the contact's address is no phone number")
        try:
            result = post(
                self._channel.url,
                self._headers(number, message.notification),
                text.encode("utf-8", "replace"),
                self._channel.timeout_us / 1e6,
            )
        except ValueError:
            return Refused("sender, username or password do not fit into an HTTP header")
        match result:
            case NotWritten(reason):
                return Retry(f"not reached: {reason}")
            case AnswerLost(reason):
                return Unknown(f"answer lost: {reason}")
            case Answered():
                return _meaning(result, text)

    def _headers(self, number: str, notification: str) -> dict[str, str]:
        return {
            "Content-Type": "text/plain; charset=UTF-8",
            "Connection": "close",
            "X-Kannel-Username": self._channel.username,
            "X-Kannel-Password": self._channel.password,
            "X-Kannel-From": self._channel.sender,
            "X-Kannel-To": number,
            "X-Kannel-Coding": "2",
            "X-Kannel-DLR-Mask": _RECEIPTS_WANTED,
            "X-Kannel-DLR-URL": f"{self._receipt}{quote(notification, safe='').replace('%', '%%')}"
            "&status=%d",
        }


def _meaning(answer: Answered, text: str) -> Outcome:
    status = answer.status
    if status == 202 and answer.body.startswith(_ACCEPTED):
        return Accepted(text=text)
    if status == 429 or status >= 500:
        return Retry(f"HTTP {status}", _wait_us(answer))
    if 200 <= status < 300:
        # The body may repeat the number, so it is not quoted.
        return Refused(f"HTTP {status} without acceptance")
    return Refused(f"HTTP {status}")


def _wait_us(answer: Answered) -> int | None:
    """`Retry-After` (RFC 9110 §10.2.3) in microseconds: seconds, or a date by the sender's clock."""
    wish = (answer.retry_after or "").strip()
    if wish.isascii() and wish.isdigit():
        return min(int(wish[:9]) * 1_000_000, _LONGEST_WAIT_US)
    until, now = _date(wish), _date(answer.date or "")
    if until is None:
        return None
    seconds = until.timestamp() - (now.timestamp() if now else real_wall())
    return min(max(int(seconds * 1e6), 0), _LONGEST_WAIT_US)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
