"""Compliance: one promise of docs/conditions/compliance.md a test; day 0 is a Monday."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.rules.core import history, state, view
from services.rules.core.clock import LogClock
from services.rules.core.compliance import MOST, ComplianceOf
from services.rules.core.engine import Engine
from services.rules.core.witness import Said
from shared.model.rule import Rule
from shared.model.timed import Compliance, Discipline
from tests.unit.rules.conftest import MINUTE, START, Desk

RuleMaker = Callable[..., Rule]
HOUR = 60 * MINUTE
DAY = 1440
WEEKLY = Compliance("cod", "realtime", 3, "week", grace_us=0)


def listening(desk: type[Desk], *rules: Rule) -> Desk:
    """Never deaf, however far apart the ticks of a test are."""
    return desk(*rules, deaf_after=10**6)


def test_a_week_with_two_of_three_samples_is_told_when_it_is_over(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """And the full week after it clears."""
    plan = listening(desk, rule(WEEKLY, yellow="< 100"))
    plan.tick(0)
    for day in (1, 3, 7, 8, 9):
        plan.read(day * DAY, 1)
    plan.tick(7 * DAY - 1)
    assert plan.heard() == []
    plan.tick(7 * DAY)
    assert plan.heard() == ["firing raised yellow @0 66.6667 < 100"]
    plan.tick(14 * DAY)
    assert plan.heard() == ["resolved cleared yellow @10080 100 < 100"]


def test_a_point_that_was_never_sampled_is_told(desk: type[Desk], rule: RuleMaker) -> None:
    plan = listening(desk, rule(WEEKLY, yellow="< 100"))
    plan.tick(0)
    assert [a.state for a in view.alerts(plan.engine)] == ["unknown"]
    plan.tick(7 * DAY)
    assert plan.heard() == ["firing raised yellow @0 0 < 100"]


def test_a_period_that_had_begun_before_us_accuses_nobody(
    desk: type[Desk], rule: RuleMaker
) -> None:
    """What came is a lower bound; the next period is judged."""
    plan = listening(desk, rule(WEEKLY, yellow="< 100"))
    plan.tick(1, 7 * DAY)
    assert plan.heard() == []
    plan.tick(14 * DAY)
    assert plan.heard() == ["firing raised yellow @10080 0 < 100"]


def test_a_rule_activated_later_begins_then(desk: type[Desk], rule: RuleMaker) -> None:
    plan = listening(desk)
    plan.tick(0, 2 * DAY)
    plan.activate(rule(WEEKLY, yellow="< 100"))
    plan.tick(7 * DAY)
    assert plan.heard() == []


def test_our_deafness_does_not_count_against_the_station(desk: type[Desk], rule: RuleMaker) -> None:
    """Deaf for half of the day: half of the samples are enough; for all of it: nothing is said."""
    daily = rule(Compliance("cod", "realtime", 4, "day", grace_us=0), yellow="< 100")
    plan = desk(daily, deaf_after=60)
    plan.tick(*range(0, 12 * 60 + 1, 60))
    plan.read(60, 1)
    plan.read(120, 1)
    plan.tick(DAY)
    assert plan.heard() == []
    plan.tick(3 * DAY, *range(3 * DAY, 4 * DAY, 60), 4 * DAY)
    assert plan.heard() == ["firing raised yellow @4320 0 < 100"]


def test_what_is_no_evidence_is_no_sample(desk: type[Desk], rule: RuleMaker) -> None:
    """Over range is one."""
    plan = listening(desk, rule(WEEKLY, yellow="< 100"))
    plan.tick(0)
    for day, flag in enumerate("NTMDC"):
        plan.read(day * DAY, 1, flag)
    plan.tick(7 * DAY)
    assert plan.heard() == ["firing raised yellow @0 66.6667 < 100"]


def test_samples_too_close_together_are_one(desk: type[Desk], rule: RuleMaker) -> None:
    apart = Compliance("cod", "realtime", 2, "day", 4 * HOUR, 0)
    plan = listening(desk, rule(apart, yellow="< 100"))
    plan.tick(0)
    for minute in (60, 90, 299):
        plan.read(minute, 1)
    plan.tick(DAY)
    assert plan.heard() == ["firing raised yellow @0 50 < 100"]
    plan.read(DAY + 1, 1)
    plan.read(DAY + 241, 1)
    plan.tick(2 * DAY)
    assert plan.heard() == ["resolved cleared yellow @1440 100 < 100"]


def test_a_result_counts_until_its_grace_is_over(desk: type[Desk], rule: RuleMaker) -> None:
    """A laboratory takes days; after that it changes nothing that was said."""
    plan = listening(
        desk, rule(Compliance("cod", "day", 1, "week", grace_us=72 * HOUR), yellow="< 100")
    )
    plan.tick(0, 9 * DAY)
    plan.report(5 * DAY, {"cod": (1, "N")}, "day")
    plan.tick(10 * DAY)
    assert plan.heard() == []
    plan.tick(17 * DAY)
    plan.report(12 * DAY, {"cod": (1, "N")}, "day")
    plan.tick(17 * DAY + 1)
    assert plan.heard() == ["firing raised yellow @10080 0 < 100"]


def test_a_plan_outlives_a_restart(desk: type[Desk], rule: RuleMaker) -> None:
    """Also of a point that was never heard."""
    plan = listening(desk, rule(WEEKLY, yellow="< 100"))
    plan.tick(0)
    saved = [state.save_cell(cell) for cell in plan.engine.cells.values()]
    fresh = Engine(plan.bundles.__getitem__)
    state.restore(fresh, state.save_head(plan.engine), saved)
    plan.engine = fresh
    plan.tick(7 * DAY)
    assert plan.heard() == ["firing raised yellow @0 0 < 100"]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=20),
    st.integers(0, 900),
    st.integers(0, 300),
)
def test_deaf_time_within_a_span(gaps: list[tuple[int, int]], start: int, length: int) -> None:
    clock, now, deaf = LogClock(deaf_after_us=25), 0, []
    clock.tick(0)
    for quiet, step in gaps:
        now += min(quiet, 25)
        clock.tick(now)
        if step > 25:
            deaf.append((now, now + step))
        now += step
        clock.tick(now)
    end = start + length
    expected = sum(max(0, min(b, end) - max(a, start)) for a, b in deaf)
    assert clock.deaf_within(start, end) == expected


def test_what_is_about_arrival_has_no_history_to_amend() -> None:
    """A correction does not change when something came."""
    late = Discipline("cod", "hour", "late", 10)
    marks = Discipline("cod", "hour", "marks", 10)
    assert [history.has_history(one) for one in (WEEKLY, late, marks)] == [False, False, True]


def test_the_memory_is_bounded(desk: type[Desk], rule: RuleMaker) -> None:
    zone = desk(rule()).engine.zone
    plan = ComplianceOf(Compliance("cod", "realtime", 1, "day"), zone)
    memory, clock = plan.empty(), LogClock(deaf_after_us=0)
    for day in range(200):
        plan.witness(memory, Said(START + day * DAY * MINUTE, "known", 1, "N", clock, lambda: None))
    assert len(memory.starts) == len(memory.counts) == MOST
