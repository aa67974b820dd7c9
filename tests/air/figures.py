"""Figures: one pass over the years in virtual time, and the tables that come out of it."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from services.authoring.episodes import Episode, Episodes
from services.authoring.rerun import rerun
from services.authoring.telling import Telling, Told
from services.rules.given import Note
from shared.model.instants import local_day
from shared.model.report import Report, Tick
from shared.model.transition import Transition
from tests.air import recoveries, site, smog
from tests.air.stations import ZONE, Station, log_rows

ACK_AFTER_US = 600_000_000
TEN_MINUTES_A_DAY = 144
TEN_MINUTES_US, DAY_US = 600_000_000, 86_400_000_000


class Years(NamedTuple):
    episodes: list[Episode]
    told: dict[str, list[Told]]
    """What would have been sent: when each cause is acknowledged ten minutes later, and never."""
    recoveries: recoveries.Recoveries
    smog: list[smog.Smog]


def years(stations: list[Station]) -> Years:
    """The shipped packs over everything the stations reported."""
    said: list[Transition] = []
    episodes = Episodes()
    with TemporaryDirectory() as place:
        folder = Path(place)
        log = folder / "log.csv"
        with log.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(log_rows(stations))
        (folder / "config").mkdir()
        configuration = site.configuration(folder / "config", [s.name for s in stations])
        tellings = {
            "acknowledged after 10 min": Telling(configuration, ACK_AFTER_US),
            "never acknowledged": Telling(configuration, None),
        }
        for item in rerun(configuration, [log]):
            if isinstance(item, Note):
                raise ValueError(f"refused: {item}")
            if isinstance(item, Report | Tick):
                continue
            for came in item:
                episodes.take(came)
                said.append(came.transition)
            for telling in tellings.values():
                telling.take(item[0].at_us, (came.transition for came in item))
    for telling in tellings.values():
        telling.until(said[-1].at_us + DAY_US if said else 0)
    return Years(
        episodes.all, {words: telling.told for words, telling in tellings.items()},
        recoveries.judge(stations, configuration, said), smog.smog(stations, episodes.all),
    )  # fmt: skip


def tables(stations: list[Station], found: Years) -> Iterator[str]:
    """In the Markdown of docs/detectors.md."""
    yield from _episodes(stations, found)
    yield from _officers(found)
    yield from _smog(found)
    true = found.recoveries
    yield ""
    yield (
        f"{true.seen} recoveries, {len(true.false)} false; {true.withdrawn} episodes withdrawn at the "
        f"edge of an edition; {true.bridged} gaps lay inside of episodes that went on standing."
    )
    yield from true.false


def _episodes(stations: list[Station], found: Years) -> Iterator[str]:
    counted = Counter((e.first.rule, e.first.station) for e in found.episodes)
    names = [station.name for station in stations]
    yield f"| rule | {' | '.join(names)} | all |"
    yield "|---|" + "---:|" * (len(names) + 1)
    for rule in sorted({rule for rule, _ in counted}):
        each = [counted[rule, name.lower()] for name in names]
        yield f"| {rule} | {' | '.join(map(str, each))} | {sum(each)} |"
    each = [sum(n for (_, s), n in counted.items() if s == name.lower()) for name in names]
    yield f"| all | {' | '.join(map(str, each))} | {sum(each)} |"


def _officers(found: Years) -> Iterator[str]:
    yield ""
    yield "| | officer | pages | the most in a day | of them per ten minutes | the most in any ten minutes |"
    yield "|---|---|---:|---:|---:|---:|"
    for words, told in found.told.items():
        for person in sorted({each.person for each in told}):
            times = sorted(each.at_us for each in told if each.person == person)
            most = max(Counter(local_day(at_us, ZONE) for at_us in times).values())
            yield (
                f"| {words} | {person} | {len(times)} | {most} | {most / TEN_MINUTES_A_DAY:.2f} "
                f"| {densest(times)} |"
            )


def densest(times: Sequence[int]) -> int:
    """The most of `times` within any ten minutes."""
    most = first = 0
    for last, at_us in enumerate(times):
        while at_us - times[first] >= TEN_MINUTES_US:
            first += 1
        most = max(most, last - first + 1)
    return most


def _smog(found: Years) -> Iterator[str]:
    yield ""
    yield "| heavy days | highest daily mean of the city | found at | raised | first told | ended |"
    yield "|---|---:|---|---|---|---|"
    for each in found.smog:
        ends = [end for end in each.ended.values() if end is not None]
        yield (
            f"| {each.first} to {each.last} | {each.peak:.0f} µg/m³ "
            f"| {len(each.raised)} of {each.due} stations "
            f"| {min(each.raised.values(), default='-'):%Y-%m-%d} "
            f"| {min(each.told.values(), default='-'):%Y-%m-%d %H:%M} "
            f"| {max(ends):%Y-%m-%d} |"
        )
