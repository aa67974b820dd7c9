"""Incident: what people handle. One facility, its firing alerts, and how far the ladder is."""

import hashlib
from typing import Literal

import msgspec

from shared.model.people import Policy
from shared.model.severity import Severity

IncidentState = Literal["open", "acknowledged", "resolved"]
EntryKind = Literal[
    "opened", "joined", "rose", "fell", "reopened", "resolved",
    "step", "catch_all", "orphan",
    "queued", "accepted", "delivered", "failed", "unknown", "repeated", "withheld",
    "acknowledged",
]  # fmt: skip


class Alert(msgspec.Struct):
    """A firing alert as the last transition left it."""

    rule: str
    station: str
    indicator: str
    interval: str
    severity: Severity
    since_us: int
    at_us: int
    cause: str
    value: float | None
    limit: str | None
    unit: str | None
    transition: str
    report: str = ""
    received_us: int | None = None


class Told(msgspec.Struct, frozen=True):
    """A provider accepted a message of this incident for this person by this contact."""

    person: str
    contact: str
    channel: str


class Incident(msgspec.Struct):
    """Times are microseconds of the program's clock."""

    id: str
    facility: str
    territory: str
    policy: Policy
    severity: Severity
    opened_us: int
    state: IncidentState = "open"
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    resolved_us: int | None = None
    alerts: dict[str, Alert] = {}
    cause: int = 0
    """Counts openings, rises and reopenings; each begins the ladder anew."""
    step: int = 0
    """0: none yet; k: step k; one more than the policy's steps: the catch-all."""
    next_step_us: int | None = None
    last_step_us: int | None = None
    catch_all_rounds: int = 0
    rounds: list[tuple[int, int]] = []
    """(due, round) of the repeats of the present step, ascending."""
    tickets: dict[str, str] = {}
    tellings: dict[str, int] = {}
    """How often each person was told since it opened, last rose or reopened."""
    bad_contacts: list[str] = []
    """Contacts that a provider refused for good during this incident."""
    told: list[Told] = []
    last: dict[str, Alert] = {}
    """What was firing when it resolved: recovery texts speak of it."""

    @property
    def next_due_us(self) -> int | None:
        """When somebody has to look at it again."""
        if self.state != "open":
            return None
        due = [self.next_step_us] if self.next_step_us is not None else []
        due += [at for at, _ in self.rounds]
        return min(due) if due else None


class Room(msgspec.Struct):
    """One facility: its firing alerts, also those that nobody is told of, and its incident."""

    facility: str
    alerts: dict[str, Alert] = {}
    incident: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """One line of the ledger and of the timeline."""

    at_us: int
    kind: EntryKind
    person: str | None = None
    channel: str | None = None
    reason: str | None = None
    notification: str | None = None
    ref: str | None = None
    """Not shown in the timeline: the transition behind an entry; `why` follows it."""


class Notice(msgspec.Struct, frozen=True):
    """One message to one person by one way; its id is what it is (contract §9.9)."""

    id: str
    incident: str
    kind: Literal["alert", "recovery", "answer"]
    cause: int
    step: int
    round: int
    person: str
    contact: str
    channel: str
    severity: Severity
    nth: int = 1
    words: str = ""
    """Of an answer."""


class Effects(msgspec.Struct):
    """What a decision wants done, in one transaction."""

    entries: list[Entry] = []
    notices: list[Notice] = []
    cancel: str | None = None
    """Messages of the incident that are not sent yet are withheld for this reason, first."""

    def add(self, other: "Effects") -> None:
        self.entries += other.entries
        self.notices += other.notices
        self.cancel = self.cancel or other.cancel


def incident_id(facility: str, opening_transition: str) -> str:
    """The same for the same opening: a replay opens the same incident."""
    digest = hashlib.sha256(f"{facility}\0{opening_transition}".encode()).hexdigest()
    return f"i-{digest[:12]}"


def notice_id(
    incident: str, cause: int, step: int, round_: int, person: str, contact: str, kind: str
) -> str:
    """A hash of (incident, cause, step, round, person, way)."""
    identity = msgspec.json.encode([incident, kind, cause, step, round_, person, contact])
    return f"n-{hashlib.sha256(identity).hexdigest()[:20]}"


def worst(alerts: dict[str, Alert]) -> Severity | None:
    if not alerts:
        return None
    return max((alert.severity for alert in alerts.values()), key=lambda s: s.rank)
