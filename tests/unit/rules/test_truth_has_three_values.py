"""Unknown, over range, and rules that alert on the unknown (contract §8.6-8.8)."""

from typing import Any

import pytest


@pytest.mark.parametrize("flag", [*"DBFMC", "?", "XX"])
def test_no_evidence_neither_raises_nor_clears(desk: Any, rule: Any, flag: str) -> None:
    d = desk(rule(yellow="> 60"))
    d.read(0, 99, flag)
    d.read(1, 61)
    d.read(2, 0, flag)
    assert d.heard() == ["firing raised yellow @1 61 > 60"]


def test_manual_supplement_is_evidence(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60"))
    d.read(0, 61, "S")
    assert len(d.heard()) == 1


def test_unknown_does_not_stop_for_but_restarts_keep_firing_for(desk: Any, rule: Any) -> None:
    """Never does absence clear."""
    d = desk(rule(yellow="> 60", wait=10, keep=10))
    d.read(0, 61)
    d.read(5, 0, "D")
    d.tick(10)
    assert d.heard()[-1] == "firing raised yellow @10 61 > 60"
    d.read(11, 50)
    d.read(15, 0, "B")
    d.tick(40)
    assert d.heard() == []
    d.read(41, 50)
    d.tick(51)
    assert d.heard() == ["resolved cleared yellow @51 50 > 60"]


def test_over_range_counts_only_upwards(desk: Any, rule: Any) -> None:
    """T raises by > and >=, never by <, and never lowers or clears."""
    d = desk(rule(yellow="> 60", red="> 90", keep=10))
    d.read(0, 95)
    d.read(1, 61, "T")
    d.read(2, 10, "T")
    assert d.heard() == ["firing raised red @0 95 > 90"]
    low = desk(rule(yellow="< 5"))
    low.read(0, 1, "T")
    assert low.heard() == []


def test_over_range_that_raises_drops_a_clearing_timer(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60", keep=10))
    d.read(0, 61)
    d.read(1, 50)
    d.read(2, 10, "T")
    d.read(3, 70, "T")
    d.tick(30)
    assert d.heard() == ["firing raised yellow @0 61 > 60"]


def test_unknown_alert_stands_at_the_lowest_level_without_value(desk: Any, rule: Any) -> None:
    d = desk(rule(blue="> 50", red="> 90", unknown="alert", wait=5))
    d.read(0, 0, "D")
    d.read(1, 0, "D")
    d.tick(5)
    d.read(6, 10, "T")
    d.read(7, 10)
    assert d.heard() == [
        "pending missing blue @0 - -",
        "firing missing blue @5 - -",
        "resolved cleared blue @7 10 > 50",
    ]


def test_a_held_level_outlives_the_unknown_even_where_unknown_alerts(desk: Any, rule: Any) -> None:
    d = desk(rule(blue="> 50", red="> 90", unknown="alert"))
    d.read(0, 95)
    d.read(1, 0, "D")
    assert d.heard() == ["firing raised red @0 95 > 90"]


def test_known_exceedance_takes_over_from_standing_unknown(desk: Any, rule: Any) -> None:
    """`missing` is the cause of a first firing only."""
    d = desk(rule(blue="> 50", red="> 90", unknown="alert", keep=5))
    d.read(0, 0, "D")
    d.read(1, 95)
    d.read(2, 10)
    d.read(3, 0, "D")
    d.tick(20)
    assert d.heard() == [
        "firing missing blue @0 - -",
        "firing rose red @1 95 > 90",
        "firing fell blue @3 - -",
    ]
