"""Checkpoints without a database; the contract suite holds it to what PostgreSQL promises."""

from collections.abc import Sequence

from services.rules.checkpoints import Fenced, Saved
from services.rules.core.sleep import SleepingCell
from services.rules.partition import Alert, Cut


class Memory:
    """What outlives a process."""

    def __init__(self) -> None:
        self.epochs: dict[int, int] = {}
        self.cuts: dict[int, Cut] = {}
        self.cells: dict[int, dict[tuple[str, str], SleepingCell]] = {}
        self.alerts: list[Alert] = []


class MemoryCheckpoints:
    """One process on a Memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def load(self, partition: int) -> tuple[int, Saved | None]:
        epoch = self.memory.epochs[partition] = self.memory.epochs.get(partition, 0) + 1
        cut = self.memory.cuts.get(partition)
        if cut is None:
            return epoch, None
        cells = list(self.memory.cells.get(partition, {}).values())
        return epoch, Saved(cut.next, cut.head, iter(cells), cut.untold)

    def resume(self, partition: int, epoch: int, next_offset: int) -> int | None:
        cut = self.memory.cuts.get(partition)
        if self.memory.epochs[partition] != epoch or cut is None or cut.next != next_offset:
            return None
        self.memory.epochs[partition] += 1
        return epoch + 1

    def verify(self, partition: int, epoch: int) -> None:
        self._compare(partition, epoch)

    def _compare(self, partition: int, epoch: int) -> None:
        if self.memory.epochs[partition] != epoch:
            raise Fenced(f"partition {partition} was taken")

    def save(self, partition: int, epoch: int, cut: Cut) -> None:
        self._compare(partition, epoch)
        self.memory.cuts[partition] = cut
        kept = self.memory.cells.setdefault(partition, {})
        for cell in cut.cells:
            if isinstance(cell, SleepingCell):
                kept[cell.station, cell.interval] = cell
            else:
                kept.pop(cell, None)

    def publish(self, partition: int, epoch: int, alerts: Sequence[Alert]) -> list[Alert]:
        self._compare(partition, epoch)
        known = {alert.id for alert in self.memory.alerts}
        new = [alert for alert in {a.id: a for a in alerts}.values() if alert.id not in known]
        self.memory.alerts += new
        return new
