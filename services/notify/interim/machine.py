"""Notify: the synchronous machine. Every verb is one transaction, so a crash loses none by half.

Transitions, time, acknowledgements, receipts and replies go in; rows of the outbox come out.
Sending is the sender's business.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import structlog
from sqlalchemy import Connection

from services.notify.interim import desk as rows
from services.notify.interim.core import admit, alerts, escalate
from services.notify.interim.core.escalate import Scene
from services.notify.interim.core.incident import Effects, Entry, Incident, Notice, Told, notice_id
from services.notify.interim.core.roster import Directory, responsible
from services.notify.interim.desk import Desk, notifications
from services.notify.interim.links import Links
from services.notify.interim.port import Accepted, Outcome, Refused, Retry
from services.notify.interim.port import Unknown as UnknownOutcome
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant, local_day
from shared.model.select import policy_for
from shared.model.severity import Severity
from shared.model.transition import Transition, transition_id
from shared.observe.metrics import Metrics

STEP_US = 1_000_000
"""A wall clock that moves this much more or less than the steady one was set."""
BACKOFF_US = (1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000, 30_000_000)
THIRD = 3
"""From the third failure on the next way is tried as well (contract §5)."""
OWED_DAY_US = 86_400_000_000
"""A recovery or an answer that did not get out within a day is no longer news."""
DUE_AT_ONCE = 500

log = structlog.get_logger()
Refusal = Literal["unknown-incident", "unknown-person", "resolved"]


class Notify:
    """One site. `late_us`: up to how late a timer still counts from when it was due."""

    def __init__(self, desk: Desk, configuration: Configuration, metrics: Metrics) -> None:
        self.desk, self.metrics = desk, metrics
        self.links = Links(configuration.site.secret_key, configuration.site.base_url)
        self.set_configuration(configuration)
        self.late_us = 2_000_000
        self._clocks: tuple[int, int] | None = None

    def set_configuration(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.zone = configuration.site.zone
        self.directory = Directory(
            configuration.territories, configuration.rosters, configuration.people, self.zone
        )

    # -- verbs -------------------------------------------------------------------------------

    def after_seq(self) -> int:
        """The number of the last transition whose effects are kept."""
        with self.desk.begin() as c:
            return int(rows.get_state(c, "after_seq") or 0)

    def on_transitions(self, batch: Sequence[tuple[int, Transition]], now_us: int) -> None:
        """Keep the effects of some transitions and their number, together."""
        with self.desk.begin() as c:
            after = int(rows.get_state(c, "after_seq") or 0)
            for seq, transition in batch:
                if seq > after:
                    self._transition(c, transition, now_us)
                    after = seq
            rows.put_state(c, "after_seq", str(after))

    def tick(self, now_us: int, steady_us: int) -> None:
        """Let time pass: timers that are due, and outcomes that stayed unknown."""
        stepped = self._stepped(now_us, steady_us)
        with self.desk.begin() as c:
            if stepped:
                log.warning("clock_stepped", seconds=stepped / 1e6)
                self._shift(c, stepped)
            for incident in rows.due_incidents(c, now_us, DUE_AT_ONCE):
                effects = escalate.run_due(incident, self._scene(c, incident, now_us))
                self.keep_in(c, incident, effects, now_us)
            for row in rows.notices_where(
                c, notifications.c.state == "unknown", notifications.c.due_us <= now_us
            ):
                self._unknown_is_over(c, row, now_us)

    def recover_claims(self, now_us: int) -> None:
        """At start: what was being sent when the process ended has an unknown outcome."""
        with self.desk.begin() as c:
            for row in rows.notices_where(c, notifications.c.state == "claimed"):
                self._outcome(c, row, UnknownOutcome("the process ended while it was sent"), now_us)

    def acknowledge(
        self, incident_id: str, person: str, channel: str, note: str, now_us: int
    ) -> Refusal | None:
        """Stop telling people; None when it is (or already was) acknowledged."""
        with self.desk.begin() as c:
            incident = rows.get_incident(c, incident_id)
            if incident is None:
                return "unknown-incident"
            if person not in self.configuration.people:
                return "unknown-person"
            return self.acknowledge_in(c, incident, person, channel, note, now_us)

    def acknowledge_in(
        self, c: Connection, incident: Incident, person: str, channel: str, note: str, now_us: int
    ) -> Refusal | None:
        if incident.state == "resolved":
            return "resolved"
        if incident.state == "acknowledged":
            return None
        incident.state = "acknowledged"
        incident.acknowledged_us, incident.acknowledged_by = now_us, person
        incident.next_step_us, incident.rounds = None, []
        entry = Entry(now_us, "acknowledged", person, channel, note or None)
        self.keep_in(c, incident, Effects([entry], [], "acknowledged"), now_us)
        return None

    def hand_over(
        self, c: Connection, incident: Incident, person: str, channel: str, now_us: int
    ) -> None:
        """The person passes it on: the next step starts at once."""
        scene = self._scene(c, incident, now_us)
        effects = Effects([], [])
        if incident.next_step_us is not None:
            effects.add(escalate.start_step(incident, scene, now_us))
            if effects.entries:
                effects.entries[0] = msgspec.structs.replace(
                    effects.entries[0], person=person, channel=channel, reason=(
                        f"{effects.entries[0].reason}, handed over"
                    ),
                )  # fmt: skip
        self.keep_in(c, incident, effects, now_us)

    def receipt(self, channel: str, notification: str, status: int, now_us: int) -> None:
        """A gateway says what became of a message (Kannel's bits, contract §4)."""
        with self.desk.begin() as c:
            row = rows.get_notice(c, notification)
            if row is None or row.channel != channel:
                return
            if status & 16 or status & (2 | 32):
                self._receipt_bad(c, row, bool(status & 16), now_us)
            elif status & 1:
                self._receipt_good(c, row, True, now_us)
            elif status & (4 | 8):
                self._receipt_good(c, row, False, now_us)

    def record(self, notification: str, outcome: Outcome, text: str, now_us: int) -> None:
        """The sender says how an attempt ended."""
        with self.desk.begin() as c:
            row = rows.get_notice(c, notification)
            if row is not None:
                if text:
                    rows.set_notice(c, notification, text=text)
                self._outcome(c, row, outcome, now_us)

    # -- transitions and time ----------------------------------------------------------------

    def _transition(self, c: Connection, transition: Transition, now_us: int) -> None:
        facility = self.configuration.facilities.get(transition.facility)
        room = rows.get_room(c, transition.facility)
        current = rows.get_incident(c, room.incident)
        territory = facility.territory if facility else (current.territory if current else "")
        name = transition_id(transition, self.zone)

        def policy_of(rule: str, severity: Severity) -> Any:
            return policy_for(self.configuration, facility, rule, severity) if facility else None

        scene = self._scene(c, current, now_us)
        incident, effects = alerts.on_transition(
            room, current, transition, name, territory, policy_of,
            self.configuration.timing.reopen_within_us, scene,
        )  # fmt: skip
        rows.put_room(c, room)
        if incident is not None and (
            effects.entries or effects.notices or effects.cancel or incident is current
        ):
            self.keep_in(c, incident, effects, now_us, transition.received_us)

    def _scene(self, c: Connection, incident: Incident | None, now_us: int) -> Scene:
        own = incident.id if incident is not None else ""

        def taken(person: str) -> set[str]:
            return {t for name, t in rows.tickets_of(c, person).items() if name != own}

        return Scene(
            self.directory, now_us, self.configuration.timing.min_step_gap_us, self.late_us, taken
        )

    def _stepped(self, now_us: int, steady_us: int) -> int:
        before, self._clocks = self._clocks, (now_us, steady_us)
        if before is None:
            return 0
        difference = (now_us - before[0]) - (steady_us - before[1])
        return difference if abs(difference) > STEP_US else 0

    def _shift(self, c: Connection, by_us: int) -> None:
        """The wall clock was set: what waits, waits as long as before."""
        for incident in rows.unresolved(c):
            if incident.next_step_us is not None:
                incident.next_step_us += by_us
            if incident.last_step_us is not None:
                incident.last_step_us += by_us
            incident.rounds = [(at + by_us, number) for at, number in incident.rounds]
            rows.put_incident(c, incident)
        for row in rows.notices_where(c, notifications.c.due_us.is_not(None)):
            rows.set_notice(c, row.id, due_us=row.due_us + by_us)

    # -- keeping -----------------------------------------------------------------------------

    def keep_in(
        self, c: Connection, incident: Incident, effects: Effects, now_us: int,
        received_us: int | None = None,
    ) -> None:  # fmt: skip
        """Write one decision: incident, ledger, outbox."""
        entries = list(effects.entries)
        if effects.cancel:
            entries += self._withhold_unsent(c, incident.id, effects.cancel, now_us)
        for notice in effects.notices:
            entries += self.queue_in(c, notice, now_us, received_us)
        for entry in entries:
            if entry.kind == "orphan":
                self.metrics.orphans.inc()
        rows.put_incident(c, incident)
        rows.append_ledger(c, incident.id, entries)

    def queue_in(
        self, c: Connection, notice: Notice, now_us: int, received_us: int | None = None
    ) -> list[Entry]:
        channel = self.configuration.channels.get(notice.channel)
        day = local_day(Instant(now_us), self.zone).isoformat()
        admitted = channel is not None and admit.admits(
            channel.budget, notice.severity, rows.sent_today(c, notice.person, notice.channel, day)
        )
        state, reason = ("queued", None) if admitted else ("withheld", "budget")
        if not rows.insert_notice(c, notice, state, now_us, day, reason, received_us):
            return []
        if not admitted:
            self.metrics.notifications.labels(notice.channel, "withheld").inc()
        return [
            Entry(now_us, state, notice.person, notice.channel, reason, notice.id)  # type: ignore[arg-type]  # queued or withheld
        ]

    def _withhold_unsent(
        self, c: Connection, incident: str, reason: str, now_us: int
    ) -> list[Entry]:
        entries = []
        n = notifications.c
        for row in rows.notices_where(
            c, n.incident == incident, n.kind == "alert", n.state.in_(("queued", "unknown"))
        ):
            if row.state == "unknown":
                rows.set_notice(c, row.id, due_us=None)
                continue
            entries.append(self._withhold(c, row, reason, now_us))
        return entries

    def _withhold(self, c: Connection, row: Any, reason: str, now_us: int) -> Entry:
        rows.set_notice(c, row.id, state="withheld", reason=reason, due_us=None)
        self.metrics.notifications.labels(row.channel, "withheld").inc()
        return Entry(now_us, "withheld", row.person, row.channel, reason, row.id)

    # -- claiming ----------------------------------------------------------------------------

    def claim(self, now_us: int) -> tuple[Any, Incident | None] | None:
        """Take the most urgent message that is still owed; committed before anybody is called."""
        with self.desk.begin() as c:
            while (row := rows.next_queued(c, now_us)) is not None:
                incident = rows.get_incident(c, row.incident)
                reason = self._not_owed(incident, row, now_us)
                if reason is None:
                    rows.set_notice(
                        c, row.id, state="claimed", claimed_us=now_us, due_us=None,
                        attempts=row.attempts + 1,
                    )  # fmt: skip
                    return rows.get_notice(c, row.id), incident
                entry = self._withhold(c, row, reason, now_us)
                if incident is not None:
                    rows.append_ledger(c, incident.id, [entry])
            return None

    def _not_owed(self, incident: Incident | None, row: Any, now_us: int) -> str | None:
        if row.kind == "answer":
            return "too-late" if now_us - row.queued_us > OWED_DAY_US else None
        if incident is None:
            return "gone"
        if row.kind == "recovery":
            if incident.state != "resolved" or row.cause != incident.cause:
                return "superseded"
            return "too-late" if now_us - row.queued_us > OWED_DAY_US else None
        if incident.state != "open":
            return incident.state
        return None if row.cause == incident.cause else "superseded"

    def address_of(self, row: Any) -> str | None:
        """The address behind a contact, from the configuration; it is stored nowhere else."""
        person = self.configuration.people.get(row.person)
        contacts = person.contacts if person else ()
        return next((c.address for c in contacts if c.id == row.contact), None)

    def severity_of(self, row: Any) -> Severity:
        return rows.severity_of(row.rank)

    def first_notification(self, row: Any) -> str:
        """The incident's first message to this person by this channel, unless it is this one."""
        if not row.incident:
            return ""
        n = notifications.c
        with self.desk.begin() as c:
            earlier = rows.notices_where(
                c, n.incident == row.incident, n.person == row.person, n.channel == row.channel,
                n.kind == "alert", n.claimed_us.is_not(None),
            )  # fmt: skip
        return earlier[0].id if earlier and earlier[0].id != row.id else ""

    # -- outcomes ----------------------------------------------------------------------------

    def _outcome(self, c: Connection, row: Any, outcome: Outcome, now_us: int) -> None:
        incident = rows.get_incident(c, row.incident)
        entries: list[Entry] = []
        if row.repeats:
            self.metrics.notifications.labels(row.channel, "repeated").inc()
        match outcome:
            case Accepted():
                self.metrics.notifications.labels(row.channel, "accepted").inc()
                if row.state == "claimed":
                    entries += self._accepted(c, row, incident, now_us)
            case Refused(reason=reason):
                self.metrics.notifications.labels(row.channel, "failed").inc()
                entries += self._failed(c, row, incident, reason, True, now_us)
            case Retry(reason=reason, after_us=after):
                self.metrics.notifications.labels(row.channel, "failed").inc()
                wait = (
                    after
                    if after is not None
                    else BACKOFF_US[min(row.attempts, len(BACKOFF_US)) - 1]
                )
                rows.set_notice(c, row.id, state="queued", due_us=now_us + wait, reason=reason)
                entries.append(_said("failed", row, now_us, reason))
                if row.attempts == THIRD and incident is not None:
                    entries += self._next_way(c, row, incident, now_us)
            case UnknownOutcome(reason=reason):
                self.metrics.notifications.labels(row.channel, "unknown").inc()
                if row.state != "claimed":
                    pass  # its receipt was quicker than we
                elif row.repeats:
                    entries += self._failed(c, row, incident, f"{reason}, twice", False, now_us)
                else:
                    hold = self.configuration.timing.unknown_hold_us
                    rows.set_notice(c, row.id, state="unknown", due_us=now_us + hold, reason=reason)
                    entries.append(_said("unknown", row, now_us, reason))
        if incident is not None:
            rows.put_incident(c, incident)
        if row.incident:
            rows.append_ledger(c, row.incident, entries)

    def _accepted(
        self, c: Connection, row: Any, incident: Incident | None, now_us: int
    ) -> list[Entry]:
        rows.set_notice(c, row.id, state="accepted", accepted_us=now_us, due_us=None, reason=None)
        entries = [_said("accepted", row, now_us, None)]
        if row.received_us is not None and not row.repeats:
            self.metrics.report_to_gateway.observe(max(0, now_us - row.received_us) / 1e6)
        if row.kind != "alert" or incident is None:
            return entries
        told = Told(row.person, row.contact, row.channel)
        if incident.state == "resolved":
            recovery = alerts.recovery(incident, row.person, row.contact, row.channel)
            entries += self.queue_in(c, recovery, now_us, None)
        elif told not in incident.told:
            incident.told.append(told)
        n = notifications.c
        for other in rows.notices_where(
            c, n.incident == row.incident, n.cause == row.cause, n.step == row.step,
            n.round == row.round, n.person == row.person, n.state == "queued", n.attempts >= THIRD,
        ):  # fmt: skip
            entries.append(self._withhold(c, other, "superseded", now_us))
        return entries

    def _failed(
        self,
        c: Connection,
        row: Any,
        incident: Incident | None,
        reason: str,
        refused: bool,
        now_us: int,
    ) -> list[Entry]:
        """For good: this contact gets nothing more of it; the next way follows at once."""
        rows.set_notice(c, row.id, state="failed", reason=reason, due_us=None)
        entries = [_said("failed", row, now_us, reason)]
        if incident is None or row.kind != "alert":
            return entries
        if refused and row.contact not in incident.bad_contacts:
            incident.bad_contacts.append(row.contact)
        if incident.state == "open" and row.cause == incident.cause:
            entries += self._next_way(c, row, incident, now_us)
        return entries

    def _next_way(self, c: Connection, row: Any, incident: Incident, now_us: int) -> list[Entry]:
        """When every way of this round has failed for a person, his next contact; else the next step."""
        n = notifications.c
        step = rows.notices_where(
            c,
            n.incident == row.incident,
            n.kind == "alert",
            n.cause == row.cause,
            n.step == row.step,
        )
        mine = [r for r in step if r.person == row.person and r.round == row.round]
        if not all(_has_failed(r) for r in mine):
            return []
        person = self.configuration.people.get(row.person)
        if person is not None:
            other = escalate.next_contact(incident, person, {r.contact for r in mine})
            if other is not None:
                scene = self._scene(c, incident, now_us)
                notice = _at_step(
                    escalate.notice_to(incident, scene, person, other, row.round), row
                )
                return self.queue_in(c, notice, now_us, row.received_us)
        latest = [r for r in step if r.round == max(r.round for r in step)]
        if incident.step == row.step and all(r.state == "failed" for r in latest):
            escalate.hurry(incident, self._scene(c, incident, now_us))
        return []

    def _unknown_is_over(self, c: Connection, row: Any, now_us: int) -> None:
        """No receipt came: resend once, marked, while it is still owed."""
        incident = rows.get_incident(c, row.incident)
        entries: list[Entry] = []
        reason = self._not_owed(incident, row, now_us)
        channel = self.configuration.channels.get(row.channel)
        day = local_day(Instant(now_us), self.zone).isoformat()
        if reason is not None:
            rows.set_notice(c, row.id, due_us=None)
        elif channel is None or not admit.admits(
            channel.budget,
            rows.severity_of(row.rank),
            rows.sent_today(c, row.person, row.channel, day),
        ):
            entries.append(self._withhold(c, row, "budget", now_us))
        else:
            rows.set_notice(c, row.id, state="queued", repeats=1, due_us=now_us)
            entries.append(_said("repeated", row, now_us, row.reason))
        if row.incident:
            rows.append_ledger(c, row.incident, entries)

    def _receipt_good(self, c: Connection, row: Any, delivered: bool, now_us: int) -> None:
        incident = rows.get_incident(c, row.incident)
        entries: list[Entry] = []
        if row.state in ("claimed", "unknown") or (row.state == "queued" and row.repeats):
            entries += self._accepted(c, row, incident, now_us)
        if delivered and row.state != "delivered" and row.receipt != 1:
            rows.set_notice(c, row.id, state="delivered", receipt=1)
            self.metrics.notifications.labels(row.channel, "delivered").inc()
            entries.append(_said("delivered", row, now_us, None))
        if incident is not None:
            rows.put_incident(c, incident)
        if row.incident:
            rows.append_ledger(c, row.incident, entries)

    def _receipt_bad(self, c: Connection, row: Any, refused: bool, now_us: int) -> None:
        if row.state in ("failed", "withheld") or row.receipt == 2:
            return
        incident = rows.get_incident(c, row.incident)
        rows.set_notice(c, row.id, receipt=2)
        self.metrics.notifications.labels(row.channel, "failed").inc()
        reason = "refused by the operator" if refused else "not delivered"
        entries = self._failed(c, row, incident, reason, refused, now_us)
        if incident is not None:
            rows.put_incident(c, incident)
        if row.incident:
            rows.append_ledger(c, row.incident, entries)

    # -- looking -----------------------------------------------------------------------------

    def duty(self, territory: str | None, role: str | None, at_us: int) -> list[dict[str, Any]]:
        """Who holds which role: of one territory (climbing), or of every roster."""
        codes = [territory] if territory else sorted(self.configuration.rosters)
        found = []
        for code in codes:
            names = {role} if role else self._roles_of(code)
            for name in sorted(names):
                people, named_by = responsible(self.directory, name, code, at_us)
                found.append(
                    {
                        "territory": code, "role": name, "from": named_by,
                        "people": [
                            {"id": p, "name": self.configuration.people[p].name,
                             "title": self.configuration.people[p].title}
                            for p in people
                        ],
                    }
                )  # fmt: skip
        return found

    def _roles_of(self, territory: str) -> set[str]:
        roles: set[str] = set()
        for code in lineage(territory, self.configuration.territories):
            roster = self.configuration.rosters.get(code)
            if roster:
                roles |= set(roster.rotations) | set(roster.fixed)
        return roles

    def refresh_metrics(self, now_us: int) -> None:
        """Before /metrics is read: the oldest message owed, timers overdue."""
        with self.desk.begin() as c:
            oldest = rows.oldest_owed(c, now_us)
            overdue = len(rows.due_incidents(c, now_us - 2 * self.late_us, 1000))
        self.metrics.outbox_oldest.set(0 if oldest is None else max(0, now_us - oldest) / 1e6)
        self.metrics.timers_overdue.set(overdue)


def _has_failed(row: Any) -> bool:
    return bool(row.state == "failed" or (row.state == "queued" and row.attempts >= THIRD))


def _at_step(notice: Notice, row: Any) -> Notice:
    """The next way belongs to the step and round whose ways failed."""
    name = notice_id(
        notice.incident, row.cause, row.step, row.round, notice.person, notice.contact, "alert"
    )
    return msgspec.structs.replace(
        notice, id=name, cause=row.cause, step=row.step, round=row.round, nth=row.nth
    )


def _said(kind: str, row: Any, now_us: int, reason: str | None) -> Entry:
    return Entry(now_us, kind, row.person, row.channel, reason, row.id)  # type: ignore[arg-type]  # kinds of the callers
