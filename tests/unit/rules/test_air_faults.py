"""Faults are put where they are said to be, and only what they cause is counted as detected."""

from math import sin
from random import Random

import pytest

from tests.air.faults import KINDS, REST_HOURS, WARM_HOURS, Fault, arrivals, plan
from tests.air.stations import HOURS_A_DAY
from tests.air.trial import rules, series

BEGIN_US = 1_362_067_200_000_000


def daily(days: int, seed: int = 1) -> list[float | None]:
    """A series with a day in it, some noise, and now and then no value."""
    rng = Random(seed)
    return [
        None if rng.random() < 0.005 else round(60 + 30 * sin(hour / 24 * 6.283) + rng.random() * 9, 1)
        for hour in range(days * HOURS_A_DAY)
    ]  # fmt: skip


SERIES = daily(130)
START = WARM_HOURS + 100


def test_a_plan_is_the_same_again_and_holds_every_kind() -> None:
    """Seeded; dealt to the series in turn; inside what is warm and has an end."""
    twice = [plan(Random(7), [daily(150), daily(150, 2)], each=6) for _ in range(2)]
    assert twice[0] == twice[1]
    faults = [fault for mine in twice[0] for fault in mine]
    assert {fault.kind for fault in faults} == {kind for kinds in KINDS.values() for kind in kinds}
    assert len(faults) == 6 * len(KINDS)
    assert all(f.start >= WARM_HOURS and f.end <= 150 * HOURS_A_DAY - REST_HOURS + f.hours for f in faults)  # fmt: skip


def test_what_arrives_differs_in_the_hours_of_the_fault_alone() -> None:
    """Before it and after it a series is what it was."""
    for kind, size in (
        ("spike", 50.0),
        ("flatline", 0.0),
        ("unit ×1000", 1000.0),
        ("silence", 0.0),
    ):
        fault = Fault(kind, START, 30, size)
        plain = set(arrivals(SERIES, None, 0, len(SERIES)))
        told = set(arrivals(SERIES, fault, 0, len(SERIES)))
        assert plain ^ told
        assert all(START <= hour < fault.end for hour, _, _ in plain ^ told)


def test_a_clock_that_is_behind_reports_hours_that_were_there_already() -> None:
    """It says eight hours ago; one that is ahead is refused, so nothing is heard."""
    behind = Fault("clock 8 h behind", START, 3, 0.0)
    ahead = Fault("clock 8 h ahead", START, 3, 0.0)
    inside = list(arrivals(SERIES, behind, START, START + 3))
    assert {at - of for at, of, _ in inside} == {8}
    assert list(arrivals(SERIES, ahead, START, START + 3)) == []


@pytest.mark.parametrize(
    ("fault", "by"),
    [
        (Fault("spike", START, 1, 300.0), "jump"),
        (Fault("unit ×1000", START, 72, 1000.0), "deviation"),
        (Fault("unit ÷1000", START, 72, 0.001), "too low"),
        (Fault("flatline", START, 60, 0.0), "flatline"),
        (Fault("silence", START, 12, 0.0), "missing"),
        (Fault("clock 8 h behind", START, 72, 0.0), "missing"),
    ],
)
def test_what_each_condition_is_for_is_detected_by_it(fault: Fault, by: str) -> None:
    """In the time of the fault, and told of the series as it was in no hour the fault is blamed for."""
    found = series(BEGIN_US, SERIES, [fault], rules())
    [trial] = found.trials
    assert by in trial.hours
    assert 0 < trial.hours[by] <= fault.hours + HOURS_A_DAY
    hours = {(name, fault.start + after - 1) for name, after in trial.hours.items()}
    assert not hours & {(name, hour) for name, hour, _ in found.unprovoked}


def test_faults_are_tried_each_alone() -> None:
    """What one does to the memory is not there when the next is tried."""
    faults = [Fault("unit ×1000", START, 72, 1000.0), Fault("spike", START + 100, 1, 300.0)]
    together = series(BEGIN_US, SERIES, faults, rules()).trials
    alone = [series(BEGIN_US, SERIES, [fault], rules()).trials[0] for fault in faults]
    assert together == alone


def test_a_fault_that_changes_nothing_is_detected_by_nobody() -> None:
    """Told alike with and without it: that is not its doing."""
    found = series(BEGIN_US, SERIES, [Fault("spike", START, 1, 0.0)], rules())
    assert found.trials[0].hours == {}
