"""What the desk, the sender, the channels and the wording exchange."""

from typing import Literal, Protocol

import msgspec

from shared.model.severity import Severity


class Accepted(msgspec.Struct, frozen=True):
    """The provider took it."""

    reference: str = ""


class Refused(msgspec.Struct, frozen=True):
    """Never again by this contact; the reason holds no address."""

    reason: str


class Retry(msgspec.Struct, frozen=True):
    """Not taken, try again: after `after_us`, or by the usual back-off."""

    reason: str
    after_us: int | None = None


class Unknown(msgspec.Struct, frozen=True):
    """Written, but the answer was lost: it may have been taken."""

    reason: str


Outcome = Accepted | Refused | Retry | Unknown


class AlertFacts(msgspec.Struct, frozen=True):
    """One firing (or, in a recovery, last firing) alert as texts need it."""

    title: str
    action: str | None
    indicator: str
    interval: str
    severity: Severity
    value: float | None
    unit: str | None
    limit: str | None
    since_us: int
    missing: bool
    standard: str
    clause: str


class Facts(msgspec.Struct, frozen=True):
    """Everything a text may say. The worst alert stands first."""

    kind: Literal["alert", "recovery", "answer"]
    notification: str
    incident: str
    person: str
    place: str
    """Short name of the facility."""
    facility: str
    territory: str
    severity: Severity
    alerts: tuple[AlertFacts, ...]
    now_us: int
    timezone: str
    language: str
    signature: str
    base_url: str
    ticket: str = ""
    nth: int = 1
    drill: bool = False
    repeat: bool = False
    link: str = ""
    """{base_url}/a/TOKEN, for mail."""
    first_notification: str = ""
    """The incident's first message to this person by this channel, when it is not this one."""
    words: str = ""


class Message(msgspec.Struct, frozen=True):
    """What a channel is handed. The address exists only here."""

    notification: str
    address: str
    facts: Facts


class ChannelPort(Protocol):
    """One way out. Blocks at most about the channel's time-out; never raises for the world."""

    def send(self, message: Message) -> tuple[Outcome, str]:
        """The outcome and the text as it was sent."""
