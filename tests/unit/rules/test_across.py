"""Across: the stations of a facility become one value of a slot."""

from services.rules.core import state, view
from services.rules.core.engine import Engine
from services.rules.core.slots import MOST_WAITING
from services.rules.core.verdict_group import of_group
from shared.model.rule import Across, Comparison
from tests.unit.rules.conftest import Desk, make_rule

THREE = ("a", "b", "c")
OVER_60 = Comparison(">", 60.0, "> 60")


def desk_of(condition: Across, stations: tuple[str, ...] = THREE, **more: str) -> Desk:
    desk = Desk()
    rule = make_rule(condition, **more)
    desk.activate(rule, stations=stations)
    desk.tick(0)
    return desk


def across(
    of: str, complete: float = 1.0, grace: int = 0, than: Comparison | None = None
) -> Across:
    return Across("cod", "hour", of, than, complete, grace * 60_000_000)  # type: ignore[arg-type]


def hour(desk: Desk, number: int, **values: float | str) -> None:
    """A value, or a flag, per station; what is said of the same hour later than its end."""
    for station, value in values.items():
        said = (0.0, value) if isinstance(value, str) else (value, "N")
        desk.report(60 * number, {"cod": said}, "hour", station)


def test_a_slot_is_judged_when_the_last_member_came() -> None:
    """Not before, and not again; in the order of the slots, whatever the order of arrival."""
    desk = desk_of(across("mean"))
    hour(desk, 0, a=90.0, c=60.0)
    hour(desk, 1, a=40.0)
    assert desk.heard() == []
    hour(desk, 0, b=60.0)
    assert desk.heard() == ["firing raised yellow @0 70 > 60"]
    hour(desk, 1, b=40.0, c=40.0)
    assert desk.heard() == ["resolved cleared yellow @60 40 > 60"]


def test_the_series_has_the_facility_as_its_station() -> None:
    desk = desk_of(across("sum"))
    hour(desk, 0, a=90.0, b=1.0, c=1.0)
    (said,) = desk.said
    assert (said.facility, said.station, said.indicator, said.interval) == ("f", "f", "cod", "hour")


def test_exactly_the_required_members_and_one_below() -> None:
    """Two of three are enough for 0.6, one is not; a tick ends the waiting."""
    desk = desk_of(across("mean", complete=0.6, grace=30))
    hour(desk, 0, a=90.0, b=90.0)
    desk.tick(89)
    assert desk.heard() == []
    desk.tick(90)
    assert desk.heard() == ["firing raised yellow @0 90 > 60"]
    hour(desk, 1, a=10.0)
    desk.tick(150)
    assert desk.heard() == []  # unknown: it does not clear
    hour(desk, 2, a=10.0, b=10.0)
    desk.tick(210)
    assert desk.heard() == ["resolved cleared yellow @120 10 > 60"]


def test_a_sum_of_some_never_clears() -> None:
    """What a silent member would add is not nothing."""
    desk = desk_of(across("sum", complete=2))
    hour(desk, 0, a=50.0, b=50.0, c=50.0)
    assert desk.heard() == ["firing raised yellow @0 150 > 60"]
    hour(desk, 1, a=5.0, b=5.0)
    desk.tick(120)
    assert desk.heard() == []
    hour(desk, 2, a=5.0, b=5.0, c=5.0)
    assert desk.heard() == ["resolved cleared yellow @120 15 > 60"]


def test_neighbours_that_agree_are_told_and_one_alone_is_not() -> None:
    """`across: count` is the condition for neighbours."""
    desk = desk_of(across("count", complete=0.5, than=OVER_60), orange=">= 2")
    hour(desk, 0, a=90.0, b=10.0, c=10.0)
    assert desk.heard() == []
    hour(desk, 1, a=90.0, b=80.0, c=10.0)
    assert desk.heard() == ["firing raised orange @60 2 >= 2"]
    hour(desk, 2, a=90.0, b=10.0, c="D")
    assert desk.heard() == []  # 1 of 2 known: c may be the second
    hour(desk, 3, a=90.0, b=10.0, c=10.0)
    assert desk.heard() == ["resolved cleared orange @180 1 >= 2"]


