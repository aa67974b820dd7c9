"""The whole log at once: what any question of the reference is answered from.

Nothing is kept between questions but a few caches; each answer looks at the whole history.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.model.beside import Beside
from shared.model.configuration import Bundle, lineage
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import Group, Rule


class Reading(NamedTuple):
    """A judged reading: newer than everything of its series before it."""

    index: int
    at: int
    value: float
    flag: str


@dataclass(frozen=True)
class Life:
    """A stretch of the log in which one rule judges one station: (begin, end) record indices.

    `end` is the Activate that took it away, or None.
    """

    rule: Rule
    facility: str
    station: str
    begin: int
    end: int | None


class History:
    def __init__(self, records: list[Record], bundles: dict[str, Bundle]) -> None:
        self.records = records
        self.bundles = bundles
        self._series: dict[tuple[str, str, str, str], list[Reading]] = {}

    def bundle(self, index: int) -> Bundle | None:
        """The configuration that counts for record `index`."""
        for begin, bundle in reversed(self._activated):
            if begin <= index:
                return bundle
        return None

    @cached_property
    def _activated(self) -> list[tuple[int, Bundle]]:
        return [
            (i, self.bundles[r.bundle])
            for i, r in enumerate(self.records)
            if isinstance(r, Activate)
        ]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(next(iter(self.bundles.values())).timezone)

    @cached_property
    def ticks(self) -> list[tuple[int, int]]:
        return [(i, r.at_us) for i, r in enumerate(self.records) if isinstance(r, Tick)]

    def log_time(self, index: int, looking_ahead: bool = True) -> int | None:
        """After record `index`; before the first tick it counts as the first tick (§8.14).

        A transition that leaves before the first tick cannot know it: then None.
        """
        seen = [at for i, at in self.ticks if i <= index]
        if seen:
            return max(seen)
        return self.ticks[0][1] if self.ticks and looking_ahead else None

    def deaf(self, index: int) -> list[tuple[int, int]]:
        """Deaf intervals as known after record `index`."""
        found, now = [], None
        for i, at in self.ticks:
            if i > index:
                break
            bundle = self.bundle(i)
            if now is not None and at > now and bundle and at - now > bundle.deaf_after_us:
                found.append((now, at))
            now = at if now is None else max(now, at)
        return found

    def becomes_missing(self, index: int, due: int, grace: int) -> int:
        """due + grace + the deaf time between, never inside a deaf interval, as known then.

        Walks forward listening: every deaf interval that begins before the end pushes it on.
        """
        left, at = grace, due
        for begin, end in self.deaf(index):
            if end <= at:
                continue
            if begin >= at + left:
                break
            heard = max(0, begin - at)
            left -= heard
            at = end
        return at + left

    def series(self, facility: str, station: str, interval: str, indicator: str) -> list[Reading]:
        key = (facility, station, interval, indicator)
        if key not in self._series:
            self._series[key] = self._newer(key)
        return self._series[key]

    def _newer(self, key: tuple[str, str, str, str]) -> list[Reading]:
        found: list[Reading] = []
        for i, record in enumerate(self.records):
            if not isinstance(record, Report) or self.bundle(i) is None:
                continue
            if (record.facility, record.station, record.interval) != key[:3]:
                continue
            for position, indicator in enumerate(record.indicators):
                if indicator != key[3] or record.flag(position) == "withdrawn":
                    continue
                if found and record.observed_us <= max(reading.at for reading in found):
                    continue
                found.append(
                    Reading(i, record.observed_us, record.values[position], record.flag(position))
                )
        return found

    def is_in_force(self, life: Life, at: int, index: int) -> bool:
        """Does the rule judge an instant, as the configuration of record `index` has it?

        A campaign that is prolonged, or comes, changes this and not the life of the rule.
        """
        if at < life.rule.basis.valid_from_us:
            return False
        return self.first_in_force(life, at, index) == at

    def first_in_force(self, life: Life, at: int, index: int) -> int | None:
        """The first instant from `at` on that the rule judges."""
        bundle = self.bundle(index)
        assert bundle is not None
        # The Activate that ends a life still sees the rule as it was.
        rule = next((r for r in bundle.rules if r.id == life.rule.id), life.rule)
        facility = next(f for f in bundle.facilities if f.id == life.facility)
        above = lineage(facility.territory, {t.id: t for t in bundle.territories})
        at = max(at, rule.basis.valid_from_us)
        while True:
            for pause in rule.pauses:
                if set(pause.within) & set(above) and pause.from_us <= at < pause.to_us:
                    at = pause.to_us
                    break
            else:
                break
        end = rule.basis.valid_to_us
        return at if end is None or at < end else None

    def lives(self) -> list[Life]:
        """Every stretch in which a rule, unchanged, applies to a station of one facility."""
        found: list[Life] = []
        alive: dict[tuple[str, str, str], tuple[Rule, int]] = {}
        for i, record in enumerate(self.records):
            if not isinstance(record, Activate):
                continue
            now = judging(self.bundles[record.bundle])
            for key, (rule, begin) in list(alive.items()):
                if key not in now or not alike(now[key], rule):
                    found.append(Life(rule, key[1], key[2], begin, i))
                    del alive[key]
            for key, rule in now.items():
                alive.setdefault(key, (rule, i))
        found += [Life(rule, key[1], key[2], begin, None) for key, (rule, begin) in alive.items()]
        return found


def alike(one: Rule, other: Rule) -> bool:
    """Rules that judge alike: everything but the words and the pack, and when campaigns run."""
    names = ("condition", "levels", "for_us", "keep_firing_for_us", "unknown")
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    loose = {"within", "valid_to_us"} if one.campaign and other.campaign else set()
    return all(
        getattr(getattr(one, part), name) == getattr(getattr(other, part), name)
        for part in ("applies", "basis")
        for name in getattr(one, part).__struct_fields__
        if name not in loose
    )


def judging(bundle: Bundle) -> dict[tuple[str, str, str], Rule]:
    """The same, where a rule on several stations judges at the facility, once."""
    return {
        (rule.id, facility, facility if at_facility(rule) else station): rule
        for (_, facility, station), rule in applying(bundle).items()
    }


def at_facility(rule: Rule) -> bool:
    return isinstance(rule.condition, Group) and not isinstance(rule.condition, Beside)


def applying(bundle: Bundle) -> dict[tuple[str, str, str], Rule]:
    """(rule, facility, station) for every rule that applies."""
    territories = {t.id: t for t in bundle.territories}
    facilities = {f.id: f for f in bundle.facilities}
    found = {}
    for rule in bundle.rules:
        for station in bundle.stations:
            facility = facilities[station.facility]
            a = rule.applies
            if a.kind and a.kind != facility.kind:
                continue
            if a.territory and a.territory not in lineage(facility.territory, territories):
                continue
            if a.point and a.point != station.point:
                continue
            if a.within and not set(a.within) & set(lineage(facility.territory, territories)):
                continue
            if a.facility and not (
                facility.id.startswith(a.facility[:-1])
                if a.facility.endswith("*")
                else facility.id == a.facility
            ):
                continue
            found[rule.id, facility.id, station.id] = rule
    return {key: rule for key, rule in found.items() if has_neighbours(rule, key, found)}


def has_neighbours(
    rule: Rule, key: tuple[str, str, str], applies: dict[tuple[str, str, str], Rule]
) -> bool:
    """A rule that sets a station beside others needs so many others."""
    if not isinstance(rule.condition, Beside):
        return True
    return sum(other[:2] == key[:2] for other in applies) > rule.condition.least
