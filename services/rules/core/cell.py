"""A cell: what one station says at one interval, and the state of every rule on it.

Quiet data costs one comparison per reading: as long as a report has the same columns as the
last one, is newer, carries no flags, and every value lies inside its series' quiet band,
nothing can change, and the newest values are kept as the report's own tuple. `settle` writes
them through to the series before anybody looks. Where some values lie outside, the rules of
those series alone are asked; the band of a series on which something stands is empty.
"""

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING

from services.rules.core.alike import Alike
from services.rules.core.book import Judging
from services.rules.core.hold import Hold
from services.rules.core.levels import NONE
from services.rules.core.missing import Watch
from shared.model.rule import Group, Joint, Missing, Silent

if TYPE_CHECKING:
    from services.rules.core.rollup import Member
    from services.rules.core.territory import Territory

NEVER = -(1 << 62)
LONGEST_MEMORY = 256
"""Episodes of rules that went away, per cell; only one of the newest reading can come again."""


class Series:
    """One indicator of a cell. `heard` is log time when the newest reading was judged."""

    __slots__ = (
        "feeds",
        "flag",
        "heard_us",
        "holds",
        "indicator",
        "newest_us",
        "value",
        "watches",
    )

    def __init__(self, indicator: str) -> None:
        self.indicator = indicator
        self.newest_us = NEVER
        self.value = 0.0
        self.flag = "N"
        self.heard_us: int | None = None
        self.holds: tuple[tuple[Judging, Hold], ...] = ()
        self.watches: tuple[tuple[Judging, Watch], ...] = ()
        self.feeds: tuple[Judging, ...] = ()
        """Rules on several stations, which this one is a member of (core.group)."""

    @property
    def heard(self) -> tuple[int | None] | None:
        return None if self.newest_us == NEVER else (self.heard_us,)


class RatioState:
    """One rule of several indicators; its hold speaks for the series of the first component."""

    __slots__ = ("components", "final_us", "hold", "judging", "last_unknown")

    def __init__(self, judging: Judging) -> None:
        condition = judging.rule.condition
        assert isinstance(condition, Joint)
        self.judging = judging
        self.hold = Hold()
        self.final_us = NEVER
        """The newest slot whose result is known: it is not judged again."""
        self.components = frozenset(condition.parts)
        self.last_unknown = True


