"""A tick that comes late judges what lies before it in order, so no alert fires after its end."""

from shared.model.rule import Average
from tests.unit.rules.conftest import Desk, make_rule

HOURLY = Average("cod", "minute", "1h", 600_000_000, 0.1, 0)


def pending(desk: Desk) -> None:
    """An hour above, which fires after 100 minutes; and an hour below, that no tick has seen."""
    desk.activate(make_rule(HOURLY, yellow="> 60", wait=100))
    desk.tick(0)
    for minute in range(0, 60, 10):
        desk.report(minute, {"cod": (90.0, "N")}, "minute")
    desk.tick(61)
    assert desk.heard() == ["pending raised yellow @0 90 > 60"]
    for minute in range(60, 120, 10):
        desk.report(minute, {"cod": (10.0, "N")}, "minute")


def test_a_pending_mean_that_ended_before_its_delay_never_fires() -> None:
    """It did fire once, at 100, after its own end at 60; nothing would have ended it then."""
    desk = Desk()
    pending(desk)
    desk.tick(721)
    assert desk.heard() == []


def test_it_fires_when_the_tick_comes_before_the_window_ends() -> None:
    """Timers wait for ticks, not for windows that are still open."""
    desk = Desk()
    pending(desk)
    desk.tick(100)
    assert desk.heard() == ["firing raised yellow @100 90 > 60"]
    desk.tick(121)
    assert desk.heard() == ["resolved cleared yellow @60 10 > 60"]
