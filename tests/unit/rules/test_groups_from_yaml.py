"""Rules on several stations, from YAML to transitions."""

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
  - {id: plant, name: 污水厂, short_name: 污水厂, territory: "420100", kind: sewage_plant}
stations:
  - {id: north, facility: plant, point: outfall}
  - {id: south, facility: plant, point: outfall}
  - {id: inlet, facility: plant, point: inlet}
"""
TERRITORIES = """
territories:
  - {id: "420000", name: 湖北省}
  - {id: "420100", name: 武汉市}
"""
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
Reading = tuple[str, str, dict[str, float]]
Site = Callable[[list[str], list[Reading]], list[str]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One plant with three stations; what was said, as `rule station state at value unit`."""

    def run(rules: list[str], readings: list[Reading]) -> list[str]:
        config = tmp_path / "config"
        config.mkdir()
        text = "rules:\n" + "".join(f"  - {{{rule}, {BASIS}}}\n" for rule in rules)
        for name, part in (
            ("site", SITE), ("territories", TERRITORIES), ("facilities", PLACES), ("rules", text),
        ):  # fmt: skip
            (config / f"{name}.yaml").write_text(part, encoding="utf-8")
        log = tmp_path / "log.jsonl"
        with log.open("w", encoding="utf-8") as file:
            for at, station, values in readings:
                report: dict[str, Any] = {
                    "facility": "plant", "station": station, "interval": "hour",
                    "observed_at": f"2020-02-24T{at}:00+08:00",
                    "readings": [{"indicator": i, "value": v} for i, v in values.items()],
                }  # fmt: skip
                file.write(json.dumps(report) + "\n")
        notes = io.StringIO()
        said = [json.loads(line) for line in backtest(load(config, {}), [log], notes)]
        assert notes.getvalue() == ""
        return [
            f"{t['rule']} {t['station']} {t['state']} {t['at'][11:16]} {t['value']} {t['unit']}"
            for t in said
        ]

    return run


def test_two_outlets_that_agree_are_told_once_for_the_plant(site: Site) -> None:
    """One outlet alone may be its instrument; the inlet is no outlet, however dirty it is."""
    rule = (
        "id: agree, applies: {point: outfall}, condition: {across: {indicator: w01018, "
        'interval: hour, of: count, than: "> 60", complete: 1}}, '
        'levels: [{severity: orange, raise: ">= 2"}]'
    )
    hours = [
        ("08:00", 90, 40), ("09:00", 90, 80), ("10:00", 95, 85), ("11:00", 50, 85),
    ]  # fmt: skip
    log = [
        (at, station, {"w01018": float(value)})
        for at, north, south in hours
        for station, value in (("inlet", 400), ("south", south), ("north", north))
    ]
    assert site([rule], log) == [
        "agree plant firing 09:00 2.0 1",
        "agree plant resolved 11:00 1.0 1",
    ]


def test_waste_that_went_in_and_never_came_out_is_told(site: Site) -> None:
    """Ten of a hundred tonnes are missing; the hour without the store's report says nothing."""
    rule = (
        "id: lost, condition: {balance: {in: [mw.collected_t, mw.generated_t], "
        'out: [mw.disposed_t, mw.stored_t], interval: hour, unit: "%", grace: 0s}}, '
        'levels: [{severity: yellow, raise: "> 5", clear: "<= 3"}]'
    )
    log: list[Reading] = []
    for at, burnt, stored in (
        ("08:00", 78, 20), ("09:00", 70, 20), ("10:00", 80, None), ("11:00", 80, 20),
    ):  # fmt: skip
        log += [
            (at, "inlet", {"mw.collected_t": 60.0, "mw.generated_t": 40.0}),
            (at, "north", {"mw.disposed_t": float(burnt)}),
        ]
        if stored is not None:
            log.append((at, "south", {"mw.stored_t": float(stored)}))
    assert site([rule], log) == [
        "lost plant firing 09:00 10.0 %",
        "lost plant resolved 11:00 0.0 %",
    ]


def test_two_weak_signs_at_two_stations_are_one_strong_one(site: Site) -> None:
    """The outfall dirty and the inlet overloaded: each alone is blue, both are red."""
    dirty = (
        "id: dirty, applies: {point: outfall}, condition: {threshold: {indicator: w01018, "
        'interval: hour}}, levels: [{severity: blue, raise: "> 60"}]'
    )
    overloaded = (
        "id: overloaded, applies: {point: inlet}, condition: {threshold: {indicator: w01018, "
        'interval: hour}}, levels: [{severity: blue, raise: "> 500"}]'
    )
    both = "id: both, condition: {composite: {all: [dirty, overloaded]}}, levels: [{severity: red}]"
    log = [
        ("08:00", "inlet", {"w01018": 600.0}), ("08:00", "north", {"w01018": 50.0}),
        ("09:00", "inlet", {"w01018": 650.0}), ("09:00", "south", {"w01018": 70.0}),
        ("10:00", "inlet", {"w01018": 400.0}), ("10:00", "south", {"w01018": 70.0}),
    ]  # fmt: skip
    assert site([both, dirty, overloaded], log) == [
        "overloaded inlet firing 08:00 600.0 mg/L",
        "both plant firing 09:00 2.0 1",
        "dirty south firing 09:00 70.0 mg/L",
        "overloaded inlet resolved 10:00 400.0 mg/L",
        "both plant resolved 10:00 1.0 1",
    ]


def test_a_silent_outlet_does_not_end_an_alert(site: Site) -> None:
    """The mean of what is left is of too few stations: unknown, until both are back."""
    rule = (
        "id: mean, applies: {point: outfall}, condition: {across: {indicator: w01018, "
        "interval: hour, of: mean, complete: 1, grace: 30m}}, "
        'levels: [{severity: yellow, raise: "> 60"}]'
    )
    log = [
        ("08:00", "north", {"w01018": 80.0}), ("08:00", "south", {"w01018": 60.0}),
        ("09:00", "north", {"w01018": 20.0}), ("10:00", "north", {"w01018": 20.0}),
        ("11:00", "north", {"w01018": 20.0}), ("12:00", "north", {"w01018": 20.0}),
        ("12:00", "south", {"w01018": 30.0}),
    ]  # fmt: skip
    assert site([rule], log) == [
        "mean plant firing 08:00 70.0 mg/L",
        "mean plant resolved 12:00 25.0 mg/L",
    ]
