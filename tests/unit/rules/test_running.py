"""Flagged while the plant runs: one promise of docs/conditions/flagged.md a test."""

from msgspec.structs import replace

from services.rules.core import state
from services.rules.core.engine import Engine
from services.rules.core.evidence import evidence
from shared.model.comparison import Comparison
from shared.model.timed import Companion, Flagged
from tests.unit.rules.conftest import MINUTE, Desk, make_rule

HOUR = 60 * MINUTE
HOT = Comparison(">", 850.0, "> 850")
FURNACE = Companion("mw.backlog_t", "realtime", HOT, 10 * MINUTE, "t", "t")
STOPPED = Flagged("cod", "realtime", ("F",), "h", FURNACE)


def rules(condition: Flagged = STOPPED, limit: str = ">= 2", name: str = "stopped") -> Desk:
    return Desk(make_rule(condition, name=name, yellow=limit))


def both(desk: Desk, hour: float, flag: str, degrees: float, furnace: str = "N") -> None:
    """One report; the furnace stands behind the series that asks for it."""
    desk.report(hour * 60, {"cod": (1.0, flag), "mw.backlog_t": (degrees, furnace)})


def test_only_the_time_that_the_plant_runs_counts() -> None:
    desk = rules()
    for hour, degrees in enumerate((870, 870, 300, 290, 880)):
        both(desk, hour, "F", degrees)
    assert desk.heard() == ["firing raised yellow @240 2 >= 2"]
    both(desk, 5, "N", 870)
    assert desk.heard() == ["resolved cleared yellow @300 0 >= 2"]


def test_evidence_sets_it_back_and_a_standing_plant_does_not() -> None:
    desk = rules()
    for hour, (flag, degrees) in enumerate(
        (("F", 870), ("F", 870), ("N", 870), ("F", 870), ("F", 870), ("F", 20))
    ):
        both(desk, hour, flag, degrees)
    assert desk.heard() == []
    both(desk, 6, "F", 870)
    assert desk.heard() == ["firing raised yellow @360 2 >= 2"]


def test_what_nobody_knows_does_not_count_and_clears_nothing() -> None:
    """Too old, never heard or in fault: from then on the hours are a lower bound."""
    desk = rules(limit="< 1.5; >= 1.5")
    both(desk, 0, "F", 870)
    assert desk.heard() == ["firing raised yellow @0 0 < 1.5"]
    both(desk, 1, "F", 870, "D")
    desk.read(120, 1, "F")
    both(desk, 3, "F", 870)
    both(desk, 4, "F", 870)
    assert desk.heard() == []
    ((judging, hold),) = desk.engine.cells["s", "realtime"].series["cod"].holds
    assert judging.derive is not None and hold.memory is not None
    shown = evidence(judging.derive, hold.memory, desk.engine.zone)
    assert shown == {"flagged_since": "2020-02-24T00:00:00+08:00", "ran_s": 7200, "partial": True}


def test_a_flag_that_hides_nothing_may_be_named() -> None:
    despite = replace(STOPPED, companion=replace(FURNACE, despite=("F",)))
    desk = rules(despite)
    for hour in range(3):
        both(desk, hour, "F", 870, "F")
    assert desk.heard() == ["firing raised yellow @120 2 >= 2"]


def test_over_range_proves_only_what_lies_above() -> None:
    below = replace(FURNACE, runs=Comparison("<", 5.0, "< 5"))
    hot, cold = rules(), rules(replace(STOPPED, companion=below))
    for hour in range(3):
        both(hot, hour, "F", 900, "T")
        both(cold, hour, "F", 2, "T")
    assert hot.heard() == ["firing raised yellow @120 2 >= 2"]
    assert cold.heard() == []


def test_another_station_of_the_facility_shows_it() -> None:
    """Its data stays on the quiet path, and is looked at when it is asked for."""
    desk = Desk()
    elsewhere = replace(STOPPED, companion=replace(FURNACE, station="b", max_age_us=HOUR))
    desk.activate(make_rule(elsewhere, name="stopped", yellow=">= 2"), stations=("a", "b"))
    for minute in range(0, 140, 20):
        desk.report(minute, {"mw.backlog_t": (870.0, "N")}, station="b")
        if minute % 60 == 0:
            desk.read(minute, 1, "F", station="a")
    assert desk.engine.cells["b", "realtime"].quiet
    assert desk.heard() == ["firing raised yellow @120 2 >= 2"]


def test_it_is_saved() -> None:
    desk = rules()
    both(desk, 0, "F", 870)
    both(desk, 1, "F", 870)
    fresh = Engine(desk.bundles.__getitem__)
    cells = [state.save_cell(cell) for cell in desk.engine.cells.values()]
    state.restore(fresh, state.save_head(desk.engine), cells)
    desk.engine = fresh
    both(desk, 2, "F", 870)
    assert desk.heard() == ["firing raised yellow @120 2 >= 2"]
