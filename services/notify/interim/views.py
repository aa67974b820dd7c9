"""What may be read of the desk: incidents, phones, why, the ledger. Objects of contract §4."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from services.notify.interim import desk as rows
from services.notify.interim.core.incident import Alert, Entry, Incident
from services.notify.interim.desk import notifications
from services.notify.interim.machine import Notify
from shared.model.instants import Instant, instant_text

Sees = Callable[[str], bool]


def _time(notify: Notify, at_us: int | None) -> str | None:
    return None if at_us is None else instant_text(Instant(at_us), notify.zone)


def incidents(
    notify: Notify, state: str | None, facility: str | None, sees: Sees
) -> list[dict[str, Any]]:
    """Newest first, at most 1,000."""
    with notify.desk.begin() as c:
        found = rows.list_incidents(c, state, facility)
        return [shown(notify, c, one) for one in found if sees(one.territory)]


def incident(notify: Notify, name: str, sees: Sees) -> dict[str, Any] | None:
    with notify.desk.begin() as c:
        found = rows.get_incident(c, name)
        if found is None or not sees(found.territory):
            return None
        return shown(notify, c, found)


def shown(notify: Notify, c: Connection, one: Incident) -> dict[str, Any]:
    """One incident as the outside sees it."""
    return {
        "id": one.id,
        "state": one.state,
        "severity": one.severity.value,
        "facility": one.facility,
        "territory": one.territory,
        "opened_at": _time(notify, one.opened_us),
        "acknowledged_at": _time(notify, one.acknowledged_us),
        "acknowledged_by": one.acknowledged_by,
        "resolved_at": _time(notify, one.resolved_us),
        "step": one.step,
        "next_step_at": _time(notify, one.next_step_us if one.state == "open" else None),
        "alerts": [_alert(notify, a) for a in (one.alerts or one.last).values()],
        "timeline": [_entry(notify, e) for _, e, _ in rows.read_ledger(c, one.id)],
    }


def _alert(notify: Notify, alert: Alert) -> dict[str, Any]:
    rule = notify.configuration.rules.get(alert.rule)
    return {
        "rule": alert.rule,
        "title": rule.title_zh if rule else alert.rule,
        "station": alert.station,
        "indicator": alert.indicator,
        "interval": alert.interval,
        "severity": alert.severity.value,
        "since": _time(notify, alert.since_us),
        "value": alert.value,
        "limit": alert.limit,
        "unit": alert.unit,
        "transition": alert.transition,
    }


def _entry(notify: Notify, entry: Entry) -> dict[str, Any]:
    return {
        "at": _time(notify, entry.at_us),
        "kind": entry.kind,
        "person": entry.person,
        "channel": entry.channel,
        "reason": entry.reason,
        "notification": entry.notification,
    }


def phones(notify: Notify, limit: int = 200) -> list[dict[str, Any]]:
    """The newest texts that went out, newest last; no numbers, only people."""
    n = notifications.c
    with notify.desk.begin() as c:
        found = c.execute(
            sa.select(n.id, n.person, n.channel, n.text, n.claimed_us, n.state, n.incident)
            .where(n.text.is_not(None))
            .order_by(n.claimed_us.desc(), n.id)
            .limit(limit)
        ).all()
    people = notify.configuration.people
    return [
        {
            "notification": row.id, "person": row.person, "channel": row.channel,
            "name": people[row.person].name if row.person in people else row.person,
            "text": row.text, "at": _time(notify, row.claimed_us), "state": row.state,
            "incident": row.incident,
        }
        for row in reversed(found)
    ]  # fmt: skip


def audit_export(notify: Notify, name: str) -> list[dict[str, Any]]:
    """The ledger of one incident with its hashes."""
    with notify.desk.begin() as c:
        return [
            {"n": n, "hash": hash_} | _entry(notify, entry) | {"ref": entry.ref}
            for n, entry, hash_ in rows.read_ledger(c, name)
        ]


def audit_verify(notify: Notify) -> tuple[int, list[str]]:
    """(incidents checked, those whose chain is broken)."""
    with notify.desk.begin() as c:
        return rows.broken_chains(c)


def link_state(notify: Notify, name: str, now_us: int) -> dict[str, Any] | None:
    """An incident for the page behind a signed link; None once 24 h have passed since recovery."""
    with notify.desk.begin() as c:
        found = rows.get_incident(c, name)
        if found is None:
            return None
        if found.resolved_us is not None and now_us - found.resolved_us > 86_400_000_000:
            return None
        return shown(notify, c, found)
