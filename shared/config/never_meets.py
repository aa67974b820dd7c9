"""Never meets: rules on several stations, rules or territories that are never there together.

Counts of stations that no facility has, composites whose rules judge elsewhere, and rules that
ask a roll-up for slots it does not make.
"""

from collections.abc import Iterator

from shared.model.beside import Beside
from shared.model.configuration import Configuration
from shared.model.facility import Station
from shared.model.rollup import station_of
from shared.model.rule import Across, Composite, Range, Ratio, Rule, Threshold
from shared.model.select import applies_to, judges_territories

Said = tuple[str, tuple[str | int, ...]]
"""The text, and below which keys of the rule it stands."""


class Meetings:
    """Stations by facility, looked up once; what is asked for is counted as it is needed."""

    def __init__(self, c: Configuration) -> None:
        self._c = c
        self._by_facility: dict[str, list[Station]] | None = None
        self._lonely: set[str] = set()
        """Packs of which it was said that nobody has the neighbours they compare."""
        self._intervals = {
            station_of(node.territory, rollup.id): (rollup.id, rollup.interval)
            for rollup in c.rollups
            for node in rollup.nodes
        }

    def said(self, rule: Rule) -> Iterator[Said]:
        condition = rule.condition
        if isinstance(condition, Across):
            yield from self._few_members(rule, condition)
        elif isinstance(condition, Beside):
            yield from self._few_neighbours(rule, condition)
        elif isinstance(condition, Composite):
            yield from self._few_rules(rule, condition)
        elif isinstance(condition, Threshold | Range | Ratio) and self._intervals:
            yield from self._other_slots(rule, condition)

    def _few_members(self, rule: Rule, condition: Across) -> Iterator[Said]:
        most, where = 0, ""
        for facility, stations in self._facilities().items():
            count = sum(self._applies(rule, station) for station in stations)
            if count > most:
                most, where = count, facility
        if not most:
            return
        plural = "1 station" if most == 1 else f"{most} stations"
        here = f"no facility has more than {plural} for it ({where} …)"
        if condition.complete > most:
            text = (
                f"rule {rule.id} can never fire: complete asks for {condition.complete:g} known "
                f"stations, and {here}; lower it or widen applies"
            )
            yield text, ("condition", "across", "complete")
        if condition.of != "count":
            return
        for level in rule.levels:
            raises = level.raises
            if raises is not None and raises.op[0] == ">" and not raises.holds(float(most)):
                text = (
                    f"rule {rule.id} can never reach {level.severity.value}: {here}, and it takes "
                    f"{raises.text}; lower the limit or widen applies"
                )
                yield text, ("levels",)

    def _few_neighbours(self, rule: Rule, condition: Beside) -> Iterator[Said]:
        """Of a pack once: all of its rules that compare neighbours have the same ones."""
        if rule.pack is not None and rule.pack in self._lonely:
            return
        counts = [
            sum(self._applies(rule, station) for station in stations)
            for stations in self._facilities().values()
        ]
        most = max(counts, default=0)
        if 0 < most <= condition.least:
            if rule.pack is not None:
                self._lonely.add(rule.pack)
            others = "" if rule.pack is None else f", nor any of pack {rule.pack} that compares"
            text = (
                f"rule {rule.id} can never fire{others}: it sets a station beside {condition.least} others "
                f"of its facility, and no facility has more than {most} for it; make neighbours "
                "the stations of one facility"
            )
            yield text, ("condition", "beside")

    def _few_rules(self, rule: Rule, condition: Composite) -> Iterator[Said]:
        """How many of its rules judge at one facility where it does."""
        c, most = self._c, 0
        members = [c.rules[name] for name in condition.rules if name in c.rules]
        missing: set[str] = set(condition.rules)
        for stations in self._facilities().values():
            if not any(self._applies(rule, station) for station in stations):
                continue
            here = [m.id for m in members if any(self._applies(m, each) for each in stations)]
            missing -= set(here)
            most = max(most, len(here))
            if most == len(members):
                return
        for level in rule.levels:
            if level.raises is not None and not level.raises.holds(float(most)):
                absent = f" ({', '.join(sorted(missing))} at none)" if missing else ""
                text = (
                    f"rule {rule.id} can never reach {level.severity.value}: it takes "
                    f"{level.raises.text} of its rules, and at no facility of its own do more than "
                    f"{most} of them judge{absent}; correct applies of one or the other"
                )
                yield text, ("condition", "composite")

    def _other_slots(self, rule: Rule, condition: Threshold | Range | Ratio) -> Iterator[Said]:
        if not judges_territories(rule):
            return
        asked: dict[str, str] = {}
        for station in self._c.stations.values():
            if not self._applies(rule, station):
                continue
            if station.id not in self._intervals:
                return
            name, interval = self._intervals[station.id]
            if interval == condition.interval:
                return
            asked[name] = interval
        if asked:
            names = ", ".join(f"{name} makes {interval}" for name, interval in asked.items())
            text = (
                f"rule {rule.id} can never fire: it judges {condition.interval} values, and "
                f"roll-up {names} values; give one the interval of the other"
            )
            yield text, ("condition",)

    def _applies(self, rule: Rule, station: Station) -> bool:
        facility = self._c.facilities[station.facility]
        return applies_to(rule.applies, facility, station, self._c.territories)

    def _facilities(self) -> dict[str, list[Station]]:
        if self._by_facility is None:
            self._by_facility = {}
            for station in self._c.stations.values():
                self._by_facility.setdefault(station.facility, []).append(station)
        return self._by_facility
