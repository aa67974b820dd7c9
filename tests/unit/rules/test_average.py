"""Averages: calendar windows, completeness, and when a window is over (docs/conditions/average.md)."""

from collections.abc import Callable

import pytest

from shared.model.rule import Average, Rule
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
HOUR = 60


def mean(over: str, every: int, complete: float = 0.75, grace: int = 5, **more: object) -> Average:
    interval = more.get("interval", "minute")
    return Average("cod", interval, over, every * MINUTE, complete, grace * MINUTE)  # type: ignore[arg-type]


@pytest.fixture
def five(desk: type[Desk], rule: RuleMaker) -> Desk:
    return desk(rule(mean("5m", 1, 0.6)))


def minutes(desk: Desk, first: int, *values: float, flag: str = "N") -> None:
    for n, value in enumerate(values):
        desk.report(first + n, {"cod": (value, flag)}, interval="minute")


def test_a_window_is_judged_with_the_reading_of_its_last_minute(five: Desk) -> None:
    """Nothing newer can belong to it, so nobody waits."""
    minutes(five, 0, 50, 60, 70, 80)
    assert five.heard() == []
    minutes(five, 4, 90)
    assert five.heard() == ["firing raised yellow @0 70 > 60"]


def test_one_reading_more_than_needed_and_one_less(five: Desk) -> None:
    """Exactly the required completeness is enough; one below is unknown, not small."""
    minutes(five, 0, 90, 90)
    minutes(five, 5, 90, 90, 90)
    minutes(five, 10, 1)
    assert five.heard() == ["firing raised yellow @5 90 > 60"]


def test_what_is_no_evidence_does_not_count(five: Desk) -> None:
    minutes(five, 0, 90, 90)
    minutes(five, 2, 10**6, 10**6, flag="D")
    minutes(five, 4, 90)
    assert five.heard() == ["firing raised yellow @0 90 > 60"]


def test_over_range_makes_the_mean_a_lower_bound(five: Desk) -> None:
    """It raises, and it never clears."""
    minutes(five, 0, 90, 90, 90, 90, 90)
    minutes(five, 5, 10, 10, 10, 10)
    minutes(five, 9, 10, flag="T")
    assert five.heard() == ["firing raised yellow @0 90 > 60"]
    minutes(five, 10, 10, 10, 10, 10, 10)
    assert five.heard() == ["resolved cleared yellow @10 10 > 60"]


def test_a_station_that_falls_silent_is_judged_after_its_grace(five: Desk) -> None:
    """By listening since the end of the window and since it was last heard."""
    five.tick(0)
    minutes(five, 0, 90, 90, 90)
    five.tick(9)
    assert five.heard() == []
    five.tick(10)
    assert five.heard() == ["firing raised yellow @0 90 > 60"]


def test_a_backlog_that_is_being_delivered_is_not_cut_off(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """Hours late, minute by minute: grace begins anew with every reading."""
    late = desk(rule(mean("5m", 1, 1.0)))
    late.tick(600)
    for n in range(5):
        minutes(late, n, 90)
        late.tick(601 + n * 4)
    assert late.heard() == ["firing raised yellow @0 90 > 60"]


def test_our_deafness_is_not_their_silence(desk: type[Desk], rule: RuleMaker) -> None:
    deaf = desk(rule(mean("5m", 1, 1.0)), deaf_after=3)
    deaf.tick(0, 1, 2)
    minutes(deaf, 0, 90, 90, 90)
    deaf.tick(30)
    minutes(deaf, 3, 90, 90)
    assert deaf.heard() == ["firing raised yellow @0 90 > 60"]


def test_eight_hours_slide_by_the_hour(desk: type[Desk], rule: RuleMaker) -> None:
    """Six of eight hours are enough at 0.75."""
    eight = desk(rule(mean("8h", HOUR, interval="hour")))
    for hour in range(5):
        eight.report(hour * HOUR, {"cod": (61.0, "N")}, interval="hour")
    assert eight.heard() == []
    eight.report(5 * HOUR, {"cod": (61.0, "N")}, interval="hour")
    assert eight.heard() == [f"firing raised yellow @{-2 * HOUR} 61 > 60"]
    for hour in range(6, 9):
        eight.report(hour * HOUR, {"cod": (1.0, "N")}, interval="hour")
    assert eight.heard() == [f"resolved cleared yellow @{-HOUR} 52.4286 > 60"]


def test_a_natural_day_ends_at_local_midnight(desk: type[Desk], rule: RuleMaker) -> None:
    """The hour before and the hour after midnight of the site lie in different days."""
    day = desk(rule(mean("day", HOUR, 0.5, interval="hour")))
    for hour in range(12, 24):
        day.report(hour * HOUR, {"cod": (61.0, "N")}, interval="hour")
    assert day.heard() == ["firing raised yellow @0 61 > 60"]
    day.report(24 * HOUR, {"cod": (1.0, "N")}, interval="hour")
    assert day.heard() == []


@pytest.mark.parametrize("missing", [0, 1])
def test_a_day_of_23_hours_needs_its_own_hours(
    desk: type[Desk], rule: RuleMaker, missing: int
) -> None:
    """2020-03-29 in Berlin has 23 of them."""
    berlin = desk(rule(mean("day", HOUR, 1.0, interval="hour")), zone="Europe/Berlin")
    first = 34 * 24 * HOUR + 7 * HOUR  # 2020-03-29T00:00+01:00
    for hour in range(23 - missing):
        berlin.report(first + hour * HOUR, {"cod": (61.0, "N")}, interval="hour")
    berlin.report(first + 23 * HOUR, {"cod": (61.0, "N")}, interval="hour")
    said = [] if missing else [f"firing raised yellow @{first} 61 > 60"]
    assert berlin.heard() == said


def test_the_edition_is_that_of_the_start_of_the_window(desk: type[Desk], rule: RuleMaker) -> None:
    """2026-03-01 judges windows that begin then; readings before it only fill its memory."""
    new = desk(rule(mean("5m", 1, 1.0), valid=(5, None)))
    minutes(new, 0, *[90] * 10)
    assert new.heard() == ["firing raised yellow @5 90 > 60"]
