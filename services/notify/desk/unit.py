"""Unit: one transaction of the desk. Reads through a cache, writes in bulk just before commit.

What it reads of an incident it holds until it ends: on a server the row is locked, and everything
of the incident with it. A storm of thousands of transitions is one transaction with a handful of statements, not tens of
thousands. A verb of notify is exactly one unit, so a crash leaves all of it or nothing.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from services.notify.core.incident import INCIDENT_FORMAT, Incident
from services.notify.core.ledger import GENESIS, Entry, entry
from services.notify.core.owed import due
from services.notify.desk import tables as t
from services.notify.desk.persons import Persons
from shared.errors import NewerData
from shared.model.instants import Instant

_DECODER = msgspec.msgpack.Decoder(Incident)
Row = dict[str, Any]
WAITING = ("queued", "retry", "sending")
"""What stands before a new notice of the same person. What waits for a receipt does not."""
IN_ONE_QUERY = 500
"""Values of one IN: far below what SQLite and PostgreSQL take."""


def decode_incident(body: bytes) -> Incident:
    incident = _DECODER.decode(body)
    if incident.format > INCIDENT_FORMAT:
        raise NewerData(
            f"incident {incident.id} has format {incident.format}, "
            f"this program knows {INCIDENT_FORMAT}; start the newer program"
        )
    return incident


class _Held:
    """One incident as the unit has it."""

    def __init__(self, incident: Incident, head: str, entries: int, *, is_new: bool) -> None:
        self.incident = incident
        self.head = head
        self.entries = entries
        self.is_new = is_new
        self.is_dirty = is_new


class Unit:
    """
    Used by one thread between begin and commit; `flush` is called once, before commit.

    `is_alone`: nobody else writes meanwhile, so whatever was read is still so.
    """

    def __init__(self, connection: Connection, min_step_gap_us: int, *, is_alone: bool) -> None:
        self.connection = connection
        self.is_alone = is_alone
        self.persons = Persons(connection, is_alone=is_alone)
        self._gap_us = min_step_gap_us
        self._held: dict[str, _Held] = {}
        self._latest: dict[str, str | None] = {}
        self._entries: list[Entry] = []
        self._new_notices: dict[str, Row] = {}
        self._notices: dict[str, dict[str, Row]] = {}
        self._known_taken: set[str] | None = None
        self._inbox: dict[str, Row] = {}

    # incidents

    def incident(self, id_: str) -> Incident | None:
        held = self._hold(id_)
        return held.incident if held else None

    def latest_of(self, facility: str) -> Incident | None:
        """The facility's open incident, else the one that resolved last."""
        if facility not in self._latest:
            query = (
                select(t.incidents.c.id)
                .where(t.incidents.c.facility == facility)
                .order_by(t.incidents.c.opened_us.desc(), t.incidents.c.state != "resolved")
                .limit(1)
            )
            open_one = select(t.incidents.c.id).where(
                t.incidents.c.facility == facility, t.incidents.c.state != "resolved"
            )
            found = self.connection.execute(open_one).scalar()
            self._latest[facility] = found or self.connection.execute(query).scalar()
        id_ = self._latest[facility]
        return None if id_ is None else self.incident(id_)

    def put(self, incident: Incident) -> None:
        """Remember a new or changed incident."""
        held = self._hold(incident.id)
        if held is None:
            self._held[incident.id] = _Held(incident, GENESIS, 0, is_new=True)
            self._latest[incident.facility] = incident.id
        else:
            held.incident = incident
            held.is_dirty = True

    def try_hold(self, id_: str) -> bool:
        """Hold this incident; False while another unit has it. Never waits."""
        return self._hold(id_, skip_locked=True) is not None

    def _hold(self, id_: str, *, skip_locked: bool = False) -> _Held | None:
        if id_ not in self._held:
            c = t.incidents.c
            query = select(c.body, c.head, c.entries).where(c.id == id_)
            row = self.connection.execute(query.with_for_update(skip_locked=skip_locked)).first()
            if row is None:
                return None
            self._held[id_] = _Held(decode_incident(row[0]), row[1], row[2], is_new=False)
        return self._held[id_]

    # the ledger

    def write(
        self,
        incident: str,
        at: Instant,
        kind: str,
        *,
        person: str | None = None,
        channel: str | None = None,
        reason: str | None = None,
        notification: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """The next entry of this incident's chain."""
        held = self._hold(incident)
        if held is None:  # an answer that belongs to no incident
            return
        each = entry(
            held.head, incident, held.entries + 1, at, kind,
            person=person, channel=channel, reason=reason,
            notification=notification, detail=detail,
        )  # fmt: skip
        held.head, held.entries, held.is_dirty = each.hash, each.n, True
        self._entries.append(each)

    # notices

    def queue(self, row: Row) -> bool:
        """Add a notice to the outbox; False when it is there already."""
        id_ = row["id"]
        if self.notice(id_, row["incident"]) is not None:
            return False
        self._notices_of(row["incident"])[id_] = row
        self._new_notices[id_] = row
        return True

    def notice(self, id_: str, incident: str | None = None) -> Row | None:
        """One notice; knowing its incident saves a look into the file."""
        if id_ in self._new_notices:
            return dict(self._new_notices[id_])
        if incident:
            row = self._notices_of(incident).get(id_)
            return None if row is None else dict(row)
        return self._read_notice(id_)

    def hold_notice(self, id_: str) -> Row | None:
        """One notice as it is now, with what it belongs to held, so that it may be changed."""
        row = self.notice(id_)
        if row is None:
            return None
        if row["incident"]:
            self._hold(row["incident"])
        else:
            self.persons.hold((row["person"],))
        return row if self.is_alone else self._read_notice(id_)

    def try_hold_notice(self, row: Row) -> Row | None:
        """The same for a notice read before; None while another unit has it. Never waits."""
        if row["incident"]:
            if not self.try_hold(row["incident"]):
                return None
        elif not self.persons.try_hold(row["person"]):
            return None
        return row if self.is_alone else self._read_notice(row["id"])

    def _read_notice(self, id_: str) -> Row | None:
        query = select(t.outbox).where(t.outbox.c.id == id_)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def notices(
        self, incident: str, states: Sequence[str] | None = None, person: str | None = None
    ) -> list[Row]:
        """The incident's notices in the order they were queued."""
        rows = [
            dict(row)
            for row in self._notices_of(incident).values()
            if (states is None or row["state"] in states)
            and (person is None or row["person"] == person)
        ]
        return sorted(rows, key=lambda r: (r["queued_us"], r["generation"], r["step"], r["round"]))

    def change(self, id_: str, **values: Any) -> None:  # any column's type
        for known in self._notices.values():
            if id_ in known:
                known[id_].update(values)
                break
        if id_ not in self._new_notices:
            order = update(t.outbox).where(t.outbox.c.id == id_).values(**values)
            self.connection.execute(order)

    def _notices_of(self, incident: str) -> dict[str, Row]:
        """Read once; later changes are made here and in the file alike."""
        if incident not in self._notices:
            held = self._hold(incident) if incident else None
            self._notices[incident] = {}
            if incident and (held is None or not held.is_new):
                self._read_notices([incident])
        return self._notices[incident]

    def _read_notices(self, incidents: Sequence[str]) -> None:
        query = select(t.outbox).where(t.outbox.c.incident.in_(incidents))
        for row in self.connection.execute(query).mappings():
            self._notices[row["incident"]][row["id"]] = dict(row)

    def expect(self, ids: Sequence[str], *, skip_locked: bool = False) -> None:
        """Hold these incidents and read their notices together, not one by one."""
        wanted = sorted(each for each in ids if each not in self._held)
        c = t.incidents.c
        for begin in range(0, len(wanted), IN_ONE_QUERY):
            some = wanted[begin : begin + IN_ONE_QUERY]
            query = select(c.id, c.body, c.head, c.entries).where(c.id.in_(some)).order_by(c.id)
            rows = self.connection.execute(query.with_for_update(skip_locked=skip_locked))
            for id_, body, head, entries in rows.all():
                self._held[id_] = _Held(decode_incident(body), head, entries, is_new=False)
                self._notices[id_] = {}
            self._read_notices([each for each in some if each in self._held])

    def is_held(self, id_: str) -> bool:
        return id_ in self._held

    def expect_facilities(self, facilities: Sequence[str]) -> None:
        """The same for the latest incident of each facility."""
        wanted = [each for each in dict.fromkeys(facilities) if each not in self._latest]
        c = t.incidents.c
        for begin in range(0, len(wanted), IN_ONE_QUERY):
            some = wanted[begin : begin + IN_ONE_QUERY]
            self._latest.update(dict.fromkeys(some))
            rows = self.connection.execute(
                select(c.facility, c.id)
                .where(c.facility.in_(some))
                .order_by(c.opened_us, c.state != "resolved")
            )
            # The last of each facility stays: its open incident, else the newest.
            for facility, id_ in rows:
                self._latest[facility] = id_
        self.expect([id_ for each in wanted if (id_ := self._latest[each]) is not None])

    # small things

    def meta(self, key: str) -> int:
        """A number that the desk remembers; nobody else changes it until this unit ends."""
        query = select(t.meta.c.value).where(t.meta.c.key == key)
        return int(self.connection.execute(query.with_for_update()).scalar_one())

    def set_meta(self, key: str, value: int) -> None:
        self.connection.execute(update(t.meta).where(t.meta.c.key == key).values(value=value))

    def is_taken(self, transition: str) -> bool:
        if transition in self._inbox:
            return True
        if self._known_taken is not None:
            return transition in self._known_taken
        query = select(t.inbox.c.seq).where(t.inbox.c.transition == transition)
        return self.connection.execute(query).first() is not None

    def expect_transitions(self, names: Sequence[str]) -> None:
        """Ask once which of these are taken; `is_taken` is then asked for no others."""
        self._known_taken = set()
        c = t.inbox.c.transition
        for begin in range(0, len(names), IN_ONE_QUERY):
            some = names[begin : begin + IN_ONE_QUERY]
            self._known_taken |= set(
                self.connection.execute(select(c).where(c.in_(some))).scalars()
            )

    def take(self, row: Row) -> None:
        self._inbox[row["transition"]] = row

    def flush(self) -> None:
        """Write all that is held; the caller commits next."""
        if self._inbox:
            self.connection.execute(insert(t.inbox), list(self._inbox.values()))
        new = [self._row(held) for held in self._held.values() if held.is_new]
        if new:
            self.connection.execute(insert(t.incidents), new)
        old = [self._row(h) for h in self._held.values() if h.is_dirty and not h.is_new]
        if old:
            changed = update(t.incidents).where(t.incidents.c.id == bindparam("key"))
            self.connection.execute(changed, [{"key": row.pop("id"), **row} for row in old])
        if self._new_notices:
            self._assign_turns(list(self._new_notices.values()))
            self.connection.execute(insert(t.outbox), list(self._new_notices.values()))
        if self._entries:
            entries = [msgspec.structs.asdict(each) for each in self._entries]
            self.connection.execute(insert(t.ledger), entries)
        self._held.clear()
        self._new_notices.clear()
        self._notices.clear()
        self._entries.clear()
        self._inbox.clear()

    def _assign_turns(self, notices: Sequence[Row]) -> None:
        """Last of all, so that persons are held no longer than it takes to write."""
        names = sorted({row["person"] for row in notices})
        self.persons.hold(names)
        o = t.outbox.c
        turns = dict.fromkeys(names, 0)
        for begin in range(0, len(names), IN_ONE_QUERY):
            query = (
                select(o.person, func.count())
                .where(o.person.in_(names[begin : begin + IN_ONE_QUERY]), o.state.in_(WAITING))
                .group_by(o.person)
            )
            turns.update((row[0], row[1]) for row in self.connection.execute(query))
        for row in notices:
            row["turn"] = turns[row["person"]]
            turns[row["person"]] += 1

    def _row(self, held: _Held) -> Row:
        incident = held.incident
        owed = due(incident, self._gap_us)
        return {
            "id": incident.id,
            "facility": incident.facility,
            "territory": incident.territory,
            "state": incident.state,
            "severity": incident.severity.value,
            "opened_us": incident.opened_us,
            "resolved_us": incident.resolved_us,
            "due_us": None if owed is None else owed.at_us,
            "head": held.head,
            "entries": held.entries,
            "body": msgspec.msgpack.encode(incident),
        }


FaultPoint = Literal["before commit", "after commit"]
