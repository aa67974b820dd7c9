"""Claims: takes the next message that may be sent now; committed before anybody is called."""

from collections.abc import Collection
from datetime import timedelta

import msgspec
from sqlalchemy import Select, func, insert, select

from services.notify.core.admit import admit
from services.notify.core.incident import Incident
from services.notify.core.ticket import ticket
from services.notify.desk import tables as t
from services.notify.desk.unit import Row
from services.notify.facts import facts_of
from services.notify.outcomes import failed, record
from services.notify.port import Link, Message, Retry, address_of
from services.notify.work import Work
from shared.model.instants import Instant, local_day, local_midnight
from shared.model.severity import Severity

LOOK_AT = 20
"""Candidates looked at in one go; more only when all of these may not go out."""
LOOK_FAR = 10
"""Times that many, when others hold what comes first."""
STALE_US = 60_000_000
"""What was never tried a minute before it was over is not news any more."""
DAY_US = 86_400_000_000


class Claim(msgspec.Struct, frozen=True):
    """One attempt that has begun. `record` takes it back with the outcome."""

    notification: str
    attempt: int
    boot: int
    channel: str
    message: Message


def claim(work: Work, busy: Collection[str], boot: int, link: Link, *, drill: bool) -> Claim | None:
    """
    The most urgent message: severe before mild, everybody's first before anybody's second.

    Looks again at the incident: what is not owed any more is withheld here, with its reason.
    None: nothing may go out now (or only by channels that are `busy`). What another unit has in
    hand is passed over and never waited for; that one or the next claim finds it.
    """
    page = 0
    while page < LOOK_FAR:
        rows = _candidates(work, busy, page)
        changed = False
        for row in rows:
            chosen = _chosen(work, row)
            if chosen is None:
                continue
            begun = _begin(work, chosen, boot, link, drill=drill)
            if begun is not None:
                return begun
            changed = True
            break
        if changed:
            continue
        if len(rows) < LOOK_AT:
            return None
        page += 1
    return None


def put_back(work: Work, boot: int, under_way: Collection[tuple[str, int]]) -> None:
    """
    Claims of ours that nobody was given: the connection broke while they were committed.

    Surely not sent, so they are due again and not marked.
    """
    c = t.outbox.c
    query = select(t.outbox).where(c.state == "sending", c.boot == boot).order_by(c.incident)
    for found in work.unit.connection.execute(query).mappings().all():
        if (found["id"], found["attempts"]) in under_way:
            continue
        row = work.unit.hold_notice(found["id"])
        if row is not None and (row["state"], row["boot"]) == ("sending", boot):
            record(work, row, Retry("the claim was lost with the connection", 0))


def _chosen(work: Work, row: Row) -> Row | None:
    """What goes out for this candidate, with its incident and its person held."""
    held = work.unit.try_hold_notice(row)
    if held is None or not _may_go(work, held):
        return None
    chosen = _in_order(work, held)
    if chosen is None or not work.unit.persons.try_hold(chosen["person"]):
        return None
    return chosen


def _may_go(work: Work, row: Row) -> bool:
    """Still, now that nobody else can change it."""
    if row["state"] == "retry":
        return row["due_us"] is not None and row["due_us"] <= work.now
    return bool(row["state"] == "queued")


def _candidates(work: Work, busy: Collection[str], page: int) -> list[Row]:
    c = t.outbox.c
    rows: list[Row] = []
    for state in ("queued", "retry"):
        query: Select[tuple[object, ...]] = (
            select(t.outbox)
            .where(c.state == state)
            .order_by(c.rank, c.turn, c.queued_us, c.id)
            .limit(LOOK_AT)
            .offset(LOOK_AT * page)
        )
        if busy:
            query = query.where(c.channel.not_in(list(busy)))
        if state == "retry":  # what is queued is due, and its index has no room for a time
            query = query.where(c.due_us <= work.now)
        rows += [dict(row) for row in work.unit.connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row["rank"], row["turn"], row["queued_us"]))


def _in_order(work: Work, row: Row) -> Row | None:
    """The oldest unsent of this incident by this way; None while one is being sent."""
    if not row["incident"]:
        return row
    older = row
    for each in work.unit.notices(row["incident"], ("queued", "sending"), row["person"]):
        if each["contact"] != row["contact"]:
            continue
        if each["state"] == "sending":
            return None
        if each["id"] != row["id"] and _age(each) < _age(older):
            older = each
    return older


def _age(row: Row) -> tuple[int, int, int, int]:
    return (row["generation"], row["kind"] in ("recovery", "amendment"), row["step"], row["round"])


