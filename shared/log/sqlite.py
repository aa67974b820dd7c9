"""The log on SQLite: one file, fsync before `append` returns, readers on their own connections.

One writer connection behind a lock. `synchronous=FULL` in WAL mode makes a commit durable
against power loss; a thread folds the WAL back on a connection of its own, so that no append
waits for it. After a failed commit nobody knows what a connection thinks: it is thrown away, and
the next append opens the file anew.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from shared.errors import Unavailable
from shared.log.port import Addition, Batch, Entry, Position, within_bounds

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    topic TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (topic, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundles (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
_FOLD_EVERY_S = 0.25
_FOLD_AT_LATEST_PAGES = 16_000
"""About 64 MiB of WAL: the net, should the folding thread be kept from its work."""


class SqliteLog:
    """`append`, `read` and `wait` of the port; also keeps the bundles."""

    def __init__(self, path: Path) -> None:
        """Open or create.

        Raises:
            Unavailable: the file cannot be opened or is not a database.
        """
        self._path = path
        self._write = threading.Lock()
        self._grown = threading.Condition()
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._ends: dict[str, int] = {}
        self._connect()
        self._stop = threading.Event()
        self._unfolded = False
        self._folder = threading.Thread(target=self._fold, name="log-folder", daemon=True)
        self._folder.start()

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=5
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={_FOLD_AT_LATEST_PAGES}")
            connection.executescript(_SCHEMA)
            ends = connection.execute("SELECT topic, max(position) FROM entries GROUP BY topic")
            self._ends = dict(ends.fetchall())
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise Unavailable(f"{self._path.name}: {error}; look at the disk") from error
        self._writer = connection
        return connection

    def partitions(self, topic: str) -> int:
        return 1

    def append(
        self, topic: str, entries: Sequence[tuple[str, bytes]], partition: int = 0
    ) -> Position:
        added = self.append_all([Addition(topic, *entry, partition) for entry in entries])
        return added[-1] if added else Position(0)

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        """Add to several topics in one commit."""
        with self._write:
            connection = self._writer or self._connect()
            ends = dict(self._ends)
            rows = []
            for each in additions:
                ends[each.topic] = ends.get(each.topic, 0) + 1
                rows.append((each.topic, ends[each.topic], each.key, each.value))
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._give_up(connection)
                raise Unavailable(
                    f"the log cannot be written: {error}; free disk space or mend the disk"
                ) from error
            self._ends = ends
            self._unfolded = True
        with self._grown:
            self._grown.notify_all()
        return [Position(row[1]) for row in rows]

    def _give_up(self, connection: sqlite3.Connection) -> None:
        self._writer = None
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        with contextlib.suppress(sqlite3.Error):
            connection.close()

    def _fold(self) -> None:
        """Every now and then copy what the WAL holds into the file; appends go on meanwhile."""
        while not self._stop.wait(_FOLD_EVERY_S):
            if not self._unfolded:
                continue
            self._unfolded = False
            # A full or broken disk: the next append says so, and the WAL keeps what it has.
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(sqlite3.connect(self._path, timeout=0)) as connection,
            ):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=5,
            )
            self._readers.connection = connection
            self._open_readers.append(connection)
        return connection

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch:
        try:
            # The cursor is closed before anything else happens: a read that stays open would
            # keep the WAL from ever being folded back.
            with contextlib.closing(self._reader().cursor()) as cursor:
                cursor.execute(
                    "SELECT position, key, value FROM entries WHERE topic = ? AND position >= ? "
                    "ORDER BY position LIMIT ?",
                    (topic, start, limit),
                )
                found = list(
                    within_bounds(Entry(Position(row[0]), row[1], row[2]) for row in cursor)
                )
        except sqlite3.Error as error:
            raise Unavailable(f"the log cannot be read: {error}") from error
        return Batch(found, Position(found[-1].position + 1) if found else start)

    def end(self, topic: str, partition: int) -> Position:
        return Position(self._ends.get(topic, 0) + 1)

    def wait(self, topic: str, partition: int, start: Position, timeout_s: float) -> bool:
        with self._grown:
            return self._grown.wait_for(
                lambda: self._ends.get(topic, 0) >= max(start, 1), timeout_s
            )

    def put(self, name: str, body: bytes) -> None:
        """Keep a bundle; the same name twice is the same bundle."""
        with self._write:
            connection = self._writer or self._connect()
            try:
                connection.execute("INSERT OR IGNORE INTO bundles VALUES (?, ?)", (name, body))
            except sqlite3.Error as error:
                self._give_up(connection)
                raise Unavailable(f"the bundle cannot be written: {error}") from error

    def get(self, name: str) -> bytes:
        try:
            found = self._reader().execute("SELECT body FROM bundles WHERE name = ?", (name,))
            row = found.fetchone()
        except sqlite3.Error as error:
            raise Unavailable(f"the bundle cannot be read: {error}") from error
        if row is None:
            raise KeyError(name)
        return bytes(row[0])

    def close(self) -> None:
        """Only when no other thread reads any more."""
        self._stop.set()
        self._folder.join(5)
        with self._write:
            for connection in self._open_readers:
                connection.close()
            self._open_readers.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
