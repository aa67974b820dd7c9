"""History in PostgreSQL (schema `yujing_rules`): one amender for each partition, any reader.

What an amender makes of a pump is one transaction, which ends by asking whether the partition is
still his (`hold`): a former owner's late write is refused, as his checkpoint is. Amendments are
numbered without gaps, under the row of the counter, so a reader never finds a number behind him.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg

from services.rules.core.cell_history import Arrived, Key
from services.rules.history_store import HISTORY_FORMAT, Kept
from services.rules.partition_store import hold, verify
from services.rules.postgres import Session
from shared.errors import NewerData
from shared.model.amendment import Amendment
from shared.model.report import Report

_LOCK = 0x79756A68
_SCHEMA = """
CREATE TABLE IF NOT EXISTS yujing_rules.history_state (
    partition integer NOT NULL, name text NOT NULL, value text NOT NULL,
    PRIMARY KEY (partition, name)
);
CREATE TABLE IF NOT EXISTS yujing_rules.history_cells (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, partition integer NOT NULL,
    facility text NOT NULL, station text NOT NULL, interval text NOT NULL,
    amended boolean NOT NULL, body bytea NOT NULL,
    UNIQUE (partition, facility, station, interval)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS history_cells_by_facility ON yujing_rules.history_cells (facility);
CREATE INDEX IF NOT EXISTS history_cells_amended
    ON yujing_rules.history_cells (facility) WHERE amended;
CREATE TABLE IF NOT EXISTS yujing_rules.history_readings (
    cell bigint NOT NULL, observed_us bigint NOT NULL, n bigint NOT NULL,
    place smallint NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (cell, observed_us, n)
);
CREATE TABLE IF NOT EXISTS yujing_rules.history_counter (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), last bigint NOT NULL
);
INSERT INTO yujing_rules.history_counter (last) VALUES (0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS yujing_rules.amendments (
    seq bigint PRIMARY KEY, id text NOT NULL UNIQUE, partition integer NOT NULL,
    facility text NOT NULL, told boolean NOT NULL, published boolean NOT NULL, body bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS amendments_by_facility ON yujing_rules.amendments (facility, seq);
CREATE INDEX IF NOT EXISTS amendments_to_publish
    ON yujing_rules.amendments (partition, seq) WHERE told AND NOT published;
"""
_REPORT = msgspec.msgpack.Decoder(Report)
_KEPT = msgspec.msgpack.Decoder(Kept)
_AMENDMENT = msgspec.msgpack.Decoder(Amendment)


def prepare_history(session: Session) -> None:
    """Create what is missing; only a site that amends has these tables."""
    with session.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute(_SCHEMA)


class PartitionHistory:
    """What one owner of a partition writes: a `HistoryWriter`. One thread at a time."""

    def __init__(self, session: Session, partition: int, epoch: int) -> None:
        self._session, self._partition, self._epoch = session, partition, epoch
        self._cursor: psycopg.Cursor[Any] | None = None
        self._ids: dict[Key, int] = {}
        self._new: dict[str, tuple[Amendment, bool]] = {}
        self.owes = True
        """There may be amendments that nobody has published."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """
        Everything of one pump, or nothing of it.

        Raises:
            Fenced: the partition was taken since.
            Unavailable: PostgreSQL does not answer; load again.

        """
        self._new = {}
        try:
            with self._session.transaction() as cursor:
                self._cursor = cursor
                # Without a lock, so that a new owner need not wait; who lost it works no further.
                verify(cursor, self._partition, self._epoch)
                yield
                hold(cursor, self._partition, self._epoch)
                is_owed = self._number(cursor)
        finally:
            self._cursor = None
            self._new = {}
        self.owes |= is_owed

    @contextmanager
    def _using(self) -> Iterator[psycopg.Cursor[Any]]:
        if self._cursor is not None:
            yield self._cursor
        else:
            with self._session.transaction() as cursor:
                yield cursor

    def state(self) -> dict[str, str]:
        """
        As it was written last.

        Raises:
            NewerData: by a newer program.

        """
        with self._using() as cursor:
            query = "SELECT name, value FROM yujing_rules.history_state WHERE partition = %s"
            found = {name: value for name, value in cursor.execute(query, (self._partition,))}  # noqa: C416
        if int(found.get("format", HISTORY_FORMAT)) > HISTORY_FORMAT:
            raise NewerData(
                f"the history of partition {self._partition} has format {found['format']}, this "
                f"program knows {HISTORY_FORMAT}; use the newer program, or empty the tables "
                "history_* of schema yujing_rules: they are derived from the log"
            )
        return found

    def set_state(self, values: dict[str, str]) -> None:
        with self._using() as cursor:
            cursor.executemany(
                "INSERT INTO yujing_rules.history_state VALUES (%s, %s, %s) "
                "ON CONFLICT (partition, name) DO UPDATE SET value = excluded.value",
                [(self._partition, name, value) for name, value in values.items()],
            )

    def cells(self) -> Iterator[tuple[Key, Kept]]:
        with self._using() as cursor:
            query = (
                "SELECT id, facility, station, interval, body FROM yujing_rules.history_cells "
                "WHERE partition = %s"
            )
            rows = cursor.execute(query, (self._partition,)).fetchall()
        self._ids = {(facility, station, i): id_ for id_, facility, station, i, _ in rows}
        for _, facility, station, interval, body in rows:
            yield (facility, station, interval), _KEPT.decode(body)

    def put_cells(self, cells: Iterable[tuple[Key, Kept]]) -> None:
        all_ = list(cells)
        self._know(key for key, _ in all_)
        with self._using() as cursor:
            cursor.executemany(
                "UPDATE yujing_rules.history_cells SET amended = %s, body = %s WHERE id = %s",
                [
                    (kept.is_amended, msgspec.msgpack.encode(kept), self._ids[key])
                    for key, kept in all_
                ],
            )

    def _know(self, keys: Iterable[Key]) -> None:
        """A number for every cell."""
        new = sorted({key for key in keys if key not in self._ids})
        if not new:
            return
        with self._using() as cursor:
            rows = cursor.execute(
                "INSERT INTO yujing_rules.history_cells "
                "(partition, facility, station, interval, amended, body) "
                "SELECT %s, f, s, i, false, %s "
                "FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (f, s, i) "
                "RETURNING id, facility, station, interval",
                (self._partition, msgspec.msgpack.encode(Kept()),
                 *([key[n] for key in new] for n in range(3))),
            )  # fmt: skip
            for id_, facility, station, interval in rows:
                self._ids[facility, station, interval] = id_

    def add(self, arrived: Sequence[Arrived]) -> None:
        self._know(one.key for one in arrived)
        with (
            self._using() as cursor,
            cursor.copy("COPY yujing_rules.history_readings FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["int8", "int8", "int8", "int2", "bytea"])
            for one in arrived:
                body = msgspec.msgpack.encode(one.report)
                copy.write_row((self._ids[one.key], one.report.observed_us, one.n, one.place, body))

    def drop_before(self, key: Key, observed_us: int) -> None:
        if key in self._ids:
            with self._using() as cursor:
                cursor.execute(
                    "DELETE FROM yujing_rules.history_readings WHERE cell = %s "
                    "AND observed_us < %s", (self._ids[key], observed_us),
                )  # fmt: skip

    def arrived(self, key: Key, since_us: int, most: int, *, own: bool = False) -> list[Arrived]:
        if key not in self._ids:
            return []
        with self._using() as cursor:
            return arrived_in(cursor, self._ids[key], key, since_us, most)

    def amend(self, amendment: Amendment, told: bool) -> None:
        self._new.setdefault(amendment.id, (amendment, told))

    def amended(self, facility: str) -> list[Amendment]:
        with self._using() as cursor:
            rows = cursor.execute(
                "SELECT body FROM yujing_rules.amendments WHERE facility = %s "
                "ORDER BY seq DESC LIMIT 1000", (facility,),
            ).fetchall()  # fmt: skip
        new = [each for each, _ in self._new.values() if each.facility == facility]
        return new[::-1] + [_AMENDMENT.decode(body) for (body,) in rows]

    def _number(self, cursor: psycopg.Cursor[Any]) -> bool:
        """Give what is new its numbers; whether any of it is to be told."""
        if not self._new:
            return False
        query = "SELECT last FROM yujing_rules.history_counter FOR UPDATE"
        (last,) = cursor.execute(query).fetchone() or (0,)
        query = "SELECT id FROM yujing_rules.amendments WHERE id = ANY(%s)"
        known = {name for (name,) in cursor.execute(query, (list(self._new),))}
        fresh = [each for name, each in self._new.items() if name not in known]
        cursor.executemany(
            "INSERT INTO yujing_rules.amendments VALUES (%s, %s, %s, %s, %s, false, %s)",
            [
                (last + n, one.id, self._partition, one.facility, told, msgspec.msgpack.encode(one))
                for n, (one, told) in enumerate(fresh, 1)
            ],
        )
        cursor.execute("UPDATE yujing_rules.history_counter SET last = %s", (last + len(fresh),))
        return any(told for _, told in fresh)

    # -- what is to be published ---------------------------------------------------------------

    def unpublished(self, limit: int) -> list[tuple[int, Amendment]]:
        """What is to be told and not yet known to stand on the topic, in order."""
        with self._session.transaction() as cursor:
            rows = cursor.execute(
                "SELECT seq, body FROM yujing_rules.amendments WHERE partition = %s "
                "AND told AND NOT published ORDER BY seq LIMIT %s", (self._partition, limit),
            ).fetchall()  # fmt: skip
        self.owes = bool(rows)
        return [(seq, _AMENDMENT.decode(body)) for seq, body in rows]

    def published(self, seqs: Sequence[int]) -> None:
        """
        They stand on the topic.

        Raises:
            Fenced: the partition was taken since; its new owner may say them again.

        """
        with self._session.transaction() as cursor:
            hold(cursor, self._partition, self._epoch)
            cursor.execute(
                "UPDATE yujing_rules.amendments SET published = true WHERE seq = ANY(%s)",
                (list(seqs),),
            )


def arrived_in(
    cursor: psycopg.Cursor[Any], cell: int, key: Key, since_us: int, most: int
) -> list[Arrived]:
    """Of one cell, what is observed from `since_us` on, at most the newest, in log order."""
    rows = cursor.execute(
        "SELECT n, place, body FROM yujing_rules.history_readings WHERE cell = %s "
        "AND observed_us >= %s ORDER BY observed_us DESC, n DESC LIMIT %s", (cell, since_us, most),
    )  # fmt: skip
    found = [Arrived(key, n, place, _REPORT.decode(body)) for n, place, body in rows]
    found.sort(key=lambda one: one.n)
    return found
