"""Persons: what is decided per person is decided by one unit at a time, under his row.

An incident's row comes before a person's, and persons come in sorted order. Who holds one already
and finds that he needs another asks without waiting, so no circle of waiting can close.
"""

from collections.abc import Collection

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from services.notify.desk import tables as t


class Persons:
    """The persons that one unit holds until it ends. Where one writer works, that is everybody."""

    def __init__(self, connection: Connection, *, is_alone: bool) -> None:
        self._connection = connection
        self._is_alone = is_alone
        self._held: set[str] = set()

    def hold(self, persons: Collection[str]) -> None:
        """Wait for all of these; to be called once, with what is needed together."""
        wanted = set(persons) - self._held
        if self._is_alone or not wanted:
            return
        missing = wanted - self._lock(wanted, skip_locked=False)
        if missing:
            self._add(missing)
            self._lock(missing, skip_locked=False)
        self._held |= wanted

    def try_hold(self, person: str) -> bool:
        """Hold this one too; False when that would mean to wait while others are held."""
        if self._is_alone or person in self._held:
            return True
        if not self._held:
            self.hold((person,))
            return True
        if not self._lock({person}, skip_locked=True):
            return False
        self._held.add(person)
        return True

    def _lock(self, persons: Collection[str], *, skip_locked: bool) -> set[str]:
        c = t.persons.c.id
        query = select(c).where(c.in_(list(persons))).order_by(c)
        return set(
            self._connection.execute(query.with_for_update(skip_locked=skip_locked)).scalars()
        )

    def _add(self, persons: Collection[str]) -> None:
        rows = [{"id": each} for each in sorted(persons)]
        self._connection.execute(insert(t.persons).on_conflict_do_nothing(), rows)
