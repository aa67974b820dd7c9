"""history.db: the readings of the days that may be amended, and what was amended. Derived.

Readings stand on disk, one row per report (two when part of it is late); in memory is one small
cell per station and interval. Everything of one pump, the position too, is one transaction.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from services.rules.core.cell_history import Arrived, Key
from shared.errors import NewerData, Unavailable
from shared.model.amendment import Amendment
from shared.model.report import Report

HISTORY_FORMAT = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readings (
    facility TEXT NOT NULL, station TEXT NOT NULL, interval TEXT NOT NULL,
    observed_us INTEGER NOT NULL, n INTEGER NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (facility, station, interval, observed_us, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cells (
    facility TEXT NOT NULL, station TEXT NOT NULL, interval TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (facility, station, interval)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS amendments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, facility TEXT NOT NULL,
    told INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS amendments_by_facility ON amendments (facility, seq);
"""


class Kept(msgspec.Struct, array_like=True):
    """What is remembered of one station and interval, or of a facility or roll-up as a whole."""

    newest_us: dict[str, int] = {}
    """By indicator: the newest that was said and not withdrawn."""
    open_n: int | None = None
    """The first arrival that waits to be looked at by the next tick."""
    is_amended: bool = False
    since_pruned: int = 0
    is_watched: bool = False
    """What stands live differs from what stands in the history: the next readings may say what
    is not so, or be silent on what is."""
    heard_us: dict[str, dict[int, int]] = {}
    """Of a facility with rules on several stations, by interval and slot: log time when it was
    first heard of, of the newest slots."""

    @property
    def last_us(self) -> int | None:
        return max(self.newest_us.values(), default=None)


_REPORT = msgspec.msgpack.Decoder(Report)
_KEPT = msgspec.msgpack.Decoder(Kept)
_AMENDMENT = msgspec.msgpack.Decoder(Amendment)


