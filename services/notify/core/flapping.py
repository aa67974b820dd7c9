"""Flapping: an incident that reopens again and again is one state with one message.

```
open ─ resolved ─ reopened (n-th within the window) ─▶ flapping ─┬─ fires, ends, fires …: withheld
                                                       ▲         ├─ above what was told: rose
                                                       └─ calm ◀─┘
                      nothing fires for `calm`: resolved, told once
```
Only a policy with `flapping` leads here. While flapping the incident is never resolved by its
alerts, so an acknowledgement stands, and without one the steps go on to their end.
"""

from msgspec.structs import replace

from services.notify.core import incident as fold
from services.notify.core.incident import Change, Flap, Incident, alert_of, worst_first
from shared.model.instants import Instant
from shared.model.people import Policy
from shared.model.transition import Transition

FLAPPING_FORMAT = 2
"""An older program would forget the state, so it must refuse the incident."""


def reopened(incident: Incident, transition: Transition, policy: Policy, now: Instant) -> Incident:
    """A resolved incident that fires again; flapping from the n-th time within the window."""
    again = fold.reopened(incident, transition, policy, now)
    setting = policy.flapping
    if setting is None:
        return again
    since = now - setting.within_us
    times = (*(at for at in incident.reopened_us if at >= since), now)[-setting.reopenings :]
    if len(times) < setting.reopenings:
        return replace(again, reopened_us=times, format=FLAPPING_FORMAT)
    flap = Flap(now, setting.calm_us, again.severity)
    return replace(again, reopened_us=(), flap=flap, format=FLAPPING_FORMAT)


def take(
    incident: Incident, transition: Transition, policy: Policy | None, now: Instant
) -> tuple[Incident, Change | None, bool]:
    """What `incident.take` says, and whether the telling of it is withheld as flapping."""
    flap = incident.flap
    if flap is None:
        return *fold.take(incident, transition, policy, now), False
    others = tuple(a for a in incident.alerts if a.series != alert_of(transition).series)
    is_known = len(others) < len(incident.alerts)
    if transition.state in ("resolved", "withdrawn") and is_known and not others:
        quiet = replace(flap, quiet_us=now)
        return (
            replace(incident, alerts=(), last_alerts=incident.alerts, flap=quiet),
            "resolved",
            True,
        )
    if transition.state != "firing":
        return *fold.take(incident, transition, policy, now), False
    alerts = worst_first((*others, alert_of(transition)))
    severity = alerts[0].severity
    changed = replace(
        incident, alerts=alerts, last_alerts=alerts, severity=severity,
        flap=replace(flap, quiet_us=None),
    )  # fmt: skip
    if severity.rank > flap.peak.rank:
        told = replace(changed, flap=replace(flap, quiet_us=None, peak=severity))
        return fold.renewed(told, "rose", policy), "rose", False
    if flap.quiet_us is not None:
        return changed, "reopened", True
    if severity.rank != incident.severity.rank:
        rises = severity.rank > incident.severity.rank
        return changed, "rose" if rises else "fell", rises
    return changed, None if is_known else "joined", False


def calm_at(incident: Incident) -> Instant | None:
    """When it is over unless it fires before; None when it fires or does not flap."""
    flap = incident.flap
    if flap is None or flap.quiet_us is None:
        return None
    return Instant(flap.quiet_us + flap.calm_us)


def calmed(incident: Incident, now: Instant) -> Incident:
    """Nothing has fired for long enough: over, and counted from none again."""
    assert incident.flap is not None and not incident.alerts
    return replace(incident, state="resolved", resolved_us=now, step_now=False, flap=None)
