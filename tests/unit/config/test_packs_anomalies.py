"""The pack of suspicions about air stations: each of its numbers from both sides."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.config.load import load
from shared.model.configuration import Configuration
from tests.unit.config.pack_site import SITE, configured, judged, lines

FOUR = ("dong", "xi", "nan", "bei")
PLACES = """
facilities:
  - {id: city, name: 市空气网, territory: "420100", kind: air_station}
  - {id: lone, name: 独站, territory: "420100", kind: air_station, attributes: {aqi: six}}
stations:
""" + "".join(f"  - {{id: {name}, facility: city}}\n" for name in FOUR)
BEGIN = datetime.fromisoformat("2021-03-01T00:00:00+08:00")


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    root = tmp_path / "config"
    configured(root, ("air-anomalies",), PLACES)
    # Logs with ticks of their own have one an hour here, and no hour of them is deaf.
    (root / "site.yaml").write_text(SITE + "timing: {deaf_after: 3h}\n", encoding="utf-8")
    return load(root, {})


def hour(number: int, station: str, value: float, code: str = "a34004") -> dict[str, Any]:
    reading = {"indicator": code, "value": value, "unit": "mg/m³" if code == "a21005" else "µg/m³"}
    return {
        "facility": "lone" if station == "lone" else "city", "station": station,
        "observed_at": (BEGIN + timedelta(hours=number)).isoformat(), "interval": "hour",
        "readings": [reading],
    }  # fmt: skip


def moving(number: int) -> float:
    """Clean and dirty hours, for all of them."""
    return 60.0 + 40 * (number // 6 % 3) + number % 5


def city(
    hours: int, own: dict[int, float] | float = 1.0, code: str = "a34004", scale: float = 1.0
) -> list[dict[str, Any]]:
    """All stations alike, but `bei` has `own` times the others from day 10 on, or at some hours."""
    found = []
    for number in range(hours):
        for place, name in enumerate(FOUR):
            value = moving(number) * (1 + place / 100) * scale
            if name == "bei" and isinstance(own, float) and number >= 240:
                value *= own
            if name == "bei" and isinstance(own, dict):
                value += own.get(number, 0.0) * scale
            found.append(hour(number, name, round(value, 4), code))
    return found


def told(tmp_path: Path, config: Configuration, reports: list[dict[str, Any]]) -> list[str]:
    """Of the facility that reports; the other one is silent, and told as that."""
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    place = next(report["facility"] for report in reports if "facility" in report)
    mine = [each for each in said if each["facility"] == place and each["state"] == "firing"]
    return [line.rpartition(" ")[0] for line in lines(mine)]


def test_all_are_blue_defaults_that_ask_to_verify(config: Configuration) -> None:
    """The usual policy begins at yellow: nobody is woken."""
    rules = [rule for rule in config.rules.values() if rule.pack == "air-anomalies"]
    assert len(rules) == 31
    assert {level.severity.value for rule in rules for level in rule.levels} == {"blue"}
    assert {rule.basis.status for rule in rules} == {"product default"}
    assert all("疑似" in rule.title_zh or "无数据" in rule.title_zh for rule in rules)
    assert all(rule.action_zh for rule in rules)


def test_a_city_that_moves_together_is_told_of_nothing(
    config: Configuration, tmp_path: Path
) -> None:
    assert told(tmp_path, config, city(16 * 24)) == []


@pytest.mark.parametrize("own, is_told", [(0.45, False), (0.35, True), (2.2, False), (3.2, True)])
def test_a_station_that_leaves_its_neighbours_for_a_day(
    config: Configuration, tmp_path: Path, own: float, is_told: bool
) -> None:
    """A share of 40 % is 0.39 times or 2.6 times the others, with the floor of 10 µg/m³."""
    found = told(tmp_path, config, city(12 * 24, own))
    assert ("firing blue air-apart-a34004" in found) == is_told


@pytest.mark.parametrize("own, is_told", [(0.65, False), (0.55, True), (1.5, False), (1.9, True)])
def test_a_station_that_is_off_for_three_days(
    config: Configuration, tmp_path: Path, own: float, is_told: bool
) -> None:
    """25 % is 0.58 times or 1.75 times the others."""
    found = told(tmp_path, config, city(14 * 24, own))
    assert ("firing blue air-shifted-a34004" in found) == is_told
    assert "firing blue air-apart-a34004" not in found


def test_carbon_monoxide_is_compared_in_its_own_unit(config: Configuration, tmp_path: Path) -> None:
    """Milligrams, with a floor of 0.2 mg/m³."""
    found = told(tmp_path, config, city(12 * 24, 0.2, "a21005", 0.01))
    assert "firing blue air-apart-a21005" in found


@pytest.mark.parametrize("beyond, is_told", [(0.5, False), (200.0, True)])
def test_one_wild_hour(config: Configuration, tmp_path: Path, beyond: float, is_told: bool) -> None:
    """Beside differences of one to three µg/m³; the day's mean share does not see it."""
    found = told(tmp_path, config, city(12 * 24, {250: beyond}))
    assert found == (["firing blue air-spike-a34004"] if is_told else [])


@pytest.mark.parametrize(
    "hours, value, is_told", [(24, 50.0, False), (25, 50.0, True), (40, 10.0, False)]
)
def test_a_value_that_stands(
    config: Configuration, tmp_path: Path, hours: int, value: float, is_told: bool
) -> None:
    """From the first to the last of 25 equal values it is 24 h; at or below 10 it is no evidence."""
    reports = [hour(n, "lone", value) for n in range(hours)]
    found = told(tmp_path, config, reports)
    assert ("firing blue air-flat-a34004" in found) == is_told


@pytest.mark.parametrize("hours, is_told", [(4, False), (6, True)])
def test_silence(config: Configuration, tmp_path: Path, hours: int, is_told: bool) -> None:
    """Counted from the last reading, one hour and five more."""
    log = [hour(0, "lone", 50.0), hour(hours + 1, "lone", 51.0)]
    found = told(tmp_path, config, log)
    assert ("firing blue air-missing-a34004" in found) == is_told


@pytest.mark.parametrize("behind, is_told", [(5, False), (8, True)])
def test_a_clock_that_is_behind(
    config: Configuration, tmp_path: Path, behind: int, is_told: bool
) -> None:
    """Two days of readings that say they are of so many hours ago."""
    log: list[dict[str, Any]] = []
    for number in range(48):
        now = BEGIN + timedelta(hours=number + 1)
        log += [{"tick": now.isoformat()}, hour(number - behind, "lone", 50.0 + number)]
    found = told(tmp_path, config, log)
    assert ("firing blue air-clock" in found) == is_told


def test_a_backlog_of_a_night_is_no_clock(config: Configuration, tmp_path: Path) -> None:
    """Twelve hours that come at once after a failure are half of the last 24 readings."""
    log: list[dict[str, Any]] = []
    for number in range(60):
        log.append({"tick": (BEGIN + timedelta(hours=number + 1)).isoformat()})
        if number not in range(24, 36):
            waiting = range(24, 37) if number == 36 else [number]
            log += [hour(each, "lone", 50.0 + each) for each in waiting]
    assert "firing blue air-clock" not in told(tmp_path, config, log)
