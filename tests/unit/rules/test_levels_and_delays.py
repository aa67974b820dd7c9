"""Held levels, `for` and `keep_firing_for` (contract §8.2-8.5)."""

from typing import Any

from shared.model.rule import Level, Range, Threshold
from shared.model.severity import Severity


def test_value_hovering_at_the_limit_raises_one_episode_not_forty(desk: Any, rule: Any) -> None:
    """A deadband turns chatter into a single episode."""
    d = desk(rule(yellow="> 60; <= 54"))
    for minute in range(40):
        d.read(minute, 61 if minute % 2 == 0 else 58)
    assert d.heard() == ["firing raised yellow @0 61 > 60"]
    d.read(41, 54)
    assert d.heard() == ["resolved cleared yellow @41 54 > 60"]


def test_the_highest_raised_level_counts_and_a_held_one_stays_until_cleared(
    desk: Any, rule: Any
) -> None:
    """Rising and falling are transitions of one episode."""
    d = desk(rule(blue=">= 80; < 75", orange=">= 100; < 95", red=">= 120; < 110"))
    for minute, value in enumerate([100, 119, 121, 112, 109, 95, 94, 79, 76, 74]):
        d.read(minute, value)
    assert d.heard() == [
        "firing raised orange @0 100 >= 100",
        "firing rose red @2 121 >= 120",
        "firing fell orange @4 109 >= 100",
        "firing fell blue @6 94 >= 80",
        "resolved cleared blue @9 74 >= 80",
    ]


def test_without_clear_a_level_clears_where_it_does_not_raise(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60"))
    d.read(0, 60.1)
    d.read(1, 60)
    assert [w.split()[0] for w in d.heard()] == ["firing", "resolved"]


def test_range_is_exceeded_outside_and_clears_inside_its_deadband(desk: Any, rule: Any) -> None:
    """[6.5, 10] with 0.3: clears in [6.8, 9.7], as if computed exactly."""
    band = Range("cod", "realtime", 6.5, 10.0, 0.3)
    d = desk(rule(band, level=(Level(Severity.ORANGE),)))
    for minute, value in enumerate([6.5, 10, 10.01, 9.71, 6.79, 6.8, 6.49, 6.7, 9.7]):
        d.read(minute, value)
    assert d.heard() == [
        "firing raised orange @2 10.01 < 6.5 or > 10",
        "resolved cleared orange @5 6.8 < 6.5 or > 10",
        "firing raised orange @6 6.49 < 6.5 or > 10",
        "resolved cleared orange @8 9.7 < 6.5 or > 10",
    ]


def test_for_fires_at_the_due_instant_with_the_level_held_then(desk: Any, rule: Any) -> None:
    """A level change while pending makes no transition."""
    d = desk(rule(yellow="> 60", red="> 90", wait=10))
    d.read(0, 61)
    d.read(5, 95)
    d.tick(9.9, 12)
    assert d.heard() == ["pending raised yellow @0 61 > 60", "firing raised red @10 95 > 90"]


def test_a_reading_below_every_level_ends_a_pending_episode_silently(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60", wait=10))
    d.read(0, 61)
    d.read(5, 50)
    d.read(6, 62)
    d.tick(15, 16)
    assert d.heard() == [
        "pending raised yellow @0 61 > 60",
        "pending raised yellow @6 62 > 60",
        "firing raised yellow @16 62 > 60",
    ]


def test_a_reading_is_judged_after_the_timers_due_at_or_before_it(desk: Any, rule: Any) -> None:
    """The reading that clears comes at the due instant: it fires, then resolves."""
    d = desk(rule(yellow="> 60", wait=10))
    d.read(0, 61)
    d.read(10, 50)
    assert d.heard() == [
        "pending raised yellow @0 61 > 60",
        "firing raised yellow @10 61 > 60",
        "resolved cleared yellow @10 50 > 60",
    ]


def test_a_late_reading_starts_its_timer_in_the_past_and_any_tick_runs_it(
    desk: Any, rule: Any
) -> None:
    """Not in the record that started it; a tick that moves nothing is still a tick."""
    d = desk(rule(yellow="> 60", wait=10))
    d.tick(100)
    d.read(0, 61)
    assert d.heard() == ["pending raised yellow @0 61 > 60"]
    d.tick(100)
    assert d.heard() == ["firing raised yellow @10 61 > 60"]


def test_keep_firing_for_resolves_from_the_first_clearing_reading(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60", keep=10))
    d.read(0, 61)
    d.read(3, 50)
    d.read(8, 40)
    d.tick(12, 13)
    assert d.heard() == ["firing raised yellow @0 61 > 60", "resolved cleared yellow @13 40 > 60"]


def test_raising_again_drops_the_timer_and_another_level_rises_or_falls(
    desk: Any, rule: Any
) -> None:
    """The held level is a function of the readings alone, not of keep_firing_for."""
    d = desk(rule(yellow="> 60; <= 50", red="> 90; <= 80", keep=10))
    d.read(0, 95)
    d.read(1, 40)
    d.read(2, 85)
    d.tick(30)
    assert d.heard() == ["firing raised red @0 95 > 90", "firing fell yellow @2 85 > 60"]


def test_an_old_or_repeated_reading_changes_nothing(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60"))
    d.read(5, 61)
    d.read(5, 10)
    d.read(4, 10)
    assert d.heard() == ["firing raised yellow @5 61 > 60"]


def test_condition_unit_is_converted_and_shown(desk: Any, rule: Any) -> None:
    d = desk(rule(Threshold("cod", "realtime", "µg/L"), yellow="> 60000"))
    d.read(0, 60.0000001)
    assert d.said[0].unit == "µg/L"
    assert d.heard() == ["firing raised yellow @0 60000 > 60000"]
