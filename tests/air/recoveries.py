"""Recoveries: is each one earned? A reading or a mean, made anew from the file, that clears.

Slow and obvious, and knows nothing of the engine: hours are looked up in the file, means are
fractions, completeness is counted. A recovery that finds no value there came out of absence.
"""

from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from shared.model.configuration import Configuration
from shared.model.rule import Average, Threshold
from shared.model.transition import Transition
from tests.air.stations import HOUR_US, HOURS_A_DAY, Station

HOURS = {"day": HOURS_A_DAY, "24h": HOURS_A_DAY, "8h": 8, "3h": 3}
_TO = {"mg/m³": Fraction(1, 1000)}
"""The file is in µg/m³ throughout."""


class Recoveries(NamedTuple):
    """`false` names each recovery that no value of the file supports."""

    seen: int
    withdrawn: int
    bridged: int
    """Gaps (hours without a value) inside of episodes that went on standing."""
    false: list[str]


def judge(
    stations: list[Station], configuration: Configuration, said: list[Transition]
) -> Recoveries:
    by_name = {station.name.lower(): station for station in stations}
    standing: dict[tuple[str, ...], int] = {}
    seen = withdrawn = bridged = 0
    false = []
    for each in said:
        if each.state == "pending":
            continue
        if each.state == "firing":
            standing.setdefault(each.alert, each.at_us)
            continue
        station = by_name[each.station]
        begun = standing.pop(each.alert)
        values = station.series[each.indicator][station.place(begun) : station.place(each.at_us)]
        bridged += sum(a is not None and b is None for a, b in pairwise(values))
        if each.state == "withdrawn":
            withdrawn += 1
            continue
        seen += 1
        if not _is_earned(station, configuration, each):
            false.append(f"{each.rule} at {each.station}: {each.at_us}")
    return Recoveries(seen, withdrawn, bridged, false)


def _is_earned(station: Station, configuration: Configuration, ended: Transition) -> bool:
    rule = configuration.rules[ended.rule]
    condition = rule.condition
    assert isinstance(condition, Threshold | Average)
    span = HOURS[condition.over] if isinstance(condition, Average) else 1
    need = ceil(Fraction(str(condition.complete)) * span) if isinstance(condition, Average) else 1
    place = station.place(ended.at_us)
    if station.begin_us + place * HOUR_US != ended.at_us:
        return False
    known = [v for v in station.series[ended.indicator][place : place + span] if v is not None]
    if len(known) < need:
        return False
    mean = sum(Fraction(str(v)) for v in known) / len(known) * _TO.get(condition.unit or "", 1)
    return all(level.raises and not level.raises.holds(float(mean)) for level in rule.levels)
