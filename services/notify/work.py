"""Work: what every verb has at hand while its transaction is open."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from services.notify.core.attempt import UNFINISHED
from services.notify.core.incident import Alert, Incident
from services.notify.core.notice import Notice
from services.notify.core.responsible import House
from services.notify.core.silence import Silence
from services.notify.desk.unit import Row, Unit
from services.notify.port import Counts
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.severity import Severity


class Snapshot(msgspec.Struct, frozen=True):
    """What a notice will say, as things stood when it was decided."""

    alerts: tuple[Alert, ...]
    severity: Severity | None
    step: int = 0
    words: str = ""
    flapping: bool = False


class NoCounts:
    """For whoever does not measure."""

    def notification(self, channel: str, outcome: str) -> None: ...

    def report_to_gateway(self, seconds: float) -> None: ...

    def reply_from_nobody(self, channel: str) -> None: ...

    def orphan(self) -> None: ...

    def wording_failed(self, channel: str) -> None: ...


class Work:
    def __init__(
        self, unit: Unit, configuration: Configuration, counts: Counts, now: Instant
    ) -> None:
        self.unit = unit
        self.configuration = configuration
        self.counts = counts
        self.now = now
        self._silences: list[Silence] | None = None
        self.gap_us = configuration.timing.min_step_gap_us
        self.house = House(
            configuration.territories,
            configuration.rosters,
            configuration.people,
            configuration.site.zone,
        )

    def silences(self, read: Callable[[Connection, int], list[Silence]]) -> list[Silence]:
        """Those in force, read once; only when an incident changes."""
        if self._silences is None:
            self._silences = read(self.unit.connection, self.now)
        return self._silences

    def queue(self, notice: Notice, snapshot: Snapshot, *, received_us: int | None = None) -> bool:
        """Put a notice into the outbox; the same notice a second time changes nothing."""
        row = outbox_row(notice, snapshot, self.now, received_us)
        if not self.unit.queue(row):
            return False
        if notice.incident:
            self.say("queued", row)
        return True

    def withhold(self, row: Row, reason: str) -> None:
        """This one is not sent, and the ledger says why."""
        self.unit.change(row["id"], state="withheld", reason=reason, due_us=None, ended_us=self.now)
        self.counts.notification(row["channel"], "withheld")
        self.say("withheld", row, reason)

    def say(
        self, kind: str, row: Row, reason: str | None = None, detail: dict[str, Any] | None = None
    ) -> None:
        """A ledger entry about one notice."""
        self.unit.write(
            row["incident"], self.now, kind,
            person=row["person"], channel=row["channel"], reason=reason,
            notification=row["id"], detail=detail,
        )  # fmt: skip

    def unfinished(self, incident: str, kind: str | None = None) -> list[Row]:
        rows = self.unit.notices(incident, UNFINISHED)
        return [row for row in rows if kind is None or row["kind"] == kind]


def snapshot_of(incident: Incident) -> Snapshot:
    return Snapshot(
        incident.alerts or incident.last_alerts, incident.severity, incident.step,
        flapping=incident.flap is not None,
    )  # fmt: skip


def outbox_row(notice: Notice, snapshot: Snapshot, now: Instant, received_us: int | None) -> Row:
    severity = snapshot.severity
    return {
        "id": notice.id,
        "kind": notice.kind,
        "incident": notice.incident,
        "generation": notice.generation,
        "step": notice.step,
        "round": notice.round,
        "person": notice.person,
        "contact": notice.contact,
        "channel": notice.channel,
        "severity": None if severity is None else severity.value,
        "state": "queued",
        # An answer to a person who is awake goes with the severe ones.
        "rank": -4 if severity is None else -severity.rank,
        "turn": 0,
        "queued_us": now,
        "due_us": now,
        "boot": 0,
        "attempts": 0,
        "failures": 0,
        "resend": 0,
        "nth": 0,
        "receipt": None,
        "accepted_us": None,
        "ended_us": None,
        "received_us": received_us,
        "reason": None,
        "text": None,
        "body": msgspec.msgpack.encode(snapshot),
    }
