"""Notify: the synchronous machine. Each verb is one transaction of the desk.

Transitions, time, acknowledgements, receipts and replies go in; the outbox is what comes out.
A crash anywhere leaves all of a verb or nothing, and saying the same again changes nothing.
"""

import threading
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import select

from services.notify import by_person, silencing
from services.notify.amending import take_amendment, take_amendments
from services.notify.answers import answer
from services.notify.campaign_end import Ended, ended, tell_end
from services.notify.claims import Claim, claim, put_back
from services.notify.core.handover import in_order
from services.notify.core.silence import Silence
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.moments import Moments
from services.notify.outcomes import hold_is_over, is_over, lost, receipt, record
from services.notify.port import (
    Counts,
    Link,
    Outcome,
    ReceiptStatus,
    Refusal,
    ReplyReader,
)
from services.notify.positions import hold_position, move_position
from services.notify.questions import Questions
from services.notify.replica import Replica
from services.notify.taking import effect_of
from services.notify.telling import run_due
from services.notify.views import Views
from services.notify.work import NoCounts, Work
from shared.clock import Clock
from shared.errors import Unavailable
from shared.log.port import AMENDMENTS
from shared.model.amendment import Amendment
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.transition import Transition, transition_id

MARGIN_US = 10_000_000
"""What an attempt may take beside the channel's time-out: being claimed, begun and recorded."""
AT_ONCE = 500
"""Incidents in one transaction of a tick, so that a storm does not hold the writer for long."""

log = structlog.get_logger()


