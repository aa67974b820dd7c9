"""The final history is a function of the set of readings; what changed in it is told by episode."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.core import amend, history
from services.rules.core.amend import Change
from shared.model.configuration import Bundle
from shared.model.report import WITHDRAWN, Report
from shared.model.rule import Rule
from tests.reference.amended import check
from tests.unit.rules.conftest import MINUTE, START, Desk, make_rule


def reading(minute: int, value: float, flag: str = "N", revision: int | None = None) -> Report:
    at = START + minute * MINUTE
    return Report(
        "f", "s", "realtime", at, ("cod",), (value,), (flag,), at, "http", revision=revision
    )


def bundle(*rules: Rule) -> Bundle:
    return next(iter(Desk(*rules).bundles.values()))


def spans(reports: list[Report], *rules: Rule, now: int = 100) -> list[str]:
    """`@start-end severity value` of every episode."""
    said = history.transitions(
        bundle(*(rules or (make_rule(),))), history.settled(reports), START + now * MINUTE
    )
    found = []
    for episodes in history.episodes(said).values():
        for one in (each.span for each in episodes):
            value = "-" if one.value is None else f"{one.value:g}"
            end = "" if one.end_us is None else f"{(one.end_us - START) / MINUTE:g}"
            found.append(f"@{(one.start_us - START) / MINUTE:g}-{end} {one.severity.value} {value}")
    return found


def told(before: list[Report], after: list[Report], *rules: Rule) -> list[Change]:
    own = bundle(*(rules or (make_rule(),)))
    one, other = (
        history.episodes(history.transitions(own, history.settled(each), START + 100 * MINUTE))
        for each in (before, after)
    )
    return amend.changes(one, other)


def test_correction_from_120_to_12_and_its_duplicate_leave_no_episode() -> None:
    said = [reading(0, 20), reading(1, 120), reading(2, 20)]
    corrected = [*said, reading(1, 12), reading(1, 12)]
    assert spans(said) == ["@1-2 yellow 120"]
    assert spans(corrected) == []
    assert [each.kind for each in told(said, corrected)] == ["vanished"]


def test_withdrawal_after_recovery_takes_the_episode_back() -> None:
    said = [reading(0, 20), reading(1, 120), reading(2, 20), reading(3, 20)]
    assert [each.kind for each in told(said, [*said, reading(1, 0.0, WITHDRAWN)])] == ["vanished"]


def test_late_reading_inside_a_gap_that_would_have_fired_appears() -> None:
    said = [reading(0, 20), reading(9, 20)]
    (change,) = told(said, [*said, reading(5, 120)])
    assert (change.kind, change.before) == ("appeared", None)
    assert spans([*said, reading(5, 120)]) == ["@5-9 yellow 120"]


def test_withdrawal_of_the_clearing_reading_lets_the_episode_go_on() -> None:
    said = [reading(0, 120), reading(1, 20), reading(2, 130), reading(3, 20)]
    changes = told(said, [*said, reading(1, 0.0, WITHDRAWN)])
    assert [each.kind for each in changes] == ["changed", "vanished"]
    assert changes[0].after is not None and changes[0].after.end_us == START + 3 * MINUTE


def test_earlier_start_is_one_change_and_not_two_episodes() -> None:
    said = [reading(0, 20), reading(5, 120), reading(9, 20)]
    (change,) = told(said, [*said, reading(3, 70)])
    assert change.kind == "changed"
    assert change.before is not None and change.after is not None
    assert (change.before.start_us, change.after.start_us) == (
        START + 5 * MINUTE, START + 3 * MINUTE,
    )  # fmt: skip


def test_highest_revision_counts_and_without_one_the_later_in_the_log() -> None:
    assert spans([reading(0, 12, revision=1), reading(0, 120)]) == []
    assert spans([reading(0, 12), reading(0, 120)]) == ["@0- yellow 120"]
    assert spans([reading(0, 120, revision=2), reading(0, 12, revision=1)]) == ["@0- yellow 120"]


def test_live_stream_passes_over_a_withdrawal() -> None:
    desk = Desk(make_rule(unknown="alert"))
    desk.feed(reading(1, 20), reading(2, 0.0, WITHDRAWN), reading(1, 0.0, WITHDRAWN))
    assert desk.heard() == []
    desk.feed(reading(2, 120))
    assert desk.heard() == ["firing raised yellow @2 120 > 60"]


def test_window_with_nothing_left_is_no_reading() -> None:
    both = msgspec.structs.replace(
        reading(0, 5), indicators=("cod", "mw.disposed_t"), values=(5.0, 0.0),
        flags=("N", WITHDRAWN),
    )  # fmt: skip
    (left,) = history.settled([both])
    assert (left.indicators, left.values, left.flags) == (("cod",), (5.0,), None)
    assert history.settled([reading(0, 0.0, WITHDRAWN)]) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.sampled_from([12.0, 55.0, 61.0, 120.0]),
            st.sampled_from(["N", "N", "D", "T", WITHDRAWN]), st.integers(0, 3),
        ),
        max_size=20, unique_by=lambda each: (each[0], each[3]),
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_every_arrival_order_gives_the_same_final_history(
    said: list[tuple[int, float, str, int]], random: Callable[..., object]
) -> None:
    rules = (
        make_rule(name="a"), make_rule(name="b", wait=2, keep=1),
        make_rule(name="c", unknown="alert", yellow="> 60; <= 54", red="> 100"),
    )  # fmt: skip
    reports = [reading(*each) for each in said]
    expected = spans(reports, *rules)
    random.shuffle(reports)  # type: ignore[attr-defined]
    assert spans(reports, *rules) == expected


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_history_is_what_the_reference_says_of_the_sorted_readings(first: int) -> None:
    for seed in range(first, first + 30):
        check(seed)
