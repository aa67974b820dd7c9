"""Suspicions: the shipped pack `air-anomalies` on the second half of the years, with faults put in.

The numbers of the pack were chosen on the first half, so nothing there is counted here. The
stations are those of one facility; a pollutant of all of them goes through one engine, since no
rule of the pack looks at two pollutants; it begins 90 days before the half. Where a fault begins the engine is copied, and the copy
is given the fault at one station, until a day after its end.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Configuration
from shared.model.facility import Station as Outlet
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import Rule
from shared.model.units import convert
from tests.air import site
from tests.air.detected import SEED, lines
from tests.air.faults import EACH, WARM_HOURS, Fault, arrivals, plan
from tests.air.stations import HOUR_US, HOURS_A_DAY, Station
from tests.air.trial import Series, Told, Trial

PACK = "air-anomalies"
CITY = "city"
NAMES = {"apart": "beside: 24 h share", "shifted": "beside: 72 h share", "spike": "beside: difference", "flat": "flatline",
         "missing": "missing", "clock": "discipline: late"}  # fmt: skip
Places = dict[str, tuple[list[float | None], Fault | None]]
"""By station: what it has, and the fault it is given."""


def tried(stations: list[Station], seed: int = SEED, each: int = EACH) -> list[Series]:
    """Every series of every station in the second half, each with its share of the faults."""
    with TemporaryDirectory() as place:
        configuration = site.configuration(Path(place), [CITY], [PACK], ", aqi: six")
    half = min(station.hours for station in stations) // 2
    keys = [(s.name, code) for s in stations for code, values in s.series.items() if any(values)]
    by_name = {station.name: station for station in stations}
    faults = dict(zip(
        keys, plan(Random(seed), [by_name[n].series[c] for n, c in keys], each, half), strict=True
    ))  # fmt: skip
    found = []
    for code in dict.fromkeys(code for _, code in keys):
        mine = {name: faults[name, code] for name in by_name if (name, code) in faults}
        found += _pollutant(configuration, list(by_name.values()), code, mine, half)
    return found


def tables(found: list[Series]) -> Iterator[str]:
    """In the Markdown of docs/detectors.md."""
    yield from lines(found, list(NAMES.values()))


class _City:
    """One pollutant of all stations through one engine, hour by hour."""

    def __init__(self, configuration: Configuration, stations: list[Station], code: str) -> None:
        c, self.code = configuration, code
        self.unit = c.indicators[code].unit
        rules = tuple(rule for rule in c.rules.values() if _looks_at(rule, code))
        bundle = Bundle(
            BUNDLE_FORMAT, c.site.timezone, 1 << 60, tuple(c.territories.values()),
            tuple(c.facilities.values()), tuple(Outlet(s.name, CITY) for s in stations),
            (c.indicators[code],), rules,
        )  # fmt: skip
        self.engine = Engine({"b": bundle}.__getitem__)
        self.engine.apply([Activate("b")])

    def copy(self) -> "_City":
        other = object.__new__(_City)
        book = self.engine.book
        assert book is not None
        other.code, other.unit = self.code, self.unit
        shared = {id(book): book, **{id(judging): judging for judging in book.made()}}
        other.engine = deepcopy(self.engine, shared)
        return other

    def hours(self, begin_us: int, places: Places, begin: int, end: int) -> dict[str, list[Told]]:
        """Every hour is ticked at its end, then what arrived in it is judged."""
        told: dict[str, list[Told]] = {name: [] for name in places}
        came = {
            name: {at: (of, value) for at, of, value in arrivals(values, fault, begin, end)}
            for name, (values, fault) in places.items()
        }
        for hour in range(begin, end):
            now = Instant(begin_us + (hour + 1) * HOUR_US)
            records: list[Record] = [Tick(now)]
            for name, mine in came.items():
                if hour in mine:
                    of, value = mine[hour]
                    at = Instant(begin_us + of * HOUR_US)
                    value = convert(value, "µg/m³", self.unit)
                    records.append(
                        Report(CITY, name, "hour", at, (self.code,), (value,), None, now, "air")
                    )
            for each in self.engine.apply(records):
                if each.state == "firing":
                    rule = NAMES[each.rule.split("-")[1]]
                    told[each.station].append((rule, hour, each.severity.value))
        return told


def _looks_at(rule: Rule, code: str) -> bool:
    return getattr(rule.condition, "indicator", None) == code


def _pollutant(
    configuration: Configuration, stations: list[Station], code: str,
    faults: dict[str, list[Fault]], half: int,
) -> list[Series]:  # fmt: skip
    begin_us = stations[0].begin_us
    values = {station.name: station.series[code] for station in stations}
    end = min(map(len, values.values()))
    line = _City(configuration, stations, code)
    plain: dict[str, list[Told]] = {name: [] for name in values}
    tried: list[tuple[str, Fault, list[Told]]] = []
    hour = max(0, half - WARM_HOURS)
    without: Places = {name: (mine, None) for name, mine in values.items()}

    def go_on(begin: int, until: int) -> None:
        for name, told in line.hours(begin_us, without, begin, until).items():
            plain[name] += told

    for fault, name in sorted(
        ((fault, name) for name, mine in faults.items() for fault in mine),
        key=lambda each: (each[0].start, each[1], each[0].kind),
    ):
        go_on(hour, fault.start)
        hour = fault.start
        places = without | {name: (values[name], fault)}
        until = min(fault.end + HOURS_A_DAY, end)
        tried.append((name, fault, line.copy().hours(begin_us, places, hour, until)[name]))
    go_on(hour, end)
    return [
        Series(
            [_trial(fault, told, set(plain[name])) for of, fault, told in tried if of == name],
            [each for each in plain[name] if each[1] >= half],
            (end - half) / HOURS_A_DAY,
        )
        for name in faults
    ]


def _trial(fault: Fault, told: list[Told], known: set[Told]) -> Trial:
    hours: dict[str, int] = {}
    for each in told:
        if each not in known:
            hours.setdefault(each[0], each[1] - fault.start + 1)
    return Trial(fault, hours)
