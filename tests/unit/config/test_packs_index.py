"""The packs of the air quality index: each edition in its time, and heavy pollution that lasts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.model.configuration import Configuration
from tests.unit.config.pack_site import configured, judged, lines

PLACES = """
facilities:
  - {id: six, name: 六参数站, territory: "420100", kind: air_station, attributes: {aqi: six, ozone_8h: reported, heavy_pollution: profile-2017}}
  - {id: later, name: 按修订站, territory: "420100", kind: air_station, attributes: {heavy_pollution: profile-2024}}
  - {id: five, name: 缺一氧化碳站, territory: "420100", kind: air_station}
"""
CLEAN = {"a34004": 10, "a34002": 20, "a21026": 5, "a21004": 20, "a21005": 500, "a05024": 40}


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    packs = ("hj633-2012", "hj633-2026", "heavy-pollution-2017", "heavy-pollution-2024")
    return configured(tmp_path / "config", packs, PLACES)


def reported(
    at: str, interval: str = "hour", facility: str = "six", **changed: float
) -> dict[str, Any]:
    """All six in µg/m³, clean but for what is given."""
    values = dict(CLEAN) | changed
    if interval == "day":
        values["o3_8h_max"] = values.pop("a05024")
    readings = [{"indicator": code, "value": v, "unit": "µg/m³"} for code, v in values.items()]
    return {"facility": facility, "observed_at": f"{at}+08:00", "interval": interval, "readings": readings}  # fmt: skip


def hours(
    begin: str, count: int, facility: str = "six", **changed: float
) -> Iterator[dict[str, Any]]:
    first = datetime.fromisoformat(begin)
    for n in range(count):
        yield reported((first + timedelta(hours=n)).isoformat(), facility=facility, **changed)


def values(said: list[dict[str, Any]], rule: str) -> list[tuple[str, str, float]]:
    return [(t["state"], t["severity"], t["value"]) for t in said if t["rule"] == rule]


def test_the_same_air_is_another_index_after_the_first_of_march(
    config: Configuration, tmp_path: Path
) -> None:
    """65 µg/m³ of PM2.5 are 88 on the last hour of the old edition and 105 in the first of the new."""
    reports = [reported("2026-02-28T23:00:00", a34004=65), reported("2026-03-01T00:00:00", a34004=65)]  # fmt: skip
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == ["firing blue hj633-2026-aqi-hour 2026-03-01"]
    assert said[0]["value"] == 105


def test_a_day_goes_through_the_classes(config: Configuration, tmp_path: Path) -> None:
    """Good, light, moderate, heavy, severe, and good again: one episode."""
    levels = (30, 80, 130, 200, 300, 20)
    reports = [
        reported(f"2020-02-0{n}T00:00:00", "day", a34004=value) for n, value in enumerate(levels, 1)
    ]
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert values(said, "hj633-2012-aqi-day") == [
        ("firing", "blue", 107.0), ("firing", "yellow", 172.0), ("firing", "orange", 250.0),
        ("firing", "red", 350.0), ("resolved", "red", 29.0),
    ]  # fmt: skip


def test_heavy_pollution_is_told_after_one_two_and_three_days(
    config: Configuration, tmp_path: Path
) -> None:
    """From the mean on that has 20 heavy hours, and so began 4 before; 60 hours reach two days."""
    reports = [*hours("2020-01-01T00:00", 100, a34004=180), *hours("2020-01-05T04:00", 68),
               *hours("2020-01-08T00:00", 60, a34004=180), *hours("2020-01-10T12:00", 24)]  # fmt: skip
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    heavy = [t for t in said if t["rule"].startswith("heavy") and t["state"] == "firing"]
    assert [(t["severity"], t["at"][:16]) for t in heavy] == [
        ("blue", "2019-12-31T20:00"), ("yellow", "2020-01-02T20:00"),
        ("orange", "2020-01-03T20:00"), ("blue", "2020-01-07T20:00"),
        ("yellow", "2020-01-09T20:00"),
    ]  # fmt: skip


def test_the_profile_of_2024_is_told_of_moderate_air_that_lasts(
    config: Configuration, tmp_path: Path
) -> None:
    """120 µg/m³ (index 156) for two and three days, and no day of heavy air; others keep theirs."""
    reports = [*hours("2024-06-01T00:00", 80, "later", a34004=120), *hours("2024-06-04T08:00", 30, "later")]  # fmt: skip
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    heavy = [(t["rule"], t["at"][:16]) for t in said if t["state"] == "firing"]
    assert heavy == [
        ("heavy-2024-yellow-150", "2024-06-02T20:00"),
        ("heavy-2024-orange-150", "2024-06-03T20:00"),
    ]


def test_one_heavy_hour_before_silence_is_no_heavy_day(
    config: Configuration, tmp_path: Path
) -> None:
    """Nineteen hours are no day; twenty are one."""
    for known, expected in ((1, []), (19, []), (20, ["blue"])):
        first = f"2020-0{known % 9 + 1}-01T00:00"
        reports = [*hours(first, known, a34004=400), reported(f"{first[:8]}02T12:00:00")]
        said, _ = judged(tmp_path, config, reports)
        heavy = [t for t in said if t["rule"].startswith("heavy") and t["state"] == "firing"]
        assert [t["severity"] for t in heavy] == expected


def test_an_index_off_the_scale_is_known_to_be_at_least_that(
    config: Configuration, tmp_path: Path
) -> None:
    """600 µg/m³ of PM2.5: at least 500, whatever else is missing."""
    report = reported("2020-01-01T00:00:00", a34004=600)
    report["readings"] = report["readings"][:1]
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert values(said, "hj633-2012-aqi-hour") == [("firing", "red", 500.0)]


def test_a_station_that_does_not_say_six_is_not_judged(
    config: Configuration, tmp_path: Path
) -> None:
    """Its index would be a lower bound for ever."""
    report = reported("2020-01-01T00:00:00", facility="five", a34004=600)
    assert judged(tmp_path, config, [report]) == ([], "")
