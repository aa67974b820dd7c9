"""The book: which rules judge which station, resolved once from a bundle."""

from copy import copy
from functools import cached_property
from math import isfinite
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.beside import BesideOf
from services.rules.core.composite import CompositeOf
from services.rules.core.derivations import derivation, shown_unit
from services.rules.core.derive import Derivation
from services.rules.core.edition import Edition
from services.rules.core.edits import Edited, EditsOf
from services.rules.core.group import Combination, combination
from services.rules.core.levels import Ladder
from services.rules.core.rollup import plans_of
from services.rules.core.silent import SilentOf
from services.rules.core.witness import Witness, Witnessing
from shared.model.beside import Beside
from shared.model.configuration import Bundle, Indicator, lineage
from shared.model.facility import Facility, Station
from shared.model.instants import Instant, local_day
from shared.model.rule import Derived, Group, Joint, Missing, Range, Rule, Threshold
from shared.model.select import applies_to, judges_territories
from shared.model.timed import Companion, Compliance, Flagged, Timed
from shared.model.units import factor


class Judging:
    """A rule made ready: its ladder, delays, edition, and the unit its values are shown in."""

    def __init__(self, rule: Rule, indicators: dict[str, Indicator], zone: ZoneInfo) -> None:
        self.rule = rule
        self.ladder = Ladder(rule)
        self.delays = (rule.for_us, rule.keep_firing_for_us)
        self.alerts_unknown = rule.unknown == "alert"
        self.edition = Edition(rule.basis.valid_from_us, rule.basis.valid_to_us)
        condition = rule.condition
        self.interval = condition.interval
        self.unit: str | None = None
        self.convert: tuple[str, str] | None = None
        self.derive: Derivation | None = None
        self.witness: Witnessing | None = None
        self.edited: Edited | None = None
        self.companion: Companion | None = None
        self.group: Combination | BesideOf | CompositeOf | SilentOf | None = None
        if isinstance(condition, Joint):
            self.indicator = condition.lead
            self.unit = condition.shown_unit
        elif isinstance(condition, Group):
            self.group = combination(condition, indicators, zone)
            self.indicator, self.unit = condition.indicator, self.group.unit
        else:
            self.indicator = condition.indicator
            own = indicators[condition.indicator].unit
            if isinstance(condition, Threshold | Range):
                self.unit = condition.unit or own
                if factor(own, self.unit) != 1:
                    self.convert = (own, self.unit)
            elif isinstance(condition, Derived):
                self.unit = shown_unit(condition, own)
                self.derive = derivation(condition, own, zone)
                if isinstance(self.derive, Witness):
                    self.witness = self.derive.witness
                if isinstance(condition, Flagged):
                    self.companion = condition.companion
                if isinstance(self.derive, EditsOf):
                    self.edited = self.derive.edited

    def campaign_at(self, at_us: int) -> str | None:
        """The campaign that judges an instant instead of this rule."""
        for pause in self.rule.pauses:
            span = (pause.from_us, pause.to_us)
            if span in self.edition.pauses and span[0] <= at_us < span[1]:
                return pause.campaign
        return None

    @cached_property
    def quiet(self) -> tuple[float, float]:
        """Values of the indicator, in its own unit, strictly between which nothing is raised.

        None for a derived condition: every reading moves its memory.
        """
        if self.derive is not None:
            return float("inf"), float("-inf")
        low, high = self.ladder.quiet()
        if self.convert is None:
            return low, high
        ratio = float(factor(self.convert[1], self.convert[0]))
        # A hair inside, since the real test compares converted values.
        return _above(low * ratio), -_above(-high * ratio)


def _above(value: float) -> float:
    return value + abs(value) * 1e-9 if isfinite(value) else value


