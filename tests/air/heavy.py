"""Heavy: what the packs of the index make of the same hours, and on how many hours it stands."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from services.authoring.episodes import Episode, Episodes
from services.authoring.rerun import rerun
from tests.air import site
from tests.air.stations import Station, log_rows

PROFILE = "heavy-2017-"
PACKS = ("hj633-2012", "heavy-pollution-2017")
ATTRIBUTES = ", aqi: six, heavy_pollution: profile-2017"
PM25 = "a34004"


class Heavy(NamedTuple):
    episodes: list[Episode]
    known: dict[int, float]
    """By place in `episodes`: the share of hours with PM2.5 from its start until it was told."""


def heavy(stations: list[Station]) -> Heavy:
    episodes = Episodes()
    with TemporaryDirectory() as place:
        folder = Path(place)
        log = folder / "log.csv"
        with log.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(log_rows(stations))
        (folder / "config").mkdir()
        names = [station.name for station in stations]
        configuration = site.configuration(folder / "config", names, PACKS, ATTRIBUTES)
        for item in rerun(configuration, [log]):
            for came in item if isinstance(item, list) else ():
                episodes.take(came)
    by_name = {station.name.lower(): station for station in stations}
    known = {n: _known(by_name[e.first.station], e) for n, e in enumerate(episodes.all)}
    return Heavy(episodes.all, known)


def _known(station: Station, episode: Episode) -> float:
    begin = max(0, station.place(episode.start_us))
    values = station.series[PM25][begin : station.place(episode.told_us)]
    return sum(value is not None for value in values) / len(values) if values else 1.0


def tables(stations: list[Station]) -> Iterator[str]:
    """In the Markdown of docs/detectors.md."""
    found = heavy(stations)
    names = [station.name for station in stations]
    counted = Counter((each.first.rule, each.first.station) for each in found.episodes)
    yield f"| rule | {' | '.join(names)} | all | fewest hours known |"
    yield "|---|" + "---:|" * (len(names) + 2)
    for rule in sorted({rule for rule, _ in counted}):
        each_of = [counted[rule, name.lower()] for name in names]
        shares = [found.known[n] for n, e in enumerate(found.episodes) if e.first.rule == rule]
        fewest = f"{100 * min(shares):.0f} %" if rule.startswith(PROFILE) else ""
        yield f"| {rule} | {' | '.join(map(str, each_of))} | {sum(each_of)} | {fewest} |"
