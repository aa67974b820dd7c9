"""Silencing: what people ask not to be told of, kept in the desk, and its hold on incidents."""

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from services.notify.core.incident import Incident
from services.notify.core.silence import SILENCE_FORMAT, Silence, silent_by
from services.notify.desk import tables as t
from services.notify.work import Work
from shared.model.configuration import lineage
from shared.model.instants import Instant, instant_text

MOST = 1_000
"""Silences in force at once: each change of an incident looks at all of them."""
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
            detail={"silence": silence.id},
        )  # fmt: skip
    return changed


def begin(work: Work, silence: Silence) -> Silence | None:
    """Keep it and hold the open incidents; the one there is when it was said before. None: full."""
    known = in_force(work.unit.connection, work.now)
    for each in known:
        if each.id == silence.id:
            return each
    if len(known) >= MOST:
        return None
    c = t.silences.c
    work.unit.connection.execute(t.silences.delete().where(c.id == silence.id))
    work.unit.connection.execute(
        insert(t.silences).values(
            id=silence.id, until_us=silence.until_us, body=msgspec.msgpack.encode(silence)
        )
    )
    _look_at_open(work)
    return silence


def end(work: Work, id_: str) -> Silence | None:
    """Over now; what still fires is told at the next tick. None: no such silence is in force."""
    for each in in_force(work.unit.connection, work.now):
        if each.id == id_:
            ended = replace(each, until_us=Instant(work.now))
            work.unit.connection.execute(
                update(t.silences)
                .where(t.silences.c.id == id_)
                .values(until_us=ended.until_us, body=msgspec.msgpack.encode(ended))
            )
            _look_at_open(work)
            return ended
    return None


def _look_at_open(work: Work) -> None:
    """The caller's unit is alone, so that no incident opens unseen meanwhile."""
    i = t.incidents.c
    ids = list(work.unit.connection.execute(select(i.id).where(i.state == "open")).scalars())
    work.unit.expect(ids)
    for id_ in ids:
        incident = work.unit.incident(id_)
        assert incident is not None
        under_silence(work, incident)
