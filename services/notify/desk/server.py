"""What is special to PostgreSQL: how the desk is opened there, and what its errors mean.

The desk has a schema of its own, so other services may keep theirs in the same database. Every
wait is bounded: a replica that was frozen in the middle of a transaction loses it.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    cast,
    create_engine,
    event,
    extract,
    func,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import QueuePool

from services.notify.desk.migrate import migrate
from shared.database import password_from_file
from shared.errors import ConfigError

SCHEMA = "yujing_notify"
_MIGRATION_LOCK, _CLOCK_LOCK = 0x5955_0001, 0x5955_0002
_CONNECTIONS = 20
_POOL_WAIT_S = 10.0
_BOUNDS = {
    "search_path": SCHEMA,
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    # Whoever freezes in the middle of a unit holds its rows this long at most.
    "idle_in_transaction_session_timeout": "15s",
}
_CONNECT: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "yujing-notify",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_AWAY = ("08", "40", "53", "55P03", "57", "58", "25P03", "25006", "23505")
"""SQLSTATE: connection, deadlock, resources, lock, shutdown, disk, frozen, standby; 23505 is
another replica that was quicker with the same row. All of these may go well the next time."""


def open_server(url: str) -> Engine:
    """
    The desk's schema in the database at `url`, migrated; replicas may start at once.

    The password stands in the url, or in PGPASSWORD or PGPASSFILE, or in the file that
    YUJING_DATABASE_PASSWORD_FILE names, which is read at every connect.

    Raises:
        ConfigError: the url is none of PostgreSQL.
        sqlalchemy.exc.OperationalError: the server does not answer.

    """
    engine = create_engine(
        _parsed(url),
        isolation_level="READ COMMITTED",
        poolclass=QueuePool,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_S,
        pool_pre_ping=True,  # a server that was restarted is found again
        hide_parameters=True,  # an error text may end in a log; what people wrote may not
        connect_args=_CONNECT | {"options": " ".join(f"-c {k}={v}" for k, v in _BOUNDS.items())},
    )
    event.listen(engine, "do_connect", _read_password)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if connection.execute(select(func.to_regnamespace(SCHEMA))).scalar() is None:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        migrate(connection)
    return engine


def hold_clock(connection: Connection, *, alone: bool) -> None:
    """
    Nobody moves the timers while this transaction runs; `alone`: and nobody else is in one.

    Units hold it together, so an instant read inside one stays comparable with what it reads.
    """
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    connection.execute(select(lock(_CLOCK_LOCK)))


def server_now() -> ColumnElement[int]:
    """The server's clock in microseconds: one clock for all replicas. It goes on in a unit."""
    return cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)


def is_passing(error: DBAPIError) -> bool:
    """Whether the server, the network or another replica is the cause: try again."""
    if error.connection_invalidated or isinstance(error, OperationalError):
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(_AWAY) and not (isinstance(error, IntegrityError) and state != "23505")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            "--database-url is not a URL; write postgresql://HOST/DATABASE"
        ) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(
            f"--database-url begins with {parsed.drivername}://; write postgresql://HOST/DATABASE"
        )
    return parsed.set(drivername="postgresql+psycopg")


def _read_password(
    _dialect: object, _record: object, _args: list[Any], parameters: dict[str, Any]
) -> None:
    if not parameters.get("password") and (secret := password_from_file()) is not None:
        parameters["password"] = secret
