"""What is special to SQLite: how the desk's file is opened, locked and made durable.

What is special to PostgreSQL is in `server`. Everything else of the desk is SQL for both.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from services.notify.desk.migrate import migrate


def open_engine(path: Path | None) -> Engine:
    """The desk at `path` (None: in memory, for tests), migrated to what this program knows."""
    engine = _memory() if path is None else _file(path)
    event.listen(engine, "begin", _begin_immediate)
    with engine.begin() as connection:
        migrate(connection)
    return engine


def _memory() -> Engine:
    return _create("sqlite://", poolclass=StaticPool, isolation_level=None)


def _file(path: Path) -> Engine:
    engine = _create(f"sqlite:///{path}", poolclass=QueuePool, isolation_level=None)
    event.listen(engine, "connect", _make_durable)
    return engine


def _create(url: str, *, poolclass: type[Any], isolation_level: None) -> Engine:
    # isolation_level None: the driver begins nothing by itself, `_begin_immediate` does.
    return create_engine(
        url,
        poolclass=poolclass,
        hide_parameters=True,  # an error text may end in a log; what people wrote may not
        connect_args={
            "check_same_thread": False,
            "timeout": 30.0,
            "isolation_level": isolation_level,
        },
    )


def _make_durable(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a claim must be on the disk before the gateway hears of it.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # IMMEDIATE: two writers wait for each other instead of failing when they upgrade a read.
    mode = connection.get_execution_options().get("desk_read")
    connection.exec_driver_sql("BEGIN" if mode else "BEGIN IMMEDIATE")
