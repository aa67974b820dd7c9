"""rules.db: transitions by number, and the engine's checkpoint. Transitions first, always."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from shared.errors import Unavailable
from shared.log.port import Position
from shared.model.transition import Transition

_SCHEMA = """
CREATE TABLE IF NOT EXISTS transitions (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, facility TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS transitions_by_id ON transitions (id);
CREATE INDEX IF NOT EXISTS transitions_by_facility ON transitions (facility, seq);
CREATE TABLE IF NOT EXISTS checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL, head BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS cells (
    station TEXT NOT NULL, interval TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (station, interval)
) WITHOUT ROWID;
"""
_DECODER = msgspec.msgpack.Decoder(Transition)


class RulesStore:
    """One writer (the worker); any thread may read transitions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = self._open()
        self._readers = threading.local()
        self._grown = threading.Condition()
        self.last_seq = int(
            self._db.execute("SELECT coalesce(max(seq), 0) FROM transitions").fetchone()[0]
        )

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        return db

    def publish(self, first_seq: int, transitions: Sequence[tuple[str, Transition]]) -> None:
        """Keep (id, transition) pairs numbered from `first_seq`; what is there already stays.

        Raises:
            Unavailable: nothing was kept; publish the same again.
        """
        rows = [
            (first_seq + i, name, transition.facility, msgspec.msgpack.encode(transition))
            for i, (name, transition) in enumerate(transitions)
        ]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO transitions VALUES (?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._again()
            raise Unavailable(f"transitions cannot be kept: {error}") from error
        with self._grown:
            self.last_seq = max(self.last_seq, rows[-1][0])
            self._grown.notify_all()

    def save(
        self, next_position: Position, head: bytes, cells: Iterable[tuple[str, str, bytes | None]]
    ) -> None:
        """Keep the checkpoint: changed cells (None: gone), the head and where to read on."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for station, interval, body in cells:
                if body is None:
                    self._db.execute(
                        "DELETE FROM cells WHERE station = ? AND interval = ?", (station, interval)
                    )
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO cells VALUES (?, ?, ?)", (station, interval, body)
                    )
            self._db.execute(
                "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)", (next_position, head)
            )
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._again()
            raise Unavailable(f"the checkpoint cannot be kept: {error}") from error

    def load(self) -> tuple[Position, bytes, Iterable[bytes]] | None:
        """(where to read on, head, cells); None when nothing was saved."""
        row = self._db.execute("SELECT next, head FROM checkpoint").fetchone()
        if row is None:
            return None
        cells = (bytes(body) for (body,) in self._db.execute("SELECT body FROM cells"))
        return Position(row[0]), bytes(row[1]), cells

    def read(
        self, after_seq: int, limit: int, facilities: Sequence[str] | None = None
    ) -> list[tuple[int, Transition]]:
        """Transitions after a number, in order; of all facilities, or of those named."""
        query = "SELECT seq, body FROM transitions WHERE seq > ?"
        arguments: list[int | str] = [after_seq]
        if facilities is not None:
            query += " AND facility IN (SELECT value FROM json_each(?))"
            arguments.append(msgspec.json.encode(facilities).decode())
        rows = self._reader().execute(f"{query} ORDER BY seq LIMIT ?", (*arguments, limit))
        return [(seq, _DECODER.decode(body)) for seq, body in rows]

    def newest(self, limit: int, facilities: Sequence[str] | None = None) -> list[Transition]:
        """The newest transitions, in order; of all facilities, or of those named."""
        query, arguments = "SELECT body FROM transitions", []
        if facilities is not None:
            query += " WHERE facility IN (SELECT value FROM json_each(?))"
            arguments.append(msgspec.json.encode(facilities).decode())
        rows = self._reader().execute(f"{query} ORDER BY seq DESC LIMIT ?", (*arguments, limit))
        return [_DECODER.decode(body) for (body,) in rows][::-1]

    def by_id(self, name: str) -> tuple[int, Transition] | None:
        row = (
            self._reader()
            .execute("SELECT seq, body FROM transitions WHERE id = ?", (name,))
            .fetchone()
        )
        return None if row is None else (row[0], _DECODER.decode(row[1]))

    def by_report(self, facility: str, report: str) -> list[Transition]:
        """Transitions of a facility that a report of this id caused."""
        rows = self._reader().execute(
            "SELECT body FROM transitions WHERE facility = ? ORDER BY seq", (facility,)
        )
        found = (_DECODER.decode(body) for (body,) in rows)
        return [transition for transition in found if transition.report_id == report]

    def wait(self, after_seq: int, timeout_s: float) -> bool:
        """True once a transition after `after_seq` can be read."""
        with self._grown:
            return self._grown.wait_for(lambda: self.last_seq > after_seq, timeout_s)

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None,
                check_same_thread=False, timeout=5,
            )  # fmt: skip
            self._readers.connection = connection
        return connection

    def _again(self) -> None:
        """After a failed commit: drop the connection, start from the file."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._db.close()
        except sqlite3.Error:
            pass
        self._db = self._open_or_keep()

    def _open_or_keep(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.Error as error:
            raise Unavailable(f"rules.db cannot be opened: {error}") from error

    def close(self) -> None:
        self._db.close()
