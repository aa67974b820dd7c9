"""Time to limit: when the value reaches a limit, were the trend of the last window to go on.

         limit ──────────────────────────●───────────●──────────●───
                                     . early     . middle   . late
         value      ●   ●  ●     ● .       .            .
              [------ over ------] now

The trend is the median of the slopes between all pairs of readings (Theil and Sen), the value
now is the median of all readings moved along it, and the band is that of Sen's rank interval
(Sen 1968, nominal 80 %; readings that resemble their neighbours make it too narrow). All of it
is computed in whole numbers, so every machine finds the same time.
"""

from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from services.rules.core.derive import Step
from services.rules.core.memory import Memory, TrendMemory
from services.rules.core.witness import Said, Witness
from shared.model import numbers
from shared.model.timed import SHOWN_US, TimeToLimit

SLOTS = 32
"""Of the window; the newest known reading of each counts, so there are at most 33 of them."""
Z_MILLI = 1282
"""Of a two-sided 80 % interval."""
_FINE = 1 << 100
"""Two different slopes of readings within a year of microseconds differ by more than this part."""


class Slopes(NamedTuple):
    """Per microsecond."""

    low: Fraction
    middle: Fraction
    high: Fraction


class TimeToLimitOf(Witness):
    def __init__(self, condition: TimeToLimit, factor: Decimal) -> None:
        self.condition, self.factor = condition, factor
        self.limit = None if condition.limit is None else numbers.exact(condition.limit)
        self.slot_us = max(1, condition.over_us // SLOTS)
        self.sign = 1 if condition.towards == "up" else -1

    def empty(self) -> TrendMemory:
        return TrendMemory()

    def witness(self, memory: Memory, said: Said) -> list[Step]:
        assert isinstance(memory, TrendMemory)
        at_us = said.at_us
        if said.quality == "unknown":
            return [Step(at_us, "unknown", None)]
        limit = self._limit(said)
        if said.quality == "over":
            # At least this much: it is there, or it says nothing.
            is_there = limit is not None and self.sign > 0 and self._own(said.value) >= limit
            return [Step(at_us, "known", 0.0)] if is_there else []
        self._remember(memory, at_us, said.value)
        memory.early = memory.late = None
        if limit is None or not self._is_trend(memory):
            return [Step(at_us, "unknown", None)]
        early, middle, late = self._times(memory, limit)
        memory.early, memory.late = early, late
        value = {"early": early, "middle": middle, "late": late}[self.condition.judge]
        return [Step(at_us, "known", value)]

    def _limit(self, said: Said) -> Decimal | None:
        if self.limit is not None:
            return self.limit
        capacity = said.capacity()
        return None if capacity is None else numbers.exact(capacity)

    def _own(self, value: float) -> Decimal:
        return numbers.multiply(numbers.exact(value), self.factor)

    def _remember(self, memory: TrendMemory, at_us: int, value: float) -> None:
        times, values = memory.times, memory.values
        if times and times[-1] // self.slot_us == at_us // self.slot_us:
            times[-1], values[-1] = at_us, value
        else:
            times.append(at_us)
            values.append(value)
        gone = sum(time <= at_us - self.condition.over_us for time in times)
        del times[:gone], values[:gone]

    def _is_trend(self, memory: TrendMemory) -> bool:
        """Enough readings, and not all of them at one end of the window."""
        times = memory.times
        return (
            len(times) >= self.condition.least
            and 2 * (times[-1] - times[0]) >= self.condition.over_us
        )

    def _times(self, memory: TrendMemory, limit: Decimal) -> tuple[float, float, float]:
        """Early, middle, late."""
        *values, goal = _whole([*(self._own(value) for value in memory.values), limit], self.sign)
        trend = slopes(memory.times, values)
        left = goal - level(memory.times, values, trend.middle)
        return (
            self._time(left, trend.high),
            self._time(left, trend.middle),
            self._time(left, trend.low),
        )

    def _time(self, left: Fraction, slope: Fraction) -> float:
        horizon_us = Fraction(self.condition.horizon_us)
        if left <= 0:
            time_us = Fraction(0)
        elif slope <= 0:
            time_us = horizon_us
        else:
            time_us = min(left / slope, horizon_us)
        shown = time_us / SHOWN_US[self.condition.shown_in]
        return numbers.rounded(numbers.divide(Decimal(shown.numerator), Decimal(shown.denominator)))


def _whole(values: list[Decimal], sign: int) -> list[int]:
    """The same values as whole numbers of a common small unit; falling ones turned to rise."""
    least = min(0, *(int(value.as_tuple().exponent) for value in values))
    return [sign * int(value.scaleb(-least, numbers.EXACT)) for value in values]


def slopes(times: list[int], values: list[int]) -> Slopes:
    """The median slope of all pairs, and the edges of its rank interval."""
    keys: list[int] = []
    exact: dict[int, tuple[int, int]] = {}
    for later in range(1, len(times)):
        value, time = values[later], times[later]
        for before, began in zip(values[:later], times[:later], strict=True):
            grown, took = value - before, time - began
            key = grown * _FINE // took
            keys.append(key)
            exact[key] = grown, took
    keys.sort()  # equal keys are equal slopes
    count, points = len(keys), len(times)
    spread = isqrt(Z_MILLI**2 * points * (points - 1) * (2 * points + 5) // 18) // 1000
    edge = max(0, (count - spread) // 2 - 1)
    low, high = Fraction(*exact[keys[edge]]), Fraction(*exact[keys[count - 1 - edge]])
    one, other = Fraction(*exact[keys[(count - 1) // 2]]), Fraction(*exact[keys[count // 2]])
    return Slopes(low, (one + other) / 2, high)


def level(times: list[int], values: list[int], slope: Fraction) -> Fraction:
    """Where the trend stands at the newest reading: the median of all, moved along it."""
    rise, run = slope.numerator, slope.denominator
    moved = sorted(
        value * run + rise * (times[-1] - time) for time, value in zip(times, values, strict=True)
    )
    count = len(moved)
    return Fraction(moved[(count - 1) // 2] + moved[count // 2], 2 * run)
