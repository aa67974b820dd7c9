"""Replies: a text from a number becomes an acknowledgement, a hand-over, words, or nothing."""

import sqlalchemy as sa
from sqlalchemy import Connection

from services.notify.interim import desk as rows
from services.notify.interim.core import reply as core
from services.notify.interim.core.incident import Effects, Entry, Incident, Notice
from services.notify.interim.desk import notifications
from services.notify.interim.machine import Notify
from shared.model.people import Contact, Person
from shared.model.severity import Severity

ANSWERS_AN_HOUR = 3
HOUR_US = 3_600_000_000


def on_reply(notify: Notify, channel: str, sender: str, text: str, now_us: int) -> None:
    """What a gateway heard from a number. From nobody's number: counted, nothing else."""
    owners = _owners(notify, channel, sender)
    if not owners:
        notify.metrics.strangers.labels(channel).inc()
        return
    with notify.desk.begin() as c:
        opened: list[core.Open] = []
        tickets: dict[str, str] = {}
        for person, contact in owners:
            _told_of(notify, c, person, contact, opened, tickets)
        decision = core.decide(text, opened, tickets)
        actor = next((o.person for o in opened if o.incident == decision.incident), owners[0][0].id)
        incident = rows.get_incident(c, decision.incident)
        if incident is not None and decision.meaning is not None:
            if decision.meaning == "hand_over":
                notify.hand_over(c, incident, actor, channel, now_us)
            else:
                note = core.MEANING_ZH[decision.meaning]
                notify.acknowledge_in(c, incident, actor, channel, note, now_us)
        if decision.words:
            contact = next((x for p, x in owners if p.id == actor), owners[0][1])
            _answer(notify, c, actor, contact, decision, incident, now_us)


def _owners(notify: Notify, channel: str, sender: str) -> list[tuple[Person, Contact]]:
    number = core.plain_number(sender)
    return [
        (person, contact)
        for person in notify.configuration.people.values()
        for contact in person.contacts
        if contact.channel == channel and core.plain_number(contact.address) == number
    ]


def _told_of(
    notify: Notify, c: Connection, person: Person, contact: Contact,
    opened: list[core.Open], tickets: dict[str, str],
) -> None:  # fmt: skip
    """Incidents this person was told of by this contact and that are not resolved."""
    n = notifications.c
    found = c.execute(
        sa.select(n.incident, sa.func.max(sa.func.coalesce(n.accepted_us, n.claimed_us)))
        .where(
            n.person == person.id, n.contact == contact.id, n.kind == "alert",
            n.claimed_us.is_not(None),
        )
        .group_by(n.incident)
    ).all()  # fmt: skip
    held = rows.tickets_of(c, person.id)
    for name, told_us in found:
        if name not in held:
            continue
        incident = rows.get_incident(c, name)
        if incident is None:
            continue
        tickets[held[name]] = name
        if incident.state == "open":
            facility = notify.configuration.facilities.get(incident.facility)
            place = facility.short_name if facility else incident.facility
            opened.append(core.Open(name, held[name], told_us, place, person.id))


def _answer(
    notify: Notify, c: Connection, person: str, contact: Contact, decision: core.Decision,
    incident: Incident | None, now_us: int,
) -> None:  # fmt: skip
    if decision.confused:
        a = rows.answers.c
        recent = c.execute(
            sa.select(sa.func.count()).where(a.contact == contact.id, a.at_us > now_us - HOUR_US)
        ).scalar_one()
        if recent >= ANSWERS_AN_HOUR:
            return
        c.execute(
            sa.delete(rows.answers).where(a.contact == contact.id, a.at_us <= now_us - HOUR_US)
        )
        taken = c.execute(
            sa.select(sa.func.count()).where(a.contact == contact.id, a.at_us == now_us)
        ).scalar_one()
        c.execute(sa.insert(rows.answers).values(contact=contact.id, at_us=now_us + taken))
    name = incident.id if incident is not None else ""
    number = c.execute(sa.select(sa.func.count()).select_from(notifications)).scalar_one()
    notice = Notice(
        id=rows.answer_id(person, contact.id, now_us, number),
        incident=name, kind="answer", cause=0, step=0, round=0, person=person,
        contact=contact.id, channel=contact.channel, severity=Severity.RED, words=decision.words,
    )  # fmt: skip
    entries: list[Entry] = notify.queue_in(c, notice, now_us)
    if incident is not None:
        current = rows.get_incident(c, incident.id)
        if current is not None:
            notify.keep_in(c, current, Effects(entries, []), now_us)
