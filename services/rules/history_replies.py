"""What any replica answers about amended history: it is read from PostgreSQL, whoever wrote it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.rules.core.cell_history import Arrived, Key
from services.rules.history_database import arrived_in, prepare_history
from services.rules.history_store import Kept
from services.rules.postgres import Session, Sessions
from shared.model.amendment import Amendment

MOST_UNITS = 200
"""Amended stations and intervals, and facilities, of one answer, over all partitions."""

_KEPT = msgspec.msgpack.Decoder(Kept)
_AMENDMENT = msgspec.msgpack.Decoder(Amendment)


class Part:
    """What one partition's amender has amended, with all cells of those facilities."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.state: dict[str, str] = {}
        self.cells: dict[Key, Kept] = {}
        self.ids: dict[Key, int] = {}

    def reader_state(self) -> dict[str, str]:
        return self.state

    def kept(self, facilities: Sequence[str] | None) -> dict[Key, Kept]:
        return self.cells

    def arrived(self, key: Key, since_us: int, most: int, *, own: bool = False) -> list[Arrived]:
        if key not in self.ids:
            return []
        with self._sessions.transaction() as cursor:
            return arrived_in(cursor, self.ids[key], key, since_us, most)


class HistoryReplies:
    """A `HistoryReader`. Thread-safe; a few connections of its own."""

    def __init__(self, url: str) -> None:
        """
        Create what is missing.

        Raises:
            Unavailable: PostgreSQL does not answer.

        """
        self._sessions = Sessions(url)
        session = Session(url, 60)
        try:
            prepare_history(session)
        finally:
            session.close()

    def parts(self, facilities: Sequence[str] | None) -> list[Part]:
        with self._sessions.transaction() as cursor:
            some = cursor.execute(
                "SELECT facility FROM yujing_rules.history_cells WHERE amended "
                "AND (%s::text[] IS NULL OR facility = ANY(%s)) "
                "ORDER BY facility, station, interval LIMIT %s",
                (_named(facilities), _named(facilities), MOST_UNITS),
            ).fetchall()
            found: dict[int, Part] = {}
            rows = cursor.execute(
                "SELECT partition, id, facility, station, interval, body "
                "FROM yujing_rules.history_cells WHERE facility = ANY(%s) "
                "ORDER BY facility, station, interval", (sorted({each for (each,) in some}),),
            )  # fmt: skip
            for partition, id_, facility, station, interval, body in rows:
                part = found.setdefault(partition, Part(self._sessions))
                part.ids[facility, station, interval] = id_
                part.cells[facility, station, interval] = _KEPT.decode(body)
            query = (
                "SELECT partition, name, value FROM yujing_rules.history_state "
                "WHERE partition = ANY(%s)"
            )
            for partition, name, value in cursor.execute(query, (list(found),)):
                found[partition].state[name] = value
        return list(found.values())

    def amendments(
        self, after: int, limit: int, facilities: Sequence[str] | None = None,
        *, told_only: bool = False,
    ) -> list[tuple[int, Amendment]]:  # fmt: skip
        return self._read(
            "seq > %s AND told >= %s AND (%s::text[] IS NULL OR facility = ANY(%s)) "
            "ORDER BY seq LIMIT %s",
            (after, told_only, _named(facilities), _named(facilities), limit),
        )

    def by_id(self, name: str) -> Amendment | None:
        found = self._read("id = %s", (name,))
        return found[0][1] if found else None

    def by_report(self, facilities: Sequence[str], report: str) -> list[Amendment]:
        found = self._read("facility = ANY(%s) ORDER BY seq", (list(facilities),))
        return [each for _, each in found if each.cause.report_id == report]

    def _read(self, where: str, arguments: Sequence[Any]) -> list[tuple[int, Amendment]]:
        query = f"SELECT seq, body FROM yujing_rules.amendments WHERE {where}"  # noqa: S608  our own words
        with self._sessions.transaction() as cursor:
            rows = cursor.execute(query.encode(), arguments).fetchall()
        return [(seq, _AMENDMENT.decode(body)) for seq, body in rows]

    def close(self) -> None:
        self._sessions.close()


def _named(facilities: Sequence[str] | None) -> list[str] | None:
    return None if facilities is None else list(facilities)
