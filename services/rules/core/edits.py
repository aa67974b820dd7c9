"""Edits: the share of the last readings that were changed after they had been judged.

    first said     61  58  72  55  64        undoes: "> 60"
    said again         58  12      64        12 for 72 counts; the same again is no edit
    taken back     ✕                         61 was above, so this counts, too

A suspicion with its evidence, never a verdict: a typing error is mended in the same way.
"""

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from services.rules.core import judgement
from services.rules.core.derive import Quality, Step
from services.rules.core.memory import EditsMemory, Memory
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.timed import Discipline

if TYPE_CHECKING:
    from services.rules.core.engine import Engine

Edited = Callable[[Memory, Said], list[Step]]


class EditsOf(Witness):
    def __init__(self, condition: Discipline, factor: Decimal) -> None:
        self.condition, self.factor = condition, factor

    def empty(self) -> EditsMemory:
        return EditsMemory()

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        """A newer reading: one more, and the oldest is forgotten."""
        assert isinstance(memory, EditsMemory)
        within = self.condition.within
        memory.times = [*memory.times, said.at_us][-within:]
        memory.values = [*memory.values, said.value][-within:]
        memory.flags = [*memory.flags, said.flag][-within:]
        memory.revisions = [*memory.revisions, said.revision][-within:]
        memory.edited = (memory.edited + b"\0")[-within:]
        return [self._share(memory)]

    def edited(self, memory: Memory, said: Said) -> list[Step]:
        """A reading that is not newer: was it judged, and is it said otherwise now?"""
        assert isinstance(memory, EditsMemory)
        place = bisect_left(memory.times, said.at_us)
        if place == len(memory.times) or memory.times[place] != said.at_us:
            return []
        if said.revision < memory.revisions[place]:
            return []  # an older saying that came late
        before, after = (memory.values[place], memory.flags[place]), (said.value, said.flag)
        memory.values[place], memory.flags[place] = after
        memory.revisions[place] = said.revision
        if before == after or memory.edited[place] or not self._counts(before, after):
            return []
        memory.edited = memory.edited[:place] + b"\1" + memory.edited[place + 1 :]
        return [self._share(memory)]

    def _counts(self, before: tuple[float, str], after: tuple[float, str]) -> bool:
        if self.condition.undoes is None:
            return True
        return self._holds(*before) and not self._holds(*after)

    def _holds(self, value: float, flag: str) -> bool:
        """Of evidence only; over range is a lower bound, which proves that it is above."""
        test = self.condition.undoes
        assert test is not None
        if flag not in EVIDENCE_FLAGS or (flag == "T" and test.op[0] == "<"):
            return False
        return test.holds(numbers.rounded(numbers.multiply(numbers.exact(value), self.factor)))

    def _share(self, memory: EditsMemory) -> Step:
        within = self.condition.within
        count = Decimal(100 * memory.edited.count(1))
        share = numbers.rounded(numbers.divide(count, Decimal(within)))
        quality: Quality = "known" if len(memory.times) == within else "over"
        return Step(memory.times[-1], quality, share)


def heard(engine: "Engine", report: Report) -> None:
    """Before a report is judged: what of it is not newer, for the rules that count edits."""
    cell = engine.cell((report.station, report.interval))
    if cell is None:
        return
    cell.settle()
    at_us = report.observed_us
    for index, indicator in enumerate(report.indicators):
        series = cell.series.get(indicator)
        if series is None or at_us > series.newest_us:
            continue
        for judging, hold in series.holds:
            if judging.edited is None or hold.memory is None:
                continue
            said = Said(
                at_us, "known", report.values[index], report.flag(index), engine.clock,
                partial(judgement.capacity_at, engine, cell, at_us), report.revision or 0,
            )  # fmt: skip
            steps = judging.edited(hold.memory, said)
            judgement.derived(engine, cell, judging, hold, hold.memory, steps, report)
            engine.dirty.add((cell.station, cell.interval))
            engine.touched[cell.facility] = None
