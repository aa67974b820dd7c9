"""Desk: opens transactions. In a file one writer at a time; on a server as many as there are rows.

Readers see the last committed state.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.notify.desk.engine import open_engine
from services.notify.desk.server import hold_clock, is_passing, open_server
from services.notify.desk.turns import Turns
from services.notify.desk.unit import FaultPoint, Unit
from shared.errors import SlowDown, Unavailable


def _no_fault(_point: FaultPoint) -> None:
    return None


class Desk:
    """
    The memory of notify. `fault` is asked at every point where a process may die, so that a
    simulation can crash there; after an exception nothing of the unit is kept ("before commit")
    or all of it ("after commit").

    `is_served`: on a database server, where other replicas work on the same tables.
    """

    def __init__(
        self, engine: Engine, *, fault: Callable[[FaultPoint], None] = _no_fault, shared: bool
    ) -> None:
        self._engine = engine
        self._fault = fault
        self._shared = shared
        self.is_served = engine.dialect.name == "postgresql"
        self._writer: AbstractContextManager[None] = nullcontext() if self.is_served else Turns()
        self.min_step_gap_us = 1_000_000

    @classmethod
    def at(cls, path: Path) -> "Desk":
        return cls(open_engine(path), shared=True)

    @classmethod
    def at_url(cls, url: str) -> "Desk":
        """
        The desk in a PostgreSQL database; the url is as libpq reads it.

        Raises:
            Unavailable: the server does not answer now, or does not let us in.
            ConfigError: the url is none.

        """
        try:
            return cls(open_server(url), shared=True)
        except OperationalError as error:
            raise Unavailable(
                f"the database does not answer: {_words(error)}; start it or mend --database-url"
            ) from error

    @classmethod
    def in_memory(cls) -> "Desk":
        return cls(open_engine(None), shared=False)

    def reopened(self, fault: Callable[[FaultPoint], None] = _no_fault) -> "Desk":
        """The same data after a crash, as another process would open it."""
        return Desk(self._engine, fault=fault, shared=self._shared)

    @contextmanager
    def unit(self, *, alone: bool = False) -> Iterator[Unit]:
        """
        One transaction that writes. `alone`: no other unit of any replica is under way.

        Raises:
            Unavailable: the disk or the server does not take it now; nothing was kept.

        """
        with self._writer:
            with self._told_plainly(), self._engine.begin() as connection:
                if self.is_served:
                    hold_clock(connection, alone=alone)
                unit = Unit(connection, self.min_step_gap_us, is_alone=alone or not self.is_served)
                yield unit
                unit.flush()
                self._fault("before commit")
            self._fault("after commit")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """
        A snapshot to read from.

        Raises:
            Unavailable: the disk or the server does not answer now.

        """
        with self._told_plainly():
            if not self._shared:  # one connection in memory: nobody may be in the middle of a unit
                with self._writer, self._engine.begin() as connection:
                    yield connection
                return
            with self._engine.connect() as plain:
                connection = (
                    plain.execution_options(
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                    if self.is_served
                    else plain.execution_options(desk_read=True)
                )
                with connection.begin():
                    yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Errors of the world as `Unavailable`; those of ours as they are."""
        try:
            yield
        except PoolTimeoutError as error:
            raise SlowDown("all connections to the database are busy; try again") from error
        except DBAPIError as error:
            if self.is_served and is_passing(error):
                raise Unavailable(
                    f"the database did not take it: {_words(error)}; it is tried again"
                ) from error
            if not self.is_served and isinstance(error, OperationalError):
                raise Unavailable(
                    f"the desk's file does not answer: {error.orig}; free or mend the disk"
                ) from error
            raise


def _words(error: DBAPIError) -> str:
    """The server's first line: what follows may quote rows, and so what people wrote."""
    return str(error.orig).strip().partition("\n")[0]
