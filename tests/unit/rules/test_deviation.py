"""Deviation and drift: one promise of docs/conditions/deviation.md a test."""

from collections.abc import Callable, Iterator
from math import isfinite, sin

import pytest

from shared.model.rule import Deviation, Drift, Jump, Rate, Rule
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
HOUR, DAY = 60, 24 * 60
DAY_US = DAY * MINUTE


def deviation(
    season: str = "auto", over: str = "1h", side: str = "both", memory: int = 21
) -> Deviation:
    return Deviation("cod", "hour", over, season, memory * DAY_US, side)  # type: ignore[arg-type]


def hours(desk: Desk, first: int, values: Iterator[float] | list[float], flag: str = "N") -> None:
    for n, value in enumerate(values):
        desk.report((first + n) * HOUR, {"cod": (value, flag)}, interval="hour")


def usual(hour: int) -> float:
    """A day with a peak at noon and some noise that never repeats."""
    return 50 + (20 if 9 <= hour % 24 <= 15 else 0) + 2 * sin(hour * hour)


def week(desk: Desk, first_day: int = 0, days: int = 8) -> None:
    hours(desk, first_day * 24, [usual(h) for h in range(first_day * 24, (first_day + days) * 24)])


@pytest.fixture
def plant(desk: type[Desk], rule: RuleMaker) -> Desk:
    """Eight usual days, of which nothing is said."""
    plant = desk(rule(deviation(), yellow="> 1.2", red="> 4"))
    week(plant)
    assert plant.heard() == []
    return plant


def test_a_peak_at_night_is_odd_though_it_is_usual_at_noon(plant: Desk) -> None:
    """No limit could tell them apart."""
    hours(plant, 8 * 24, [usual(12)])
    assert [word.split()[:3] for word in plant.heard()] == [["firing", "raised", "red"]]


def test_a_peak_that_fails_to_come_is_odd(plant: Desk) -> None:
    """A value that is usual at night is not at noon."""
    hours(plant, 8 * 24, [usual(h) for h in range(9)])
    assert plant.heard() == []
    hours(plant, 8 * 24 + 9, [usual(1)])
    assert [word.split()[:3] for word in plant.heard()] == [["firing", "raised", "red"]]


def test_the_same_again_is_no_news(plant: Desk) -> None:
    """What was told once has become usual, until it fades."""
    hours(plant, 8 * 24, [usual(12), 52, usual(12)])
    assert len(plant.heard()) == 2
    hours(plant, 8 * 24 + 3, [usual(12) + 20])
    assert [word.split()[:3] for word in plant.heard()] == [["firing", "raised", "yellow"]]