class Book:
    """Rules by station. Resolving is by facility kind first: most rules name one."""

    def __init__(self, bundle: Bundle) -> None:
        self.zone = ZoneInfo(bundle.timezone)
        self.deaf_after_us = bundle.deaf_after_us
        self.facilities: dict[str, Facility] = {f.id: f for f in bundle.facilities}
        self.stations: dict[str, Station] = {s.id: s for s in bundle.stations}
        self.indicators: dict[str, Indicator] = {i.code: i for i in bundle.indicators}
        self.rules: dict[str, Judging] = {
            rule.id: Judging(rule, self.indicators, self.zone) for rule in bundle.rules
        }
        self.rollups = plans_of(bundle.rollups, self.stations)
        self._territories = {t.id: t for t in bundle.territories}
        self._by_kind: dict[str, list[Judging]] = {}
        self._of_station: dict[str, list[Judging]] = {}
        self._of_facility: dict[str, list[str]] | None = None
        self._grouping = [j for _, j in sorted(self.rules.items()) if j.group is not None]
        self._members: dict[tuple[str, str], tuple[str, ...]] = {}
        self._paused: dict[tuple[str, Edition], Judging] = {}
        self._silents: dict[str, list[Judging]] = {}
        self._counted: dict[frozenset[str], frozenset[str]] = {}

    def rules_of(self, station_id: str) -> list[Judging]:
        """Every rule that applies to a station, in order of id."""
        found = self._of_station.get(station_id)
        if found is None:
            found = self._of_station[station_id] = self._resolve(station_id)
        return found

    def _resolve(self, station_id: str) -> list[Judging]:
        station = self.stations.get(station_id)
        facility = self.facilities.get(station.facility) if station else None
        if station is None or facility is None:
            return []
        candidates = self._by_kind.get(facility.kind)
        if candidates is None:
            candidates = self._by_kind[facility.kind] = [
                judging
                for _, judging in sorted(self.rules.items())
                if judging.rule.applies.kind in (None, facility.kind)
            ]
        if self.rollups is not None and station_id in self.rollups.rolled:
            candidates = [j for j in candidates if judges_territories(j.rule)]
        return [
            self._with_pauses(judging, facility)
            for judging in candidates
            if applies_to(judging.rule.applies, facility, station, self._territories)
            and self._has_neighbours(judging, facility)
        ]

    def _has_neighbours(self, judging: Judging, facility: Facility) -> bool:
        """A rule that sets a station beside others is none where there are too few of them."""
        condition = judging.rule.condition
        if not isinstance(condition, Beside):
            return True
        members = (
            applies_to(judging.rule.applies, facility, self.stations[name], self._territories)
            for name in self.stations_of(facility.id)
        )
        return sum(members) > condition.least

    def above(self, territory: str) -> list[str]:
        """A territory and those above it."""
        return lineage(territory, self._territories)

    def _with_pauses(self, judging: Judging, facility: Facility) -> Judging:
        """The rule as it judges where campaigns judge instead of it for a while."""
        if not judging.rule.pauses:
            return judging
        above = self.above(facility.territory)
        edition = judging.edition.without(
            (pause.from_us, pause.to_us)
            for pause in judging.rule.pauses
            if any(code in above for code in pause.within)
        )
        if not edition.pauses:
            return judging
        found = self._paused.get((judging.rule.id, edition))
        if found is None:
            found = self._paused[judging.rule.id, edition] = copy(judging)
            found.edition = edition
        return found

    def made(self) -> list[Judging]:
        """Every rule made ready, also those that campaigns pause somewhere."""
        return [*self.rules.values(), *self._paused.values()]

    def judging(self, station_id: str, rule: str) -> Judging:
        """A rule as it judges a station."""
        if not self.rules[rule].rule.pauses:
            return self.rules[rule]
        facilities = self.grouped(station_id) if station_id in self.facilities else []
        for judging in (*self.rules_of(station_id), *facilities):
            if judging.rule.id == rule:
                return judging
        return self.rules[rule]

    def stations_of(self, facility: str) -> list[str]:
        if self._of_facility is None:
            self._of_facility = {}
            for station in self.stations.values():
                self._of_facility.setdefault(station.facility, []).append(station.id)
        return self._of_facility.get(facility, [])

    def grouped(self, facility_id: str) -> list[Judging]:
        """Rules that judge several stations of a facility at once, in order of id."""
        return [
            self._with_pauses(judging, self.facilities[facility_id])
            for judging in self._grouping
            if not isinstance(judging.group, BesideOf) and self.members(judging, facility_id)
        ]

    def at_home(self, facility_id: str, place: str) -> list[Judging]:
        """Rules on several stations whose state lies in the cells of a place: all of a facility
        for the facility itself, and for each station those that set it beside the others.
        """
        found = self.grouped(facility_id) if place == facility_id else []
        station = self.stations.get(place)
        if self.has_besides and station is not None and station.facility == facility_id:
            own = self.rules_of(place)
            found += [judging for judging in own if isinstance(judging.group, BesideOf)]
        return found

    @cached_property
    def has_besides(self) -> bool:
        return any(isinstance(judging.group, BesideOf) for judging in self._grouping)

    def members(self, judging: Judging, facility_id: str) -> tuple[str, ...]:
        """The stations of a facility that a rule applies to, in order of id."""
        key = (judging.rule.id, facility_id)
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = tuple(
                station
                for station in sorted(self.stations_of(facility_id))
                if any(own.rule.id == judging.rule.id for own in self.rules_of(station))
            )
        return found

    def composites(self, facility_id: str) -> list[Judging]:
        """The rules of a facility that count other rules, the inner ones first."""
        if not self.has_composites:
            return []
        found = [j for j in self.grouped(facility_id) if isinstance(j.group, CompositeOf)]
        return sorted(
            found, key=lambda judging: (self._depth(judging.rule.id, ()), judging.rule.id)
        )

    def silents(self, facility_id: str) -> list[Judging]:
        """The rules that watch over the silence of a whole facility."""
        found = self._silents.get(facility_id)
        if found is None:
            among = self.grouped(facility_id) if self.has_silents else []
            found = self._silents[facility_id] = [
                judging for judging in among if isinstance(judging.group, SilentOf)
            ]
        return found

    @cached_property
    def has_silents(self) -> bool:
        return any(isinstance(judging.group, SilentOf) for judging in self._grouping)

    @cached_property
    def has_composites(self) -> bool:
        return any(isinstance(judging.group, CompositeOf) for judging in self._grouping)

    def _depth(self, rule: str, above: tuple[str, ...]) -> int:
        """How many composites a rule stands above; configuration refuses circles."""
        judging = self.rules.get(rule)
        if judging is None or not isinstance(judging.group, CompositeOf) or rule in above:
            return 0
        named = self.counted(judging.group.rules) | judging.group.rules
        return 1 + max(self._depth(name, (*above, rule)) for name in named)

    def written(self, rule: str) -> str:
        """The rule that an edition of a campaign was made of; any other is its own."""
        judging = self.rules.get(rule)
        return rule if judging is None else judging.rule.base or rule

    def counted(self, named: frozenset[str]) -> frozenset[str]:
        """The rules that are there of those named, and the editions campaigns made of them."""
        found = self._counted.get(named)
        if found is None:
            found = self._counted[named] = frozenset(
                rule for rule in self.rules if self.written(rule) in named or rule in named
            )
        return found

    def has_group_rules(self) -> bool:
        return bool(self._grouping)

    def has_companions(self) -> bool:
        return any(judging.companion is not None for judging in self.rules.values())

    @cached_property
    def has_edits(self) -> bool:
        """Does a rule count what is changed after it was judged?"""
        return any(judging.edited is not None for judging in self.rules.values())

    def has_missing_rules(self) -> bool:
        return any(isinstance(j.rule.condition, Missing) for j in self.rules.values())

    def has_derived_rules(self) -> bool:
        return any(judging.derive is not None for judging in self.rules.values())

    def has_plans(self) -> bool:
        return any(isinstance(j.rule.condition, Compliance) for j in self.rules.values())

    def has_timed_rules(self) -> bool:
        return any(isinstance(j.rule.condition, Timed) for j in self.rules.values())

    def capacity(self, facility_id: str, slot_us: int) -> float | None:
        """The configured capacity with the latest start not after the slot's local day."""
        day = local_day(Instant(slot_us), self.zone)
        begun = [c for c in self.facilities[facility_id].capacity if c.since <= day]
        return max(begun, key=lambda c: c.since).t_per_day if begun else None


def same_judgement(one: Rule, other: Rule) -> bool:
    """Do two rules of one id judge alike? Titles and actions are words, not judgement.

    Where a campaign runs and how long is none either: it says which readings are judged, so a
    campaign that is prolonged or extended to a city keeps what stands (decision 0056).
    """
    return _judgement(one) == _judgement(other)


def _judgement(rule: Rule) -> tuple[object, ...]:
    applies, basis = rule.applies, rule.basis
    if rule.campaign is not None:
        applies = msgspec.structs.replace(applies, within=())
        basis = msgspec.structs.replace(basis, valid_to_us=None)
    return (
        applies, rule.condition, rule.levels, rule.for_us, rule.keep_firing_for_us, rule.unknown,
        basis,
    )  # fmt: skip
