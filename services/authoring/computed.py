"""Computed: what a ratio, an average or another derived condition makes of the readings.

Nobody sends these values, so a chart of the readings would not show why a rule fired. They are
computed by the engine's own parts, from readings alone: what only a tick would add (the last
window of a series that fell silent) is missing from the chart, not from the alerts.
"""

from collections.abc import Iterator
from functools import partial

from services.rules.core import joint
from services.rules.core.clock import LogClock
from services.rules.core.derivations import derivation, shown_unit
from services.rules.core.derive import Derivation, Quality, Step
from services.rules.core.memory import Memory
from services.rules.core.witness import Said, Witness
from shared.model.configuration import Configuration
from shared.model.instants import Instant, local_day
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.rule import Derived, Joint, Rule

Point = tuple[str, str, int, float | None]
"""(rule, indicator of its series, time, value); None: it is unknown."""


def is_computed(rule: Rule) -> bool:
    return isinstance(rule.condition, Joint | Derived)


def computed_unit(rule: Rule, configuration: Configuration) -> str:
    condition = rule.condition
    if isinstance(condition, Joint):
        return condition.shown_unit
    assert isinstance(condition, Derived)
    return shown_unit(condition, configuration.indicators[condition.indicator].unit)


class Computed:
    """The computed rules of one station and interval."""

    def __init__(self, rules: list[Rule], facility: str, configuration: Configuration) -> None:
        self._configuration, self._facility = configuration, facility
        self._zone = configuration.site.zone
        self._clock = LogClock(deaf_after_us=0)
        self._ratios = [rule for rule in rules if isinstance(rule.condition, Joint)]
        self._derived: dict[str, list[tuple[Rule, Derivation, Memory]]] = {}
        for rule in rules:
            condition = rule.condition
            if isinstance(condition, Derived):
                own = configuration.indicators[condition.indicator].unit
                ready = derivation(condition, own, self._zone)
                each = (rule, ready, ready.empty())
                self._derived.setdefault(condition.indicator, []).append(each)
        self._parts: dict[str, tuple[int, float, str]] = {}

    def take(self, report: Report) -> Iterator[Point]:
        """What one report makes; readings that are not newer make nothing."""
        at_us = report.observed_us
        newer: set[str] = set()
        for index, name in enumerate(report.indicators):
            known = self._parts.get(name)
            if known is not None and known[0] >= at_us:
                continue
            value, flag = report.values[index], report.flag(index)
            self._parts[name] = (at_us, value, flag)
            newer.add(name)
            for rule, ready, memory in self._derived.get(name, ()):
                if not _judges(rule, at_us):
                    continue
                for step in self._steps(ready, memory, at_us, flag, value):
                    yield rule.id, name, step.at_us, step.value
        if newer and self._ratios:
            yield from self._take_ratios(at_us)

    def _steps(
        self, ready: Derivation, memory: Memory, at_us: int, flag: str, value: float
    ) -> list[Step]:
        quality = _quality(flag)
        if not isinstance(ready, Witness):
            return ready.reading(memory, at_us, quality, value)
        capacity = partial(self._capacity, at_us)
        return ready.witness(memory, Said(at_us, quality, value, flag, self._clock, capacity))

    def _take_ratios(self, at_us: int) -> Iterator[Point]:
        here = {
            name: (value, flag) for name, (at, value, flag) in self._parts.items() if at == at_us
        }
        capacity = self._capacity(at_us)
        for rule in self._ratios:
            condition = rule.condition
            assert isinstance(condition, Joint)
            quality, value = joint.result(condition, here, capacity)
            if quality != "unknown" and _judges(rule, at_us):  # a component may still come
                yield rule.id, condition.lead, at_us, value

    def _capacity(self, at_us: int) -> float | None:
        day = local_day(Instant(at_us), self._zone)
        listed = self._configuration.facilities[self._facility].capacity
        begun = [each for each in listed if each.since <= day]
        return max(begun, key=lambda each: each.since).t_per_day if begun else None


def _judges(rule: Rule, at_us: int) -> bool:
    basis = rule.basis
    return basis.valid_from_us <= at_us and (basis.valid_to_us is None or at_us < basis.valid_to_us)


def _quality(flag: str) -> Quality:
    if flag == "T":
        return "over"
    return "known" if flag in EVIDENCE_FLAGS else "unknown"
