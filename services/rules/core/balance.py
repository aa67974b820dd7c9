"""Balance: what goes in and what goes out of a facility in one slot, and how much is lost between.

    in   inlet 1   60 t ─╮             ╭─ 70 t   furnace   out
         inlet 2   40 t ─┴── 100 t ────┴─ 20 t   store
                             (100 - 90) / 100 = 10 %

Nothing is estimated: whatever was once heard must be there, or the slot is unknown.
"""

from decimal import Decimal
from zoneinfo import ZoneInfo

from services.rules.core.across import Members, due_of
from services.rules.core.clock import LogClock
from services.rules.core.derive import Step
from services.rules.core.memory import Slot, SlotsMemory
from shared.model import numbers
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Balance
from shared.model.units import factor


class BalanceOf:
    """One `balance` condition made ready; its sources are named `station indicator`."""

    def __init__(self, condition: Balance, units: dict[str, str], zone: ZoneInfo) -> None:
        self.condition, self.zone = condition, zone
        self.indicators: tuple[str, ...] = (*condition.ins, *condition.outs)
        self.by = {
            name: Decimal(factor(units[name], units[condition.ins[0]])) for name in self.indicators
        }
        self.unit = condition.unit or "1"

    def source(self, station: str, indicator: str) -> str:
        return f"{station} {indicator}"

    def expected(self, memory: SlotsMemory, stations: tuple[str, ...]) -> tuple[str, ...]:
        """Every source that was heard; a station or an indicator that never was, by its name."""
        heard = sorted(s for s in memory.newest if s.partition(" ")[0] in stations)
        pairs = [source.partition(" ") for source in heard]
        silent = sorted({*stations} - {station for station, _, _ in pairs})
        absent = sorted({*self.indicators} - {indicator for _, _, indicator in pairs})
        return (*heard, *silent, *(f" {indicator}" for indicator in absent))

    def due(self, slot: Slot, clock: LogClock) -> int:
        return due_of(slot, clock, self.condition.interval, self.condition.grace_us, self.zone)

    def members(self, slot: Slot | None, expected: tuple[str, ...]) -> Members:
        values = slot.values if slot is not None else {}
        known = [name for name in expected if name in values and values[name][1] in EVIDENCE_FLAGS]
        return Members(tuple(known), tuple(name for name in expected if name not in known))

    def step(self, slot: Slot, expected: tuple[str, ...]) -> Step:
        """More in than was measured would be more lost; more out would be less, so it is unknown."""
        unknown = Step(slot.start_us, "unknown", None)
        if self.members(slot, expected).unknown:
            return unknown
        totals = {True: Decimal(0), False: Decimal(0)}
        over: set[bool] = set()
        for source in expected:
            value, flag = slot.values[source]
            name = source.partition(" ")[2]
            goes_in = name in self.condition.ins
            part = numbers.multiply(numbers.exact(value), self.by[name])
            totals[goes_in] = numbers.add([totals[goes_in], part])
            if flag == "T":
                over.add(goes_in)
        if totals[True] <= 0 or False in over:
            return unknown
        lost = numbers.subtract(totals[True], totals[False])
        whole = Decimal(100 if self.condition.unit == "%" else 1)
        value = numbers.rounded(numbers.divide(numbers.multiply(lost, whole), totals[True]))
        return Step(slot.start_us, "over" if over else "known", value)
