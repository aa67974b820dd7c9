"""Balance: what goes in and does not come out; nothing is estimated."""

import pytest

from shared.model.rule import Balance
from tests.unit.rules.conftest import Desk, make_rule

FLOWS = Balance(("mw.generated_t",), ("mw.disposed_t", "mw.backlog_t"), "hour", 0, "%")


@pytest.fixture
def plant() -> Desk:
    desk = Desk()
    desk.activate(make_rule(FLOWS, yellow="> 5; <= 3"), stations=("a", "b"))
    desk.tick(0)
    return desk


def hour(desk: Desk, number: int, station: str, **values: float | tuple[float, str]) -> None:
    readings = {
        f"mw.{name}_t": value if isinstance(value, tuple) else (value, "N")
        for name, value in values.items()
    }
    desk.report(60 * number, readings, "hour", station)


def test_a_first_slot_waits_for_every_station_and_indicator(plant: Desk) -> None:
    hour(plant, 0, "a", generated=100)
    hour(plant, 0, "b", disposed=60)
    assert plant.heard() == []
    hour(plant, 0, "b", backlog=30)
    assert plant.heard() == ["firing raised yellow @0 10 > 5"]


def test_a_meter_that_was_heard_once_must_be_there(plant: Desk) -> None:
    """Its silence would look like a loss, or hide one."""
    hour(plant, 0, "a", generated=100)
    hour(plant, 0, "b", disposed=60, backlog=30)
    assert plant.heard() == ["firing raised yellow @0 10 > 5"]
    hour(plant, 1, "a", generated=100)
    hour(plant, 1, "b", disposed=100)
    plant.tick(120)
    assert plant.heard() == []
    hour(plant, 2, "a", generated=100)
    hour(plant, 2, "b", disposed=100, backlog=0)
    assert plant.heard() == ["resolved cleared yellow @120 0 > 5"]


def test_more_out_than_in_is_negative() -> None:
    desk = Desk()
    desk.activate(make_rule(FLOWS, yellow="< -5"), stations=("a",))
    hour(desk, 0, "a", generated=100, disposed=90, backlog=20)
    assert desk.heard() == ["firing raised yellow @0 -10 < -5"]


@pytest.mark.parametrize(
    ("generated", "disposed", "said"),
    [
        ((100.0, "T"), 60.0, ["firing raised yellow @0 40 > 5"]),  # at least 40 % are lost
        ((60.0, "T"), 60.0, []),
        (100.0, (60.0, "T"), []),  # more may have come out
        (100.0, (60.0, "D"), []),
        (0.0, 0.0, []),
    ],
)
def test_what_is_over_range_or_no_evidence(
    generated: float | tuple[float, str], disposed: float | tuple[float, str], said: list[str]
) -> None:
    desk = Desk()
    desk.activate(make_rule(FLOWS, yellow="> 5"), stations=("a",))
    hour(desk, 0, "a", generated=generated, disposed=disposed, backlog=0.0)
    assert desk.heard() == said
