"""Telling: who would have been told of recorded transitions, when, and by which way.

The pure parts of notify (incident, policy, owed, responsible, admit) on a virtual clock, without
a desk: a year of a province takes seconds. Every provider accepts at once. A test holds it
against the real machine with its desk in memory.
"""

import heapq
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from services.notify.core import flapping, inhibit, owed
from services.notify.core import incident as fold
from services.notify.core.admit import admit
from services.notify.core.handover import in_order
from services.notify.core.incident import Incident
from services.notify.core.notice import first_ways, incident_id, next_way
from services.notify.core.policy import policy_for, relevant, tells
from services.notify.core.responsible import House, responsible
from shared.errors import InputError
from shared.model.configuration import Configuration, lineage
from shared.model.instants import Instant, local_day
from shared.model.people import Policy
from shared.model.severity import Severity
from shared.model.transition import Transition, transition_id

MOST_MESSAGES = 2_000_000
"""Of one trial; more is a policy that rings without end, and enough to say so."""


class Told(msgspec.Struct, frozen=True):
    """One message to one person by one way; `withheld` says why it would not have gone out."""

    at_us: Instant
    kind: Literal["alert", "recovery"]
    person: str
    channel: str
    contact: str
    incident: str
    facility: str
    severity: Severity
    generation: int
    step: int
    round: int
    alerts: tuple[fold.Alert, ...]
    withheld: str | None = None


