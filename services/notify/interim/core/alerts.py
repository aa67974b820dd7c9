"""Alerts: a transition changes a facility's firing alerts, and these open, move and resolve incidents."""

from collections.abc import Callable

from services.notify.interim.core.escalate import Scene, begin_ladder
from services.notify.interim.core.incident import (
    Alert,
    Effects,
    Entry,
    Incident,
    Notice,
    Room,
    incident_id,
    notice_id,
    worst,
)
from shared.model.people import Policy
from shared.model.severity import Severity
from shared.model.transition import Transition

PolicyOf = Callable[[str, Severity], Policy | None]
"""(rule, severity) of this facility: the policy that tells somebody, or None."""


def key_of(transition: Transition) -> str:
    return "\x1f".join(transition.alert)


def on_transition(
    room: Room,
    incident: Incident | None,
    transition: Transition,
    name: str,
    territory: str,
    policy_of: PolicyOf,
    reopen_within_us: int,
    scene: Scene,
) -> tuple[Incident | None, Effects]:
    """The facility's incident afterwards (new, old or none) and what is owed.

    Args:
        incident: the facility's newest incident, open or resolved.
        name: the transition's id.

    """
    key = key_of(transition)
    if transition.state == "pending":
        return incident, Effects([], [])
    if transition.state in ("resolved", "withdrawn"):
        return incident, _gone(room, incident, key, name, scene)
    joins = key not in room.alerts
    room.alerts[key] = alert = _alert(transition, name)
    if incident is not None and incident.state != "resolved":
        return incident, _changed(incident, key, alert, joins, name, scene)
    policy = policy_of(transition.rule, transition.severity)
    if policy is None:
        return incident, Effects([], [])
    kind = "opened"
    if (
        incident is not None
        and incident.resolved_us is not None
        and scene.now_us - incident.resolved_us <= reopen_within_us
    ):
        kind = "reopened"
        incident.state, incident.resolved_us = "open", None
        incident.acknowledged_us = incident.acknowledged_by = None
    else:
        incident = Incident(
            id=incident_id(room.facility, name),
            facility=room.facility,
            territory=territory,
            policy=policy,
            severity=alert.severity,
            opened_us=scene.now_us,
        )
        room.incident = incident.id
    incident.alerts = dict(room.alerts)
    incident.severity = worst(incident.alerts) or alert.severity
    effects = Effects([_entry(kind, scene, incident, name)], [])
    effects.add(begin_ladder(incident, scene))
    return incident, effects


def _changed(
    incident: Incident, key: str, alert: Alert, joins: bool, name: str, scene: Scene
) -> Effects:
    """An alert joined or changed its level; only a rise of the whole tells anybody."""
    before = incident.severity
    incident.alerts[key] = alert
    incident.severity = worst(incident.alerts) or before
    effects = Effects([], [])
    if incident.severity.rank > before.rank:
        effects.entries.append(_entry("rose", scene, incident, name))
        effects.cancel = "superseded"
        incident.state = "open"
        incident.acknowledged_us = incident.acknowledged_by = None
        effects.add(begin_ladder(incident, scene))
    elif joins:
        effects.entries.append(_entry("joined", scene, incident, name))
    elif incident.severity.rank < before.rank:
        effects.entries.append(_entry("fell", scene, incident, name))
    return effects


def _gone(room: Room, incident: Incident | None, key: str, name: str, scene: Scene) -> Effects:
    room.alerts.pop(key, None)
    if incident is None or incident.state == "resolved" or key not in incident.alerts:
        return Effects([], [])
    gone = incident.alerts.pop(key)
    if incident.alerts:
        before = incident.severity
        incident.severity = worst(incident.alerts) or before
        if incident.severity.rank < before.rank:
            return Effects([_entry("fell", scene, incident, name)], [])
        return Effects([], [])
    incident.state, incident.resolved_us = "resolved", scene.now_us
    incident.next_step_us, incident.rounds = None, []
    incident.last = {key: gone}
    effects = Effects([_entry("resolved", scene, incident, name)], [], "resolved")
    effects.notices = [
        recovery(incident, told.person, told.contact, told.channel) for told in incident.told
    ]
    incident.told = []
    return effects


def recovery(incident: Incident, person: str, contact: str, channel: str) -> Notice:
    """To somebody who was told, by the same way, once for each time it resolves."""
    return Notice(
        id=notice_id(incident.id, incident.cause, 0, 0, person, contact, "recovery"),
        incident=incident.id,
        kind="recovery",
        cause=incident.cause,
        step=0,
        round=0,
        person=person,
        contact=contact,
        channel=channel,
        severity=incident.severity,
    )


def _entry(kind: str, scene: Scene, incident: Incident, name: str) -> Entry:
    return Entry(scene.now_us, kind, reason=incident.severity.value, ref=name)  # type: ignore[arg-type]  # kinds of the callers


def _alert(transition: Transition, name: str) -> Alert:
    return Alert(
        rule=transition.rule,
        station=transition.station,
        indicator=transition.indicator,
        interval=transition.interval,
        severity=transition.severity,
        since_us=transition.episode_us,
        at_us=transition.at_us,
        cause=transition.cause,
        value=transition.value,
        limit=transition.limit,
        unit=transition.unit,
        transition=name,
        report=transition.report_id,
        received_us=transition.received_us,
    )
