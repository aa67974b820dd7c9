"""Notify: the synchronous machine. Each verb is one transaction of the desk.

Transitions, time, acknowledgements, receipts and replies go in; the outbox is what comes out.
A crash anywhere leaves all of a verb or nothing, and saying the same again changes nothing.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from sqlalchemy import func, select

from services.notify import silencing
from services.notify import why as why_
from services.notify.amending import after_amendment, take_amendments
from services.notify.answers import answer
from services.notify.campaign_end import Ended, ended, tell_end
from services.notify.claims import Claim, claim, put_back
from services.notify.clockwatch import Clockwatch
from services.notify.core import incident as fold
from services.notify.core.handover import in_order
from services.notify.core.incident import Incident
from services.notify.core.owed import due
from services.notify.core.silence import Silence
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.desk.unit import Unit
from services.notify.outcomes import hold_is_over, is_over, lost, receipt, record
from services.notify.person_why import why_person
from services.notify.port import (
    ChannelText,
    Counts,
    Link,
    NotifyFigures,
    Outcome,
    ReceiptStatus,
    Refusal,
    ReplyReader,
)
from services.notify.positions import hold_position, move_position, positions
from services.notify.replica import Replica
from services.notify.shift import shift
from services.notify.taking import effect_of
from services.notify.telling import end_for_acknowledgement, run_due, take
from services.notify.views import Views, read_chain, verify
from services.notify.work import NoCounts, Work
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.amendment import Amendment
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.transition import Transition, transition_id

MARGIN_US = 10_000_000
"""What an attempt may take beside the channel's time-out: being claimed, begun and recorded."""
AT_ONCE = 500
"""Incidents in one transaction of a tick, so that a storm does not hold the writer for long."""
LINK_LIFE_US = 86_400_000_000
"""A signed link counts until 24 h after recovery (contract §4)."""

log = structlog.get_logger()


