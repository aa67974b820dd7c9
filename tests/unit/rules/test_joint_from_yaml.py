"""Index and limited from YAML to transitions, and the errors that say which line to change."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.rules.backtest import backtest
from shared.config.load import ConfigErrors, load

SITE = 'version: 1\nsite: {name: 试, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n'
PLACES = """facilities:
  - {id: air, name: 站, territory: "000000", kind: air_station}
  - {id: plant, name: 厂, territory: "000000", kind: sewage_plant}
"""
BASIS = "basis: {standard: 试, edition: '1', clause: '-', valid_from: 2020-01-01}"
INDEX = "condition: {index: {table: hj633-2012-hour, interval: hour, of: [a34004, a21026]}}"
AMMONIA = 'condition: {limited: {indicator: w21003, interval: day, unit: mg/L, by: w01010, limits: [{when: "> 12", limit: 5}, {when: "<= 12", limit: 8}]}}'
Reports = list[tuple[str, dict[str, tuple[float, str]]]]
Run = Callable[[str, str, str, Reports], list[str]]


def write(folder: Path, rule: str) -> Path:
    files = {"site": SITE, "territories": 'territories: [{id: "000000", name: 国}]\n', "facilities": PLACES}  # fmt: skip
    files["rules"] = f"rules:\n  - {{id: r, {rule}, {BASIS}}}\n"
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def backtested(rule: str, facility: str, interval: str, reports: Reports) -> list[str]:
        log = tmp_path / "log.jsonl"
        with log.open("w", encoding="utf-8") as file:
            for at, readings in reports:
                items = [{"indicator": n, "value": v, "flag": f} for n, (v, f) in readings.items()]
                report: dict[str, Any] = {"facility": facility, "observed_at": f"2020-{at}+08:00",
                                          "interval": interval, "readings": items}  # fmt: skip
                file.write(json.dumps(report) + "\n")
        notes = io.StringIO()
        said = map(json.loads, backtest(load(write(tmp_path, rule), {}), [log], notes))
        assert notes.getvalue() == ""
        return [
            f"{t['state']} {t['severity']} {t['at'][5:16]} {t['value']} {t['unit']}" for t in said
        ]

    return backtested


def test_a_missing_analyser_raises_but_never_clears(run: Run) -> None:
    """PM2.5 alone is enough to be above 200, and not enough to be below it again."""
    rule = f'{INDEX}, levels: [{{severity: orange, raise: "> 200"}}]'
    assert run(
        rule, "air", "hour",
        [
            ("01-02T00:00", {"a34004": (260.0, "N")}),
            ("01-02T01:00", {"a34004": (30.0, "N")}),
            ("01-02T02:00", {"a34004": (30.0, "N"), "a21026": (0.01, "D")}),
            ("01-02T03:00", {"a34004": (30.0, "N")}),
            ("01-02T03:00", {"a21026": (0.01, "N")}),
        ],
    ) == ["firing orange 01-02T00:00 310.0 1", "resolved orange 01-02T03:00 43.0 1"]  # fmt: skip


def test_a_later_part_of_the_same_hour_raises_the_index(run: Run) -> None:
    """What came first was a lower bound, so the hour is not closed by it."""
    rule = f'{INDEX}, levels: [{{severity: yellow, raise: "> 100"}}]'
    assert run(
        rule, "air", "hour",
        [("01-02T00:00", {"a34004": (30.0, "N")}), ("01-02T00:00", {"a21026": (0.6, "N")})],
    ) == ["firing yellow 01-02T00:00 134.0 1"]  # fmt: skip


def test_ammonia_is_limited_by_the_temperature_of_its_day(run: Run) -> None:
    """6 mg/L are over the limit at 14 °C and within it at 11; without a temperature nothing is said."""
    rule = f'{AMMONIA}, levels: [{{severity: yellow, raise: "> 100", clear: "<= 95"}}]'
    assert run(
        rule, "plant", "day",
        [
            ("01-02T00:00", {"w21003": (6.0, "N"), "w01010": (12.0, "N")}),
            ("01-03T00:00", {"w21003": (6.0, "N"), "w01010": (14.0, "N")}),
            ("01-04T00:00", {"w21003": (1.0, "N")}),
            ("01-05T00:00", {"w21003": (6.0, "N"), "w01010": (11.0, "N")}),
        ],
    ) == ["firing yellow 01-03T00:00 120.0 %", "resolved yellow 01-05T00:00 75.0 %"]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{index: {table: hj633-2012-day, interval: hour}}", "not one of hour values"),
        ("{index: {table: hj633-2012-hour, interval: hour, of: [w01018]}}", "has no w01018"),
        ("{index: {table: hj633-2012-hour, interval: hour, of: [a34004, a34004]}}", "stands twice"),
        ("{index: {table: hj633-2012-day, interval: day}}", "'o3_8h_max' is not known"),
        ('{limited: {indicator: w21003, interval: day, by: w21003, limits: [{when: "> 1", limit: 5}]}}', "by itself"),
        ('{limited: {indicator: w21003, interval: day, by: w01010, unit: µg/m³, limits: [{when: "> 1", limit: 5}]}}', "cannot be compared"),
        ('{limited: {indicator: w21003, interval: day, by: w01010, limits: [{when: "> 1", limit: 5}, {when: "> 1", limit: 8}]}}', "the first counts"),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_what_to_do(tmp_path: Path, condition: str, said: str) -> None:
    rule = f'condition: {condition}, levels: [{{severity: yellow, raise: "> 100"}}]'
    with pytest.raises(ConfigErrors) as failed:
        load(write(tmp_path, rule), {})
    assert any(said in str(finding) and "rules.yaml:2:" in str(finding) for finding in failed.value.findings)  # fmt: skip
