"""Silence of a station, by due instant and by interval; our own deafness (contract §8.11-8.14)."""

from datetime import time
from typing import Any

from shared.model.rule import Level, Missing
from shared.model.severity import Severity

DAY = 1440
ONE = (Level(Severity.BLUE),)


def daily(rule: Any, due: time = time(10), grace: int = 30, **more: Any) -> Any:
    condition = Missing("mw.disposed_t", "day", due=due, grace_us=grace * 60_000_000)
    return rule(condition, level=ONE, **more)


def often(rule: Any, every: int = 5, grace: int = 2, **more: Any) -> Any:
    condition = Missing("cod", "realtime", every_us=every * 60_000_000, grace_us=grace * 60_000_000)
    return rule(condition, level=ONE, **more)


def send(desk: Any, day: int, flag: str = "N") -> None:
    desk.report(day * DAY, {"mw.disposed_t": (1.0, flag)}, "day")


def test_a_daily_slot_is_missing_at_due_plus_grace(desk: Any, rule: Any) -> None:
    """The slot of day 0 is due on day 1 at 10:00; the episode bears the due instant."""
    d = desk(daily(rule))
    d.tick(600, DAY + 629)
    assert d.heard() == []
    d.tick(DAY + 640)
    assert (d.said[0].episode_us - 1_582_473_600_000_000) // 60_000_000 == DAY + 600
    assert d.said[0].unit is None
    assert d.heard() == ["firing missing blue @2070 - -"]


def test_a_slot_due_before_the_first_tick_does_not_count(desk: Any, rule: Any) -> None:
    d = desk(daily(rule))
    d.tick(DAY + 600, DAY + 2000)
    assert d.heard() == []
    d.tick(2 * DAY + 630)
    assert d.heard() == ["firing missing blue @3510 - -"]


def test_one_episode_at_a_time_and_slots_that_pass_belong_to_it(desk: Any, rule: Any) -> None:
    d = desk(daily(rule))
    d.tick(600, DAY + 630, 2 * DAY + 630, 3 * DAY + 630)
    assert len(d.heard()) == 1
    d.tick(3 * DAY + 700)
    send(d, 0)
    assert d.heard() == ["resolved reported blue @5020 - -"]
    d.tick(4 * DAY + 629)
    assert d.heard() == []
    d.tick(4 * DAY + 630)
    assert len(d.heard()) == 1


def test_any_accepted_reading_of_the_slot_or_later_is_a_sign_of_life(desk: Any, rule: Any) -> None:
    """Whatever its flag."""
    d = desk(daily(rule))
    d.tick(600)
    send(d, 1, "D")
    d.tick(2 * DAY + 629)
    assert d.heard() == []


def test_every_counts_from_the_log_time_at_which_the_newest_was_judged(
    desk: Any, rule: Any
) -> None:
    """Not from what the device's clock says."""
    d = desk(often(rule))
    d.tick(0, 6)
    d.read(-500, 1)
    d.tick(12)
    assert d.heard() == []
    d.tick(14)
    assert (d.said[0].episode_us - 1_582_473_600_000_000) // 60_000_000 == 11
    assert d.heard() == ["firing missing blue @13 - -"]
    d.read(-400, 1, "D")
    assert d.heard() == ["resolved reported blue @14 - -"]


def test_a_station_never_heard_is_missed_from_activation_on(desk: Any, rule: Any) -> None:
    d = desk(often(rule))
    d.tick(0, 7)
    assert d.heard() == ["firing missing blue @7 - -"]


def test_our_deafness_is_never_a_stations_silence(desk: Any, rule: Any) -> None:
    """60 minutes deaf: nobody is missing until grace has passed of listening."""
    d = desk(often(rule), deaf_after=5)
    d.tick(0, 4)
    d.tick(64)
    assert d.heard() == []
    d.tick(66)
    assert d.heard() == []
    d.tick(67)
    assert d.heard() == ["firing missing blue @67 - -"]


def test_a_slot_due_while_deaf_is_missing_only_after_grace_of_listening(
    desk: Any, rule: Any
) -> None:
    d = desk(daily(rule), deaf_after=60)
    d.tick(*range(600, DAY + 541, 60))
    d.tick(DAY + 700)
    assert d.heard() == []
    d.tick(DAY + 729)
    assert d.heard() == []
    d.tick(DAY + 730)
    assert d.heard() == ["firing missing blue @2170 - -"]


def test_with_every_the_slot_begins_at_valid_from_when_that_is_later(desk: Any, rule: Any) -> None:
    d = desk(often(rule, valid=(100, None)))
    d.tick(0, 106)
    assert d.heard() == []
    d.tick(107)
    assert d.heard() == ["firing missing blue @107 - -"]


def test_a_missing_episode_outlives_its_edition(desk: Any, rule: Any) -> None:
    """It is ended only by a reading."""
    d = desk(often(rule, valid=(-10, 10)))
    d.tick(0, 7, 20, 40)
    assert len(d.heard()) == 1
    d.read(41, 1)
    assert d.heard() == ["resolved reported blue @40 - -"]
    d.tick(100)
    assert d.heard() == []
