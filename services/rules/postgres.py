"""Connections to PostgreSQL for rules: bounded in number and time, opened again when they break."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from shared.database import secret_for
from shared.errors import NewerData, Unavailable

SCHEMA_FORMAT = 1
_LOCK = 0x79756A72
"""One process at a time creates the schema."""
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS yujing_rules;
CREATE TABLE IF NOT EXISTS yujing_rules.format (number integer NOT NULL);
CREATE TABLE IF NOT EXISTS yujing_rules.partitions (
    partition integer PRIMARY KEY, epoch bigint NOT NULL,
    next bigint, head bytea, untold text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS yujing_rules.cells (
    partition integer NOT NULL, station text NOT NULL, interval text NOT NULL,
    due_us bigint, stands boolean NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (partition, station, interval)
) WITH (fillfactor = 70);
CREATE TABLE IF NOT EXISTS yujing_rules.counter (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), last bigint NOT NULL
);
INSERT INTO yujing_rules.counter (last) VALUES (0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS yujing_rules.transitions (
    seq bigint PRIMARY KEY, id text NOT NULL UNIQUE, facility text NOT NULL, body bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS transitions_by_facility ON yujing_rules.transitions (facility, seq);
"""


class Session:
    """One connection for one thread at a time; a broken one is opened anew by the next use."""

    def __init__(self, url: str, statement_s: int) -> None:
        self._url, self._statement_s = url, statement_s
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction: committed at the end, rolled back by an exception.

        Raises:
            Unavailable: PostgreSQL does not answer; nothing was kept, or nobody can tell.

        """
        with self._lock:
            try:
                connection = self._open()
                with connection.transaction(), connection.cursor() as cursor:
                    yield cursor
            except psycopg.Error as error:
                self._drop()
                raise Unavailable(f"PostgreSQL: {str(error).strip() or repr(error)}") from error

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=5, application_name="yujing-rules",
                keepalives_idle=5, keepalives_interval=2, keepalives_count=3,
                tcp_user_timeout=10_000, prepare_threshold=2, password=secret_for(self._url),
                options=f"-c statement_timeout={self._statement_s}s -c lock_timeout=20s "
                "-c idle_in_transaction_session_timeout=60s -c client_min_messages=warning",
            )  # fmt: skip
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        with self._lock:
            self._drop()


class Sessions:
    """At most `most` connections for readers, shared by any number of threads."""

    def __init__(self, url: str, most: int = 4, statement_s: int = 10) -> None:
        self._free = [Session(url, statement_s) for _ in range(most)]
        self._all = list(self._free)
        self._some = threading.Condition()

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """As a Session has it; waits at most ten seconds for a free one."""
        with self._some:
            if not self._some.wait_for(lambda: self._free, 10):
                raise Unavailable("PostgreSQL: every reading connection is busy")
            session = self._free.pop()
        try:
            with session.transaction() as cursor:
                yield cursor
        finally:
            with self._some:
                self._free.append(session)
                self._some.notify()

    def close(self) -> None:
        for session in self._all:
            session.close()


def prepare_schema(session: Session) -> None:
    """Create what is missing.

    Raises:
        NewerData: the schema was made by a newer program.
        Unavailable: PostgreSQL does not answer.

    """
    with session.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute(_SCHEMA)
        row = cursor.execute("SELECT max(number) FROM yujing_rules.format").fetchone()
        number = row[0] if row else None
        if number is None:
            cursor.execute("INSERT INTO yujing_rules.format VALUES (%s)", (SCHEMA_FORMAT,))
        elif number > SCHEMA_FORMAT:
            raise NewerData(
                f"schema yujing_rules has format {number}, this program knows {SCHEMA_FORMAT}; "
                "run the newer program or restore the database of before"
            )
