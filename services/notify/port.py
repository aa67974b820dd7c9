"""What notify's parts say to each other: texts to write, ways out, and the machine's verbs.

`Notify` (machine) decides and remembers, `Sender` takes what is owed to a `ChannelPort`, the
pages and the gateway callbacks call the verbs. All times are instants (microseconds, UTC).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec

from services.notify.core.silence import Hid, Silence
from shared.model.configuration import Configuration
from shared.model.instants import Instant, Interval
from shared.model.people import Contact
from shared.model.rollup import Members
from shared.model.severity import Severity
from shared.model.transition import Cause, Transition

FactsKind = Literal["alert", "recovery", "reply", "handover", "amendment"]
"""`amendment` corrects what was told; `handover` answers the one who handed over; `reply` is any other answer in words."""


class AlertFact(msgspec.Struct, frozen=True):
    """One firing alert as a text needs it; on recovery, as it last stood."""

    rule: str
    title: str
    """In the site's language."""
    action: str | None
    indicator: str
    indicator_name: str
    station: str
    interval: Interval
    severity: Severity
    cause: Cause
    """`missing`: no value and no limit. See also `value is None` for unknown data."""
    value: float | None
    unit: str | None
    limit: str | None
    since_us: Instant
    standard: str = ""
    edition: str = ""
    clause: str = ""
    members: Members | None = None
    """Of a territory: who stands in its value."""


class Facts(msgspec.Struct, frozen=True):
    """Everything a text may say. Holds no phone number and no address."""

    kind: FactsKind
    notification: str
    incident: str
    person: str
    person_name: str
    site_name: str
    language: str
    timezone: str
    now_us: Instant
    territory_name: str = ""
    facility: str = ""
    facility_name: str = ""
    facility_short_name: str = ""
    alerts: tuple[AlertFact, ...] = ()
    """The worst first, then the oldest."""
    severity: Severity | None = None
    drill: bool = False
    resend: bool = False
    """重发: the outcome of the first attempt is unknown."""
    nth: int = 1
    """第N次 from 2 on: tellings of this person since it opened, last rose or reopened."""
    ticket: str | None = None
    link: str | None = None
    """`{base_url}/a/TOKEN`; None on recovery and in answers."""
    first_notification: str | None = None
    """The incident's first notification to this person by this way, for `References`."""
    free_text: str = ""
    """The words of an answer (kind reply and handover)."""
    step: int = 0
    next_step_us: Instant | None = None
    flapping: bool = False
    """反复: it has reopened so often that the coming and going is one state."""


class Message(msgspec.Struct, frozen=True):
    """One attempt at one notification by one contact; `address` goes to the channel only."""

    notification: str
    incident: str
    person: str
    channel: str
    contact: str
    address: str
    facts: Facts
    plain: str | None = None
    """Set when the wording failed: these words are sent as they are (promise 9)."""

    def __repr__(self) -> str:
        return f"Message({self.notification}, {self.channel})"


class Accepted(msgspec.Struct, frozen=True):
    """The provider has it. `reference` is its own id, if it gave one; `text` is what was said."""

    reference: str = ""
    text: str = ""


class Refused(msgspec.Struct, frozen=True):
    """For good: never again by this contact. The reason names no number or address."""

    reason: str


class Retry(msgspec.Struct, frozen=True):
    """Not now. `after_us` is the provider's wish (`Retry-After`), if it had one."""

    reason: str
    after_us: int | None = None


class Unknown(msgspec.Struct, frozen=True):
    """Written, and the answer was lost: it may or may not have arrived."""

    reason: str


Outcome = Accepted | Refused | Retry | Unknown


class ChannelPort(Protocol):
    """A way out. `send` blocks at most the channel's time-out and is called by many threads.

    It raises only when its wording is broken; whatever the world does is an `Outcome`.
    """

    def send(self, message: Message) -> Outcome: ...


ReceiptStatus = Literal["delivered", "failed", "refused", "under_way"]
AckChannel = Literal["sms", "link", "page", "api", "cli"] | str


class Refusal(msgspec.Struct, frozen=True):
    """An order that could not be carried out."""

    reason: Literal["not-found", "resolved", "unknown-person"]
    detail: str


class OutstandingTicket(msgspec.Struct, frozen=True):
    """What one person has been told of, as `core.reply` sees it. Newest telling first."""

    ticket: str
    incident: str
    state: Literal["open", "acknowledged", "resolved"]
    told_us: Instant
    """When a provider last accepted a message of it to the number that answers."""
    place: str


