"""Seen: which readings the log already has, so that a second delivery changes nothing.

Derived from the log: `ingest.db` keeps, for each station and interval, which windows stand at
which log position with a digest of its readings, and the position up to which that is known. The
values themselves stay in the log and are compared there when the digest differs. A report newer
than everything of its station and interval needs no look-up at all.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from shared.errors import Unavailable
from shared.log.port import REPORTS, Log, Position
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, decode_envelope

KEEP = 1_000
"""Readings of each series that are remembered at least (contract §3)."""
FLUSH_AT = 5_000
"""Records between two commits of the index at most: what a restart reads again."""
ENVELOPES = 4
"""Decoded log entries that are held: a batch sent again looks into the same few."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS windows (
    series TEXT NOT NULL, observed_us INTEGER NOT NULL, position INTEGER NOT NULL,
    slot INTEGER NOT NULL, shape INTEGER NOT NULL, digest INTEGER NOT NULL,
    PRIMARY KEY (series, observed_us, position, slot)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS named (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, slot INTEGER NOT NULL,
    partition INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class _Part:
    """How far one partition of the log is known."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._suffix = f".{number}" if number else ""
        self.load({})

    def load(self, state: dict[str, str]) -> None:
        self.next = Position(int(state.get(f"next{self._suffix}", 0)))
        tick = state.get(f"tick{self._suffix}")
        self.tick_us = None if tick is None else int(tick)
        self.bundle = state.get(f"bundle{self._suffix}")

    def rows(self) -> list[tuple[str, str]]:
        found = {"next": int(self.next), "tick": self.tick_us, "bundle": self.bundle}
        return [(f"{k}{self._suffix}", str(v)) for k, v in found.items() if v is not None]


def series_of(report: Report) -> str:
    return f"{report.station}\x1f{report.interval}\x1f{report.facility}"


class Seen:
    """One thread uses it. After a crash it reads the log from its own positions on.

    Several ingests may write one log: what stands between two of our own entries is read before
    the later one is learnt, so at the latest with the next tick each knows what the others took.
    """

    def __init__(self, path: Path | str, log: Log) -> None:
        self._log = log
        self._db = _opened(path)
        self._newest: dict[str, int] = {}
        self._envelopes: dict[tuple[int, Position], list[Record]] = {}
        self._since_pruned: dict[tuple[str, int], int] = {}
        self._parts = [_Part(number) for number in range(log.partitions(REPORTS))]
        self._load()
        if any(part.next > log.end(REPORTS, part.number) for part in self._parts):
            # The log was put back from a copy: derive anew.
            self._db.executescript("DELETE FROM windows; DELETE FROM named; DELETE FROM state;")
            self._load()
        self._pending = 0
        self.behind = True
        self._db.execute("BEGIN")

    def _load(self) -> None:
        state = dict(self._db.execute("SELECT name, value FROM state").fetchall())
        for part in self._parts:
            part.load(state)

    @property
    def last_tick_us(self) -> int | None:
        """The highest tick of any partition; None before the first."""
        ticks = [part.tick_us for part in self._parts if part.tick_us is not None]
        return max(ticks, default=None)

    @property
    def last_bundle(self) -> str | None:
        """The bundle that counts in every partition; None while they differ."""
        bundles = {part.bundle for part in self._parts}
        return bundles.pop() if len(bundles) == 1 else None

    def forget(self) -> None:
        """After a failure: drop what is not committed; `behind` until caught up again."""
        self.behind = True
        self._newest.clear()
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # catch_up meets the same trouble and says so

    def catch_up(self) -> None:
        """Learn what the log has that we do not.

        Raises:
            Unavailable: the log does not answer, or the index cannot be written, so duplicates
                could not be told.
        """
        try:
            self._catch_up()
        except sqlite3.Error as error:
            raise Unavailable(f"the dedupe index cannot be written: {error}") from error
        self.behind = False

    def _catch_up(self) -> None:
        if not self._db.in_transaction:
            self._load()
            self._db.execute("BEGIN")
        for part in self._parts:
            self._read_on(part, None)
        self.flush()

    def _read_on(self, part: "_Part", until: Position | None) -> None:
        """Learn what stands from the part's position on, before `until` or to the end."""
        while until is None or part.next < until:
            batch = self._log.read(REPORTS, part.number, part.next)
            for entry in batch.entries:
                if until is not None and entry.position >= until:
                    part.next = until
                    return
                self._learn(part, entry.position, _readable(entry.value))
            if not batch.entries:
                return

    def known(self, report: Report, pending: Iterable[Report] = ()) -> bool:
        """
        Is every reading of it known with the same value and flag? `pending` are not yet logged.

        A report that has a revision is not what was said under a lower one: 12 after 120 after
        12 is news.
        """
        series = series_of(report)
        stored: list[Report] = list(pending)
        if report.observed_us <= self._newest_of(series):
            rows = self._db.execute(
                "SELECT position, slot, digest FROM windows WHERE series = ? AND observed_us = ?",
                (series, report.observed_us),
            ).fetchall()
            if rows and _digest(report) in (digest for _, _, digest in rows):
                return True
            part = partition_of(report.facility, len(self._parts))
            stored += [self._report(part, Position(position), slot) for position, slot, _ in rows]
        if not stored:
            return False
        known = {
            (indicator, value, old.flag(i))
            for old in stored
            if report.revision is None or (old.revision or 0) >= report.revision
            for i, (indicator, value) in enumerate(zip(old.indicators, old.values, strict=True))
        }
        return all(
            (indicator, value, report.flag(i)) in known
            for i, (indicator, value) in enumerate(
                zip(report.indicators, report.values, strict=True)
            )
        )

    def learn(self, partition: int, position: Position, records: list[Record]) -> None:
        """The log has these records there."""
        part = self._parts[partition]
        if part.next and position > part.next:
            self._read_on(part, position)
        self._learn(part, position, records)
        is_last = partition == len(self._parts) - 1
        if self._pending >= FLUSH_AT or (is_last and any(isinstance(r, Tick) for r in records)):
            self.flush()  # with every tick, so that `why` finds what its sender named

    def _learn(self, part: "_Part", position: Position, records: list[Record]) -> None:
        rows, named = [], []
        for slot, record in enumerate(records):
            if isinstance(record, Report):
                series = series_of(record)
                if record.id:
                    named.append((record.id, position, slot, part.number))
                shape = _shape(record.indicators)
                rows.append((series, record.observed_us, position, slot, shape, _digest(record)))
                if record.observed_us > self._newest_of(series):
                    self._newest[series] = record.observed_us
                self._prune(series, shape)
            elif isinstance(record, Tick):
                part.tick_us = max(record.at_us, part.tick_us or record.at_us)
            elif isinstance(record, Activate):
                part.bundle = record.bundle
        self._db.executemany("INSERT OR IGNORE INTO windows VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany("INSERT OR REPLACE INTO named VALUES (?, ?, ?, ?)", named)
        part.next = Position(position + 1)
        self._pending += len(records)
        if self._pending >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Rows and positions in one transaction."""
        self._db.executemany(
            "INSERT OR REPLACE INTO state VALUES (?, ?)",
            [row for part in self._parts for row in part.rows()],
        )
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")
        self._pending = 0

    def close(self) -> None:
        self.flush()
        self._db.execute("COMMIT")
        self._db.close()

    def _newest_of(self, series: str) -> int:
        newest = self._newest.get(series)
        if newest is None:
            row = self._db.execute(
                "SELECT max(observed_us) FROM windows WHERE series = ?", (series,)
            ).fetchone()
            newest = self._newest[series] = -(1 << 62) if row[0] is None else row[0]
        return newest

    def _report(self, partition: int, position: Position, slot: int) -> Report:
        key = (partition, position)
        if key not in self._envelopes:
            if len(self._envelopes) >= ENVELOPES:
                self._envelopes.pop(next(iter(self._envelopes)))
            entry = self._log.read(REPORTS, partition, position, 1).entries[0]
            self._envelopes[key] = decode_envelope(entry.value)
        record = self._envelopes[key][slot]
        assert isinstance(record, Report), (key, slot)
        return record

    def _prune(self, series: str, shape: int) -> None:
        """Of each list of indicators keep the newest; a series' newest are among them."""
        count = self._since_pruned.get((series, shape), 0) + 1
        if count >= KEEP:
            self._db.execute(
                "DELETE FROM windows WHERE series = ?1 AND shape = ?2 AND observed_us < ("
                "SELECT DISTINCT observed_us FROM windows WHERE series = ?1 AND shape = ?2 "
                "ORDER BY observed_us DESC LIMIT 1 OFFSET ?3)",
                (series, shape, KEEP),
            )
            count = 0
        self._since_pruned[(series, shape)] = count


def _opened(path: Path | str) -> sqlite3.Connection:
    """Open or create; a file that is damaged is removed, since all of it can be derived."""
    try:
        return _connected(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise Unavailable(f"ingest.db cannot be opened: {error}; look at the disk") from error
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return _connected(path)


def _connected(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
        if not any(row[1] == "partition" for row in connection.execute("PRAGMA table_info(named)")):
            connection.execute("ALTER TABLE named ADD COLUMN partition INTEGER NOT NULL DEFAULT 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _readable(value: bytes) -> list[Record]:
    """What stands in an entry; nothing when it is no envelope (on Kafka others may write)."""
    try:
        return decode_envelope(value)
    except (msgspec.MsgspecError, ValueError):
        return []


def _digest(report: Report) -> int:
    """63 bits of what the report says, in its order: equal reports have equal digests."""
    what = (report.indicators, report.values, report.flags)
    said = msgspec.msgpack.encode(what if report.revision is None else (*what, report.revision))
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest()) >> 1


@lru_cache(maxsize=4_096)
def _shape(indicators: tuple[str, ...]) -> int:
    """A number for the list of indicators that is the same in every process."""
    return zlib.crc32(msgspec.msgpack.encode(indicators))
