"""Checkpoints and transitions in PostgreSQL (schema `yujing_rules`), fenced by an epoch.

Loading a partition raises its epoch under an exclusive row lock; every write of an owner
compares the epoch in its own transaction. The checkpoint is the truth about where to read on.
Transitions are numbered from 1 without gaps, since the row of the counter is locked until the
numbers are committed: who reads in order never finds a number behind him later.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import psycopg

from services.rules.checkpoints import Fenced, Saved
from services.rules.core.sleep import SleepingCell
from services.rules.partition import Alert, Cut
from services.rules.postgres import Session, Sessions, prepare_schema
from shared.model.transition import Transition

_DECODER = msgspec.msgpack.Decoder(Transition)
_WRITE_S = 60
"""A checkpoint of everything a partition has; long before it somebody looks at the alarm."""


class PartitionStore:
    """Thread-safe. Publishing never waits for a checkpoint: each has a connection of its own."""

    def __init__(self, url: str) -> None:
        self._saving, self._publishing = Session(url, _WRITE_S), Session(url, _WRITE_S)
        self._loading, self._reading = Session(url, _WRITE_S), Sessions(url)
        try:
            prepare_schema(self._loading)
        except BaseException:
            self._loading.close()
            raise

    # -- checkpoints -------------------------------------------------------------------------

    def load(self, partition: int) -> tuple[int, Saved | None]:
        with self._loading.transaction() as cursor:
            cursor.execute(
                "INSERT INTO yujing_rules.partitions (partition, epoch) VALUES (%s, 0) "
                "ON CONFLICT DO NOTHING", (partition,),
            )  # fmt: skip
            # FOR UPDATE waits for whatever the owner of before is writing, and stops him after it.
            cursor.execute(
                "SELECT 1 FROM yujing_rules.partitions WHERE partition = %s FOR UPDATE",
                (partition,),
            )
            row = _one(
                cursor.execute(
                    "UPDATE yujing_rules.partitions SET epoch = epoch + 1 WHERE partition = %s "
                    "RETURNING epoch, next, head, untold", (partition,),
                )
            )  # fmt: skip
            # In this transaction nobody else can write: head and cells are of one checkpoint.
            cells: list[list[SleepingCell]] = []
            if row[1] is not None:
                cells = list(_cells(cursor, partition))
        if row[1] is None:
            return row[0], None
        return row[0], Saved(row[1], bytes(row[2]), chain.from_iterable(cells), list(row[3]))

    def resume(self, partition: int, epoch: int, next_offset: int) -> int | None:
        with self._loading.transaction() as cursor:
            row = cursor.execute(
                "UPDATE yujing_rules.partitions SET epoch = epoch + 1 "
                "WHERE partition = %s AND epoch = %s AND next = %s RETURNING epoch",
                (partition, epoch, next_offset),
            ).fetchone()
        return None if row is None else int(row[0])

    def save(self, partition: int, epoch: int, cut: Cut) -> None:
        kept = [cell for cell in cut.cells if isinstance(cell, SleepingCell)]
        gone = [key for key in cut.cells if not isinstance(key, SleepingCell)]
        with self._saving.transaction() as cursor:
            if kept:
                _copy_in(cursor, kept)
            cursor.execute(
                "UPDATE yujing_rules.partitions SET next = %s, head = %s, untold = %s "
                "WHERE partition = %s AND epoch = %s",
                (cut.next, cut.head, cut.untold, partition, epoch),
            )
            if cursor.rowcount != 1:
                raise _fenced(partition, epoch)
            if gone:
                cursor.execute(
                    "DELETE FROM yujing_rules.cells AS c USING "
                    "unnest(%s::text[], %s::text[]) AS g (station, interval) "
                    "WHERE partition = %s AND c.station = g.station AND c.interval = g.interval",
                    ([key[0] for key in gone], [key[1] for key in gone], partition),
                )
            if kept:
                cursor.execute(
                    "INSERT INTO yujing_rules.cells SELECT %s, * FROM changed "
                    "ON CONFLICT (partition, station, interval) DO UPDATE SET "
                    "due_us = excluded.due_us, stands = excluded.stands, body = excluded.body",
                    (partition,),
                )

    def verify(self, partition: int, epoch: int) -> None:
        with self._publishing.transaction() as cursor:
            hold(cursor, partition, epoch)

    # -- transitions -------------------------------------------------------------------------

    def publish(self, partition: int, epoch: int, alerts: Sequence[Alert]) -> list[Alert]:
        with self._publishing.transaction() as cursor:
            hold(cursor, partition, epoch)
            (last,) = _one(cursor.execute("SELECT last FROM yujing_rules.counter FOR UPDATE"))
            names = list({alert.id: None for alert in alerts})
            known = {
                name
                for (name,) in cursor.execute(
                    "SELECT id FROM yujing_rules.transitions WHERE id = ANY(%s)", (names,)
                )
            }
            new = {alert.id: alert for alert in reversed(alerts) if alert.id not in known}
            fresh = [new[name] for name in names if name in new]
            if fresh:
                rows = [
                    (last + n, a.id, a.transition.facility, msgspec.msgpack.encode(a.transition))
                    for n, a in enumerate(fresh, 1)
                ]
                cursor.executemany(
                    "INSERT INTO yujing_rules.transitions VALUES (%s, %s, %s, %s)", rows
                )
                cursor.execute("UPDATE yujing_rules.counter SET last = %s", (rows[-1][0],))
        return fresh

    def read(
        self, after_seq: int, limit: int, facilities: Sequence[str] | None = None
    ) -> list[tuple[int, Transition]]:
        """Transitions after a number, in order; of all facilities, or of those named."""
        where, arguments = "", [after_seq, limit]
        if facilities is not None:
            where, arguments = " AND facility = ANY(%s)", [after_seq, list(facilities), limit]  # type: ignore[list-item]
        return self._read(f" WHERE seq > %s{where} ORDER BY seq LIMIT %s", arguments)

    def newest(self, limit: int, facilities: Sequence[str] | None = None) -> list[Transition]:
        """The newest transitions, in order; of all facilities, or of those named."""
        where, arguments = "", [limit]
        if facilities is not None:
            where, arguments = " WHERE facility = ANY(%s)", [list(facilities), limit]  # type: ignore[list-item]
        found = self._read(f"{where} ORDER BY seq DESC LIMIT %s", arguments)
        return [transition for _, transition in reversed(found)]

    def by_id(self, name: str) -> tuple[int, Transition] | None:
        found = self._read(" WHERE id = %s", [name])
        return found[0] if found else None

    def by_report(self, facility: str, report: str) -> list[Transition]:
        """Transitions of a facility that a report of this id caused."""
        found = self._read(" WHERE facility = %s ORDER BY seq", [facility])
        return [transition for _, transition in found if transition.report_id == report]

    def _read(self, where: str, arguments: Sequence[Any]) -> list[tuple[int, Transition]]:
        query = f"SELECT seq, body FROM yujing_rules.transitions{where}"  # noqa: S608  our own words
        with self._reading.transaction() as cursor:
            rows = cursor.execute(query.encode(), arguments, binary=True).fetchall()
        return [(seq, _DECODER.decode(body)) for seq, body in rows]

    def close(self) -> None:
        for session in (self._saving, self._publishing, self._loading, self._reading):
            session.close()


def hold(cursor: psycopg.Cursor[Any], partition: int, epoch: int) -> None:
    """Until the transaction ends nobody can take the partition; a checkpoint may be saved."""
    held = cursor.execute(
        "SELECT 1 FROM yujing_rules.partitions WHERE partition = %s AND epoch = %s "
        "FOR KEY SHARE", (partition, epoch),
    ).fetchone()  # fmt: skip
    if held is None:
        raise _fenced(partition, epoch)


def verify(cursor: psycopg.Cursor[Any], partition: int, epoch: int) -> None:
    """Is it ours now? Nothing is held."""
    query = "SELECT 1 FROM yujing_rules.partitions WHERE partition = %s AND epoch = %s"
    if cursor.execute(query, (partition, epoch)).fetchone() is None:
        raise _fenced(partition, epoch)


def _fenced(partition: int, epoch: int) -> Fenced:
    return Fenced(
        f"partition {partition} was taken by another process after epoch {epoch}; nothing more "
        "is written here. Two processes with one YUJING_INSTANCE? Give each a name of its own"
    )


def _copy_in(cursor: psycopg.Cursor[Any], cells: list[SleepingCell]) -> None:
    cursor.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS changed (station text, interval text, "
        "due_us bigint, stands boolean, body bytea) ON COMMIT DELETE ROWS"
    )
    with cursor.copy("COPY changed FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["text", "text", "int8", "bool", "bytea"])
        for cell in cells:
            copy.write_row((cell.station, cell.interval, cell.due_us, cell.stands, cell.body))


def _cells(cursor: psycopg.Cursor[Any], partition: int) -> Iterator[list[SleepingCell]]:
    """All cells of a partition, in blocks. Bytes stay bytes."""
    block: list[SleepingCell] = []
    query = (
        "COPY (SELECT station, interval, due_us, stands, body FROM yujing_rules.cells "
        "WHERE partition = %s) TO STDOUT (FORMAT BINARY)"
    )
    with cursor.copy(query, (partition,)) as copy:
        copy.set_types(["text", "text", "int8", "bool", "bytea"])
        for row in copy.rows():
            block.append(SleepingCell(*row))
            if len(block) == 10_000:
                yield block
                block = []
    yield block


def _one(cursor: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None
    return tuple(row)
