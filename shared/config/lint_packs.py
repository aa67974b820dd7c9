"""Lint of packs: a facility that a pack would judge, had it the attribute that the rules ask for."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from shared.model.configuration import Configuration
from shared.model.facility import Facility, Station
from shared.model.rule import Rule
from shared.model.select import applies_to

_Shape = tuple[str, str | None, tuple[tuple[str, str], ...]]


def unasked(c: Configuration) -> Iterator[tuple[str, str]]:
    """(facility, warning), once for each pack and kind of outlet: silence is not compliance."""
    packs: dict[str, list[Rule]] = defaultdict(list)
    for rule in c.rules.values():
        if rule.pack is not None and rule.applies.attributes:
            packs[rule.pack].append(rule)
    # 50,000 outlets are a few hundred kinds of outlet.
    alike: dict[_Shape, list[tuple[Facility, Station]]] = defaultdict(list)
    for station in c.stations.values():
        facility = c.facilities[station.facility]
        shape = (facility.kind, station.point, tuple(sorted(facility.attributes.items())))
        alike[shape].append((facility, station))
    for pack, rules in packs.items():
        for outlets in alike.values():
            facility, station = outlets[0]
            keys = {key for rule in rules for key in _lacking(c, rule, facility, station)}
            if keys:
                yield facility.id, _text(pack, keys, len(outlets) - 1)


def _lacking(c: Configuration, rule: Rule, facility: Facility, station: Station) -> set[str]:
    """The attributes without which this rule does not apply, though all else matches."""
    asked = rule.applies.attributes
    keys = asked.keys() - facility.attributes.keys()
    if not keys:
        return set()
    whole = msgspec.structs.replace(facility, attributes={**asked, **facility.attributes})
    return keys if applies_to(rule.applies, whole, station, c.territories) else set()


def _text(pack: str, keys: set[str], others: int) -> str:
    names = " and ".join(sorted(keys))
    more = f" (and {others} stations like it)" if others else ""
    text = f"pack {pack} judges less here{more}: it asks for the attributes {names}"
    return f"{text}; add them (docs/packs.md has their values)"
