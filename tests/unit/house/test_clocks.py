"""Clocks: the scenario clock never steps, the virtual one only when told."""

import threading
from pathlib import Path

import pytest

from shared.clock import LedClock, ScenarioClock, VirtualClock, parse_clock
from shared.model.instants import Instant


def test_a_change_of_speed_is_no_step() -> None:
    """Time goes on from where it was."""
    clock = ScenarioClock(Instant(1_000_000_000), 1e-6)
    before = clock.now()

    clock.set_speed(1e-7)

    assert 0 <= clock.now() - before < 1_000_000


def test_stepping_the_wall_leaves_the_steady_clock() -> None:
    """The difference is how a step is noticed."""
    clock = VirtualClock(Instant(0))
    clock.advance(5)
    clock.step(-3)

    assert (clock.now(), clock.steady_us()) == (2, 5)


def test_waiting_on_the_virtual_clock_costs_no_time() -> None:
    """Tests never sleep."""
    clock, event = VirtualClock(Instant(0)), threading.Event()

    assert clock.wait(event, 3_600_000_000) is False
    assert clock.now() == 3_600_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2020-01-19T00:00:00+08:00", ("2020-01-19T00:00:00+08:00", 1.0)), ("S,x3600", ("S", 3600.0))],
)
def test_scenario_flag(text: str, expected: tuple[str, float]) -> None:
    """START, and optionally how fast."""
    assert parse_clock(text) == expected


@pytest.mark.parametrize("text", ["S,3600", "S,x0", "S,x-1", "S,xfast", "S,xnan"])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    """A clock that stands or runs backwards is a mistake."""
    with pytest.raises(ValueError):
        parse_clock(text)


def test_processes_of_one_machine_share_a_led_clock(tmp_path: Path) -> None:
    """Who follows reads the same time, also after a change of speed and a jump."""
    path = tmp_path / "clock"
    with pytest.raises(ValueError, match="is not a clock file"):
        LedClock(path)
    leader = LedClock(path, leads=(Instant(1_000), 9.0))
    follower = LedClock(path)
    for speed in (1e6, 1e-6, 5.0, 5e6, 1e-6):
        leader.set_speed(speed)
        assert follower.speed == speed
    leader.go_on_from(Instant(7_000_000_000))
    follower.go_on_from(Instant(1))
    assert leader.now() <= follower.now() <= leader.now()
    assert follower.fastest == 9.0
