"""Smog: winter episodes found in the file itself, and what the PM2.5 rule said of them.

An episode is a run of days of one month on which the mean of the stations' daily means (20 hours
or more) is above 150 µg/m³, heavy pollution by HJ 633. Found at a station: the rule stood there
on every day of the run that the station itself had a mean above its limit of 75.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.authoring.episodes import Episode
from tests.air.stations import HOURS_A_DAY, ZONE, Station

PM25 = "a34004"
HEAVY, LIMIT, HOURS_NEEDED = 150.0, 75.0, 20
WINTERS = ((2013, 12), (2015, 12), (2016, 12))


class Smog(NamedTuple):
    first: date
    last: date
    peak: float
    raised: dict[str, datetime]
    """By station: when the episode that holds the run began; told a day later, when it was over."""
    told: dict[str, datetime]
    ended: dict[str, datetime | None]
    due: int
    """Stations that had a mean above the limit on a day of the run."""

    @property
    def is_found(self) -> bool:
        return len(self.raised) == self.due > 0


def day_mean(station: Station, day: date) -> float | None:
    begin = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    place = station.place(round(begin.timestamp()) * 1_000_000)
    if place < 0:
        return None
    known = [v for v in station.series[PM25][place : place + HOURS_A_DAY] if v is not None]
    return sum(known) / len(known) if len(known) >= HOURS_NEEDED else None


def smog(
    stations: list[Station], episodes: list[Episode], winters: tuple[tuple[int, int], ...] = WINTERS
) -> list[Smog]:
    """Every run of heavy days in the months given."""
    ours = [e for e in episodes if e.first.indicator == PM25 and "34004-day" in e.first.rule]
    found = []
    for year, month in winters:
        day, run = date(year, month, 1), list[date]()
        peak = 0.0
        while day.month == month or run:
            means = [m for s in stations if (m := day_mean(s, day)) is not None]
            city = sum(means) / len(means) if means else 0.0
            if day.month == month and city > HEAVY:
                run.append(day)
                peak = max(peak, city)
            elif run:
                found.append(_of_run(stations, ours, run, peak))
                run, peak = [], 0.0
            day += timedelta(days=1)
    return found


def _of_run(
    stations: list[Station], episodes: list[Episode], run: list[date], peak: float
) -> Smog:  # fmt: skip
    raised, told, ended, due = {}, {}, dict[str, datetime | None](), 0
    for station in stations:
        means = {day: day_mean(station, day) for day in run}
        over = [_start_us(day) for day, mean in means.items() if mean is not None and mean > LIMIT]
        if not over:
            continue
        due += 1
        holding = [e for e in episodes if e.first.station == station.name.lower()
                   and any(_stands(e, at_us) for at_us in over)]  # fmt: skip
        if all(any(_stands(e, at_us) for e in holding) for at_us in over):
            first, last = holding[0], holding[-1]
            raised[station.name] = _time(first.fired_us)
            told[station.name] = _time(first.told_us)
            ended[station.name] = None if last.ended_us is None else _time(last.ended_us)
    return Smog(run[0], run[-1], peak, raised, told, ended, due)


def _stands(episode: Episode, at_us: int) -> bool:
    return episode.start_us <= at_us and (episode.ended_us is None or at_us < episode.ended_us)


def _start_us(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 1_000_000


def _time(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, ZONE)
