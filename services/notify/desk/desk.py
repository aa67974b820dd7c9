"""Desk: opens transactions. One writer at a time; readers see the last committed state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from services.notify.desk.engine import open_engine
from services.notify.desk.turns import Turns
from services.notify.desk.unit import FaultPoint, Unit
from shared.errors import Unavailable


def _no_fault(_point: FaultPoint) -> None:
    return None


class Desk:
    """
    The file of notify. `fault` is asked at every point where a process may die, so that a
    simulation can crash there; after an exception nothing of the unit is kept ("before commit")
    or all of it ("after commit").
    """

    def __init__(
        self, engine: Engine, *, fault: Callable[[FaultPoint], None] = _no_fault, shared: bool
    ) -> None:
        self._engine = engine
        self._fault = fault
        self._writer = Turns()
        self._shared = shared
        self.min_step_gap_us = 1_000_000

    @classmethod
    def at(cls, path: Path) -> "Desk":
        return cls(open_engine(path), shared=True)

    @classmethod
    def in_memory(cls) -> "Desk":
        return cls(open_engine(None), shared=False)

    def reopened(self, fault: Callable[[FaultPoint], None] = _no_fault) -> "Desk":
        """The same data after a crash, as another process would open it."""
        return Desk(self._engine, fault=fault, shared=self._shared)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """
        One transaction that writes.

        Raises:
            Unavailable: the disk does not take it now; nothing was kept.

        """
        with self._writer:
            try:
                with self._engine.begin() as connection:
                    unit = Unit(connection, self.min_step_gap_us)
                    yield unit
                    unit.flush()
                    self._fault("before commit")
            except OperationalError as error:
                raise _away(error) from error
            self._fault("after commit")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """
        A snapshot to read from.

        Raises:
            Unavailable: the disk does not answer now.

        """
        try:
            if not self._shared:  # one connection in memory: nobody may be in the middle of a unit
                with self._writer, self._engine.begin() as connection:
                    yield connection
                return
            with self._engine.connect() as plain:
                connection = plain.execution_options(desk_read=True)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            raise _away(error) from error

    def close(self) -> None:
        self._engine.dispose()


def _away(error: OperationalError) -> Unavailable:
    return Unavailable(f"the desk's file does not answer: {error.orig}; free or mend the disk")
