"""Answers: a text that came back from a phone, and what is said in return."""

import hashlib

from sqlalchemy import func, select

from services.notify.core.notice import Notice
from services.notify.core.phone import plain_number
from services.notify.desk import tables as t
from services.notify.port import OutstandingTicket, ReplyReader
from services.notify.work import Snapshot, Work
from shared.model.instants import Instant

NOT_UNDERSTOOD_AN_HOUR = 3
HOUR_US = 3_600_000_000
REMEMBERED_US = 7 * 86_400_000_000
"""How long after recovery a ticket is still known as his, so that a late answer is not wrong."""
NOT_UNDERSTOOD = 1
"""`step` of an answer that says: not understood. Counted, so that loops of machines end."""


class Heard:
    """Who answers, and what he has been told by this way."""

    def __init__(self, person: str, contact: str, tickets: list[OutstandingTicket]) -> None:
        self.person, self.contact, self.tickets = person, contact, tickets


def hear(work: Work, channel: str, number: str) -> list[Heard]:
    """Everybody whose contact on this channel has this number; two may share a phone."""
    wanted = plain_number(number)
    return [
        Heard(person.id, contact.id, outstanding(work, person.id, contact.id))
        for person in work.configuration.people.values()
        for contact in person.contacts
        if contact.channel == channel and plain_number(contact.address) == wanted
    ]


def outstanding(work: Work, person: str, contact: str) -> list[OutstandingTicket]:
    """What he was told by this contact, the newest telling first, with what is resolved."""
    o, i = t.outbox.c, t.incidents.c
    told = func.max(func.coalesce(o.accepted_us, o.queued_us))
    rows = work.unit.connection.execute(
        select(o.incident, t.tickets.c.ticket, i.state, i.facility, told)
        .join(t.tickets, (t.tickets.c.incident == o.incident) & (t.tickets.c.person == o.person))
        .join(t.incidents, i.id == o.incident)
        .where(
            o.person == person,
            o.contact == contact,
            o.kind == "alert",
            o.attempts > 0,
            (i.state != "resolved") | (i.resolved_us > work.now - REMEMBERED_US),
        )
        .group_by(o.incident, t.tickets.c.ticket, i.state, i.facility)
        .order_by(told.desc())
    )
    places = work.configuration.facilities
    return [
        OutstandingTicket(
            ticket=ticket,
            incident=incident,
            state=state,
            told_us=Instant(told_us),
            place=places[facility].short_name if facility in places else facility,
        )
        for incident, ticket, state, facility, told_us in rows
    ]


class Meant:
    """What to do with an incident, on whose behalf."""

    def __init__(self, act: str, incident: str, person: str, note: str) -> None:
        self.act, self.incident, self.person, self.note = act, incident, person, note


def answer(work: Work, channel: str, number: str, text: str, read: ReplyReader) -> Meant | None:
    """What the text orders; what is to be said in return goes into the outbox."""
    heard = hear(work, channel, number)
    if not heard:
        work.counts.reply_from_nobody(channel)
        return None
    tickets = sorted(
        (each for one in heard for each in one.tickets), key=lambda each: -each.told_us
    )
    decision = read(text, tickets, work.configuration.site.language)
    who = next(
        (one for one in heard if any(e.incident == decision.incident for e in one.tickets)),
        heard[0],
    )
    if decision.answer is not None and _may_answer(
        work, who.person, is_mild=not decision.not_understood
    ):
        _say(work, channel, who, decision.answer, not_understood=decision.not_understood)
    if decision.act == "nothing" or decision.incident is None:
        return None
    return Meant(decision.act, decision.incident, who.person, decision.note)


def _may_answer(work: Work, person: str, *, is_mild: bool) -> bool:
    if is_mild:
        return True
    work.unit.persons.hold((person,))
    o = t.outbox.c
    query = select(func.count()).where(
        o.kind == "reply", o.person == person, o.step == NOT_UNDERSTOOD,
        o.queued_us > work.now - HOUR_US,
    )  # fmt: skip
    return (work.unit.connection.execute(query).scalar() or 0) < NOT_UNDERSTOOD_AN_HOUR


def _say(work: Work, channel: str, who: Heard, words: str, *, not_understood: bool) -> None:
    seed = f"{who.person}\n{who.contact}\n{work.now}\n{words}"
    work.queue(
        Notice(
            id=hashlib.sha256(seed.encode()).hexdigest()[:24],
            kind="reply",
            incident="",
            generation=0,
            step=NOT_UNDERSTOOD if not_understood else 0,
            round=0,
            person=who.person,
            contact=who.contact,
            channel=channel,
        ),
        Snapshot((), None, 0, words),
    )