class HistoryStore:
    """One writer, the amender; any thread may read through connections of its own."""

    def __init__(self, path: Path) -> None:
        """
        Open or create.

        Raises:
            NewerData: a newer program wrote it.
            Unavailable: it cannot be opened.

        """
        self._path = path
        self._readers = threading.local()
        self._grown = threading.Condition()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=5
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # derived: a lost commit is made again
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise Unavailable(f"history.db cannot be opened: {error}; look at the disk") from error
        found = int(self.state().get("format", HISTORY_FORMAT))
        if found > HISTORY_FORMAT:
            raise NewerData(
                f"history.db has format {found}, this program knows {HISTORY_FORMAT}; "
                "use the newer program, or move the file away: it is derived from log.db"
            )
        self.last_seq = self._count()

    def _count(self) -> int:
        row = self._db.execute("SELECT coalesce(max(seq), 0) FROM amendments").fetchone()
        return int(row[0])

    # -- the writer ----------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """
        Everything of one pump, or nothing of it.

        Raises:
            Unavailable: it cannot be written.

        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"history.db cannot be written: {error}; look at the disk") from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        with self._grown:
            self.last_seq = self._count()
            self._grown.notify_all()

    def state(self) -> dict[str, str]:
        return dict(self._db.execute("SELECT name, value FROM state").fetchall())

    def set_state(self, values: dict[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", list(values.items()))

    def cells(self) -> Iterator[tuple[Key, Kept]]:
        rows = self._db.execute("SELECT facility, station, interval, body FROM cells")
        for facility, station, interval, body in rows:
            yield (facility, station, interval), _KEPT.decode(body)

    def put_cells(self, cells: Iterable[tuple[Key, Kept]]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?)",
            [(*key, msgspec.msgpack.encode(kept)) for key, kept in cells],
        )

    def add(self, arrived: Sequence[Arrived]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*one.key, one.report.observed_us, one.n, one.place,
                 msgspec.msgpack.encode(one.report))
                for one in arrived
            ],
        )  # fmt: skip

    def drop_before(self, key: Key, observed_us: int) -> None:
        self._db.execute(
            "DELETE FROM readings WHERE facility = ? AND station = ? AND interval = ?"
            " AND observed_us < ?",
            (*key, observed_us),
        )

    def amend(self, amendment: Amendment, told: bool) -> None:
        """The same amendment twice is one."""
        self._db.execute(
            "INSERT OR IGNORE INTO amendments (id, facility, told, body) VALUES (?, ?, ?, ?)",
            (amendment.id, amendment.facility, told, msgspec.msgpack.encode(amendment)),
        )

    # -- readers -------------------------------------------------------------------------------

    def arrived(self, key: Key, since_us: int, most: int, *, own: bool = False) -> list[Arrived]:
        """Of one cell, what is observed from `since_us` on, at most the newest, in log order."""
        rows = (self._db if own else self._reader()).execute(
            "SELECT n, place, body FROM readings WHERE facility = ? AND station = ?"
            " AND interval = ? AND observed_us >= ? ORDER BY observed_us DESC, n DESC LIMIT ?",
            (*key, since_us, most),
        )
        found = [Arrived(key, n, place, _REPORT.decode(body)) for n, place, body in rows]
        found.sort(key=lambda one: one.n)
        return found

    def kept(self, facilities: Sequence[str] | None) -> dict[Key, Kept]:
        """Everything that is remembered of these facilities, and of all roll-ups."""
        rows = self._reader().execute(
            "SELECT facility, station, interval, body FROM cells"
            " WHERE ?1 IS NULL OR facility = '' OR facility IN (SELECT value FROM json_each(?1))"
            " ORDER BY facility, station, interval",
            (_named(facilities),),
        )
        return {(f, s, i): _KEPT.decode(body) for f, s, i, body in rows}

    def amendments(
        self, after: int, limit: int, facilities: Sequence[str] | None = None,
        *, told_only: bool = False,
    ) -> list[tuple[int, Amendment]]:  # fmt: skip
        rows = self._reader().execute(
            "SELECT seq, body FROM amendments WHERE seq > ?1 AND told >= ?2"
            " AND (?3 IS NULL OR facility IN (SELECT value FROM json_each(?3)))"
            " ORDER BY seq LIMIT ?4",
            (after, int(told_only), _named(facilities), limit),
        )
        return [(seq, _AMENDMENT.decode(body)) for seq, body in rows]

    def amended(self, facility: str) -> list[Amendment]:
        """The newest of a facility, the writer's own look."""
        rows = self._db.execute(
            "SELECT body FROM amendments WHERE facility = ? ORDER BY seq DESC LIMIT 1000",
            (facility,),
        )
        return [_AMENDMENT.decode(body) for (body,) in rows]

    def by_id(self, name: str) -> Amendment | None:
        row = self._reader().execute("SELECT body FROM amendments WHERE id = ?", (name,)).fetchone()
        return None if row is None else _AMENDMENT.decode(row[0])

    def by_report(self, facilities: Sequence[str], report: str) -> list[Amendment]:
        """What a report of this id amended, at its facility and in the territories above it."""
        rows = self._reader().execute(
            "SELECT body FROM amendments"
            " WHERE facility IN (SELECT value FROM json_each(?)) ORDER BY seq",
            (_named(facilities),),
        )
        found = (_AMENDMENT.decode(body) for (body,) in rows)
        return [each for each in found if each.cause.report_id == report]

    def parts(self, facilities: Sequence[str] | None) -> "tuple[HistoryStore]":
        """There is one log, and one amender."""
        return (self,)

    def reader_state(self) -> dict[str, str]:
        return dict(self._reader().execute("SELECT name, value FROM state").fetchall())

    def wait(self, after_seq: int, timeout_s: float) -> bool:
        """True once an amendment after `after_seq` can be read."""
        with self._grown:
            return self._grown.wait_for(lambda: self.last_seq > after_seq, timeout_s)

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None, timeout=5,
                check_same_thread=False,
            )  # fmt: skip
            self._readers.connection = connection
        return connection

    def close(self) -> None:
        self._db.close()


def _named(facilities: Sequence[str] | None) -> str | None:
    """As json_each reads it; None: all."""
    return None if facilities is None else msgspec.json.encode(facilities).decode()
