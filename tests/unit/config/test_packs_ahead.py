"""The packs that look ahead and at habits: what they say, and that no share is a finding."""

from pathlib import Path
from typing import Any

import pytest

from shared.model.configuration import Configuration
from shared.model.timed import Discipline
from tests.unit.config.pack_site import configured, day, judged, lines, measured

PLACES = """
facilities:
  - {id: mw, name: 医废厂, territory: "420100", kind: medical_waste, capacity: [{from: 2020-01-19, t_per_day: 50}]}
  - {id: stp, name: 污水厂, territory: "420100", kind: sewage_plant}
  - {id: kiln, name: 焚烧厂, territory: "420100", kind: incinerator, attributes: {waste: medical}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    return configured(
        tmp_path / "config", ("mw-forecast", "sewage-discipline", "furnace-discipline"), PLACES
    )


def test_a_plant_that_fills_up_is_told_days_before(config: Configuration, tmp_path: Path) -> None:
    """From 20 t at 2 t a day: 10 days are left on the sixth day, and 3 on the thirteenth."""
    reports = [day("mw", f"2020-02-{1 + n:02}", disposed_t=20 + 2 * n) for n in range(14)]
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == [
        "firing blue mw-days-to-saturation 2020-02-05",
        "firing yellow mw-days-to-saturation 2020-02-09",
        "firing orange mw-days-to-saturation 2020-02-13",
    ]
    assert [t["value"] for t in said] == [11.0, 7.0, 3.0]


def test_a_backlog_that_takes_two_days(config: Configuration, tmp_path: Path) -> None:
    said, _ = judged(tmp_path, config, [day("mw", "2020-02-01", backlog_t=40, generated_t=30)])
    assert [(t["rule"], t["severity"], t["value"], t["unit"]) for t in said] == [
        ("mw-hours-to-clear", "yellow", 48.0, "h")
    ]


def test_marks_for_half_a_day_start_a_clock(config: Configuration, tmp_path: Path) -> None:
    reports = [
        measured("stp", f"2020-02-01T{n:02}:00:00+08:00", "hour", "w01018", 20) for n in range(14)
    ]
    for report in reports[1:]:
        report["readings"][0]["flag"] = "M"
    said, _ = judged(tmp_path, config, reports)
    assert [(t["rule"], t["severity"], t["value"]) for t in said] == [
        ("sewage-marked-long", "blue", 12.0)
    ]


def burning(hours: int, flag: str, degrees: float, furnace_flag: str = "N") -> list[dict[str, Any]]:
    """Flue gas by the hour, the furnace by ten minutes."""
    reports = []
    for hour in range(hours):
        for minute in range(0, 60, 10):
            at = f"2022-02-01T{hour:02}:{minute:02}:00+08:00"
            each = measured("kiln", at, "minute", "a01901", degrees)
            each["readings"][0]["flag"] = furnace_flag
            reports.append(each)
        gas = measured("kiln", f"2022-02-01T{hour:02}:00:00+08:00", "hour", "a34013", 0)
        gas["readings"][0]["flag"] = flag
        reports.append(gas)
    return reports


def told(said: list[dict[str, Any]], rule: str) -> list[tuple[str, float]]:
    return [(t["severity"], t["value"]) for t in said if t["rule"] == rule]


@pytest.mark.parametrize(
    ("degrees", "furnace_flag", "found"),
    [
        (900, "N", [("yellow", 2.0), ("orange", 8.0)]),
        (900, "F", [("yellow", 2.0), ("orange", 8.0)]),
        (300, "N", []),
        (900, "D", []),
    ],
)
def test_a_furnace_that_is_marked_stopped_and_hot_is_told(
    config: Configuration, tmp_path: Path, degrees: float, furnace_flag: str, found: list[Any]
) -> None:
    """Also when it is marked stopped itself; a cold one is stopped, one in fault shows nothing."""
    said, refused = judged(tmp_path, config, burning(12, "F", degrees, furnace_flag))
    assert refused == ""
    assert told(said, "furnace-stopped-running") == found


def test_maintenance_counts_while_the_furnace_runs(config: Configuration, tmp_path: Path) -> None:
    said, _ = judged(tmp_path, config, burning(6, "M", 900))
    assert told(said, "furnace-marked-running") == [("blue", 4.0)]
    said, _ = judged(tmp_path, config, burning(20, "M", 20))
    assert told(said, "furnace-marked-running") == []


def test_cold_minutes_that_are_lifted_afterwards(config: Configuration, tmp_path: Path) -> None:
    """Five of 240 minutes: 2.1 %."""
    reports = burning(8, "N", 840)
    lifted = [r for r in reports if r["readings"][0]["indicator"] == "a01901"][:5]
    again = [{**r, "readings": [{**r["readings"][0], "value": 870}]} for r in lifted]
    said, _ = judged(tmp_path, config, [*reports, *again])
    assert told(said, "furnace-edits") == [("blue", 2.08333333333)]


def test_every_share_is_worded_as_a_suspicion(config: Configuration) -> None:
    """疑似 in its title, and verification is what the text asks for."""
    habits = [r for r in config.rules.values() if isinstance(r.condition, Discipline)]
    assert len(habits) == 5
    for rule in habits:
        assert "疑似" in rule.title_zh, rule.id
        assert rule.action_zh is None, rule.id  # then it is 请核实处置
