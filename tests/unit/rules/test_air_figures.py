"""The figures of four years of air are made as they are said to be, on small series of our own."""

from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from shared.model.instants import Instant
from tests.air import heavy, recoveries, site
from tests.air.figures import densest, tables, years
from tests.air.smog import smog
from tests.air.stations import CODES, HOUR_US, ZONE, Station, read

MINUTE = 60_000_000
DAYS = (40.0, 180.0, 200.0, 50.0, 40.0)


def station(name: str, *, dark: tuple[int, int] = (0, 0)) -> Station:
    """Five days of December 2013; `dark` are hours without any value."""
    values: list[float | None] = [DAYS[hour // 24] for hour in range(24 * len(DAYS))]
    values[dark[0] : dark[1]] = [None] * (dark[1] - dark[0])
    series: dict[str, list[float | None]] = {code: [None] * len(values) for code in CODES.values()}
    return Station(name, datetime(2013, 12, 1, tzinfo=ZONE), {**series, "a34004": values})


def test_a_smog_is_found_told_and_ended() -> None:
    """Two heavy days in December: raised on the first, told when it is over, ended by a clean day."""
    stations = [station("North"), station("South")]
    found = years(stations)
    [run] = found.smog
    assert (run.first, run.last) == (date(2013, 12, 2), date(2013, 12, 3))
    assert run.is_found
    assert run.raised["North"] == datetime(2013, 12, 2, tzinfo=ZONE)
    assert run.told["North"] == datetime(2013, 12, 3, tzinfo=ZONE)
    assert run.ended["North"] == datetime(2013, 12, 4, tzinfo=ZONE)
    assert len(found.recoveries.false) == 0
    assert found.recoveries.seen == 2
    lines = list(tables(stations, found))
    assert "| gb3095-2012-early-c2-a34004-day | 1 | 1 | 2 |" in lines


def test_a_gap_ends_nothing_and_an_unearned_recovery_is_named() -> None:
    """A dark day inside the smog is bridged; a recovery put into it is called false."""
    stations = [station("North", dark=(72, 96))]
    found = years(stations)
    [episode] = found.episodes
    assert episode.ended_us == Instant(stations[0].begin_us + 96 * HOUR_US)
    assert found.recoveries == recoveries.Recoveries(1, 0, 1, [])
    first = episode.first
    invented = replace(
        first, state="resolved", cause="cleared",
        at_us=Instant(stations[0].begin_us + 72 * HOUR_US),
    )  # fmt: skip
    configuration = _configuration(stations)
    judged = recoveries.judge(stations, configuration, [first, invented])
    assert len(judged.false) == 1


def test_a_run_that_the_rule_slept_through_is_not_found() -> None:
    """Without episodes there are stations due and none that raised."""
    [run] = smog([station("North")], [])
    assert not run.is_found
    assert run.due == 1


def test_pages_are_counted_in_any_ten_minutes() -> None:
    """Also across the edges of the clock's ten minutes."""
    assert densest([n * MINUTE for n in (0, 8, 9, 12, 17, 18, 30)]) == 4
    assert densest([0, 10 * MINUTE]) == 1


def test_files_are_read_as_the_data_set_has_them(tmp_path: Path) -> None:
    """NA is no value; an hour that is left out is an error, not a shift."""
    head = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,station\n"
    rows = [f"{n},2013,3,1,{n},{n},NA,1,1,300,1,X\n" for n in range(3)]
    (tmp_path / "X.csv").write_text(head + "".join(rows), encoding="utf-8")
    [read_back] = read(tmp_path)
    assert read_back.series["a34004"] == [0.0, 1.0, 2.0]
    assert read_back.series["a34002"] == [None, None, None]
    assert read_back.name == "X"


def _configuration(stations: list[Station]) -> Any:
    with TemporaryDirectory() as place:
        return site.configuration(Path(place), [each.name for each in stations])


def test_heavy_air_is_counted_with_the_hours_it_stands_on() -> None:
    """Three days at 200 µg/m³ with 18 dark hours; the first whole mean begins 4 hours before them."""
    values: list[float | None] = [200.0] * 72 + [30.0] * 30
    values[24:42] = [None] * 18
    series: dict[str, list[float | None]] = {code: [20.0] * 102 for code in CODES.values()}
    begin = datetime(2016, 1, 1, tzinfo=ZONE)
    found = heavy.heavy([Station("North", begin, {**series, "a34004": values})])
    told = {e.first.rule: found.known[n] for n, e in enumerate(found.episodes)}
    assert told["heavy-2017-blue"] == 1.0
    assert told["heavy-2017-yellow"] == 26 / 44
    assert told["heavy-2017-orange"] == 50 / 68
