"""Derived conditions from YAML to transitions, in the words of the official who wanted them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.rules.backtest import backtest
from shared.config.load import load

SITE = """
version: 1
site: {name: 试, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}
"""
PLACES = """
facilities:
  - {id: ww, name: 医院, short_name: 医院, territory: "420100", kind: hospital_wastewater}
"""
TERRITORIES = """
territories:
  - {id: "420000", name: 湖北省}
  - {id: "420100", name: 武汉市}
"""
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
Said = list[str]
Site = Callable[[str, str, list[tuple[str, float | None]]], Said]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One hospital, one rule, its COD readings; what was said, as `state severity at value`."""

    def run(rule: str, interval: str, readings: list[tuple[str, float | None]]) -> Said:
        config = tmp_path / "config"
        config.mkdir()
        rules = f"rules:\n  - {{id: tested, {rule}, {BASIS}}}\n"
        for name, text in (
            ("site", SITE), ("territories", TERRITORIES), ("facilities", PLACES), ("rules", rules),
        ):  # fmt: skip
            (config / f"{name}.yaml").write_text(text, encoding="utf-8")
        log = tmp_path / "log.jsonl"
        with log.open("w", encoding="utf-8") as file:
            for at, value in readings:
                reading = {
                    "indicator": "w01018",
                    "value": value or 0,
                    "flag": "N" if value else "D",
                }
                report: dict[str, Any] = {
                    "facility": "ww", "observed_at": f"2020-02-{at}+08:00",
                    "interval": interval, "readings": [reading],
                }  # fmt: skip
                file.write(json.dumps(report) + "\n")
        notes = io.StringIO()
        said = [json.loads(line) for line in backtest(load(config, {}), [log], notes)]
        assert notes.getvalue() == ""
        return [
            f"{t['state']} {t['severity']} {t['at'][8:16]} {t['value']} {t['unit']}" for t in said
        ]

    return run


def test_one_bad_hour_is_not_a_bad_day(site: Site) -> None:
    """The limit of a daily mean is asked of the day, once, when the day is over."""
    rule = (
        "condition: {average: {indicator: w01018, interval: hour, over: day, unit: mg/L}}, "
        'levels: [{severity: yellow, raise: "> 60"}]'
    )
    first = [(f"24T{hour:02}:00:00", 200.0 if hour == 3 else 40.0) for hour in range(24)]
    second = [(f"25T{hour:02}:00:00", 70.0) for hour in range(24)]
    assert site(rule, "hour", first + second) == ["firing yellow 25T00:00 70.0 mg/L"]


def test_a_day_with_too_few_hours_says_nothing(site: Site) -> None:
    """17 of 24 hours are not 0.75 of a day, however bad they are."""
    rule = (
        "condition: {average: {indicator: w01018, interval: hour, over: day}}, "
        'levels: [{severity: yellow, raise: "> 60"}]'
    )
    day = [(f"24T{hour:02}:00:00", 90.0 if hour < 17 else None) for hour in range(24)]
    assert site(rule, "hour", day) == []


def test_a_discharge_that_begins_is_told_by_how_fast_it_rises(site: Site) -> None:
    """Long before the limit of the day is reached."""
    rule = (
        "condition: {rate: {indicator: w01018, interval: hour, per: 1h, max_gap: 3h, unit: mg/L}}, "
        'levels: [{severity: yellow, raise: ">= 20", clear: "< 10"}]'
    )
    hours = [
        ("24T08:00:00", 20.0),
        ("24T09:00:00", 22.0),
        ("24T10:00:00", 45.0),
        ("24T11:00:00", 46.0),
    ]
    assert site(rule, "hour", hours) == [
        "firing yellow 24T10:00 23.0 mg/L/h",
        "resolved yellow 24T11:00 1.0 mg/L/h",
    ]


def test_a_blocked_sampling_line_is_told_after_its_time(site: Site) -> None:
    """A value that stands is suspicious however good it is."""
    rule = (
        "condition: {flatline: {indicator: w01018, interval: hour, within: 0.01, over: 4h}}, "
        "levels: [{severity: blue}]"
    )
    hours = [(f"24T{hour:02}:00:00", 31.5) for hour in range(8, 15)] + [("24T15:00:00", 33.0)]
    assert site(rule, "hour", hours) == [
        "firing blue 24T12:00 4.0 h",
        "resolved blue 24T15:00 0.0 h",
    ]


def test_three_of_six_hours_above_the_limit(site: Site) -> None:
    """A plant that is bad every other hour never stays bad for long, and is told all the same."""
    rule = (
        'condition: {count: {indicator: w01018, interval: hour, of: "> 60", within: 6}}, '
        'levels: [{severity: yellow, raise: ">= 3", clear: "< 1"}]'
    )
    hours = [(f"24T{hour:02}:00:00", 70.0 if hour % 2 else 50.0) for hour in range(8, 15)]
    assert site(rule, "hour", hours) == ["firing yellow 24T13:00 3.0 1"]
