"""Ratio: one result per slot, from the components of one station (contract §8.9)."""

from typing import Any

import pytest

from shared.model.rule import Ratio

DAY = 1440
LOAD = Ratio(("mw.disposed_t",), "mw.capacity_t", "day", "%")
DEMAND = Ratio(("mw.generated_t", "mw.backlog_t"), "mw.capacity_t", "day", "%")


@pytest.fixture
def load(desk: Any, rule: Any) -> Any:
    return desk(rule(LOAD, blue=">= 80; < 75", orange=">= 100; < 95"))


def test_capacity_falls_back_to_the_facility_by_the_local_day_of_the_slot(load: Any) -> None:
    """50 t until the 24th, 100 t from the 25th on."""
    load.report(0, {"mw.disposed_t": (51.6, "N")}, "day")
    load.report(DAY, {"mw.disposed_t": (51.6, "N")}, "day")
    assert load.heard() == [
        "firing raised orange @0 103.2 >= 100",
        "resolved cleared orange @1440 51.6 >= 100",
    ]


def test_reported_capacity_wins_and_is_judged_after_all_readings_of_the_report(load: Any) -> None:
    load.report(0, {"mw.disposed_t": (51.6, "N"), "mw.capacity_t": (60.0, "N")}, "day")
    assert load.heard() == ["firing raised blue @0 86 >= 80"]


def test_the_first_component_names_the_series_and_an_absent_backlog_is_nothing(
    desk: Any, rule: Any
) -> None:
    d = desk(rule(DEMAND, red=">= 150"))
    d.report(0, {"mw.generated_t": (75.0, "N")}, "day")
    assert d.said[0].indicator == "mw.generated_t"
    assert d.said[0].unit == "%"
    assert d.heard() == ["firing raised red @0 150 >= 150"]


def test_without_unit_the_ratio_is_plain_and_its_unit_is_1(desk: Any, rule: Any) -> None:
    d = desk(rule(Ratio(("mw.disposed_t",), "mw.capacity_t", "day"), blue="> 1"))
    d.report(0, {"mw.disposed_t": (52.5, "N")}, "day")
    assert (d.said[0].unit, d.said[0].value) == ("1", 1.05)


def test_a_known_slot_is_final_and_an_unknown_one_is_judged_again(desk: Any, rule: Any) -> None:
    """A further component completes the slot; afterwards nothing of it counts."""
    of = Ratio(("mw.disposed_t", "mw.generated_t"), "mw.capacity_t", "day", "%")
    d = desk(rule(of, blue=">= 80", unknown="alert"))
    d.report(0, {"mw.disposed_t": (30.0, "N")}, "day")
    assert d.heard() == ["firing missing blue @0 - -"]
    d.report(0, {"mw.generated_t": (20.0, "N")}, "day")
    d.report(0, {"mw.capacity_t": (1000.0, "N")}, "day")
    assert [t.value for t in d.said] == []
    d.report(DAY, {"mw.disposed_t": (0.0, "N"), "mw.generated_t": (1.0, "N")}, "day")
    assert d.heard() == ["resolved cleared blue @1440 1 >= 80"]


@pytest.mark.parametrize(
    "readings",
    [
        {"mw.disposed_t": (99.0, "D")},
        {"mw.disposed_t": (99.0, "N"), "mw.capacity_t": (0.0, "N")},
        {"mw.disposed_t": (99.0, "N"), "mw.capacity_t": (-5.0, "N")},
        {"mw.disposed_t": (99.0, "N"), "mw.capacity_t": (50.0, "T")},
        {"mw.disposed_t": (99.0, "N"), "mw.capacity_t": (50.0, "B")},
        {"mw.capacity_t": (50.0, "N")},
    ],
)
def test_what_makes_a_ratio_unknown(load: Any, readings: Any) -> None:
    load.report(0, readings, "day")
    assert load.heard() == []


def test_over_range_in_a_part_makes_the_ratio_a_lower_bound(load: Any) -> None:
    load.report(0, {"mw.disposed_t": (60.0, "T")}, "day")
    load.report(DAY, {"mw.disposed_t": (10.0, "T")}, "day")
    assert load.heard() == ["firing raised orange @0 120 >= 100"]


def test_an_older_slot_is_not_judged_once_a_newer_was_shown(load: Any) -> None:
    load.report(DAY, {"mw.capacity_t": (50.0, "N")}, "day")
    load.report(0, {"mw.disposed_t": (99.0, "N")}, "day")
    assert load.heard() == []


def test_ratio_is_rounded_to_twelve_digits_and_meets_its_limit_exactly(
    desk: Any, rule: Any
) -> None:
    d = desk(rule(LOAD, blue=">= 33.3333333333"))
    d.report(DAY, {"mw.disposed_t": (1.0, "N"), "mw.capacity_t": (3.0, "N")}, "day")
    assert d.said[0].value == 33.3333333333
