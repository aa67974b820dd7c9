"""Incident: what people handle at one facility; a fold of the transitions that concern it."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from shared.model.instants import Instant, Interval
from shared.model.people import Policy
from shared.model.rollup import Members
from shared.model.severity import Severity
from shared.model.transition import Cause, Transition

INCIDENT_FORMAT = 2
"""The newest known. What uses no newer state is written as 1, so that an older program reads it."""

IncidentState = Literal["open", "acknowledged", "resolved"]
Change = Literal["opened", "joined", "rose", "fell", "reopened", "resolved"]
TELLING: frozenset[Change] = frozenset({"opened", "rose", "reopened"})
"""Changes that notify from step 1."""


class Alert(msgspec.Struct, frozen=True):
    """One episode of one rule on one series, as the last transition told it."""

    rule: str
    station: str
    indicator: str
    interval: Interval
    episode_us: Instant
    severity: Severity
    cause: Cause
    value: float | None
    unit: str | None
    limit: str | None
    at_us: Instant
    standard: str = ""
    edition: str = ""
    clause: str = ""
    members: Members | None = None

    @property
    def series(self) -> tuple[str, str, str, str]:
        return (self.rule, self.station, self.indicator, self.interval)


class Flap(msgspec.Struct, frozen=True):
    """That it is flapping (see `flapping`): since when, and the worst severity told since."""

    since_us: Instant
    calm_us: int
    peak: Severity
    quiet_us: Instant | None = None
    """Nothing has fired since; None while something does."""


class Hidden(msgspec.Struct, frozen=True):
    """A firing alert that is kept aside while the rule `by` fires (at `station`, when given)."""

    alert: Alert
    by: str
    station: str | None = None


class Incident(msgspec.Struct, frozen=True):
    """
    One incident. `generation` counts openings, rises and reopenings: each is a new cause.

    `alerts` are those firing now, the worst first; `last_alerts` those of the moment before the
    last one ended, which recovery texts name. `step` is the step that runs (0: none yet, one
    above the last: the catch-all), begun at `step_us`; `rounds` of it have been told.
    """

    id: str
    facility: str
    territory: str
    state: IncidentState
    severity: Severity
    opened_us: Instant
    policies: tuple[Policy, ...]
    """As they were when it opened, those with steps or a catch-all and those without."""
    policy: Policy
    generation: int
    cause: Literal["opened", "rose", "reopened", "released"]
    alerts: tuple[Alert, ...]
    last_alerts: tuple[Alert, ...]
    step: int = 0
    step_us: Instant = Instant(0)
    rounds: int = 0
    last_step_us: Instant | None = None
    step_now: bool = False
    """Nobody could be reached, or somebody handed over: the next step is due at once."""
    acknowledged_us: Instant | None = None
    acknowledged_by: str | None = None
    resolved_us: Instant | None = None
    format: int = 1
    reopened_us: tuple[Instant, ...] = ()
    """Reopenings within the window of a policy with `flapping`; at most as many as it counts."""
    flap: Flap | None = None
    hidden: tuple[Hidden, ...] = ()
    """What an inhibit keeps aside; each series of each rule once."""
    silenced_us: Instant | None = None
    """Nothing is told before (see `silence`); a wall-clock time that somebody named."""


def alert_of(transition: Transition) -> Alert:
    return Alert(
        rule=transition.rule,
        station=transition.station,
        indicator=transition.indicator,
        interval=transition.interval,
        episode_us=transition.episode_us,
        severity=transition.severity,
        cause=transition.cause,
        value=transition.value,
        unit=transition.unit,
        limit=transition.limit,
        at_us=transition.at_us,
        standard=transition.standard,
        edition=transition.edition,
        clause=transition.clause,
        members=transition.members,
    )


def worst_first(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda a: (-a.severity.rank, a.episode_us, a.series)))


def opened(
    id_: str,
    transition: Transition,
    *,
    territory: str,
    policies: tuple[Policy, ...],
    policy: Policy,
    now: Instant,
) -> Incident:
    """The incident that this firing opens."""
    alerts = (alert_of(transition),)
    return Incident(
        id=id_,
        facility=transition.facility,
        territory=territory,
        state="open",
        severity=transition.severity,
        opened_us=now,
        policies=policies,
        policy=policy,
        generation=1,
        cause="opened",
        alerts=alerts,
        last_alerts=alerts,
    )


def take(
    incident: Incident, transition: Transition, policy: Policy | None, now: Instant
) -> tuple[Incident, Change | None]:
    """
    What a transition makes of an incident that is not resolved.

    `policy` is the one of the incident's policies that matches the transition; a rise goes on
    with it (an incident that was yellow and is red now climbs the stairs for red).
    Every change upward notifies anew and cancels the acknowledgement; falling only lowers.
    """
    assert incident.state != "resolved"
    others = tuple(a for a in incident.alerts if a.series != alert_of(transition).series)
    if transition.state in ("resolved", "withdrawn"):
        if len(others) == len(incident.alerts):
            return incident, None
        if not others:
            return _resolved(incident, now), "resolved"
        return _with_alerts(incident, others)
    if transition.state != "firing":
        return incident, None
    is_new = len(others) == len(incident.alerts)
    change: Change | None
    changed, change = _with_alerts(incident, (*others, alert_of(transition)))
    if change == "rose":
        changed = renewed(changed, "rose", policy)
    elif change is None and is_new:
        change = "joined"
    return changed, change


def reopened(incident: Incident, transition: Transition, policy: Policy, now: Instant) -> Incident:
    """A resolved incident whose facility fires again soon enough."""
    assert incident.state == "resolved"
    alerts = (alert_of(transition),)
    incident = replace(
        incident,
        alerts=alerts,
        last_alerts=alerts,
        severity=transition.severity,
        resolved_us=None,
    )
    return renewed(incident, "reopened", policy)


def renewed(
    incident: Incident, cause: Literal["rose", "reopened", "released"], policy: Policy | None
) -> Incident:
    """A new cause: open, unacknowledged, before step 1."""
    return replace(
        incident,
        state="open",
        generation=incident.generation + 1,
        cause=cause,
        policy=policy if policy is not None else incident.policy,
        step=0,
        rounds=0,
        step_now=False,
        acknowledged_us=None,
        acknowledged_by=None,
    )


def acknowledged(incident: Incident, person: str, now: Instant) -> Incident:
    assert incident.state == "open"
    return replace(
        incident,
        state="acknowledged",
        acknowledged_us=now,
        acknowledged_by=person,
        step_now=False,
    )


def shifted(incident: Incident, by_us: int) -> Incident:
    """The same incident after the wall clock stepped by `by_us`: nothing is due earlier."""
    last, flap = incident.last_step_us, incident.flap
    if flap is not None:
        quiet = None if flap.quiet_us is None else Instant(flap.quiet_us + by_us)
        flap = replace(flap, since_us=Instant(flap.since_us + by_us), quiet_us=quiet)
    return replace(
        incident,
        flap=flap,
        reopened_us=tuple(Instant(at + by_us) for at in incident.reopened_us),
        step_us=Instant(incident.step_us + by_us),
        last_step_us=None if last is None else Instant(last + by_us),
    )


def _with_alerts(
    incident: Incident, alerts: tuple[Alert, ...]
) -> tuple[Incident, Literal["rose", "fell"] | None]:
    alerts = worst_first(alerts)
    severity = alerts[0].severity
    change: Literal["rose", "fell"] | None = None
    if severity.rank > incident.severity.rank:
        change = "rose"
    elif severity.rank < incident.severity.rank:
        change = "fell"
    return replace(incident, alerts=alerts, last_alerts=alerts, severity=severity), change


def _resolved(incident: Incident, now: Instant) -> Incident:
    return replace(
        incident,
        state="resolved",
        alerts=(),
        last_alerts=incident.alerts,
        resolved_us=now,
        step_now=False,
    )
