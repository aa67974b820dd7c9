"""Rate, jump, flatline and count: one promise of docs/conditions a test."""

from collections.abc import Callable

from services.rules.core import state, view
from services.rules.core.engine import Engine
from shared.model.rule import Comparison, Count, Flatline, Jump, Rate, Rule
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
HOUR = 60 * MINUTE


def test_a_rate_is_per_time_and_keeps_its_sign(desk: type[Desk], rule: RuleMaker) -> None:
    fall = desk(rule(Rate("cod", "realtime", HOUR, "h"), yellow="<= -30"))
    fall.read(0, 40)
    fall.read(30, 60)
    assert fall.heard() == []
    fall.read(60, 45)
    assert fall.heard() == ["firing raised yellow @60 -30 <= -30"]


def test_the_unit_of_a_rate_says_its_time(desk: type[Desk], rule: RuleMaker) -> None:
    fast = desk(rule(Rate("cod", "realtime", HOUR, "h", unit="µg/L"), yellow="> 1000"))
    fast.read(0, 1)
    fast.read(60, 3)
    assert [(t.value, t.unit) for t in fast.said] == [(2000.0, "µg/L/h")]


def test_too_far_apart_to_compare_is_unknown(desk: type[Desk], rule: RuleMaker) -> None:
    """Nothing clears on it; the next is compared again."""
    far = desk(rule(Jump("cod", "realtime", 10 * MINUTE), yellow="> 5"))
    far.read(0, 1)
    far.read(5, 9)
    assert far.heard() == ["firing raised yellow @5 8 > 5"]
    far.read(60, 9)
    assert far.heard() == []
    far.read(61, 9)
    assert far.heard() == ["resolved cleared yellow @61 0 > 5"]


def test_an_unknown_reading_is_passed_over(desk: type[Desk], rule: RuleMaker) -> None:
    jump = desk(rule(Jump("cod", "realtime"), yellow="> 5"))
    jump.read(0, 1)
    jump.read(1, 999, "D")
    jump.read(2, 2)
    jump.read(3, 8)
    assert jump.heard() == ["firing raised yellow @3 6 > 5"]


def test_over_range_is_compared_and_not_compared_with(desk: type[Desk], rule: RuleMaker) -> None:
    jump = desk(rule(Jump("cod", "realtime"), yellow="> 5"))
    jump.read(0, 1)
    jump.read(1, 100, "T")
    assert jump.heard() == ["firing raised yellow @1 99 > 5"]
    jump.read(2, 2)
    assert jump.heard() == ["resolved cleared yellow @2 1 > 5"]


def test_a_stuck_instrument_is_told_by_how_long_it_stands(
    desk: type[Desk], rule: RuleMaker
) -> None:
    flat = desk(rule(Flatline("cod", "realtime", 0.1), blue=">= 2", yellow=">= 3"))
    for minute in range(0, 211, 30):
        flat.read(minute, 7.0 + (minute // 30 % 2) / 10)
    assert flat.heard() == ["firing raised blue @120 2 >= 2", "firing rose yellow @180 3 >= 3"]
    flat.read(240, 7.2)
    assert flat.heard() == ["resolved cleared yellow @240 0 >= 3"]


def test_a_slow_drift_is_no_stand(desk: type[Desk], rule: RuleMaker) -> None:
    flat = desk(rule(Flatline("cod", "realtime", 0.1, "min"), blue=">= 30"))
    for minute in range(0, 600, 10):
        flat.read(minute, 7 + minute / 100)
    assert flat.heard() == []


def test_a_gap_begins_a_new_stand(desk: type[Desk], rule: RuleMaker) -> None:
    flat = desk(rule(Flatline("cod", "realtime", 0.1, "min", 20 * MINUTE), blue=">= 30"))
    for minute in (0, 10, 20, 45, 60):
        flat.read(minute, 7)
    assert flat.heard() == []


def test_three_of_five(desk: type[Desk], rule: RuleMaker) -> None:
    """It raises before five were seen; it clears only when two of five are left."""
    three = desk(rule(Count("cod", "realtime", Comparison(">", 60.0, "> 60"), 5), yellow=">= 3"))
    for minute, value in enumerate((61, 62, 63, 1, 1, 1)):
        three.read(minute, value)
    assert three.heard() == [
        "firing raised yellow @2 3 >= 3",
        "resolved cleared yellow @5 2 >= 3",
    ]


def test_too_few_is_said_only_once_all_were_seen(desk: type[Desk], rule: RuleMaker) -> None:
    """A count that is still filling is a lower bound."""
    few = desk(rule(Count("cod", "realtime", Comparison(">", 6.5, "> 6.5"), 3), yellow="< 2"))
    few.read(0, 1)
    few.read(1, 1)
    assert few.heard() == []
    few.read(2, 7)
    assert few.heard() == ["firing raised yellow @2 1 < 2"]


def test_a_derived_rule_is_unknown_until_it_has_derived_something(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """Its series may be well while nothing can be said yet."""
    rate = desk(rule(Rate("cod", "realtime", HOUR, "h"), yellow="> 1"))
    rate.read(0, 1)
    assert [a.state for a in view.alerts(rate.engine)] == ["unknown"]
    rate.read(1, 1)
    assert [a.state for a in view.alerts(rate.engine)] == ["normal"]


def test_only_a_site_that_derives_writes_the_newer_format(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """Others may go back to the program before."""
    plain, derives = desk(rule()), desk(rule(Jump("cod", "realtime"), yellow="> 5"))
    formats = []
    for one in (plain, derives):
        head = state.save_head(one.engine)
        fresh = Engine(one.bundles.__getitem__)
        assert state.restore_head(fresh, head)
        formats.append(head[1])
    assert formats == [1, 2]
