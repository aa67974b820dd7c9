"""Time to clear: one promise of docs/conditions/time_to_clear.md a test."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.clearing import result
from shared.model.rule import Rule
from shared.model.timed import TimeToClear
from tests.unit.rules.conftest import Desk

RuleMaker = Callable[..., Rule]
DAY_US = 86_400_000_000
HOURS = TimeToClear("mw.backlog_t", "mw.generated_t", "mw.capacity_t", "day", 28 * DAY_US)


def day(desk: Desk, number: int, **tons: tuple[float, str]) -> None:
    readings = {f"mw.{name}_t": said for name, said in tons.items()}
    desk.report(number * 1440, readings, "day")


def test_hours_until_a_backlog_is_gone(desk: type[Desk], rule: RuleMaker) -> None:
    """40 t with 20 of 50 t/d spare are two days; with 70 of 100 spare 13.7 hours."""
    clear = desk(rule(HOURS, orange=">= 48; < 24"))
    day(clear, 0, backlog=(40, "N"), generated=(30, "N"))
    day(clear, 1, backlog=(40, "N"), generated=(30, "N"))
    assert clear.heard() == [
        "firing raised orange @0 48 >= 48",
        "resolved cleared orange @1440 13.7143 >= 48",
    ]


def test_without_spare_capacity_it_is_never_gone(desk: type[Desk], rule: RuleMaker) -> None:
    clear = desk(rule(HOURS, red=">= 672"))
    day(clear, 0, backlog=(1, "N"), generated=(50, "N"))
    assert clear.heard() == ["firing raised red @0 672 >= 672"]


def test_a_backlog_that_nobody_reports_is_not_cleared(desk: type[Desk], rule: RuleMaker) -> None:
    clear = desk(rule(HOURS, orange=">= 48"))
    day(clear, 0, backlog=(40, "N"), generated=(40, "N"))
    day(clear, 1, generated=(10, "N"))
    day(clear, 2, backlog=(0, "D"), generated=(10, "N"))
    assert clear.heard() == ["firing raised orange @0 96 >= 48"]
    day(clear, 3, backlog=(0, "N"), generated=(10, "N"))
    assert clear.heard() == ["resolved cleared orange @4320 0 >= 48"]


def test_over_range_raises_and_never_clears(desk: type[Desk], rule: RuleMaker) -> None:
    clear = desk(rule(HOURS, orange=">= 48"))
    day(clear, 0, backlog=(40, "T"), generated=(40, "N"))
    day(clear, 1, backlog=(1, "T"), generated=(10, "N"))
    assert clear.heard() == ["firing raised orange @0 96 >= 48"]


@given(st.integers(1, 500), st.integers(0, 100), st.integers(1, 100))
def test_more_spare_capacity_is_never_slower(backlog: int, intake: int, capacity: int) -> None:
    def hours(most: float) -> float:
        said = {"mw.backlog_t": (float(backlog), "N"), "mw.generated_t": (float(intake), "N")}
        quality, value = result(HOURS, said, most)
        assert quality == "known" and value is not None
        return value

    assert 0 < hours(capacity + 1.0) <= hours(float(capacity)) <= 672
