"""Owned: a partition that is ours now, and how it becomes ours."""

import asyncio
from collections.abc import Callable

from services.rules.alerts_out import Batch
from services.rules.checkpoints import AnotherLog, Checkpoints
from services.rules.partition import Alert, Partition
from shared.clock import real_monotonic
from shared.errors import NewerData
from shared.log.port import BUNDLES, REPORTS

ANOTHER = "it is not the log of before; restore it, or drop schema yujing_rules"


class Owned:
    """A partition that is ours now, with what it said since the last checkpoint."""

    def __init__(self, machine: Partition, epoch: int) -> None:
        self.machine, self.epoch = machine, epoch
        self.saved = self.told = self.began = machine.next
        """`told`: of every record before it the brokers have all alerts; its rows are kept.
        `began`: what was judged before it was ours."""
        self.saved_at = real_monotonic()
        self.cost_s = 0.0
        self.alerts: list[Alert] = []
        self.batch = Batch()
        self.deaf_us = machine.engine.clock.deaf_us
        """Of it, what the metric has counted."""
        self.under_way = 0
        self.keeping = asyncio.Lock()
        self.suspect = False
        self.ended = False

    @property
    def unkept(self) -> int:
        return len(self.alerts) + self.under_way + self.batch.pending


def taken(
    checkpoints: Checkpoints, make: Callable[[int], Partition], number: int,
    warm: tuple[int, Partition] | None, end: int | None,
) -> Owned:  # fmt: skip
    """Make a partition ours: as we left it, else from its checkpoint, else from the beginning.

    Raises:
        AnotherLog: the checkpoint is not of this log, which ends at `end`.
        NewerData: the state was saved by a newer program.

    """
    if warm is not None:
        epoch = checkpoints.resume(number, warm[0], warm[1].next)
        if epoch is not None:
            return Owned(warm[1], epoch)
    machine = make(number)
    taken, saved = checkpoints.load(number)
    if saved is None:
        return Owned(machine, taken)
    if end is not None and saved.next > end:
        raise AnotherLog(
            f"partition {number} was judged up to offset {saved.next}, but {REPORTS} ends at "
            f"{end}: {ANOTHER}"
        )
    try:
        machine.restore(saved.next, saved.head, saved.cells, saved.untold)
    except KeyError as error:
        raise AnotherLog(
            f"partition {number} was judged by bundle {error}, which is not on {BUNDLES}: {ANOTHER}"
        ) from error
    except ValueError as error:
        raise NewerData(str(error)) from error
    return Owned(machine, taken)