class _Case:
    """The newest incident of one facility, and who has heard of it."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.told: dict[tuple[str, str], tuple[int, str]] = {}
        """(person, contact): (newest generation told, channel)."""
        self.recovered: dict[tuple[str, str], int] = {}
        self.acknowledge_us: Instant | None = None


class Telling:
    """Hand it transitions in log order with `take`, let time pass with `until`."""

    def __init__(self, configuration: Configuration, ack_after_us: int | None) -> None:
        """`ack_after_us`: so long after the first message of a cause somebody acknowledges it."""
        self.configuration = configuration
        self.ack_after_us = ack_after_us
        self.told: list[Told] = []
        self.orphans = 0
        """Times that a role was held by nobody."""
        self._house = House(
            configuration.territories, configuration.rosters, configuration.people,
            configuration.site.zone,
        )  # fmt: skip
        self._gap_us = configuration.timing.min_step_gap_us
        self._tick_us = max(configuration.timing.tick_us, 1)
        self._cases: dict[str, _Case] = {}
        self._due: list[tuple[int, str]] = []
        self._queue: list[Told] = []
        self._sent: dict[tuple[str, str, int], int] = {}
        self._seen: set[str] = set()

    # time

    def until(self, at_us: int) -> None:
        """Everything that is due before `at_us`."""
        while self._due and self._due[0][0] < at_us:
            now_us, facility = heapq.heappop(self._due)
            self._run(self._cases[facility], Instant(now_us))
            self._send()

    def _run(self, case: _Case, now: Instant) -> None:
        if case.acknowledge_us is not None and case.acknowledge_us <= now:
            case.acknowledge_us = None
            if case.incident.state == "open":
                case.incident = fold.acknowledged(case.incident, "everybody", now)
                self._look_again(case, now)
            return
        what = owed.owed_at(case.incident, self._gap_us, now)
        if what == "calm":
            case.incident = flapping.calmed(case.incident, now)
            self._recover(case, now)
        elif what is not None:
            self._advance(case, what, now)
            self._look_again(case, now + self._tick_us)

    def _look_again(self, case: _Case, earliest_us: int) -> None:
        """An incident takes at most one step per tick; an entry that is out of date does nothing."""
        due = owed.due(case.incident, self._gap_us)
        if due is not None:
            heapq.heappush(self._due, (max(due.at_us, earliest_us), case.incident.facility))

    # transitions

    def take(self, at_us: int, transitions: Iterable[Transition]) -> None:
        """Transitions that come together at `at_us`."""
        self.until(at_us)
        if self.configuration.campaigns:
            numbered = in_order(list(enumerate(transitions)), self.configuration.base_of)
            transitions = [each for _, each in numbered]
        for each in transitions:
            if each.state != "pending":
                self._take(each, Instant(at_us))
        self._send()

    def _take(self, transition: Transition, now: Instant) -> None:
        case = self._cases.get(transition.facility)
        if case is None or case.incident.state == "resolved":
            if transition.state == "firing":
                self._fire(transition, case, now)
            return
        known = case.incident
        case.incident, inhibited = inhibit.take(
            known, transition, self.configuration.inhibits,
            lambda alert: self._telling(alert, known),
        )  # fmt: skip
        if inhibited is not None:
            if inhibited.is_told:
                self._start(case, now)
            return
        policy = self._policy(transition, case.incident.policies, transition.facility)
        changed, change, is_withheld = flapping.take(
            case.incident, transition, policy if tells(policy) else None, now
        )
        case.incident = changed
        if is_withheld:
            self._look_again(case, now)
        elif change == "rose":
            self._start(case, now)
        elif change == "resolved":
            self._recover(case, now)

    def _fire(self, transition: Transition, case: _Case | None, now: Instant) -> None:
        configuration = self.configuration
        known = case.incident if case else None
        if (
            case is not None
            and known is not None
            and known.resolved_us is not None
            and now - known.resolved_us <= configuration.timing.reopen_within_us
        ):
            policy = self._policy(transition, known.policies, transition.facility)
            if policy is None or not tells(policy):
                return
            case.incident = flapping.reopened(known, transition, policy, now)
            self._start(case, now)
            if case.incident.flap is not None:
                self._tell_again(case, now)
            return
        facility = configuration.facilities.get(transition.facility)
        territory = facility.territory if facility else ""
        above = lineage(territory, configuration.territories)
        policies = relevant(configuration.policies, facility, above)
        policy = self._policy(transition, policies, transition.facility)
        if policy is None or not tells(policy):
            return
        name = transition_id(transition, configuration.site.zone)
        opened = fold.opened(
            incident_id(transition.facility, name), transition,
            territory=territory, policies=policies, policy=policy, now=now,
        )  # fmt: skip
        case = self._cases[transition.facility] = _Case(opened)
        self._start(case, now)

    def _telling(self, alert: fold.Alert, incident: Incident) -> Policy | None:
        policy = self._policy(alert, incident.policies, incident.facility)
        return policy if tells(policy) else None

    def _policy(
        self, transition: Transition | fold.Alert, policies: tuple[Policy, ...], facility_id: str
    ) -> Policy | None:
        facility = self.configuration.facilities.get(facility_id)
        territory = facility.territory if facility else ""
        return policy_for(
            policies, transition.severity, transition.rule, facility.kind if facility else None,
            lambda: lineage(territory, self.configuration.territories), transition.at_us,
        )  # fmt: skip

    # messages

    def _start(self, case: _Case, now: Instant) -> None:
        case.incident = replace(case.incident, step=0, step_us=now)
        case.acknowledge_us = None
        self._advance(case, "step", now)
        self._look_again(case, now + self._tick_us)

    def _advance(self, case: _Case, what: Literal["step", "round"], now: Instant) -> None:
        case.incident = incident = owed.advance(case.incident, what, now)
        call = owed.call(incident)
        people, orphans = responsible(
            call.targets, call.by, incident.territory, incident.policy.catch_all, self._house, now
        )
        self.orphans += len(orphans)
        reached = False
        for each in people:
            person = self.configuration.people[each.person]
            ways = first_ways(person, each.by)
            if not ways and (other := next_way(person, set())) is not None:
                ways = [other]
            reached = reached or bool(ways)
            for way in ways:
                self._say(case, "alert", each.person, way, call.step, call.round, now)
        if not reached:
            case.incident = replace(case.incident, step_now=True)

    def _tell_again(self, case: _Case, now: Instant) -> None:
        """It is flapping from now on: who was told before and is not told by step 1."""
        told = {each.person for each in self._queue if each.incident == case.incident.id}
        for (person, contact), (_, channel) in list(case.told.items()):
            if person not in told:
                self._say(case, "alert", person, (contact, channel), 1, 0, now)

    def _recover(self, case: _Case, now: Instant) -> None:
        for (person, contact), (generation, channel) in case.told.items():
            if case.recovered.get((person, contact), 0) < generation:
                case.recovered[person, contact] = case.incident.generation
                self._say(case, "recovery", person, (contact, channel), 0, 0, now)

    def _say(
        self, case: _Case, kind: Literal["alert", "recovery"], person: str, way: tuple[str, str],
        step: int, round_: int, now: Instant,
    ) -> None:  # fmt: skip
        incident = case.incident
        self._queue.append(
            Told(
                now, kind, person, way[1], way[0], incident.id, incident.facility,
                incident.severity, incident.generation, step, round_,
                incident.alerts or incident.last_alerts,
            )
        )  # fmt: skip

    def _send(self) -> None:
        """Severe before mild; what is over the budget is withheld."""
        queue, self._queue = sorted(self._queue, key=lambda each: -each.severity.rank), []
        for each in queue:
            channel = self.configuration.channels.get(each.channel)
            if channel is None:
                continue
            day = local_day(each.at_us, self.configuration.site.zone).toordinal()
            key = (each.person, each.channel, day)
            sent = self._sent.get(key, 0)
            withheld = admit(channel.budget, each.severity, sent)
            if withheld is not None:
                self.told.append(replace(each, withheld=withheld.reason))
                continue
            self._sent[key] = sent + 1
            self.told.append(each)
            if each.kind == "alert":
                self._heard(self._cases[each.facility], each)
        if len(self.told) > MOST_MESSAGES:
            raise InputError(
                f"more than {MOST_MESSAGES:,} messages; shorten the inputs, or look for a policy "
                "that repeats without end (catch_all every, or nobody acknowledges)"
            )

    def _heard(self, case: _Case, told: Told) -> None:
        if case.incident.id != told.incident:
            return
        case.told[told.person, told.contact] = (told.generation, told.channel)
        if self.ack_after_us is None or case.incident.state != "open":
            return
        if told.generation == case.incident.generation and case.acknowledge_us is None:
            case.acknowledge_us = Instant(told.at_us + self.ack_after_us)
            heapq.heappush(self._due, (case.acknowledge_us, told.facility))
