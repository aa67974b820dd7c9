"""What is special to SQLite: how the desk's file is opened, locked and made durable.

Everything else of the desk is SQL that PostgreSQL understands too.
"""

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from shared.errors import Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(path: Path | None) -> Engine:
    """The desk at `path` (None: in memory, for tests), migrated to what this program knows."""
    engine = _memory() if path is None else _file(path)
    event.listen(engine, "begin", _begin_immediate)
    migrate(engine)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version; nothing happens when they are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_full_or_broken(error: Exception) -> bool:
    """Whether the disk, not the program, is at fault; trying again may help."""
    return isinstance(error, OperationalError | sqlite3.OperationalError | Unavailable)


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
