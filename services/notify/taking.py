"""Taking: what one transition does to the incident of its facility, and who is told of it."""

from services.notify.core import flapping, inhibit
from services.notify.core import incident as fold
from services.notify.core.incident import Alert, Incident
from services.notify.core.inhibit import Inhibited
from services.notify.core.notice import incident_id
from services.notify.core.owed import is_silent
from services.notify.core.policy import policy_for, relevant, tells
from services.notify.silencing import under_silence
from services.notify.telling import end_for_rise, recover, start, tell_again
from services.notify.work import Work
from shared.model.configuration import lineage
from shared.model.people import Policy
from shared.model.transition import Transition


def effect_of(work: Work, name: str, transition: Transition) -> tuple[Incident | None, str]:
    """Change the facility's incident; (the incident it belongs to, what it did)."""
    known = work.unit.latest_of(transition.facility)
    if transition.state == "pending":
        return None, "pending: nobody is told before it fires"
    if known is None or known.state == "resolved":
        if transition.state != "firing":
            return None, "ended without an incident"
        return _fire(work, name, transition, known)
    at_first = known
    known, inhibited = inhibit.take(
        at_first, transition, work.configuration.inhibits,
        lambda alert: _telling(work, at_first, alert),
    )  # fmt: skip
    if inhibited is not None:
        return _inhibited(work, known, inhibited, transition, name)
    policy = _policy(work, transition, transition.facility, known.policies)
    changed, change, is_withheld = flapping.take(
        known, transition, policy if tells(policy) else None, work.now
    )
    if changed is known:
        return None, "of an alert that opened no incident"
    if is_withheld:
        return _withhold(work, changed, f"flapping: {change}", transition, name)
    if change == "rose":
        end_for_rise(work, known.id)
    work.unit.put(changed)
    if change is not None:
        _write(work, changed, change, transition, name)
    changed = under_silence(work, changed, is_news=change == "rose")
    if change is None:
        return changed, "changed nothing that is told"
    if change == "rose":
        start(work, changed, transition.received_us)
    elif change == "resolved":
        recover(work, changed)
    return changed, change


def _fire(
    work: Work, name: str, transition: Transition, known: Incident | None
) -> tuple[Incident | None, str]:
    """A firing at a facility without an open incident."""
    facility = work.configuration.facilities.get(transition.facility)
    is_soon = (
        known is not None
        and known.resolved_us is not None
        and work.now - known.resolved_us <= work.configuration.timing.reopen_within_us
    )
    if known is not None and is_soon:
        policy = _policy(work, transition, transition.facility, known.policies)
        if policy is None or not tells(policy):
            return None, "no policy tells anybody of this severity"
        end_for_rise(work, known.id)
        changed = flapping.reopened(known, transition, policy, work.now)
        change: fold.Change = "reopened"
    else:
        territory = facility.territory if facility else ""
        above = lineage(territory, work.configuration.territories)
        policies = relevant(work.configuration.policies, facility, above)
        policy = _policy(work, transition, transition.facility, policies)
        if policy is None or not tells(policy):
            return None, "no policy tells anybody of this severity"
        changed = fold.opened(
            incident_id(transition.facility, name), transition,
            territory=territory, policies=policies, policy=policy, now=work.now,
        )  # fmt: skip
        change = "opened"
    work.unit.put(changed)
    _write(work, changed, change, transition, name)
    changed = start(work, under_silence(work, changed, is_news=True), transition.received_us)
    if changed.flap is not None and not is_silent(changed, work.now):
        tell_again(work, changed)
    return changed, change


def _withhold(
    work: Work, changed: Incident, reason: str, transition: Transition, name: str
) -> tuple[Incident, str]:
    """It changed, nobody is told, and the timeline says why."""
    work.unit.put(changed)
    _write(work, changed, "withheld", transition, name, reason=reason)
    return under_silence(work, changed), f"withheld, {reason}"


def _inhibited(
    work: Work, changed: Incident, inhibited: Inhibited, transition: Transition, name: str
) -> tuple[Incident, str]:
    """It is kept aside, ended there, or let go because its source ended."""
    if inhibited.what != "released":
        ended = "" if inhibited.what == "hidden" else ", and ended"
        return _withhold(work, changed, f"inhibited by {inhibited.by}{ended}", transition, name)
    if inhibited.is_told:
        end_for_rise(work, changed.id)
    work.unit.put(changed)
    for alert in inhibited.released:
        reason = f"{alert.rule} {alert.severity.value}, no longer inhibited by {inhibited.by}"
        work.unit.write(
            changed.id, work.now, "joined", reason=reason,
            detail={
                "transition": name, "value": alert.value, "limit": alert.limit,
                "unit": alert.unit, "severity": changed.severity.value,
            },
        )  # fmt: skip
    changed = under_silence(work, changed, is_news=inhibited.is_told)
    if inhibited.is_told:
        changed = start(work, changed, transition.received_us)
    return changed, f"ended; what it inhibited stands now: {len(inhibited.released)}"


def _telling(work: Work, incident: Incident, alert: Alert) -> Policy | None:
    """The policy that tells somebody of this alert, if any."""
    policy = _policy(work, alert, incident.facility, incident.policies)
    return policy if tells(policy) else None


def _policy(
    work: Work, alert: Transition | Alert, facility_id: str, policies: tuple[Policy, ...]
) -> Policy | None:
    facility = work.configuration.facilities.get(facility_id)
    territory = facility.territory if facility else ""
    return policy_for(
        policies, alert.severity, alert.rule,
        facility.kind if facility else None,
        lambda: lineage(territory, work.configuration.territories), alert.at_us,
    )  # fmt: skip


def _write(
    work: Work, incident: Incident, change: str, transition: Transition, name: str, reason: str = ""
) -> None:
    what = f"{transition.rule} {transition.severity.value}"
    reason = f"{reason}, {what}" if reason else what
    if change in ("opened", "reopened"):
        reason += f", policy {incident.policy.id}"
    if change == "reopened" and incident.flap is not None:
        reason += ", flapping from now on"
    work.unit.write(
        incident.id, work.now, change, reason=reason,
        detail={
            "transition": name, "value": transition.value, "limit": transition.limit,
            "unit": transition.unit, "severity": incident.severity.value,
            "report": transition.report_id,
        },
    )  # fmt: skip