def _begin(work: Work, row: Row, boot: int, link: Link, *, drill: bool) -> Claim | None:
    """Mark it as being sent, or withhold it."""
    incident = work.unit.incident(row["incident"]) if row["incident"] else None
    reason = _not_owed(work, row, incident)
    if reason is not None:
        work.withhold(row, reason)
        return None
    person = work.configuration.people.get(row["person"])
    address = address_of(person.contacts, row["contact"]) if person else None
    if address is None or row["channel"] not in work.configuration.channels:
        failed(work, row, "the contact is not configured any more")
        return None
    nth = row["nth"] or _nth(work, row)
    attempt = row["attempts"] + 1
    work.unit.change(row["id"], state="sending", boot=boot, attempts=attempt, nth=nth, due_us=None)
    work.unit.connection.execute(
        insert(t.attempts).values(
            notification=row["id"], n=attempt, person=row["person"], channel=row["channel"],
            at_us=work.now, counts=1, outcome=None,
        )
    )  # fmt: skip
    if row["resend"]:
        work.counts.notification(row["channel"], "repeated")
        work.say("repeated", row, "no answer and no receipt")
    facts = facts_of(
        work.configuration, row, incident.facility if incident else "", work.now,
        ticket=ticket_for(work, row["incident"], row["person"]) if incident else None,
        nth=nth, first=_first(work, row), link=link, drill=drill,
    )  # fmt: skip
    message = Message(
        notification=row["id"], incident=row["incident"], person=row["person"],
        channel=row["channel"], contact=row["contact"], address=address, facts=facts,
    )  # fmt: skip
    return Claim(row["id"], attempt, boot, row["channel"], message)


def _not_owed(work: Work, row: Row, incident: Incident | None) -> str | None:
    if row["kind"] == "alert":
        if incident is None or incident.state == "acknowledged":
            return "acknowledged"
        if incident.state == "resolved" and not row["resend"]:
            resolved_us = incident.resolved_us or work.now
            if row["state"] == "retry" or row["queued_us"] < resolved_us - STALE_US:
                return "resolved"
    elif row["kind"] == "recovery" and incident is not None:
        is_older = incident.generation != row["generation"]
        if is_older and row["state"] == "retry" and not row["resend"]:
            return "superseded"
    budget = work.configuration.channels[row["channel"]].budget if (
        row["channel"] in work.configuration.channels
    ) else None  # fmt: skip
    if budget is None:
        return None
    severity = None if row["severity"] is None else Severity(row["severity"])
    withheld = admit(budget, severity, _sent_today(work, row))
    return None if withheld is None else withheld.reason


def _sent_today(work: Work, row: Row) -> int:
    """Messages of this channel to this person in this local day, as far as may have gone out."""
    zone = work.configuration.site.zone
    today = local_day(work.now, zone)
    a = t.attempts.c
    query = select(func.count()).where(
        a.person == row["person"], a.channel == row["channel"], a.counts == 1,
        a.at_us >= local_midnight(today, zone),
        a.at_us < local_midnight(today + timedelta(days=1), zone),
    )  # fmt: skip
    return work.unit.connection.execute(query).scalar() or 0


def _nth(work: Work, row: Row) -> int:
    """Which telling of this person it is since the incident opened, last rose or reopened."""
    if row["kind"] != "alert":
        return 1
    earlier = {
        (each["step"], each["round"])
        for each in work.unit.notices(row["incident"], None, row["person"])
        if each["kind"] == "alert"
        and each["generation"] == row["generation"]
        and (each["state"] in ("sending", "unknown") or each["accepted_us"] is not None)
    }
    return 1 + len(earlier - {(row["step"], row["round"])})


def _first(work: Work, row: Row) -> str | None:
    """The incident's first notice to him by this way, when this is a later one."""
    if not row["incident"]:
        return None
    for each in work.unit.notices(row["incident"], None, row["person"]):
        if each["contact"] == row["contact"] and each["attempts"]:
            return None if each["id"] == row["id"] else str(each["id"])
    return None


def ticket_for(work: Work, incident: str, person: str) -> str:
    """The same for one incident and person as long as the incident may be spoken of."""
    execute = work.unit.connection.execute
    known = execute(
        select(t.tickets.c.ticket).where(
            t.tickets.c.incident == incident, t.tickets.c.person == person
        )
    ).scalar()
    if known is not None:
        return str(known)
    # An incident that may still reopen keeps its ticket: it must come back with the same one.
    since = Instant(work.now - max(work.configuration.timing.reopen_within_us, DAY_US))
    taken = execute(
        select(t.tickets.c.ticket)
        .join(t.incidents, t.incidents.c.id == t.tickets.c.incident)
        .where(
            t.tickets.c.person == person,
            (t.incidents.c.state != "resolved") | (t.incidents.c.resolved_us > since),
        )
    ).scalars()
    given = ticket(incident, person, set(taken))
    execute(insert(t.tickets).values(incident=incident, person=person, ticket=given))
    return given