class ReplyDecision(msgspec.Struct, frozen=True):
    """What a reply means (`core.reply.decide(text, tickets, language) -> ReplyDecision`).

    `act` and `incident` say what to do; `answer` is sent back as a message of its own when it
    is not None. `not_understood` marks the answers that are limited to 3 an hour.
    """

    act: Literal["acknowledge", "hand_over", "nothing"]
    incident: str | None = None
    note: str = ""
    """`received`, `on site` or `false alarm`."""
    answer: str | None = None
    not_understood: bool = False


ReplyReader = Callable[[str, Sequence[OutstandingTicket], str], ReplyDecision]
Link = Callable[[str, str], str]
"""(incident, person) -> the address that acknowledges."""


class ChannelText(msgspec.Struct, frozen=True):
    """The last text a provider accepted for one person on one channel (the page's phones)."""

    person: str
    person_name: str
    channel: str
    at_us: Instant
    incident: str
    notification: str
    text: str


class Counts(Protocol):
    """Where metrics go; the program gives one, tests count in memory."""

    def notification(self, channel: str, outcome: str) -> None:
        """`accepted delivered failed unknown repeated withheld`, contract §6."""

    def report_to_gateway(self, seconds: float) -> None: ...

    def reply_from_nobody(self, channel: str) -> None: ...

    def orphan(self) -> None: ...

    def wording_failed(self, channel: str) -> None: ...


class NotifyFigures(msgspec.Struct, frozen=True):
    """What `/metrics` reads."""

    outbox_oldest_s: float
    timers_overdue: int
    incidents: dict[tuple[str, str], int]
    """(state, severity) -> how many, resolved ones left out."""


class NotifyPort(Protocol):
    """The verbs of notify. Each is one transaction; all may be called from any thread."""

    def on_transitions(self, items: Sequence[tuple[int, Transition]], now: Instant) -> None:
        """Take transitions in the order of seq; what is known already changes nothing."""

    def after_seq(self) -> int:
        """The seq of the last transition taken."""

    def tick(self, now: Instant, steady_us: int) -> None:
        """Take the steps that are due; notice a stepped clock. See `next_due`."""

    def next_due(self) -> Instant | None:
        """When `tick` next has something to do."""

    def acknowledge(
        self, incident: str, person: str, channel: str, note: str, now: Instant
    ) -> dict[str, Any] | Refusal:
        """The incident as `/v1/incidents/ID` shows it; twice is as once."""

    def hand_over(self, incident: str, person: str, now: Instant) -> dict[str, Any] | Refusal: ...

    def reply(self, channel: str, from_: str, to: str, text: str, now: Instant) -> None:
        """A text that came back from a phone, whoever's it is."""

    def silence(self, silence: Silence, channel: str = "api", access: str = "") -> Silence | None:
        """Not told until its end; the one in force when it was said before; None: too many."""

    def end_silence(
        self, id_: str, person: str, channel: str = "api", access: str = ""
    ) -> Silence | None:
        """Over now; None when it is not in force."""

    def silences(self, now: Instant) -> list[Silence]:
        """Those that end after `now`, the one that ends first in front."""

    def hid_by(self, silences: Sequence[Silence]) -> dict[str, list[Hid]]:
        """Of each silence the incidents it hid, the first in front."""

    def receipt(self, channel: str, notification: str, status: ReceiptStatus, now: Instant) -> None:
        """Later proof; unknown ids change nothing."""

    def set_configuration(self, configuration: Configuration) -> None: ...

    def incidents(
        self, state: str | None, facility: str | None, sees: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        """Newest first, at most 1,000; `sees` is asked with the territory."""

    def incident(self, incident: str) -> dict[str, Any] | None: ...

    def incident_territory(self, incident: str) -> str | None: ...

    def link_alive(self, incident: str, now: Instant) -> bool:
        """Whether a signed link of this incident still counts: until 24 h after recovery."""

    def told(self, incident: str) -> list[str]:
        """People told of it, the latest first."""

    def duty(
        self, territory: str | None, role: str | None, at: Instant
    ) -> list[dict[str, Any]]: ...

    def why(self, id_: str) -> dict[str, Any] | None: ...

    def why_person(
        self, person: str, at: Instant, sees: Callable[[str], bool]
    ) -> dict[str, Any]: ...

    def phones(self, sees: Callable[[str], bool]) -> list[ChannelText]: ...

    def texts(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest texts that a provider took, newest last."""

    def audit_verify(self) -> list[str]:
        """Broken places of the hash chains, in words; empty when all is well."""

    def audit_export(self, incident: str) -> list[dict[str, Any]] | None: ...

    def figures(self, now: Instant) -> NotifyFigures: ...


def address_of(contacts: Sequence[Contact], contact: str) -> str | None:
    """The address of one contact, or None when it is no longer configured."""
    return next((each.address for each in contacts if each.id == contact), None)