class Notify:
    """Implements `NotifyPort`. May be called from any thread.

    Verbs take the caller's `now`, and decide by the clocks as they stand inside their unit.
    """

    def __init__(
        self,
        desk: Desk,
        configuration: Configuration,
        clock: Clock,
        *,
        read_reply: ReplyReader,
        link: Link,
        counts: Counts | None = None,
        drill: bool = False,
        replica: str = "main",
        margin_us: int = MARGIN_US,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._read_reply = read_reply
        self._link = link
        self._counts = counts or NoCounts()
        self._drill = drill
        self._time = Clockwatch(clock, is_served=desk.is_served)
        longest_us = max((each.timeout_us for each in configuration.channels.values()), default=0)
        self._replica = Replica(replica, longest_us + margin_us, is_served=desk.is_served)
        self._claiming = threading.Lock()
        self._under_way: set[tuple[str, int]] = set()
        self._is_uncertain = False
        self._ends_told: set[Ended] = set()
        self.tick_slack_us = 2_000_000
        self.set_configuration(configuration)
        with desk.unit() as unit:
            self._replica.enter(unit)

    def set_configuration(self, configuration: Configuration) -> None:
        """From now on; incidents that are open keep their policies, not their rosters."""
        self._configuration = configuration
        self._views = Views(configuration)
        self._desk.min_step_gap_us = configuration.timing.min_step_gap_us

    @contextmanager
    def _work(self, *, alone: bool = False) -> Iterator[Work]:
        """One unit at the instant at which it holds the desk.

        The clocks are read inside: an instant from before the wall clock was set, used after
        another has moved the timers with it, would ring the whole ladder.
        """
        while True:
            with self._desk.unit(alone=alone) as unit:
                now = self._time.observe(unit)
                if now is not None:
                    yield Work(unit, self._configuration, self._counts, now)
                    unit.flush()
                    return
            self._follow_clock()

    # transitions

    def after_seq(self) -> int:
        with self._desk.read() as connection:
            value = connection.execute(
                select(t.meta.c.value).where(t.meta.c.key == "after_seq")
            ).scalar()
        return int(value or 0)

    def on_transitions(self, items: Sequence[tuple[int, Transition]], now: Instant) -> None:
        """Take transitions in the order of seq; what is known already changes nothing."""
        with self._work() as work:
            after = work.unit.meta("after_seq")
            newest = self._take_all(work, items, after)
            if newest != after:
                work.unit.set_meta("after_seq", newest)

    def after_amendment(self) -> int:
        with self._desk.read() as connection:
            return after_amendment(connection)

    def on_amendments(self, items: Sequence[tuple[int, Amendment]], now: Instant) -> None:
        """Take amendments in the order of seq, after the transitions that they amend."""
        with self._work() as work:
            take_amendments(work, items)

    def positions(self) -> dict[int, int]:
        """Where each partition of the alerts is read on; one that is not named: from 0."""
        with self._desk.read() as connection:
            return positions(connection)

    def take_entries(
        self,
        partition: int,
        items: Sequence[tuple[int, Transition]],
        next_position: int,
        *,
        start: int | None = None,
    ) -> int | None:
        """
        Take what was read of one partition, up to before `next_position`.

        What another replica has taken meanwhile is left out, and so is everything when it was
        read from a `start` beyond what is taken. The position that stands now, or None while
        another replica is taking from this partition.
        """
        with self._work() as work:
            stored = hold_position(work.unit, partition)
            if stored is None or (start is not None and start > stored):
                return stored
            if next_position <= stored:
                return stored
            self._take_all(work, items, stored - 1, partition)
            move_position(work.unit, partition, next_position)
            return next_position

    def _take_all(
        self, work: Work, items: Sequence[tuple[int, Transition]], after: int, partition: int = 0
    ) -> int:
        """Everything later than `after`, in order; the seq of the last, else `after`."""
        if self._configuration.campaigns:
            items = in_order(items, self._configuration.base_of)
        new = [
            (seq, transition, transition_id(transition, self._configuration.site.zone))
            for seq, transition in items
            if seq > after
        ]
        work.unit.expect_transitions([name for _, _, name in new])
        work.unit.expect_facilities([transition.facility for _, transition, _ in new])
        for seq, transition, name in new:
            after = max(after, seq)
            self._take(work, seq, transition, name, partition)
        return after

    def _take(
        self, work: Work, seq: int, transition: Transition, name: str, partition: int
    ) -> None:
        if work.unit.is_taken(name):
            return
        incident, effect = effect_of(work, name, transition)
        work.unit.take(
            {
                "transition": name, "seq": seq, "taken_us": work.now,
                "report": transition.report_id, "facility": transition.facility,
                "incident": None if incident is None else incident.id, "effect": effect,
                "body": msgspec.msgpack.encode(transition), "partition": partition,
            }
        )  # fmt: skip

    # time

    def tick(self, now: Instant, steady_us: int) -> None:
        """Take the steps that are due, each incident at most one."""
        with self._work() as work:
            o = t.outbox.c
            over = select(t.outbox).where(o.state == "unknown", o.due_us <= work.now)
            for found in work.unit.connection.execute(over).mappings().all():
                row = work.unit.try_hold_notice(dict(found))
                if row is not None and is_over(work, row):
                    hold_is_over(work, row)
            i = t.incidents.c
            query = select(i.id).where(i.due_us <= work.now).order_by(i.due_us)
            ids = list(work.unit.connection.execute(query).scalars())
            over_now = ended(work, self._ends_told)
            for campaign in over_now:
                tell_end(work, campaign)
        self._ends_told.update((each.id, each.to_us) for each in over_now)
        for begin in range(0, len(ids), AT_ONCE):
            with self._work() as work:
                # Another replica may be at it; what it has taken is not due any more.
                work.unit.expect(ids[begin : begin + AT_ONCE], skip_locked=True)
                for id_ in ids[begin : begin + AT_ONCE]:
                    incident = work.unit.incident(id_) if work.unit.is_held(id_) else None
                    if incident is not None:
                        run_due(work, incident)

    def next_due(self) -> Instant | None:
        """When a step, a hold or another try is due next."""
        return self._soonest(("unknown", "retry"))

    def next_timer(self) -> Instant | None:
        """When `tick` has something to do; other tries are the sender's."""
        return self._soonest(("unknown",))

    def _soonest(self, states: Sequence[str]) -> Instant | None:
        o = t.outbox.c
        with self._desk.read() as connection:
            found = [connection.execute(select(func.min(t.incidents.c.due_us))).scalar()]
            for state in states:
                query = select(func.min(o.due_us)).where(o.state == state)
                found.append(connection.execute(query).scalar())
        known = [each for each in found if each is not None]
        return Instant(min(known)) if known else None

    def clock_now(self) -> Instant:
        """About the instant at which a verb would decide now."""
        return self._time.estimate()

    def _follow_clock(self) -> None:
        """The wall clock was set: what waits goes on waiting as long as it would have."""
        with self._desk.unit(alone=True) as unit:
            reading = self._time.settle(unit)
            by_us = 0 if reading is None else self._time.by(reading)
            if reading is not None:
                self._shift(unit, by_us, reading.now)
        if reading is not None:
            self._time.moved(reading, by_us)

    def _notice_set_back(self) -> None:
        """At start: a clock behind what is written already was set back while nobody ran."""
        with self._desk.read() as connection:  # long, so without keeping anybody waiting
            newest = connection.execute(select(func.max(t.ledger.c.at_us))).scalar()
        if newest is None:
            return
        with self._desk.unit(alone=True) as unit:
            now, by_us = self._time.behind(unit, newest)
            if by_us:
                self._shift(unit, by_us, now)
        self._time.forget()

    def _shift(self, unit: Unit, by_us: int, now: Instant) -> None:
        gap_us = self._desk.min_step_gap_us
        shift(unit, by_us, now, gap_us, with_leases=self._time.asks_server)

    # people

    def acknowledge(
        self, incident: str, person: str, channel: str, note: str, now: Instant
    ) -> dict[str, Any] | Refusal:
        """All of it ends; twice is as once."""
        with self._work() as work:
            known = work.unit.incident(incident)
            refusal = self._refusal(known, person)
            if refusal is None:
                assert known is not None
                self._acknowledge(work, known, person, channel, note)
        return refusal if refusal is not None else self._shown(incident)

    def _acknowledge(
        self, work: Work, incident: Incident, person: str, channel: str, note: str
    ) -> None:
        if incident.state != "open":
            return
        work.unit.put(fold.acknowledged(incident, person, work.now))
        work.unit.write(
            incident.id, work.now, "acknowledged",
            person=person, channel=channel, reason=note or None,
        )  # fmt: skip
        end_for_acknowledgement(work, incident.id)

    def hand_over(self, incident: str, person: str, now: Instant) -> dict[str, Any] | Refusal:
        """The next step starts at once; on an incident that is not open nothing changes."""
        with self._work() as work:
            known = work.unit.incident(incident)
            refusal = self._refusal(known, person)
            if refusal is None:
                assert known is not None
                self._hand_over(work, known, person)
        return refusal if refusal is not None else self._shown(incident)

    def _hand_over(self, work: Work, incident: Incident, person: str) -> None:
        if incident.state != "open":
            return
        work.unit.write(incident.id, work.now, "handed_over", person=person)
        ready = msgspec.structs.replace(incident, step_now=True)
        owed = due(ready, work.gap_us)
        if owed is None or owed.what != "step":
            return
        if owed.at_us <= work.now:
            take(work, ready, "step", f"step {ready.step + 1}, handed over by {person}", None)
        else:
            work.unit.put(ready)

    def _refusal(self, incident: Incident | None, person: str) -> Refusal | None:
        if incident is None:
            return Refusal("not-found", "there is no incident of this id")
        if person not in self._configuration.people:
            return Refusal("unknown-person", f"person {person!r} is not in people.yaml")
        if incident.state == "resolved":
            return Refusal("resolved", f"incident {incident.id} is resolved already")
        return None

    def _shown(self, incident: str) -> dict[str, Any]:
        found = self.incident(incident)
        assert found is not None
        return found

    def silence(self, silence: Silence) -> Silence | None:
        """Alone, so that no incident opens meanwhile that would not know of it."""
        with self._work(alone=True) as work:
            made = silencing.begin(work, silence)
        if made is not None:
            log.info("silence_began", silence=made.id, person=made.person, until_us=made.until_us)
        return made

    def end_silence(self, id_: str, person: str) -> Silence | None:
        with self._work(alone=True) as work:
            ended = silencing.end(work, id_)
        if ended is not None:
            log.info("silence_ended", silence=id_, person=person)
        return ended

    def silences(self, now: Instant) -> list[Silence]:
        with self._desk.read() as connection:
            return silencing.in_force(connection, now)

    def reply(self, channel: str, from_: str, to: str, text: str, now: Instant) -> None:
        """A text that came back from a phone, whoever's it is."""
        with self._work() as work:
            meant = answer(work, channel, from_, text, self._read_reply)
            incident = None if meant is None else work.unit.incident(meant.incident)
            if meant is None or incident is None:
                return
            if meant.act == "hand_over":
                self._hand_over(work, incident, meant.person)
            elif incident.state == "open":
                self._acknowledge(work, incident, meant.person, channel, meant.note)

    # sending

    def recover_claims(self, now: Instant) -> None:
        """At start: what an earlier process was sending has an unknown outcome."""
        self._notice_set_back()
        self._lose_orphans()

    def beat(self) -> None:
        """Say that this replica lives, and take over from those that do not."""
        with self._work() as work:
            self._replica.renew(work.unit)
        with self._work() as work:
            for name in self._replica.bury(work.unit):
                log.warning("replica_lost", replica=name)
        self._lose_orphans()

    def leave(self) -> None:
        """The end of this replica, when nothing of it is under way: nobody need miss it."""
        with self._work() as work:
            self._replica.leave(work.unit)

    @property
    def beat_us(self) -> int:
        """How often `beat` is to be called, in real time."""
        return self._replica.beat_us

    def _lose_orphans(self) -> None:
        with self._work() as work:
            for row in self._replica.orphans(work.unit):
                lost(work, row, "the process ended while it was sent")

    def claim(self, now: Instant, busy: Collection[str] = ()) -> Claim | None:
        """The next message to send, committed before anybody is called."""
        with self._claiming:
            try:
                with self._work() as work:
                    self._replica.stay(work.unit)
                    if self._is_uncertain:
                        put_back(work, self._replica.boot, self._under_way)
                    claimed = claim(work, busy, self._replica.boot, self._link, drill=self._drill)
            except Unavailable:
                self._is_uncertain = True  # the commit may have gone through unheard
                raise
            self._is_uncertain = False
            if claimed is not None:
                self._under_way.add((claimed.notification, claimed.attempt))
            return claimed

    def record(self, claimed: Claim, outcome: Outcome, now: Instant) -> None:
        """How an attempt ended. Only the attempt that is under way may say so."""
        with self._work() as work:
            row = work.unit.hold_notice(claimed.notification)
            if row is not None and (row["attempts"], row["boot"]) == (
                claimed.attempt,
                claimed.boot,
            ):
                record(work, row, outcome)
        self._under_way.discard((claimed.notification, claimed.attempt))

    def receipt(self, channel: str, notification: str, status: ReceiptStatus, now: Instant) -> None:
        """Later proof; unknown ids and ids of another channel change nothing."""
        with self._work() as work:
            row = work.unit.hold_notice(notification)
            if row is not None and row["channel"] == channel:
                receipt(work, row, status)

    def wording_failed(self, channel: str) -> None:
        self._counts.wording_failed(channel)

    # questions

    def incidents(
        self, state: str | None, facility: str | None, sees: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        with self._desk.read() as connection:
            return self._views.incidents(connection, state, facility, sees)

    def incident(self, incident: str) -> dict[str, Any] | None:
        with self._desk.read() as connection:
            return self._views.incident(connection, incident)

    def incident_territory(self, incident: str) -> str | None:
        with self._desk.read() as connection:
            query = select(t.incidents.c.territory).where(t.incidents.c.id == incident)
            return connection.execute(query).scalar()

    def link_alive(self, incident: str, now: Instant) -> bool:
        i = t.incidents.c
        with self._desk.read() as connection:
            row = connection.execute(select(i.resolved_us).where(i.id == incident)).first()
        return row is not None and (row[0] is None or now < row[0] + LINK_LIFE_US)

    def told(self, incident: str) -> list[str]:
        """People told of it, the latest first."""
        o = t.outbox.c
        latest = func.max(o.accepted_us)
        query = (
            select(o.person)
            .where(o.incident == incident, o.kind == "alert", o.accepted_us.is_not(None))
            .group_by(o.person)
            .order_by(latest.desc())
        )
        with self._desk.read() as connection:
            return list(connection.execute(query).scalars())

    def duty(self, territory: str | None, role: str | None, at: Instant) -> list[dict[str, Any]]:
        return self._views.duty(territory, role, at)

    def why(self, id_: str) -> dict[str, Any] | None:
        with self._desk.read() as connection:
            return why_.why(connection, self._configuration, id_)

    def why_person(self, person: str, at: Instant, sees: Callable[[str], bool]) -> dict[str, Any]:
        with self._desk.read() as connection:
            return why_person(connection, self._configuration, person, at, sees)

    def phones(self, sees: Callable[[str], bool]) -> list[ChannelText]:
        with self._desk.read() as connection:
            return self._views.phones(connection, sees)

    def texts(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest texts that went out, newest last, for the story's screen."""
        o = t.outbox.c
        query = (
            select(o.id, o.person, o.channel, o.text, o.accepted_us, o.state, o.incident)
            .where(o.text.is_not(None))
            .order_by(o.accepted_us.desc(), o.id)
            .limit(limit)
        )
        with self._desk.read() as connection:
            rows = connection.execute(query).all()
        people = self._configuration.people
        return [
            {
                "notification": row.id, "person": row.person, "channel": row.channel,
                "name": people[row.person].name if row.person in people else row.person,
                "text": row.text, "at": self._views.time(row.accepted_us), "state": row.state,
                "incident": row.incident,
            }
            for row in reversed(rows)
        ]  # fmt: skip

    def audit_verify(self) -> list[str]:
        with self._desk.read() as connection:
            return verify(connection)

    def audit_export(self, incident: str) -> list[dict[str, Any]] | None:
        with self._desk.read() as connection:
            entries = read_chain(connection, incident)
        shown = [
            {**msgspec.structs.asdict(each), "at": self._views.time(each.at_us)} for each in entries
        ]
        return shown or None

    def figures(self, now: Instant) -> NotifyFigures:
        with self._desk.read() as connection:
            return self._views.figures(connection, now, self.tick_slack_us)
