"""Traces: what each rule looked at, series by series, collected while a backtest runs.

What a rule computes (a ratio, an average) has a trace of its own. Series without a rule are
counted and not kept.
"""

from collections.abc import Iterator

from services.authoring.computed import Computed, computed_unit, is_computed
from services.authoring.limits import Line, lines
from services.authoring.trace import Trace
from shared.model.configuration import Configuration
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.rule import Joint, Rule
from shared.model.select import applies_to

Key = tuple[str, str, str, str, str]
"""(facility, station, indicator, interval, the rule that computes it or "")."""


class Traces:
    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.traces: dict[Key, Trace] = {}
        self.unruled: set[tuple[str, str, str]] = set()
        """(station, indicator, interval) of series that no rule looks at."""
        self._rules: dict[str, list[Rule]] = {}
        self._read: dict[tuple[str, str], frozenset[str]] = {}
        self._part_of: dict[tuple[str, str], frozenset[str]] = {}
        self._computed: dict[tuple[str, str], Computed | None] = {}

    def take(self, report: Report) -> None:
        """A report, as the rules see it."""
        place = (report.station, report.interval)
        if place not in self._read:
            self._begin(report)
        read, part_of = self._read[place], self._part_of[place]
        for index, indicator in enumerate(report.indicators):
            if indicator in read:
                known = report.flag(index) in EVIDENCE_FLAGS
                key = (report.facility, report.station, indicator, report.interval, "")
                self._trace(key).add(report.observed_us, report.values[index] if known else None)
            elif indicator not in part_of:
                self.unruled.add((report.station, indicator, report.interval))
        computed = self._computed[place]
        if computed is not None:
            for rule, indicator, at_us, value in computed.take(report):
                key = (report.facility, report.station, indicator, report.interval, rule)
                self._trace(key).add(at_us, value)

    def rules_of(self, facility: str, station: str) -> list[Rule]:
        """Every rule that applies to a station."""
        known = self._rules.get(station)
        if known is None:
            c = self.configuration
            place, point = c.facilities[facility], c.stations[station]
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
            if (rule.id == name if name else not is_computed(rule))
            and series_of(rule) == (indicator, interval)
        ]

    def unit_of(self, key: Key) -> str:
        if key[4]:
            return computed_unit(self.configuration.rules[key[4]], self.configuration)
        known = self.configuration.indicators.get(key[2])
        return known.unit if known else ""

    def lines(self, key: Key) -> Iterator[Line]:
        """Raise and clear of every level of every rule on the chart."""
        for rule in self.rules_on(key):
            yield from lines(rule, self.unit_of(key))

    def _begin(self, report: Report) -> None:
        place = (report.station, report.interval)
        rules = [
            rule
            for rule in self.rules_of(report.facility, report.station)
            if getattr(rule.condition, "interval", None) == report.interval
        ]
        computing = [rule for rule in rules if is_computed(rule)]
        self._read[place] = frozenset(series_of(r)[0] for r in rules if not is_computed(r))
        self._part_of[place] = frozenset(name for r in computing for name in _parts_of(r))
        self._computed[place] = (
            Computed(computing, report.facility, self.configuration) if computing else None
        )

    def _trace(self, key: Key) -> Trace:
        known = self.traces.get(key)
        if known is None:
            known = self.traces[key] = Trace(key[3])
        return known


def series_of(rule: Rule) -> tuple[str, str]:
    """(indicator, interval) of the series that a rule's episodes are about."""
    condition = rule.condition
    if isinstance(condition, Joint):
        return condition.lead, condition.interval
    return getattr(condition, "indicator", ""), str(getattr(condition, "interval", ""))


def _parts_of(rule: Rule) -> tuple[str, ...]:
    condition = rule.condition
    if isinstance(condition, Joint):
        return condition.parts
    return (series_of(rule)[0],)