def test_a_weekly_holiday_is_usual_from_its_third_time_on(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """The nearer of the last days and the last weeks counts; a first Sunday may be told."""
    sundays = desk(rule(deviation(memory=3), yellow="> 1.5"))

    def value(hour: int) -> float:
        return 2 * sin(hour * hour) + (0 if hour // 24 % 7 == 6 else 100)

    hours(sundays, 0, [value(h) for h in range(20 * 24)])
    assert any("firing" in word for word in sundays.heard())
    hours(sundays, 20 * 24, [value(h) for h in range(20 * 24, 21 * 24)])
    assert sundays.heard() == []


def test_nothing_is_said_before_anything_is_usual(desk: type[Desk], rule: RuleMaker) -> None:
    young = desk(rule(deviation("none", "reading"), yellow="> 1.2"))
    hours(young, 0, [1.0, 9.0] * 10)
    hours(young, 20, [10**6])
    assert young.heard() == []


def test_a_series_that_never_moved_has_no_usual_distance(desk: type[Desk], rule: RuleMaker) -> None:
    still = desk(rule(deviation("none", "reading"), yellow="> 1.2"))
    hours(still, 0, [7.0] * 100)
    hours(still, 100, [8.0])
    assert still.heard() == []


@pytest.mark.parametrize(("side", "value", "told"), [
    ("high", 90, True), ("high", 10, False), ("low", 90, False), ("low", 10, True),
])  # fmt: skip
def test_one_side_only(
    desk: type[Desk], rule: RuleMaker, side: str, value: float, told: bool
) -> None:
    one = desk(rule(deviation("none", "reading", side), yellow="> 1.2"))
    hours(one, 0, [50.0 + n % 3 for n in range(50)])
    hours(one, 50, [value])
    assert bool(one.heard()) == told


def test_over_range_may_be_high_and_teaches_nothing(desk: type[Desk], rule: RuleMaker) -> None:
    over = desk(rule(deviation("none", "reading"), yellow="> 1.2"))
    hours(over, 0, [50.0 + n % 3 for n in range(50)])
    hours(over, 50, [10.0], "T")
    assert over.heard() == []
    for hour in (51, 53):
        hours(over, hour, [200.0], "T")
        hours(over, hour + 1, [51.0])
        assert [w.split()[0] for w in over.heard()] == ["firing", "resolved"]


def test_a_slow_rise_leaves_the_band_of_its_means(desk: type[Desk], rule: RuleMaker) -> None:
    """While every reading is one that was often seen."""
    slow = desk(
        rule(Drift("cod", "hour", 42 * DAY_US), name="drift", yellow="> 1.2"),
        rule(deviation("none", "reading"), name="outlier", yellow="> 1.2"),
    )
    hours(slow, 0, [50 + 20 * sin(h / 24 * 6.2832) + 5 * sin(h * h) for h in range(10 * 24)])
    slow.heard()
    hours(slow, 240, [68 + 4 * sin(h * h) for h in range(40)])
    assert {t.rule for t in slow.said} == {"drift"}


def test_a_jump_beside_usual_jumps(desk: type[Desk], rule: RuleMaker) -> None:
    """The same setting for a series of thousands and one of thousandths."""
    for size in (0.001, 1.0, 1000.0):
        jump = desk(rule(Jump("cod", "hour", memory_us=21 * DAY_US), yellow="> 1.4"))
        hours(jump, 0, [size * sin(h * h) for h in range(100)])
        assert jump.heard() == []
        hours(jump, 100, [size * 5])
        assert [word.split()[:3] for word in jump.heard()] == [["firing", "raised", "yellow"]]


def test_hours_that_are_half_empty_are_unknown(desk: type[Desk], rule: RuleMaker) -> None:
    """Two of three hours are enough, one is not."""
    third = desk(rule(deviation("none", "3h"), yellow="> 1.2"))
    hours(third, 0, [50.0 + h // 3 % 2 for h in range(99)])
    third.report(99 * HOUR, {"cod": (500.0, "N")}, interval="hour")
    third.report(102 * HOUR, {"cod": (50.0, "N")}, interval="hour")
    third.report(103 * HOUR, {"cod": (500.0, "N")}, interval="hour")
    third.report(105 * HOUR, {"cod": (50.0, "N")}, interval="hour")
    assert [word.split()[3] for word in third.heard()] == [f"@{102 * HOUR}"]


def test_numbers_at_the_end_of_numbers_break_nothing(desk: type[Desk], rule: RuleMaker) -> None:
    """What cannot be computed is unknown, and what is usual stays what it was."""
    jump = Jump("cod", "hour", memory_us=21 * DAY_US)
    rate = Rate("cod", "hour", 10**6 * DAY_US, "1000000d")
    conditions = [deviation("none", "reading"), deviation("day", "1h"), jump, rate]
    wild = desk(*(rule(c, name=f"r{n}", yellow="> 1.2") for n, c in enumerate(conditions)))
    hours(wild, 0, [1.7e308, -1.7e308, 1.7e308] * 30)
    hours(wild, 90, [7.0, -1.7e308, 1.7e308])
    assert all(t.value is None or isfinite(t.value) for t in wild.said)
    assert wild.engine.judged == 93
