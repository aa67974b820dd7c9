"""Traces: what each rule looked at, series by series, collected while a backtest runs.

A ratio has a trace of its own, since nobody sends its value. Series without a rule are counted
and not kept.
"""

from collections.abc import Iterator

import msgspec

from services.authoring.trace import Trace
from services.rules.core import ratio
from shared.model import units
from shared.model.configuration import Configuration
from shared.model.facility import Facility, Station
from shared.model.instants import Instant, local_day
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.rule import Comparison, Range, Ratio, Rule, Threshold
from shared.model.select import applies_to
from shared.model.severity import Severity

Key = tuple[str, str, str, str, str]
"""(facility, station, indicator, interval, rule of a ratio or "")."""


class Line(msgspec.Struct, frozen=True):
    """A limit in the unit of the chart, in force between two instants."""

    value: float
    severity: Severity
    raises: bool
    text: str
    from_us: int
    to_us: int | None


class Traces:
    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.traces: dict[Key, Trace] = {}
        self.unruled: set[tuple[str, str, str]] = set()
        """(station, indicator, interval) of series that no rule looks at."""
        self._rules: dict[str, list[Rule]] = {}
        self._looked_at: dict[tuple[str, str], frozenset[str]] = {}
        self._ratios: dict[tuple[str, str], list[Rule]] = {}
        self._parts: dict[tuple[str, str], dict[str, tuple[int, float, str]]] = {}

    def take(self, report: Report) -> None:
        """A report, as the rules see it."""
        place = (report.station, report.interval)
        looked_at = self._looked_at.get(place)
        if looked_at is None:
            looked_at = self._begin(report)
        for index, indicator in enumerate(report.indicators):
            if indicator not in looked_at:
                self.unruled.add((report.station, indicator, report.interval))
                continue
            key = (report.facility, report.station, indicator, report.interval, "")
            known = report.flag(index) in EVIDENCE_FLAGS
            self._trace(key).add(report.observed_us, report.values[index] if known else None)
        if self._ratios[place]:
            self._take_ratios(report)

    def rules_of(self, facility: str, station: str) -> list[Rule]:
        """Every rule that applies to a station."""
        known = self._rules.get(station)
        if known is None:
            c = self.configuration
            place: Facility = c.facilities[facility]
            point: Station = c.stations[station]
            known = [
                rule
                for rule in c.rules.values()
                if applies_to(rule.applies, place, point, c.territories)
            ]
            self._rules[station] = known
        return known

    def rules_on(self, key: Key) -> list[Rule]:
        """The rules whose episodes belong on this chart."""
        facility, station, indicator, interval, name = key
        return [
            rule
            for rule in self.rules_of(facility, station)
            if (rule.id == name if name else not isinstance(rule.condition, Ratio))
            and (indicator, interval) in _series_of(rule)
        ]

    def unit_of(self, key: Key) -> str:
        if key[4]:
            condition = self.configuration.rules[key[4]].condition
            assert isinstance(condition, Ratio)
            return condition.unit or "1"
        return self.configuration.indicators[key[2]].unit

    def lines(self, key: Key) -> Iterator[Line]:
        """Raise and clear of every level of every rule on the chart."""
        for rule in self.rules_on(key):
            condition = rule.condition
            span = (int(rule.basis.valid_from_us), rule.basis.valid_to_us)
            unit = getattr(condition, "unit", None) or self.unit_of(key)
            for level in rule.levels:
                if isinstance(condition, Range):
                    inner = condition.deadband
                    for value, text in ((condition.low, "<"), (condition.high, ">")):
                        shown = self._converted(value, unit, key)
                        yield Line(shown, level.severity, True, f"{text} {shown:.4g}", *span)
                    if inner:
                        for value in (condition.low + inner, condition.high - inner):
                            yield Line(
                                self._converted(value, unit, key), level.severity, False, "", *span
                            )
                    continue
                if not isinstance(condition, Threshold | Ratio):
                    continue
                for test, raises in ((level.raises, True), (level.clears, False)):
                    if isinstance(test, Comparison):
                        value = self._converted(test.limit, unit, key)
                        yield Line(value, level.severity, raises, f"{test.op} {value:.4g}", *span)

    def _converted(self, value: float, unit: str, key: Key) -> float:
        return value if key[4] else units.convert(value, unit, self.unit_of(key))

    def _begin(self, report: Report) -> frozenset[str]:
        place = (report.station, report.interval)
        rules = self.rules_of(report.facility, report.station)
        wanted = {
            indicator
            for rule in rules
            if not isinstance(rule.condition, Ratio)
            for indicator, interval in _series_of(rule)
            if interval == report.interval
        }
        self._looked_at[place] = frozenset(wanted)
        self._ratios[place] = [
            rule
            for rule in rules
            if isinstance(rule.condition, Ratio) and rule.condition.interval == report.interval
        ]
        return self._looked_at[place]

    def _take_ratios(self, report: Report) -> None:
        at_us = report.observed_us
        parts = self._parts.setdefault((report.station, report.interval), {})
        for index, name in enumerate(report.indicators):
            if name not in parts or parts[name][0] < at_us:
                parts[name] = (at_us, report.values[index], report.flag(index))
        here = {name: (value, flag) for name, (at, value, flag) in parts.items() if at == at_us}
        capacity = self._capacity(report.facility, at_us)
        for rule in self._ratios[report.station, report.interval]:
            condition = rule.condition
            assert isinstance(condition, Ratio)
            quality, value = ratio.result(condition, here, capacity)
            if quality == "unknown":
                continue  # a further component may still come
            key = (report.facility, report.station, condition.of[0], report.interval, rule.id)
            self._trace(key).add(at_us, value)

    def _capacity(self, facility: str, at_us: int) -> float | None:
        day = local_day(Instant(at_us), self.configuration.site.zone)
        begun = [c for c in self.configuration.facilities[facility].capacity if c.since <= day]
        return max(begun, key=lambda c: c.since).t_per_day if begun else None

    def _trace(self, key: Key) -> Trace:
        known = self.traces.get(key)
        if known is None:
            known = self.traces[key] = Trace(key[3])
        return known


def _series_of(rule: Rule) -> set[tuple[str, str]]:
    """(indicator, interval) of the series that a rule's episodes are about."""
    condition = rule.condition
    if isinstance(condition, Ratio):
        return {(condition.of[0], condition.interval)}
    indicator = getattr(condition, "indicator", None)
    return set() if indicator is None else {(indicator, str(getattr(condition, "interval", "")))}
