"""Deviation and drift: what is not usual for this series, at this hour, without a limit given.

    readings -> mean of the hours -> minus what these hours usually are -> place in the usual band

Each arrow is optional: `over: reading` takes readings as they come, `season: none` subtracts
nothing, and drift is the 24 h mean, sliding by the hour, without a season.
"""

from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

from services.rules.core import band
from services.rules.core.average import AverageOf
from services.rules.core.clock import LogClock
from services.rules.core.derive import Quality, Step
from services.rules.core.memory import DeviationMemory, Memory
from shared.model import numbers
from shared.model.instants import to_datetime
from shared.model.rule import Average, Deviation, Drift

HOUR_US = 3_600_000_000
DAYS, WEEKS, FEWEST = 7, 3, 2
"""The same hours of 7 days and of 3 weeks before; at least 2 of either."""
HALF = 0.5
"""Of the hours of a mean must have a reading."""


class DeviationOf:
    """`deviation` and `drift`."""

    def __init__(self, condition: Deviation | Drift, zone: ZoneInfo) -> None:
        self.condition, self.zone = condition, zone
        over = condition.over if isinstance(condition, Deviation) else "24h"
        self.season = condition.season if isinstance(condition, Deviation) else "none"
        self.average: AverageOf | None = None
        if over != "reading":
            mean = Average(condition.indicator, condition.interval, over, HOUR_US, HALF, HOUR_US)
            self.average = AverageOf(mean, zone, Decimal(1))

    def empty(self) -> DeviationMemory:
        return DeviationMemory(average=self.average.empty() if self.average else None)

    def reading(self, memory: Memory, at_us: int, quality: Quality, value: float) -> list[Step]:
        assert isinstance(memory, DeviationMemory)
        if self.average is None:
            steps = [Step(at_us, quality, None if quality == "unknown" else value)]
        else:
            assert memory.average is not None
            steps = self.average.reading(memory.average, at_us, quality, value)
        return self._places(memory, steps)

    def overdue(self, memory: Memory, clock: LogClock, heard_us: int, at_us: int) -> list[Step]:
        assert isinstance(memory, DeviationMemory)
        if self.average is None or memory.average is None:
            return []
        return self._places(memory, self.average.overdue(memory.average, clock, heard_us, at_us))

    def alarm(self, memory: Memory, clock: LogClock, heard_us: int | None) -> int | None:
        assert isinstance(memory, DeviationMemory)
        if self.average is None or memory.average is None:
            return None
        return self.average.alarm(memory.average, clock, heard_us)

    # -- places --------------------------------------------------------------------------------

    def _places(self, memory: DeviationMemory, steps: list[Step]) -> list[Step]:
        found = []
        for step in steps:
            place = step if step.value is None else self._place(memory, step, step.value)
            if place is not None:
                found.append(place)
        return found

    def _place(self, memory: DeviationMemory, step: Step, value: float) -> Step | None:
        """None while nothing is usual yet, and for a lower bound that says nothing."""
        at_us, known = step.at_us, step.quality == "known"
        rest = self._rest(memory, at_us, value, known)
        if rest is None:
            return None
        place = band.place(memory.band, self.condition.memory_us, at_us, rest)
        if known:
            band.learn(memory.band, self.condition.memory_us, at_us, rest)
        if place is None:
            return None
        side = self.condition.side
        if not known:
            # At least this high, so never low.
            place = max(place, 0.0)
            if side == "low":
                return None
        elif side == "low":
            place = -place
        elif side == "both":
            place = abs(place)
        return Step(at_us, step.quality, numbers.rounded(numbers.exact(place)))

    def _rest(self, memory: DeviationMemory, at_us: int, value: float, known: bool) -> float | None:
        """What is left when the usual value of these hours is taken away; remembers the value."""
        if self.season == "none":
            return value
        hour = self._hour(at_us)
        past = dict(zip(memory.hours, memory.means, strict=True))
        if known:
            memory.hours.append(hour)
            memory.means.append(value)
            while memory.hours[0] < hour - 24 * 7 * WEEKS:
                del memory.hours[0], memory.means[0]
        days = [past[h] for n in range(1, DAYS + 1) if (h := hour - 24 * n) in past]
        weeks = [past[h] for n in range(1, WEEKS + 1) if (h := hour - 168 * n) in past]
        rests = []
        if self.season in ("day", "auto") and len(days) >= FEWEST:
            rests.append(value - median(days))
        if self.season in ("week", "auto") and len(weeks) >= FEWEST:
            rests.append(value - median(weeks))
        return min(rests, key=abs, default=None)

    def _hour(self, at_us: int) -> int:
        """Hours of the site's wall clock since year 1: a day is always 24 of them."""
        local = to_datetime(at_us, self.zone)
        return local.toordinal() * 24 + local.hour
