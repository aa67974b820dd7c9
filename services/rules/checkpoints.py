"""The ports behind which a partition's state and its transitions are kept, with fencing.

Loading a partition takes it: from then on whoever had it before is refused with `Fenced`, in
the transaction in which he would have written.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from services.rules.core.sleep import SleepingCell
from services.rules.partition import Alert, Cut
from shared.errors import YujingError


class Fenced(YujingError):
    """Another process has taken this partition; this one must write nothing more and end."""


class AnotherLog(YujingError):
    """The checkpoint does not belong to the log that is there."""


class Saved(msgspec.Struct):
    """What the last checkpoint kept. `cells` can be gone through once."""

    next: int
    head: bytes
    cells: Iterator[SleepingCell]
    untold: list[str]


class Checkpoints(Protocol):
    """Thread-safe. Every verb may raise Unavailable: then do it again.

    Whoever takes a partition is given an epoch, which he shows with everything he writes.
    """

    def load(self, partition: int) -> tuple[int, Saved | None]:
        """Take a partition: the epoch, and what was saved last of it, if anything was."""

    def resume(self, partition: int, epoch: int, next_offset: int) -> int | None:
        """Take a partition back that nobody took since, and whose checkpoint stands there.

        Returns the new epoch; None when it must be loaded.
        """

    def save(self, partition: int, epoch: int, cut: Cut) -> None:
        """Keep a cut, all or nothing; the transitions up to it have been published.

        Raises:
            Fenced: the partition was taken since.

        """

    def publish(self, partition: int, epoch: int, alerts: Sequence[Alert]) -> list[Alert]:
        """Number transitions, without gaps and in order; those known already keep their number.

        Returns those that are new.

        Raises:
            Fenced: the partition was taken since.

        """

    def verify(self, partition: int, epoch: int) -> None:
        """Only ask whether the partition is still ours.

        Raises:
            Fenced: it was taken since.

        """
