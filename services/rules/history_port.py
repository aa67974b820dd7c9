"""History port: where readings of the kept days and amendments stand, a file or a database.

Written by one amender (of a cluster: one for each partition), inside `writing`, all or nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from services.rules.core.cell_history import Arrived, Key
from services.rules.history_store import Kept
from shared.model.amendment import Amendment


class HistoryWriter(Protocol):
    """What the amender needs. Every verb may raise Unavailable: nothing was kept, load again."""

    def writing(self) -> AbstractContextManager[None]:
        """A transaction around everything of one pump; `Fenced` when it is not ours any more."""

    def state(self) -> dict[str, str]: ...

    def set_state(self, values: dict[str, str]) -> None: ...

    def cells(self) -> Iterator[tuple[Key, Kept]]: ...

    def put_cells(self, cells: Iterable[tuple[Key, Kept]]) -> None: ...

    def add(self, arrived: Sequence[Arrived]) -> None: ...

    def drop_before(self, key: Key, observed_us: int) -> None: ...

    def arrived(self, key: Key, since_us: int, most: int, *, own: bool = False) -> list[Arrived]:
        """Of one cell, what is observed from `since_us` on, at most the newest, in log order;
        `own`: with what this pump has added.
        """

    def amend(self, amendment: Amendment, told: bool) -> None:
        """The same amendment twice is one."""

    def amended(self, facility: str) -> list[Amendment]:
        """The newest of a facility, with those of this pump."""


class AmendedPart(Protocol):
    """What one amender has: of one log, or of one partition of it."""

    def reader_state(self) -> dict[str, str]: ...

    def kept(self, facilities: Sequence[str] | None) -> dict[Key, Kept]:
        """What is remembered of these facilities; at least of those that were amended."""

    def arrived(
        self, key: Key, since_us: int, most: int, *, own: bool = False
    ) -> list[Arrived]: ...


class HistoryReader(Protocol):
    """What is asked of it over HTTP, from any thread."""

    def parts(self, facilities: Sequence[str] | None) -> Sequence[AmendedPart]:
        """The amenders that have amended anything of these facilities."""

    def amendments(
        self, after: int, limit: int, facilities: Sequence[str] | None = None,
        *, told_only: bool = False,
    ) -> list[tuple[int, Amendment]]: ...  # fmt: skip

    def by_id(self, name: str) -> Amendment | None: ...

    def by_report(self, facilities: Sequence[str], report: str) -> list[Amendment]:
        """What a report of this id amended, at its facility and in the territories above it."""
