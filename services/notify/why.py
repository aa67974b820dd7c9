"""Why: the way between a report, a transition, an incident and a notification, both ways."""

from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.engine import RowMapping

from services.notify.core.ledger import TIMELINE
from services.notify.desk import tables as t
from services.notify.views import Views, read_chain
from shared.model.configuration import Configuration
from shared.model.transition import Transition, transition_object


def why(connection: Connection, configuration: Configuration, id_: str) -> dict[str, Any] | None:
    """What is known of `id_`, with the reason of each step, also of what was not sent."""
    views = Views(configuration)
    inbox = t.inbox.c
    transitions = connection.execute(
        select(t.inbox)
        .where(
            (inbox.transition == id_)
            | ((inbox.report == id_) & (inbox.report != ""))
            | (inbox.incident == id_)
        )
        .order_by(inbox.seq)
    ).mappings().all()  # fmt: skip
    notice = connection.execute(select(t.outbox).where(t.outbox.c.id == id_)).mappings().first()
    kind = _kind(connection, id_, notice, transitions)
    if kind is None:
        return None
    incident = notice["incident"] if notice is not None else None
    if kind in ("transition", "report"):
        incident = next((row["incident"] for row in transitions if row["incident"]), None)
    elif kind == "incident":
        incident = id_
    if kind == "notification" and incident:
        transitions = connection.execute(
            select(t.inbox).where(inbox.incident == incident).order_by(inbox.seq)
        ).mappings().all()  # fmt: skip
    answer: dict[str, Any] = {
        "id": id_,
        "kind": kind,
        "reports": sorted({row["report"] for row in transitions if row["report"]}),
        "transitions": [_transition(row, configuration, views) for row in transitions],
        "incident": None,
        "notifications": [],
        "steps": [],
    }
    if incident:
        answer["incident"] = views.incident(connection, incident)
        answer["steps"] = _steps(connection, incident, views)
    answer["notifications"] = _notices(connection, id_ if notice else None, incident, views)
    if answer["incident"] is not None:
        answer["territory"] = answer["incident"]["territory"]
    elif transitions:
        place = configuration.facilities.get(transitions[0]["facility"])
        answer["territory"] = place.territory if place else None
    return answer


def _kind(
    connection: Connection, id_: str, notice: RowMapping | None, transitions: Any
) -> str | None:
    if notice is not None:
        return "notification"
    found = select(t.incidents.c.id).where(t.incidents.c.id == id_)
    if connection.execute(found).first() is not None:
        return "incident"
    if not transitions:
        return None
    return "transition" if transitions[0]["transition"] == id_ else "report"


def _transition(row: RowMapping, configuration: Configuration, views: Views) -> dict[str, Any]:
    transition = msgspec.msgpack.decode(row["body"], type=Transition)
    return {
        "id": row["transition"],
        "seq": row["seq"],
        **transition_object(transition, configuration.site.zone),
        "report": row["report"] or None,
        "taken_at": views.time(row["taken_us"]),
        "incident": row["incident"],
        "reason": row["effect"],
    }


def _steps(connection: Connection, incident: str, views: Views) -> list[dict[str, Any]]:
    return [
        {
            "at": views.time(entry.at_us), "kind": entry.kind, "person": entry.person,
            "channel": entry.channel, "reason": entry.reason,
            "notification": entry.notification,
        }
        for entry in read_chain(connection, incident)
        if entry.kind in TIMELINE
    ]  # fmt: skip


def _notices(
    connection: Connection, only: str | None, incident: str | None, views: Views
) -> list[dict[str, Any]]:
    o = t.outbox.c
    if only is not None:
        query = select(t.outbox).where(o.id == only)
    elif incident:
        query = select(t.outbox).where(o.incident == incident).order_by(o.queued_us, o.id)
    else:
        return []
    return [
        {
            "id": row["id"], "kind": row["kind"], "incident": row["incident"] or None,
            "person": row["person"], "channel": row["channel"], "state": row["state"],
            "step": row["step"], "round": row["round"], "attempts": row["attempts"],
            "resent": bool(row["resend"]), "reason": row["reason"],
            "queued_at": views.time(row["queued_us"]),
            "accepted_at": views.time(row["accepted_us"]), "text": row["text"],
        }
        for row in connection.execute(query).mappings()
    ]  # fmt: skip