class Notify(Questions):
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
        super().__init__(desk, configuration)
        self._counts = counts or NoCounts()
        self._moments = Moments(desk, configuration, clock, self._counts)
        self._read_reply = read_reply
        self._link = link
        self._drill = drill
        longest_us = max((each.timeout_us for each in configuration.channels.values()), default=0)
        self._replica = Replica(replica, longest_us + margin_us, is_served=desk.is_served)
        self._claiming = threading.Lock()
        self._under_way: set[tuple[str, int]] = set()
        self._is_uncertain = False
        self._ends_told: set[Ended] = set()
        self.set_configuration(configuration)
        with desk.unit() as unit:
            self._replica.enter(unit)

    def set_configuration(self, configuration: Configuration) -> None:
        """From now on; incidents that are open keep their policies, not their rosters."""
        self._configuration = self._moments.configuration = configuration
        self._views = Views(configuration)
        self._desk.min_step_gap_us = configuration.timing.min_step_gap_us

    # transitions

    def on_transitions(self, items: Sequence[tuple[int, Transition]], now: Instant) -> None:
        """Take transitions in the order of seq; what is known already changes nothing."""
        with self._moments.work() as work:
            after = work.unit.meta("after_seq")
            newest = self._take_all(work, items, after)
            if newest != after:
                work.unit.set_meta("after_seq", newest)

    def on_amendments(self, items: Sequence[tuple[int, Amendment]], now: Instant) -> None:
        """Take amendments in the order of seq, after the transitions that they amend."""
        with self._moments.work() as work:
            take_amendments(work, items)

    def take_amended(
        self, partition: int, items: Sequence[tuple[int, Amendment]], next_position: int, *, start: int
    ) -> int | None:  # fmt: skip
        """As `take_entries`, of the amendments."""
        with self._moments.work() as work:
            stored = hold_position(work.unit, partition, AMENDMENTS)
            if stored is None or start > stored or next_position <= stored:
                return stored
            work.unit.expect_facilities([each.facility for _, each in items])
            new = {each.id: each for seq, each in items if seq >= stored}
            for amendment in new.values():
                take_amendment(work, amendment)
            move_position(work.unit, partition, next_position, AMENDMENTS)
            return next_position

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
        with self._moments.work() as work:
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
        with self._moments.work() as work:
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
            with self._moments.work() as work:
                # Another replica may be at it; what it has taken is not due any more.
                work.unit.expect(ids[begin : begin + AT_ONCE], skip_locked=True)
                for id_ in ids[begin : begin + AT_ONCE]:
                    incident = work.unit.incident(id_) if work.unit.is_held(id_) else None
                    if incident is not None:
                        run_due(work, silencing.look_again(work, incident))

    # people

    def acknowledge(
        self, incident: str, person: str, channel: str, note: str, now: Instant
    ) -> dict[str, Any] | Refusal:
        """All of it ends; twice is as once."""
        with self._moments.work() as work:
            known = work.unit.incident(incident)
            refusal = by_person.refusal(work, known, person)
            if refusal is None:
                assert known is not None
                by_person.acknowledge(work, known, person, channel, note)
        return refusal if refusal is not None else self._shown(incident)

    def hand_over(self, incident: str, person: str, now: Instant) -> dict[str, Any] | Refusal:
        """The next step starts at once; on an incident that is not open nothing changes."""
        with self._moments.work() as work:
            known = work.unit.incident(incident)
            refusal = by_person.refusal(work, known, person)
            if refusal is None:
                assert known is not None
                by_person.hand_over(work, known, person)
        return refusal if refusal is not None else self._shown(incident)

    def _shown(self, incident: str) -> dict[str, Any]:
        found = self.incident(incident)
        assert found is not None
        return found

    def silence(self, silence: Silence, channel: str = "api", access: str = "") -> Silence | None:
        """Alone, so that no incident opens meanwhile that would not know of it."""
        with self._moments.work(alone=True) as work:
            made = silencing.begin(work, silence, channel, access)
        if made is not None:
            log.info("silence_began", silence=made.id, person=made.person, until_us=made.until_us)
        return made

    def end_silence(
        self, id_: str, person: str, channel: str = "api", access: str = ""
    ) -> Silence | None:
        with self._moments.work(alone=True) as work:
            ended = silencing.end(work, id_, person, channel, access)
        if ended is not None:
            log.info("silence_ended", silence=id_, person=person)
        return ended

    def reply(self, channel: str, from_: str, to: str, text: str, now: Instant) -> None:
        """A text that came back from a phone, whoever's it is."""
        with self._moments.work() as work:
            meant = answer(work, channel, from_, text, self._read_reply)
            incident = None if meant is None else work.unit.incident(meant.incident)
            if meant is None or incident is None:
                return
            if meant.act == "hand_over":
                by_person.hand_over(work, incident, meant.person)
            elif incident.state == "open":
                by_person.acknowledge(work, incident, meant.person, channel, meant.note)

    def clock_now(self) -> Instant:
        """About the instant at which a verb would decide now."""
        return self._moments.estimate()

    # sending

    def recover_claims(self, now: Instant) -> None:
        """At start: what an earlier process was sending has an unknown outcome."""
        self._moments.notice_set_back()
        self._lose_orphans()

    def beat(self) -> None:
        """Say that this replica lives, and take over from those that do not."""
        with self._moments.work() as work:
            self._replica.renew(work.unit)
        with self._moments.work() as work:
            for name in self._replica.bury(work.unit):
                log.warning("replica_lost", replica=name)
        self._lose_orphans()

    def leave(self) -> None:
        """The end of this replica, when nothing of it is under way: nobody need miss it."""
        with self._moments.work() as work:
            self._replica.leave(work.unit)

    @property
    def beat_us(self) -> int:
        """How often `beat` is to be called, in real time."""
        return self._replica.beat_us

    def _lose_orphans(self) -> None:
        with self._moments.work() as work:
            for row in self._replica.orphans(work.unit):
                lost(work, row, "the process ended while it was sent")

    def claim(self, now: Instant, busy: Collection[str] = ()) -> Claim | None:
        """The next message to send, committed before anybody is called."""
        with self._claiming:
            try:
                with self._moments.work() as work:
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
        with self._moments.work() as work:
            row = work.unit.hold_notice(claimed.notification)
            if row is not None and (row["attempts"], row["boot"]) == (
                claimed.attempt,
                claimed.boot,
            ):
                record(work, row, outcome)
        self._under_way.discard((claimed.notification, claimed.attempt))

    def receipt(self, channel: str, notification: str, status: ReceiptStatus, now: Instant) -> None:
        """Later proof; unknown ids and ids of another channel change nothing."""
        with self._moments.work() as work:
            row = work.unit.hold_notice(notification)
            if row is not None and row["channel"] == channel:
                receipt(work, row, status)

    def wording_failed(self, channel: str) -> None:
        self._counts.wording_failed(channel)
