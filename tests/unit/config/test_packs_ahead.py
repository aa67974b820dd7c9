"""The packs that look ahead and at habits: what they say, and that no share is a finding."""

from pathlib import Path

import pytest

from shared.model.configuration import Configuration
from shared.model.timed import Discipline
from tests.unit.config.pack_site import configured, day, judged, lines, measured

PLACES = """
facilities:
  - {id: mw, name: 医废厂, territory: "420100", kind: medical_waste, capacity: [{from: 2020-01-19, t_per_day: 50}]}
  - {id: stp, name: 污水厂, territory: "420100", kind: sewage_plant}
"""


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    return configured(tmp_path / "config", ("mw-forecast", "sewage-discipline"), PLACES)


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


def test_every_share_is_worded_as_a_suspicion(config: Configuration) -> None:
    """疑似 in its title, and verification is what the text asks for."""
    habits = [r for r in config.rules.values() if isinstance(r.condition, Discipline)]
    assert len(habits) == 3
    for rule in habits:
        assert "疑似" in rule.title_zh, rule.id
        assert rule.action_zh is None, rule.id  # then it is 请核实处置