class Cell:
    """All series of (station, interval)."""

    __slots__ = (
        "ended", "facility", "grouped", "highs", "interval", "lows", "observed_us", "pending_heard_us", "quiet",
        "ratios", "received_us", "roll", "rules", "series", "settled", "shape", "shape_series", "station",
        "values",
    )  # fmt: skip

    def __init__(
        self, facility: str, station: str, interval: str, rules: list[Judging],
        grouped: Iterable[Judging] = (),
    ) -> None:  # fmt: skip
        self.facility, self.station, self.interval = facility, station, interval
        self.series: dict[str, Series] = {}
        self.ended: dict[tuple[str, str, int], int] = {}
        """Steps of the last episode of each rule that went away, by (indicator, rule, start). A
        rule that finds the same episode again goes on counting: no identity is given twice."""
        self.ratios: list[RatioState] = []
        self.received_us: int | None = None
        self.roll: Member | Territory | None = None
        """Its part in roll-ups; a cell that has one never takes the quiet path."""
        self.shape: tuple[str, ...] = ()
        self.shape_series: tuple[Series, ...] = ()
        self.quiet = False
        self.settled = True
        self.observed_us = NEVER
        self.values: tuple[float, ...] = ()
        self.lows: tuple[float, ...] = ()
        self.highs: tuple[float, ...] = ()
        self.pending_heard_us: int | None = None
        self.rules: list[Judging] = []
        self.grouped: list[Judging] = []
        """Rules on several stations of this facility, whose state is here."""
        self.adopt(rules, grouped)

    def adopt(self, rules: list[Judging], grouped: Iterable[Judging] = ()) -> None:
        """Take the rules of this cell; a rule that has state here keeps it."""
        self.grouped = [judging for judging in grouped if judging.interval == self.interval]
        self.rules = [judging for judging in rules if judging.interval == self.interval]
        kept = {ratio.judging.rule.id: ratio for ratio in self.ratios}
        self.ratios = []
        for judging in self.rules:
            if isinstance(judging.rule.condition, Joint):
                ratio = kept.get(judging.rule.id)
                if ratio is None:
                    ratio = RatioState(judging)
                ratio.judging = judging
                self.ratios.append(ratio)
        for series in self.series.values():
            self._adopt(series)
        self.quiet = False

    def _adopt(self, series: Series) -> None:
        holds = {judging.rule.id: hold for judging, hold in series.holds}
        own = [
            judging
            for judging in self.rules
            if judging.indicator == series.indicator
            and not isinstance(judging.rule.condition, Joint | Missing | Group)
        ]
        own += [
            judging
            for judging in self.grouped
            if judging.indicator == series.indicator
            and not isinstance(judging.rule.condition, Silent)
        ]
        series.holds = tuple([(judging, holds.get(judging.rule.id) or Hold()) for judging in own])
        series.feeds = tuple(
            judging
            for judging in self.rules
            if judging.group is not None and series.indicator in judging.group.indicators
        )

    def remember(self, judging: Judging, start_us: int, steps: int) -> None:
        """An episode ends because its rule goes away; the oldest of many are forgotten."""
        key = (judging.indicator, judging.rule.id, start_us)
        self.ended[key] = self.ended.pop(key, 0) + steps
        if len(self.ended) > LONGEST_MEMORY:
            del self.ended[next(iter(self.ended))]

    def series_of(self, indicator: str) -> Series:
        series = self.series.get(indicator)
        if series is None:
            series = self.series[indicator] = Series(indicator)
            self._adopt(series)
        return series

    def settle(self) -> None:
        """Write what the quiet path kept through to the series."""
        if self.settled:
            return
        for series, value in zip(self.shape_series, self.values, strict=True):
            series.newest_us = self.observed_us
            series.value = value
            series.flag = "N"
            series.heard_us = self.pending_heard_us
        self.settled = True

    def arm(self, indicators: tuple[str, ...], alike: Alike) -> None:
        """After a report was judged in full: may the next one like it take the quiet path?"""
        self.shape = alike(indicators)
        self.shape_series = tuple([self.series[indicator] for indicator in indicators])
        self.quiet = (
            not self.ratios and self.roll is None and len(set(indicators)) == len(indicators)
        )
        if self.quiet:
            self.observed_us = max(series.newest_us for series in self.shape_series)
            bands = [_band(series) for series in self.shape_series]
            self.lows = alike(tuple(low for low, _ in bands))
            self.highs = alike(tuple(high for _, high in bands))

    def arm_again(self, changed: list[int], alike: Alike) -> None:
        """The same for some series of the shape, after their rules have judged."""
        lows, highs = list(self.lows), list(self.highs)
        for index in changed:
            lows[index], highs[index] = _band(self.shape_series[index])
        self.lows, self.highs = alike(tuple(lows)), alike(tuple(highs))


def _is_calm(series: Series) -> bool:
    for _, hold in series.holds:
        if hold.phase != "inactive" or hold.held != NONE or hold.standing:
            return False
    return all(watch.open_us is None for _, watch in series.watches)


def _band(series: Series) -> tuple[float, float]:
    """The values strictly between which no rule has anything to say; none while one stands."""
    low, high = -inf, inf
    if series.feeds or not _is_calm(series):
        return high, low
    for judging, _ in series.holds:
        if judging.group is not None:
            continue  # it judges slots, not these readings
        rule_low, rule_high = judging.quiet
        low, high = max(low, rule_low), min(high, rule_high)
    return low, high
