"""Sleeping cells: a restart that opens nothing says exactly what one that opens all would say."""

from random import Random

import pytest

from services.rules.core import sleep, state, view
from services.rules.core.engine import Engine
from shared.model.report import Report
from shared.model.transition import Transition
from tests.reference.cases import Case, make_case
from tests.reference.compare import bare
from tests.reference.evaluator import evaluate


def asleep(engine: Engine, saved: dict[tuple[str, str], sleep.SleepingCell], case: Case) -> Engine:
    """A new engine from the checkpoint of the old one, as a partition's store keeps it."""
    for key in engine.dirty:
        cell = engine.cells.get(key)
        if cell is None:
            saved.pop(key, None)
        else:
            saved[key] = sleep.save(engine, key, cell)
    fresh = Engine(case.bundles.__getitem__)
    sleep.restore(fresh, state.save_head(engine), saved.values())
    return fresh


def restarted_often(case: Case, random: Random, chance: float) -> list[Transition]:
    said: list[Transition] = []
    engine = Engine(case.bundles.__getitem__)
    saved: dict[tuple[str, str], sleep.SleepingCell] = {}
    rest = list(case.records)
    while rest:
        size = random.randint(1, 5)
        said += engine.apply(rest[:size])
        rest = rest[size:]
        if random.random() < chance:
            engine = asleep(engine, saved, case)
    return [bare(t) for t in said]


@pytest.mark.parametrize("hundred", range(3))
def test_restarts_that_open_nothing_change_nothing(hundred: int) -> None:
    """Against the slow evaluator, restarted after every third batch or after every one."""
    for seed in range(hundred * 100, hundred * 100 + 100):
        case = make_case(seed)
        expected = evaluate(case.records, case.bundles)
        assert restarted_often(case, Random(seed), 0.3) == expected, seed
        assert restarted_often(case, Random(seed), 1.0) == expected, seed


def test_views_of_a_sleeping_engine_are_those_of_one_awake() -> None:
    """Facilities, alerts and counts; whole, and one facility at a time."""
    for seed in range(60):
        case = make_case(seed)
        engine = Engine(case.bundles.__getitem__)
        engine.apply(case.records)
        expected = view.facilities(engine), view.alerts(engine), view.counts(engine)
        fresh = asleep(engine, {}, case)
        assert view.count(fresh.cells.values()) == expected[2]
        one_by_one = [view.one_facility(fresh, facility["id"]) for facility in expected[0]]
        assert [one[0] for one in one_by_one if one] == expected[0]
        assert [alert for one in one_by_one if one for alert in one[1]] == expected[1]
        assert view.one_facility(fresh, "nobody") is None
        again = asleep(engine, {}, case)
        assert (view.facilities(again), view.alerts(again), view.counts(again)) == expected


def test_only_what_is_touched_is_opened() -> None:
    """Quiet cells that nobody asks for stay bytes."""
    case = next(
        c for c in map(make_case, range(500)) if sum(isinstance(r, Report) for r in c.records) > 20
    )
    engine = Engine(case.bundles.__getitem__)
    engine.apply(case.records)
    fresh = asleep(engine, {}, case)
    standing = {(a.station, a.interval) for a in view.alerts(engine) if a.severity is not None}
    assert set(fresh.cells) == standing
    assert set(fresh.asleep) == set(engine.cells) - standing
