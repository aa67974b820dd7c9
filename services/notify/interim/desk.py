"""desk.db: rooms, incidents, notifications, ledger. SQLAlchemy Core; rows, no decisions."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from services.notify.interim.core.incident import Entry, Incident, Notice, Room
from shared.errors import Unavailable
from shared.model.severity import Severity

metadata = sa.MetaData()
state_table = sa.Table(
    "state", metadata,
    sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.String, nullable=False),
)  # fmt: skip
rooms = sa.Table(
    "rooms", metadata,
    sa.Column("facility", sa.String, primary_key=True), sa.Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip
incidents = sa.Table(
    "incidents", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("facility", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("opened_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("due_us", sa.BigInteger, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip
notifications = sa.Table(
    "notifications", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("incident", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("cause", sa.Integer, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("person", sa.String, nullable=False),
    sa.Column("contact", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("nth", sa.Integer, nullable=False),
    sa.Column("words", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("day", sa.String, nullable=False),
    sa.Column("queued_us", sa.BigInteger, nullable=False),
    sa.Column("due_us", sa.BigInteger),
    sa.Column("claimed_us", sa.BigInteger),
    sa.Column("accepted_us", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("repeats", sa.Integer, nullable=False),
    sa.Column("receipt", sa.Integer),
    sa.Column("reason", sa.String),
    sa.Column("text", sa.String),
    sa.Column("received_us", sa.BigInteger),
    sa.Index("outbox", "state", "due_us"),
    sa.Index("of_person", "person", "channel", "day"),
)  # fmt: skip
ledger = sa.Table(
    "ledger", metadata,
    sa.Column("incident", sa.String, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)  # fmt: skip
tickets = sa.Table(
    "tickets", metadata,
    sa.Column("person", sa.String, primary_key=True),
    sa.Column("incident", sa.String, primary_key=True, index=True),
    sa.Column("ticket", sa.String, nullable=False),
)  # fmt: skip
answers = sa.Table(
    "answers", metadata,
    sa.Column("contact", sa.String, primary_key=True),
    sa.Column("at_us", sa.BigInteger, primary_key=True),
)  # fmt: skip

GENESIS = "0" * 64


def chained(previous: str, body: str) -> str:
    """The hash of a ledger line: of the one before and of its own text."""
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


class Desk:
    """One database. `begin` is a transaction; the module functions work inside one."""

    def __init__(self, url: str) -> None:
        """`sqlite:///PATH`; the schema is made where it is missing."""
        self.engine = sa.create_engine(url, future=True)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _sqlite_settings)
            sa.event.listen(self.engine, "begin", _sqlite_begin)
        metadata.create_all(self.engine)

    @classmethod
    def at(cls, path: Path) -> "Desk":
        return cls(f"sqlite:///{path}")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: everything inside, or nothing.

        Raises:
            Unavailable: the database cannot be written or read now.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise Unavailable(f"the desk cannot be written: {error.orig}") from error

    def close(self) -> None:
        self.engine.dispose()


def _sqlite_settings(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


# -- rows --------------------------------------------------------------------------------------


def get_state(c: Connection, name: str) -> str | None:
    return c.execute(sa.select(state_table.c.value).where(state_table.c.name == name)).scalar()


def put_state(c: Connection, name: str, value: str) -> None:
    if get_state(c, name) is None:
        c.execute(sa.insert(state_table).values(name=name, value=value))
    else:
        c.execute(sa.update(state_table).where(state_table.c.name == name).values(value=value))


def get_room(c: Connection, facility: str) -> Room:
    body = c.execute(sa.select(rooms.c.body).where(rooms.c.facility == facility)).scalar()
    return Room(facility) if body is None else msgspec.json.decode(body, type=Room)


def put_room(c: Connection, room: Room) -> None:
    body = msgspec.json.encode(room)
    done = c.execute(sa.update(rooms).where(rooms.c.facility == room.facility).values(body=body))
    if done.rowcount == 0:
        c.execute(sa.insert(rooms).values(facility=room.facility, body=body))


def get_incident(c: Connection, name: str | None) -> Incident | None:
    if name is None:
        return None
    body = c.execute(sa.select(incidents.c.body).where(incidents.c.id == name)).scalar()
    return None if body is None else msgspec.json.decode(body, type=Incident)


def put_incident(c: Connection, incident: Incident) -> None:
    values = {
        "facility": incident.facility, "state": incident.state, "opened_us": incident.opened_us,
        "due_us": incident.next_due_us, "body": msgspec.json.encode(incident),
    }  # fmt: skip
    done = c.execute(sa.update(incidents).where(incidents.c.id == incident.id).values(**values))
    if done.rowcount == 0:
        c.execute(sa.insert(incidents).values(id=incident.id, **values))
    keep_tickets(c, incident)


def keep_tickets(c: Connection, incident: Incident) -> None:
    """Tickets are taken while the incident is not resolved."""
    c.execute(sa.delete(tickets).where(tickets.c.incident == incident.id))
    if incident.state != "resolved":
        for person, ticket in incident.tickets.items():
            c.execute(sa.insert(tickets).values(person=person, incident=incident.id, ticket=ticket))


def tickets_of(c: Connection, person: str) -> dict[str, str]:
    """Incident to ticket, of a person's incidents that are not resolved."""
    found = c.execute(
        sa.select(tickets.c.incident, tickets.c.ticket).where(tickets.c.person == person)
    )
    return {incident: ticket for incident, ticket in found}  # noqa: C416  rows are not pairs to mypy