def test_a_share_is_of_the_members_that_are_known() -> None:
    desk = desk_of(across("share", complete=0.6, than=OVER_60), orange=">= 50")
    hour(desk, 0, a=90.0, b=10.0, c="D")
    assert desk.heard() == ["firing raised orange @0 50 >= 50"]


def test_our_own_deafness_is_not_waiting() -> None:
    """The hour in which nobody listened is no hour in which a member was silent."""
    desk = Desk(deaf_after=5)
    desk.activate(make_rule(across("mean", complete=0.3, grace=30)), stations=THREE)
    desk.tick(*range(0, 61, 5))
    hour(desk, 0, a=90.0)
    desk.tick(180)
    assert desk.heard() == []
    desk.tick(*range(185, 211, 5))
    assert desk.heard() == ["firing raised yellow @0 90 > 60"]


def test_a_facility_that_comes_late_as_a_whole_is_judged_whole() -> None:
    """Grace begins with the first word of a slot."""
    desk = desk_of(across("sum", complete=0.3, grace=30))
    desk.tick(*range(0, 1001, 10_000), 1000)
    hour(desk, 0, a=30.0)
    desk.tick(1010)
    hour(desk, 0, b=30.0, c=30.0)
    assert desk.heard() == ["firing raised yellow @0 90 > 60"]


def test_a_station_taken_away_is_not_waited_for() -> None:
    desk = desk_of(across("sum"))
    hour(desk, 0, a=50.0, b=50.0)
    rule = make_rule(across("sum"))
    desk.activate(rule, stations=("a", "b"))
    hour(desk, 1, a=1.0)
    assert desk.heard() == ["firing raised yellow @0 100 > 60"]


def test_a_rule_that_goes_ends_what_it_had_as_withdrawn() -> None:
    desk = desk_of(across("sum"))
    hour(desk, 0, a=50.0, b=50.0, c=50.0)
    desk.heard()
    desk.tick(60)
    desk.activate(stations=THREE)
    assert desk.heard() == ["withdrawn withdrawn yellow @60 150 > 60"]


def test_what_waits_survives_a_restart_and_is_bounded() -> None:
    """A member that is silent for ever does not make the others remember for ever."""
    desk = desk_of(across("sum", complete=0.1, grace=10**6))
    for number in range(MOST_WAITING + 1):
        hour(desk, number, a=70.0)
    assert desk.heard() == ["firing raised yellow @0 70 > 60"]
    assert desk.engine.book is not None
    saved = [state.save_cell(cell) for cell in desk.engine.cells.values()]
    fresh = Engine(desk.bundles.__getitem__)
    state.restore(fresh, state.save_head(desk.engine), saved)
    found = of_group(fresh, fresh.book.rules["r"], "f")  # type: ignore[union-attr]
    assert found.derived is not None
    assert (found.state, found.derived["unknown"], found.derived["waiting"]) == (
        "firing", ["b", "c"], MOST_WAITING,
    )  # fmt: skip


def test_it_is_seen_as_a_rule_of_the_facility() -> None:
    """Once, and unknown until a slot was judged."""
    desk = desk_of(across("sum"))
    said = [(a.rule, a.station, a.state) for a in view.alerts(desk.engine)]
    assert said == [("r", "f", "unknown")]
    hour(desk, 0, a=50.0, b=50.0, c=50.0)
    said = [(a.rule, a.station, a.state) for a in view.alerts(desk.engine)]
    assert said == [("r", "f", "firing")]
    seen = view.facilities(desk.engine)[0]
    assert [one["station"] for one in seen["series"]] == ["a", "b", "c"]
