"""Time to limit: one promise of docs/conditions/time_to_limit.md a test."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.rules.core import state
from services.rules.core.time_to_limit import SLOTS, TimeToLimitOf
from services.rules.core.witness import Said, Witness
from shared.model.numbers import exact
from shared.model.rule import Rule
from shared.model.timed import TimeToLimit
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
WEEK = TimeToLimit("cod", "hour", 100.0, 7 * DAY, 28 * DAY)


def trend(values: list[float], step_us: int = DAY, **changed: Any) -> float | None:
    """The newest of what a series of readings makes."""
    fields = {name: getattr(WEEK, name) for name in WEEK.__struct_fields__} | changed
    derived = TimeToLimitOf(TimeToLimit(**fields), exact(1.0))
    memory = derived.empty()
    steps = []
    for place, value in enumerate(values):
        steps = derived.reading(memory, place * step_us, "known", value)
    return steps[-1].value


def test_days_until_it_is_full(desk: type[Desk], rule: RuleMaker) -> None:
    """From 60 with 5 a day: 100 is five days away when 75 is reached, and three at 85."""
    full = desk(rule(TimeToLimit("cod", "realtime", 100.0, 4 * DAY, 16 * DAY), red="<= 3"))
    for day in range(6):
        full.read(day * 1440, 60.0 + 5 * day)
    assert full.heard() == ["firing raised red @7200 3 <= 3"]


def test_too_few_readings_say_nothing(desk: type[Desk], rule: RuleMaker) -> None:
    """Neither three readings of four, nor all of them at one end of the window."""
    assert trend([10.0, 50.0, 90.0]) is None
    assert trend([10.0, 50.0, 90.0, 95.0, 99.0], HOUR) is None
    assert trend([10.0, 30.0, 50.0, 70.0]) is None
    assert trend([10.0, 30.0, 50.0, 70.0, 90.0]) == 0.5


def test_what_does_not_approach_is_at_the_horizon_and_clears(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """A load that falls again is well; it must not stand for want of a trend."""
    full = desk(rule(TimeToLimit("cod", "realtime", 100.0, 4 * DAY, 16 * DAY), red="<= 3"))
    for day, value in enumerate((70, 75, 80, 85, 90, 60, 50, 40, 30)):
        full.read(day * 1440, value)
    assert full.heard() == [
        "firing raised red @4320 3 <= 3",
        "resolved cleared red @7200 16 <= 3",
    ]


def test_one_wild_reading_does_not_move_it() -> None:
    calm = [60.0, 62.0, 64.0, 66.0, 68.0, 70.0, 72.0]
    wild = [60.0, 62.0, 64.0, 99.0, 68.0, 70.0, 72.0]
    assert trend(calm) == trend(wild) == 14.0


def test_beyond_the_limit_no_time_is_left() -> None:
    assert trend([96.0, 98.0, 101.0, 103.0, 105.0]) == 0.0


def test_a_backlog_has_days_until_it_is_cleared() -> None:
    """Down to nothing, at the rate at which it shrinks; one that grows is never cleared."""
    backlog = {"limit": 0.0, "towards": "down"}
    assert trend([190.0, 170.0, 150.0, 130.0, 110.0], **backlog) == 5.5
    assert trend([110.0, 130.0, 150.0, 170.0, 190.0], **backlog) == 28.0
    assert trend([5.0, 4.0, 0.0, 0.0, 0.0], **backlog) == 0.0


def test_the_capacity_of_its_day_is_the_limit(desk: type[Desk], rule: RuleMaker) -> None:
    """50 t on the 24th, 100 t from the 25th: as configured for the facility."""
    days = TimeToLimit("mw.disposed_t", "day", None, 4 * DAY, 16 * DAY, 3, unit="t")
    full = desk(rule(days, red="<= 2"))
    for day, tons in enumerate((40.0, 60.0, 70.0)):
        full.report(day * 1440, {"mw.disposed_t": (tons, "N")}, "day")
    assert full.heard() == ["firing raised red @2880 2 <= 2"]


def test_over_range_beyond_the_limit_is_there(desk: type[Desk], rule: RuleMaker) -> None:
    """And below the limit it says nothing."""
    full = desk(rule(TimeToLimit("cod", "realtime", 100.0, 4 * DAY, 16 * DAY), red="<= 3"))
    full.read(0, 90, "T")
    assert full.heard() == []
    full.read(1, 100, "T")
    assert full.heard() == ["firing raised red @1 0 <= 3"]


@given(st.lists(st.integers(-50, 150), min_size=5, max_size=40), st.integers(0, 2))
def test_the_middle_lies_in_the_band(values: list[int], unit: int) -> None:
    shown = ("min", "h", "d")[unit]
    early, middle, late = (
        trend([float(v) for v in values], DAY // 2, judge=judge, shown_in=shown)
        for judge in ("early", "middle", "late")
    )
    if middle is not None:
        assert early is not None and late is not None
        assert 0 <= early <= middle <= late


@given(st.integers(1, 9), st.integers(0, 80), st.integers(5, 60))
def test_a_straight_line_reaches_it_when_it_says(rise: int, start: int, count: int) -> None:
    found = trend([start + rise * n / 10 for n in range(count)])
    left = 100 - (start + rise * (count - 1) / 10)
    assert found is not None
    assert abs(found - min(max(left, 0) * 10 / rise, 28.0)) < 1e-9


def test_the_memory_is_bounded() -> None:
    derived = TimeToLimitOf(WEEK, exact(1.0))
    memory = derived.empty()
    for n in range(3 * 7 * 1440):
        derived._remember(memory, n * MINUTE, 1.0)
    assert len(memory.times) == len(memory.values) <= SLOTS + 1


def test_it_is_saved_in_a_format_of_its_own(desk: type[Desk], rule: RuleMaker) -> None:
    """So that a program that does not know it refuses it instead of dropping its memory."""
    assert state.save_head(desk(rule(WEEK, red="<= 3")).engine)[1] == 3


def test_nothing_more_than_a_reading_is_enough_to_ask() -> None:
    """Whoever has no flag and no clock asks as of any other derivation."""
    assert isinstance(TimeToLimitOf(WEEK, exact(1.0)), Witness)
    assert Said._fields[:3] == ("at_us", "quality", "value")
