"""Pages: messages per officer with the pack of suspicions on, beside those of the law alone.

The stations are those of one facility, every severity is told (the usual policy begins at yellow,
and would tell nobody of a suspicion), and each cause is acknowledged after ten minutes. The
second half of the years, as in `suspicions`, begun 90 days before it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from services.authoring.telling import Telling
from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle
from shared.model.facility import Station as Outlet
from shared.model.instants import Instant, local_day
from shared.model.report import Activate, Record, Report, Tick
from shared.model.units import convert
from tests.air import site
from tests.air.faults import WARM_HOURS
from tests.air.figures import ACK_AFTER_US, TEN_MINUTES_A_DAY
from tests.air.stations import HOUR_US, ZONE, Station
from tests.air.suspicions import CITY, PACK

LAW = ("gb3095-2012-early", "gb3095-2012")
WORDS = ("the law alone", "suspicions alone", "both")
Tellings = dict[str, Telling]


def told(stations: list[Station]) -> Tellings:
    """What would have been sent, by what is switched on."""
    half = min(station.hours for station in stations) // 2
    with TemporaryDirectory() as place:
        c = site.configuration(Path(place), [CITY], (*LAW, PACK), ", aqi: six")
    bundle = Bundle(
        BUNDLE_FORMAT, c.site.timezone, 1 << 60, tuple(c.territories.values()),
        tuple(c.facilities.values()), tuple(Outlet(s.name, CITY) for s in stations),
        tuple(c.indicators.values()), tuple(c.rules.values()),
    )  # fmt: skip
    engine = Engine({"b": bundle}.__getitem__)
    engine.apply([Activate("b")])
    tellings = {words: Telling(c, ACK_AFTER_US) for words in WORDS}
    suspects = {name for name, rule in c.rules.items() if rule.pack == PACK}
    units = {code: c.indicators[code].unit for code in stations[0].series}
    for hour in range(max(0, half - WARM_HOURS), min(station.hours for station in stations)):
        now = Instant(stations[0].begin_us + (hour + 1) * HOUR_US)
        said = engine.apply([Tick(now), *_reports(stations, units, hour, now)])
        if hour < half:
            continue
        mine = [each for each in said if each.rule in suspects]
        law = [each for each in said if each.rule not in suspects]
        for words, part in zip(WORDS, (law, mine, said), strict=True):
            tellings[words].take(now, part)
    for telling in tellings.values():
        telling.until(now + 24 * HOUR_US)
    return tellings


def _reports(
    stations: list[Station], units: dict[str, str], hour: int, now: Instant
) -> Iterator[Record]:
    for station in stations:
        here = {
            code: v for code, values in station.series.items() if (v := values[hour]) is not None
        }
        if here:
            at = Instant(station.begin_us + hour * HOUR_US)
            values = tuple(convert(value, "µg/m³", units[code]) for code, value in here.items())
            yield Report(CITY, station.name, "hour", at, tuple(here), values, None, now, "air")


def tables(found: Tellings) -> Iterator[str]:
    """In the Markdown of docs/detectors.md."""
    yield "| told | officer | pages | mean of days with any | the most in a day | of them per ten minutes |"
    yield "|---|---|---:|---:|---:|---:|"
    for words, telling in found.items():
        for person in sorted({each.person for each in telling.told}):
            times = [each.at_us for each in telling.told if each.person == person]
            days = Counter(local_day(at_us, ZONE) for at_us in times)
            most = max(days.values())
            yield (
                f"| {words} | {person} | {len(times)} | {len(times) / len(days):.1f} "
                f"| {most} | {most / TEN_MINUTES_A_DAY:.2f} |"
            )
