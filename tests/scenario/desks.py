"""Desks for tests: in memory, or each a database of its own on one real PostgreSQL.

The server starts with the first desk that wants it and ends with the process; a database is a
copy of one that has all tables already, which is quicker than making them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, Self

from services.notify.desk.desk import Desk
from shared.model.configuration import Configuration
from shared.testing.parts.postgres import Postgres
from tests.scenario.house import House

Kind = Literal["sqlite", "postgres"]


@cache
def server() -> Postgres:
    return Postgres(durable=False).start()


@cache
def _template() -> str:
    name = server().create()
    Desk.at_url(server().url(name)).close()
    return name


class Desks:
    """Makes desks and clears them away."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._opened: list[Desk] = []
        self._databases: list[str] = []
        self.made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def url(self) -> str:
        """A database without any data."""
        self._databases.append(server().create(_template()))
        return server().url(self._databases[-1])

    def open(self, url: str) -> Desk:
        """One more engine on a database, as another replica has."""
        self._opened.append(Desk.at_url(url))
        return self._opened[-1]

    def new(self) -> Desk:
        self.made += 1
        if self.kind == "postgres":
            return self.open(self.url())
        self._opened.append(Desk.in_memory())
        return self._opened[-1]

    def clear(self) -> None:
        while self._opened:
            self._opened.pop().close()
        while self._databases:
            server().drop(self._databases.pop())


class Houses:
    """`houses(configuration)` is a House on a desk of this kind."""

    def __init__(self, desks: Desks, build: Callable[..., House] = House) -> None:
        self.desks = desks
        self._build = build

    def __call__(self, configured: Configuration | None = None, **more: Any) -> House:
        return self._build(configured, self.desks.new(), **more)
