"""Across: the members of a slot become one value: sum, mean, max, min, share or count.

    members of the slot        known   ──▶ enough of them (complete)? ── no ──▶ unknown
      N, S                     value                                 ── yes ─▶ the value;
      T                        at least this value                             a lower bound where
      other flag, or absent    unknown                                         some are unknown

What is not known never clears: a sum, a maximum or a count of some of the members is a lower
bound, and a minimum of some is unknown. A mean and a share are of the members that are known.
"""

from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.rules.core.clock import LogClock
from services.rules.core.derive import Quality, Step
from services.rules.core.memory import Slot, SlotsMemory
from shared.model import numbers, units
from shared.model.instants import window_end
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Across
from shared.model.units import factor


class Members(NamedTuple):
    """Who is known in a slot and who is not, each in order of name."""

    known: tuple[str, ...]
    unknown: tuple[str, ...]


class AcrossOf:
    """One `across` condition made ready. It has no state: that is in the memory it is given."""

    def __init__(self, condition: Across, own: str, zone: ZoneInfo) -> None:
        self.condition, self.zone = condition, zone
        self.indicators: tuple[str, ...] = (condition.indicator,)
        unit = condition.unit or own
        self.by = Decimal(factor(own, unit))
        self.convert = (own, unit) if self.by != 1 else None
        counts = condition.of in ("share", "count")
        self.unit = ("%" if condition.of == "share" else "1") if counts else unit

    def source(self, station: str, indicator: str) -> str:
        return station

    def expected(self, memory: SlotsMemory, stations: tuple[str, ...]) -> tuple[str, ...]:
        return stations

    def due(self, slot: Slot, clock: LogClock) -> int:
        """When a slot is judged as it stands: `grace` after its end, and after it was heard of."""
        return due_of(slot, clock, self.condition.interval, self.condition.grace_us, self.zone)

    def members(self, slot: Slot | None, stations: tuple[str, ...]) -> Members:
        """Which of the members are known in a slot."""
        known = [s for s in stations if slot is not None and self._told(slot, s) is not None]
        return Members(tuple(known), tuple(s for s in stations if s not in known))

    def step(self, slot: Slot, stations: tuple[str, ...]) -> Step:
        """The judged value of a slot."""
        told = {s: said for s in stations if (said := self._told(slot, s)) is not None}
        wanted = self.condition.complete
        share = numbers.multiply(numbers.exact(wanted), Decimal(len(stations)))
        if not told or len(told) < (wanted if wanted > 1 else share):
            return Step(slot.start_us, "unknown", None)
        quality, value = self._combined([*told.values()], len(told) == len(stations))
        return Step(slot.start_us, quality, value)

    def _told(self, slot: Slot, station: str) -> tuple[float, bool] | None:
        """(value, it is a lower bound) of a member; None: unknown.

        Against `than` a lower bound is known where it decides: the value is 1 or 0 then.
        """
        value, flag = slot.values.get(station, (0.0, ""))
        if flag not in EVIDENCE_FLAGS:
            return None
        test = self.condition.than
        if test is None:
            return value, flag == "T"
        if self.convert is not None:
            value = units.convert(value, *self.convert)
        holds = test.holds(value)
        if flag == "T" and holds != (test.op[0] == ">"):
            return None
        return float(holds), False

    def _combined(
        self, told: list[tuple[float, bool]], is_whole: bool
    ) -> tuple[Quality, float | None]:
        of = self.condition.of
        values = [numbers.exact(value) for value, _ in told]
        over = any(is_over for _, is_over in told)
        if of in ("sum", "mean", "share", "count"):
            total = numbers.multiply(
                numbers.add(values), self.by if of in ("sum", "mean") else _ONE
            )
            if of in ("mean", "share"):
                whole = Decimal(len(values)) / (100 if of == "share" else 1)
                return ("over" if over else "known"), numbers.rounded(numbers.divide(total, whole))
            return ("known" if is_whole and not over else "over"), numbers.rounded(total)
        best = max(told) if of == "max" else min(told)
        value = best[0] if self.convert is None else units.convert(best[0], *self.convert)
        if of == "max":
            return ("known" if is_whole and not over else "over"), value
        # Others may be lower; of equals one that is exact decides, and False sorts first.
        if not is_whole:
            return "unknown", None
        return ("over" if best[1] else "known"), value


_ONE = Decimal(1)


def due_of(slot: Slot, clock: LogClock, interval: str, grace_us: int, zone: ZoneInfo) -> int:
    """`grace` of listening after the end of a slot, and after the first word of it came in.

    May be early while log time has not begun; deafness that comes later moves it later only.
    """
    end_us = window_end(slot.start_us, interval, zone)  # type: ignore[arg-type]  # of a condition
    heard_us = slot.heard_us if slot.heard_us is not None else clock.first_us
    since_us = end_us if heard_us is None else max(end_us, heard_us)
    return clock.listened_until(since_us, grace_us)
