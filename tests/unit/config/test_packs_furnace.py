"""Incineration: the furnace by five minutes, flue gas by hour and day, and none of it called law."""

from pathlib import Path
from typing import Any

import pytest

from shared.model.rule import Average, Range
from tests.unit.config.pack_site import configured, judged, lines, measured

PLACES = """
facilities:
  - {id: kiln, name: 医废焚烧炉, territory: "420100", kind: incinerator, attributes: {waste: medical}}
"""
PACKS = {"gb39707": "gb39707-2020", "gb18484": "gb18484-2020", "gb18485": "gb18485-2014"}
FLUE = {
    "a34013": (30, 20), "a21005": (100, 80), "a21002": (300, 250),
    "a21026": (100, 80), "a21018": (4, 2), "a21024": (60, 50),
}  # fmt: skip
"""mg/m³, hour and day; the same in all three but for HF, which the last does not have here."""
COLDEST = {"gb39707": "< 850", "gb18484": "< 1100", "gb18485": "< 850"}


@pytest.fixture
def config(tmp_path: Path):
    return configured(tmp_path / "config", PACKS.values(), PLACES)


def minutes(*values: float | None, flag: str = "N", step: int = 1) -> list[dict[str, Any]]:
    """The furnace from 08:00 on; None is a reading without evidence."""
    reports = []
    for place, value in enumerate(values):
        at = f"2022-02-20T08:{place * step:02}:00+08:00"
        report = measured("kiln", at, "minute", "a01901", value or 0)
        report["readings"][0]["flag"] = flag if value is None else "N"
        reports.append(report)
    return reports


@pytest.mark.parametrize("pack", PACKS)
def test_numbers_are_those_that_are_known(config, pack: str) -> None:
    """Typed again; a typing mistake in either place shows here."""
    rules = {c.removeprefix(f"{pack}-"): r for c, r in config.rules.items() if pack in c}
    wanted = {}
    for code, (hour, day) in FLUE.items():
        if (pack, code) != ("gb18485", "a21018"):
            wanted |= {f"{code}-1h": f"> {hour}", f"{code}-day": f"> {day}"}
    gas = {
        code: rule.levels[0].raises.text
        for code, rule in rules.items()
        if not isinstance(rule.condition, Range | Average)
    }
    assert gas == wanted
    assert rules["a01901-5m"].levels[0].raises.text == COLDEST[pack]
    bands = [r.condition for r in rules.values() if isinstance(r.condition, Range)]
    assert [(band.low, band.high) for band in bands] == ([] if pack == "gb18485" else [(6, 15)])


def test_none_of_it_was_read_in_a_standard(config) -> None:
    """When somebody reads them, this is where it is said."""
    assert {rule.basis.status for rule in config.rules.values()} == {"product default"}


def test_one_cold_minute_is_no_cold_furnace(config, tmp_path: Path) -> None:
    """The mean of five minutes counts: 850 exactly holds, 849.8 does not, 860 clears."""
    held, cold, warm = (930.0, 910, 900, 880, 630), (930.0, 910, 900, 880, 629), (860.0,) * 5
    said, refused = judged(tmp_path, config, minutes(*held, *cold, *warm))
    assert refused == ""
    assert [(t["state"], t["at"][11:16], t["value"]) for t in said] == [
        ("firing", "08:05", 849.8),
        ("resolved", "08:10", 860),
    ]


def test_a_logger_that_sends_five_minute_means_is_judged_too(config, tmp_path: Path) -> None:
    """One value in each five minutes is all that it has."""
    said, refused = judged(tmp_path, config, minutes(870, 840, 870, 870, step=5))
    assert refused == ""
    assert lines(said) == [
        "firing orange gb39707-a01901-5m 2022-02-20",
        "resolved orange gb39707-a01901-5m 2022-02-20",
    ]


@pytest.mark.parametrize("flag", ["F", "M", "C", "D", "B"])
def test_a_furnace_that_is_marked_stopped_is_not_cold(config, tmp_path: Path, flag: str) -> None:
    """What is marked is no evidence: neither cold nor warm."""
    assert judged(tmp_path, config, minutes(*[None] * 10, flag=flag)) == ([], "")


@pytest.mark.parametrize(("value", "unit"), [(101, "mg/m³"), (101_000, "ug/m3"), (0.101, "g/m³")])
def test_flue_gas_is_converted(config, tmp_path: Path, value: float, unit: str) -> None:
    """CO of 101 mg/m³, however it is written."""
    report = measured("kiln", "2022-02-20T08:00:00+08:00", "hour", "a21005", value, unit)
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert [(t["rule"], t["value"], t["unit"]) for t in said] == [
        ("gb39707-a21005-1h", 101, "mg/m³")
    ]


@pytest.mark.parametrize("unit", ["ppm", "mg/L", "%"])
def test_parts_per_million_are_refused(config, tmp_path: Path, unit: str) -> None:
    """Without temperature and molar mass they are no milligrams."""
    report = measured("kiln", "2022-02-20T08:00:00+08:00", "hour", "a21005", 90, unit)
    said, refused = judged(tmp_path, config, [report])
    assert said == []
    assert unit in refused
