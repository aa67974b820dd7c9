"""Beside: how far a station stands from its neighbours, beside how far it usually does.

    slot of the facility        a 40   b 44   c 42   d 12
    of d: middle of the others                       42
    share        (12 - 42) / (12 + 42 + floor)    -> mean of the last slots - what is usual
    difference    12 - 42                         -> place in the band that is usual (core.band)

What moves all of them (smog, wind, a holiday) moves none of this. Every member is judged for
itself: its state lies in its own cell, with the slots that wait. A share is no logarithm, but
rises and falls with that of the ratio, and is the same number on every machine.
"""

from decimal import Decimal
from math import isfinite
from statistics import median
from zoneinfo import ZoneInfo

from services.rules.core import band
from services.rules.core.across import Members, due_of
from services.rules.core.clock import LogClock
from services.rules.core.derive import Step
from services.rules.core.memory import BesideMemory, Slot, SlotsMemory
from shared.model import numbers, units
from shared.model.beside import Beside
from shared.model.instants import INTERVAL_US, local_day
from shared.model.units import factor

DAY_US = 86_400_000_000
FEWEST_DAYS = 7
"""Days with half of their slots, before a share says anything."""
HALF = 2
"""One in so many slots of a mean, and of a day, must be known."""


class BesideOf:
    """One `beside` condition made ready. It has no state: that is in the memory it is given."""

    def __init__(self, condition: Beside, own: str, zone: ZoneInfo) -> None:
        self.condition, self.zone = condition, zone
        self.indicators: tuple[str, ...] = (condition.indicator,)
        unit = condition.unit or own
        self.convert = (own, unit) if Decimal(factor(own, unit)) != 1 else None
        self.unit = "%" if condition.of == "share" else "1"
        self.slot_us = INTERVAL_US[condition.interval]
        self.slots_a_day = max(1, DAY_US // self.slot_us)

    def source(self, station: str, indicator: str) -> str:
        return station

    def expected(self, memory: SlotsMemory, stations: tuple[str, ...]) -> tuple[str, ...]:
        return stations

    def due(self, slot: Slot, clock: LogClock) -> int:
        return due_of(slot, clock, self.condition.interval, self.condition.grace_us, self.zone)

    def members(self, slot: Slot | None, stations: tuple[str, ...]) -> Members:
        known = [s for s in stations if slot is not None and self._told(slot, s) is not None]
        return Members(tuple(known), tuple(s for s in stations if s not in known))

    def steps(
        self, memory: SlotsMemory, station: str, found: list[Slot], stations: tuple[str, ...]
    ) -> list[Step]:
        """What the slots that are over say of one of the stations, in order."""
        assert isinstance(memory, BesideMemory)
        made = [self._step(memory, station, slot, stations) for slot in found]
        return [step for step in made if step is not None]

    def _step(
        self, memory: BesideMemory, station: str, slot: Slot, stations: tuple[str, ...]
    ) -> Step | None:
        """None while nothing is usual yet."""
        own = self._told(slot, station)
        others = [v for s in stations if s != station and (v := self._told(slot, s)) is not None]
        memory.value = None
        unknown = Step(slot.start_us, "unknown", None)
        if own is None or len(others) < self.condition.least:
            return unknown
        if self.condition.of == "share":
            value = self._share(memory, slot.start_us, own, median(others))
        else:
            value = self._place(memory, slot.start_us, own - median(others))
        if value is None:
            return None
        if not isfinite(value):
            return unknown
        side = self.condition.side
        signed = abs(value) if side == "both" else value if side == "high" else -value
        memory.value = numbers.rounded(numbers.exact(signed))
        return Step(slot.start_us, "known", memory.value)

    def _told(self, slot: Slot, station: str) -> float | None:
        """Its value as evidence. Over range is only a lower bound: it is not compared."""
        value, flag = slot.values.get(station, (0.0, ""))
        if flag not in ("N", "S"):
            return None
        return value if self.convert is None else units.convert(value, *self.convert)

    # -- share ---------------------------------------------------------------------------------

    def _share(self, memory: BesideMemory, at_us: int, own: float, middle: float) -> float | None:
        """Percent; infinite while too few slots are known."""
        own, middle = max(own, 0.0), max(middle, 0.0)
        below = own + middle + self.condition.floor
        share = (own - middle) / below if below > 0 else 0.0
        self._remember(memory, at_us, share)
        if HALF * len(memory.slots) < self.condition.over:
            return float("inf")
        today = memory.day - self.condition.memory_us // DAY_US
        days = [m for d, m in zip(memory.days, memory.day_means, strict=True) if d >= today]
        if len(days) < FEWEST_DAYS:
            return None
        return 100 * (sum(memory.shares) / len(memory.shares) - median(days))

    def _remember(self, memory: BesideMemory, at_us: int, share: float) -> None:
        day = local_day(at_us, self.zone).toordinal()
        if day != memory.day:
            if HALF * memory.day_count >= self.slots_a_day:
                memory.days.append(memory.day)
                memory.day_means.append(memory.day_total / memory.day_count)
            oldest = day - self.condition.memory_us // DAY_US
            while memory.days and memory.days[0] < oldest:
                del memory.days[0], memory.day_means[0]
            memory.day, memory.day_total, memory.day_count = day, 0.0, 0
        memory.day_total += share
        memory.day_count += 1
        memory.slots.append(at_us)
        memory.shares.append(share)
        while memory.slots[0] <= at_us - self.condition.over * self.slot_us:
            del memory.slots[0], memory.shares[0]

    # -- difference ----------------------------------------------------------------------------

    def _place(self, memory: BesideMemory, at_us: int, rest: float) -> float | None:
        """Its place in the band, which is taken to be wider by the floor on either side."""
        usual, memory_us = memory.band, self.condition.memory_us
        place = band.place(usual, memory_us, at_us, rest)
        if place is not None:
            high, low = band.edges(usual, memory_us, at_us)
            place = (rest - (high / 2 + low / 2)) / (high / 2 - low / 2 + self.condition.floor)
        band.learn(usual, memory_us, at_us, rest)
        return place
