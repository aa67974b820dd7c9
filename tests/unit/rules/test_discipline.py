"""Discipline: one promise of docs/conditions/discipline.md a test."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.clock import LogClock
from services.rules.core.discipline import HeapingOf, MarksOf
from services.rules.core.witness import Said
from shared.model.numbers import exact
from shared.model.rule import Rule
from shared.model.timed import Discipline
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
HOUR = 60 * MINUTE
LATE = Discipline("cod", "hour", "late", 10, allowed_us=HOUR)
GAPS = Discipline("cod", "hour", "gaps", 10, every_us=HOUR)
MARKS = Discipline("cod", "hour", "marks", 10, flags=("M", "C"))
HEAP = Discipline("cod", "hour", "heaping", 20, limit=100.0)


def hour(desk: Desk, number: int, value: float = 1.0, flag: str = "N") -> None:
    desk.report(number * 60, {"cod": (value, flag)}, "hour")


def test_three_of_ten_came_late(desk: type[Desk], rule: RuleMaker) -> None:
    """Hour n is over at n + 1 and may come until n + 2; here some come at n + 3."""
    late = desk(rule(LATE, yellow=">= 30"), deaf_after=10**6)
    for number in range(8):
        late.tick(60 * (number + (3 if number in (2, 4, 6) else 2)))
        hour(late, number)
    assert late.heard() == ["firing raised yellow @360 30 >= 30"]


def test_our_deafness_makes_nobody_late(desk: type[Desk], rule: RuleMaker) -> None:
    late = desk(rule(LATE, yellow=">= 10"), deaf_after=60)
    late.tick(0, 30, 60, 90, 600)
    for number in range(9):
        hour(late, number)
    assert late.heard() == []


def test_slots_that_are_missing(desk: type[Desk], rule: RuleMaker) -> None:
    gaps = desk(rule(GAPS, yellow=">= 30; < 20"), deaf_after=10**6)
    for number in (0, 1, 2, 6, 7, 8, 9, 10, 11, 12, 13, 14):
        gaps.tick(60 * (number + 1))
        hour(gaps, number)
    assert gaps.heard() == [
        "firing raised yellow @360 30 >= 30",
        "resolved cleared yellow @840 10 >= 30",
    ]


def test_what_we_could_not_hear_is_no_gap(desk: type[Desk], rule: RuleMaker) -> None:
    gaps = desk(rule(GAPS, yellow=">= 10"), deaf_after=90)
    gaps.tick(60, 120, 180)
    hour(gaps, 1)
    gaps.tick(600, 660, 720)
    hour(gaps, 11)
    # 2 to 9 touch the deaf time from 3:00 to 10:00; 10 does not.
    assert gaps.heard() == ["firing raised yellow @660 10 >= 10"]


def test_marks_that_are_used_too_often(desk: type[Desk], rule: RuleMaker) -> None:
    marks = desk(rule(MARKS, yellow=">= 40"))
    for number, flag in enumerate("NMMDNCNTMN"):
        hour(marks, number, 1, flag)
    assert marks.heard() == ["firing raised yellow @480 40 >= 40"]


def test_values_that_heap_just_under_the_limit(desk: type[Desk], rule: RuleMaker) -> None:
    """15 in 95–100 beside 3 in 90–95; the same number in both is no suspicion."""
    heap, even = desk(rule(HEAP, yellow=">= 80")), desk(rule(HEAP, yellow=">= 80"))
    for number in range(20):
        hour(heap, number, 92 if number in (3, 9, 15) else 50 if number in (4, 5) else 97.5)
        hour(even, number, 92 + 5 * (number % 2))
    assert heap.heard() == ["firing raised yellow @1140 83.3333 >= 80"]
    assert even.heard() == []


def test_few_values_near_the_limit_are_no_evidence(desk: type[Desk], rule: RuleMaker) -> None:
    """Three of three would be 100 %; of at least ten they are 30 %."""
    heap = desk(rule(HEAP, yellow="> 30"))
    for number in range(20):
        hour(heap, number, 99 if number < 3 else 20)
    assert heap.heard() == []


@given(st.floats(0, 200, allow_nan=False))
def test_the_bands_meet_without_overlap(value: float) -> None:
    clock = LogClock(deaf_after_us=0)
    digit = HeapingOf(HEAP, exact(1.0))._digit(Said(0, "known", value, "N", clock, lambda: None))
    assert digit == (1 if 95 <= value <= 100 else 2 if 90 <= value < 95 else 0)


@given(st.text("NMC", min_size=10, max_size=300))
def test_the_share_is_that_of_the_last_n(flags: str) -> None:
    marks, clock = MarksOf(MARKS), LogClock(deaf_after_us=0)
    memory = marks.empty()
    for number, flag in enumerate(flags):
        quality = "known" if flag == "N" else "unknown"
        (step,) = marks.witness(memory, Said(number, quality, 1.0, flag, clock, lambda: None))
    assert step.value == 10 * sum(flag in "MC" for flag in flags[-10:])
    assert len(memory.digits) == 10
