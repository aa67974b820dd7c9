"""Inhibit: what fires beside its source is kept aside, and told when the source ends.

```
source   ────████████████████────────
target   ────────██████████████████──     kept aside ─▶ told at the end of the source
target   ──────────█████─────────────     kept aside, ended: never told, in the timeline
```
A source hides only while it stands among the alerts of the incident, so nothing is hidden by
what is itself hidden or never told. What fired before its source stays where it is.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec.structs import replace

from services.notify.core.incident import Alert, Hidden, Incident, alert_of, renewed, worst_first
from shared.model.inhibit import Inhibit
from shared.model.people import Policy
from shared.model.transition import Transition

INHIBIT_FORMAT = 2
"""An older program would forget what is kept aside, so it must refuse the incident."""


class Inhibited(msgspec.Struct, frozen=True):
    """What became of a transition that an inhibit decides."""

    what: Literal["hidden", "ended", "released"]
    by: str
    """The rule that hides, or did."""
    released: tuple[Alert, ...] = ()
    is_told: bool = False


def take(
    incident: Incident,
    transition: Transition,
    inhibits: tuple[Inhibit, ...],
    policy_of: Callable[[Alert], Policy | None],
) -> tuple[Incident, Inhibited | None]:
    """
    The incident, and what an inhibit made of the transition; None: it goes on as any other.

    `policy_of` gives the policy that would tell somebody of an alert.
    """
    if not inhibits and not incident.hidden:
        return incident, None
    alert = alert_of(transition)
    before = next((each for each in incident.hidden if each.alert.series == alert.series), None)
    rest = tuple(each for each in incident.hidden if each is not before)
    if transition.state == "firing":
        source = _source(incident, transition, inhibits)
        if source is not None:
            hidden = (*rest, Hidden(alert, *source))
            return replace(incident, hidden=hidden, format=INHIBIT_FORMAT), Inhibited(
                "hidden", source[0]
            )
        return (replace(incident, hidden=rest) if before else incident), None
    if transition.state not in ("resolved", "withdrawn"):
        return incident, None
    is_shown = any(each.series == alert.series for each in incident.alerts)
    if before is not None:
        incident = replace(incident, hidden=rest)
        if not is_shown:
            return incident, Inhibited("ended", before.by)
    others = tuple(each for each in incident.alerts if each.series != alert.series)
    free = tuple(each for each in incident.hidden if not _fires(each, others))
    return _release(incident, others, free, policy_of) if is_shown and free else (incident, None)


def _release(
    incident: Incident,
    others: tuple[Alert, ...],
    free: tuple[Hidden, ...],
    policy_of: Callable[[Alert], Policy | None],
) -> tuple[Incident, Inhibited]:
    """The source is over: what it hid stands beside the others now, and is told as a new cause."""
    released = worst_first(tuple(each.alert for each in free))
    series = {each.series for each in released}
    alerts = worst_first((*(each for each in others if each.series not in series), *released))
    changed = replace(
        incident,
        alerts=alerts,
        last_alerts=alerts,
        severity=alerts[0].severity,
        hidden=tuple(each for each in incident.hidden if each not in free),
    )
    policy = next((found for each in released if (found := policy_of(each)) is not None), None)
    flap = incident.flap
    is_told = policy is not None
    if flap is not None and alerts[0].severity.rank <= flap.peak.rank:
        is_told = False  # it is one state, and was told as such
    elif flap is not None and is_told:
        changed = replace(changed, flap=replace(flap, peak=alerts[0].severity))
    if is_told:
        changed = renewed(changed, "released", policy)
    return changed, Inhibited("released", free[0].by, released, is_told)


def _source(
    incident: Incident, transition: Transition, inhibits: tuple[Inhibit, ...]
) -> tuple[str, str | None] | None:
    """(rule, station or None) of an alert that hides this transition now."""
    for each in inhibits:
        if transition.rule not in each.target:
            continue
        for alert in incident.alerts:
            if alert.rule not in each.source:
                continue
            if each.equal == "facility":
                return alert.rule, None
            if alert.station == transition.station:
                return alert.rule, alert.station
    return None


def _fires(hidden: Hidden, alerts: tuple[Alert, ...]) -> bool:
    return any(
        alert.rule == hidden.by and hidden.station in (None, alert.station) for alert in alerts
    )
