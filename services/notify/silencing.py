"""Silencing: what people ask not to be told of, kept in the desk, and its hold on incidents."""

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from services.notify.core.incident import Incident
from services.notify.core.ledger import LedgerKind, entry
from services.notify.core.silence import SILENCE_FORMAT, Silence, silent_by
from services.notify.desk import tables as t
from services.notify.work import Work
from shared.model.configuration import lineage
from shared.model.instants import Instant, instant_text

MOST = 1_000
"""Silences in force at once: each change of an incident looks at all of them."""
MOST_RULES = 20
"""Named in one entry of what a silence hid."""
_DECODER = msgspec.msgpack.Decoder(Silence)


def in_force(connection: Connection, now: int) -> list[Silence]:
    """In the order in which they end."""
    c = t.silences.c
    query = select(c.body).where(c.until_us > now).order_by(c.until_us, c.id)
    return [_DECODER.decode(body) for body in connection.execute(query).scalars()]


def under_silence(work: Work, incident: Incident, *, is_news: bool = False) -> Incident:
    """
    The incident with the silence that holds now, or with none; says so in its ledger.

    `is_news`: it would be told now, so the ledger says each time why it is not.
    """
    if incident.state != "open":
        return incident
    silences = work.silences(in_force)
    if not silences and incident.silenced_us is None:
        return incident
    above = lineage(incident.territory, work.configuration.territories)
    silence = silent_by(silences, incident, above, work.now)
    until = None if silence is None else silence.until_us
    if until == incident.silenced_us and (silence is None or not is_news):
        return incident
    changed = replace(incident, silenced_us=until, format=SILENCE_FORMAT)
    work.unit.put(changed)
    if silence is None:
        work.unit.write(incident.id, work.now, "unsilenced")
    else:
        end = instant_text(silence.until_us, work.configuration.site.zone)
        work.unit.write(
            incident.id, work.now, "withheld",
            reason=f"silenced by {silence.person} until {end}: {silence.reason}",
            detail={
                "silence": silence.id, "severity": incident.severity.value,
                "rules": sorted({each.rule for each in incident.alerts})[:MOST_RULES],
            },
        )  # fmt: skip
    return changed


def look_again(work: Work, incident: Incident) -> Incident:
    """Before a step is taken: a silence that was planned may have begun meanwhile."""
    if not any(each.planned and each.from_us <= work.now for each in work.silences(in_force)):
        return incident
    return under_silence(work, incident)


def begin(work: Work, silence: Silence, channel: str, access: str) -> Silence | None:
    """Keep it and hold the open incidents; the one there is when it was said before. None: full."""
    known = in_force(work.unit.connection, work.now)
    for each in known:
        if each.id == silence.id:
            return each
    if len(known) >= MOST:
        return None
    before = _kept(work.unit.connection, silence.id)
    if before is not None:
        silence = replace(silence, head=before.head, entries=before.entries)
    kept = _written(work, silence, "silence_began", silence.person, channel, access)
    c = t.silences.c
    work.unit.connection.execute(t.silences.delete().where(c.id == kept.id))
    work.unit.connection.execute(
        insert(t.silences).values(
            id=kept.id, until_us=kept.until_us, body=msgspec.msgpack.encode(kept)
        )
    )
    _look_at_open(work)
    return kept


def end(work: Work, id_: str, person: str, channel: str, access: str) -> Silence | None:
    """Over now; what still fires is told at the next tick. None: no such silence is in force."""
    each = _kept(work.unit.connection, id_)
    if each is None or each.until_us <= work.now:
        return None
    begun = Instant(min(each.from_us, work.now))
    over = replace(each, from_us=begun, until_us=Instant(work.now), ended_by=person)
    ended = _written(work, over, "silence_ended", person, channel, access)
    work.unit.connection.execute(
        update(t.silences)
        .where(t.silences.c.id == id_)
        .values(until_us=ended.until_us, body=msgspec.msgpack.encode(ended))
    )
    _look_at_open(work)
    return ended


def _kept(connection: Connection, id_: str) -> Silence | None:
    body = connection.execute(select(t.silences.c.body).where(t.silences.c.id == id_)).scalar()
    return None if body is None else _DECODER.decode(body)


def _written(
    work: Work, silence: Silence, kind: LedgerKind, person: str, channel: str, access: str
) -> Silence:
    """The silence with one entry more in its chain: who, by which door, what exactly."""
    each = entry(
        silence.head, silence.id, silence.entries + 1, work.now, kind,
        person=person, channel=channel, reason=silence.reason,
        detail={
            "access": access, "facility": silence.facility, "territory": silence.territory,
            "rules": list(silence.rules), "from_us": silence.from_us, "until_us": silence.until_us,
            "up_to": None if silence.up_to is None else silence.up_to.value,
        },
    )  # fmt: skip
    work.unit.connection.execute(insert(t.ledger).values(**msgspec.structs.asdict(each)))
    return replace(silence, head=each.hash, entries=each.n)


def _look_at_open(work: Work) -> None:
    """The caller's unit is alone, so that no incident opens unseen meanwhile."""
    i = t.incidents.c
    ids = list(work.unit.connection.execute(select(i.id).where(i.state == "open")).scalars())
    work.unit.expect(ids)
    for id_ in ids:
        incident = work.unit.incident(id_)
        assert incident is not None
        under_silence(work, incident)