def due_incidents(c: Connection, now_us: int, limit: int) -> list[Incident]:
    rows = c.execute(
        sa.select(incidents.c.body)
        .where(incidents.c.due_us <= now_us)
        .order_by(incidents.c.due_us)
        .limit(limit)
    )
    return [msgspec.json.decode(body, type=Incident) for (body,) in rows]


def list_incidents(
    c: Connection, state: str | None, facility: str | None, limit: int = 1000
) -> list[Incident]:
    query = sa.select(incidents.c.body).order_by(incidents.c.opened_us.desc()).limit(limit)
    if state:
        query = query.where(incidents.c.state == state)
    if facility:
        query = query.where(incidents.c.facility == facility)
    return [msgspec.json.decode(body, type=Incident) for (body,) in c.execute(query)]


def unresolved(c: Connection) -> list[Incident]:
    rows = c.execute(sa.select(incidents.c.body).where(incidents.c.state != "resolved"))
    return [msgspec.json.decode(body, type=Incident) for (body,) in rows]


def insert_notice(
    c: Connection, notice: Notice, state: str, now_us: int, day: str, reason: str | None,
    received_us: int | None,
) -> bool:  # fmt: skip
    """False when this very notification exists already: nobody is told the same thing twice."""
    if get_notice(c, notice.id) is not None:
        return False
    c.execute(
        sa.insert(notifications).values(
            id=notice.id, incident=notice.incident, kind=notice.kind, cause=notice.cause,
            step=notice.step, round=notice.round, person=notice.person, contact=notice.contact,
            channel=notice.channel, rank=notice.severity.rank, nth=notice.nth, words=notice.words,
            state=state, day=day, queued_us=now_us, due_us=now_us if state == "queued" else None,
            attempts=0, repeats=0, reason=reason, received_us=received_us,
        )
    )  # fmt: skip
    return True


def get_notice(c: Connection, name: str) -> Row[Any] | None:
    return c.execute(sa.select(notifications).where(notifications.c.id == name)).first()


def set_notice(c: Connection, name: str, **values: Any) -> None:
    c.execute(sa.update(notifications).where(notifications.c.id == name).values(**values))


def notices_where(c: Connection, *conditions: Any) -> list[Row[Any]]:
    return list(
        c.execute(sa.select(notifications).where(*conditions).order_by(notifications.c.queued_us))
    )


def next_queued(c: Connection, now_us: int) -> Row[Any] | None:
    """The most severe message that is due; among equals answers, then the longest waiting."""
    n = notifications.c
    return c.execute(
        sa.select(notifications)
        .where(n.state == "queued", n.due_us <= now_us)
        .order_by(n.rank.desc(), n.queued_us, n.id)
        .limit(1)
    ).first()


def oldest_owed(c: Connection, now_us: int) -> int | None:
    n = notifications.c
    oldest: int | None = c.execute(
        sa.select(sa.func.min(n.queued_us)).where(n.state == "queued", n.due_us <= now_us)
    ).scalar()
    return oldest


def sent_today(c: Connection, person: str, channel: str, day: str) -> int:
    """Messages of one channel to one person in one local day, resends and recoveries included."""
    n = notifications.c
    count, repeats = c.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(n.repeats), 0)).where(
            n.person == person, n.channel == channel, n.day == day, n.state != "withheld"
        )
    ).one()
    return int(count) + int(repeats)


def append_ledger(c: Connection, incident: str, entries: Iterable[Entry]) -> None:
    last = c.execute(
        sa.select(ledger.c.n, ledger.c.hash)
        .where(ledger.c.incident == incident)
        .order_by(ledger.c.n.desc())
        .limit(1)
    ).first()
    number, previous = (last.n, last.hash) if last else (0, GENESIS)
    for entry in entries:
        number += 1
        body = msgspec.json.encode(entry).decode()
        previous = chained(previous, body)
        c.execute(sa.insert(ledger).values(incident=incident, n=number, body=body, hash=previous))


def read_ledger(c: Connection, incident: str) -> list[tuple[int, Entry, str]]:
    rows = c.execute(
        sa.select(ledger.c.n, ledger.c.body, ledger.c.hash)
        .where(ledger.c.incident == incident)
        .order_by(ledger.c.n)
    )
    return [(n, msgspec.json.decode(body, type=Entry), hash_) for n, body, hash_ in rows]


def broken_chains(c: Connection) -> tuple[int, list[str]]:
    """(incidents checked, incidents whose chain does not hold)."""
    broken: list[str] = []
    names: set[str] = set()
    current, number, previous = "", 0, GENESIS
    for incident, n, body, hash_ in c.execute(
        sa.select(ledger.c.incident, ledger.c.n, ledger.c.body, ledger.c.hash).order_by(
            ledger.c.incident, ledger.c.n
        )
    ):
        if incident != current:
            current, number, previous = incident, 0, GENESIS
            names.add(incident)
        number += 1
        previous = chained(previous, body)
        if (n != number or hash_ != previous) and incident not in broken:
            broken.append(incident)
    return len(names), broken


def answer_id(person: str, contact: str, now_us: int, number: int) -> str:
    """An answer to a reply: named by when it was said and how many messages there were before."""
    identity = msgspec.json.encode(["answer", person, contact, now_us, number])
    return f"n-{hashlib.sha256(identity).hexdigest()[:20]}"


def severity_of(rank: int) -> Severity:
    return next(severity for severity in Severity if severity.rank == rank)
