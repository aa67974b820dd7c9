"""Editions by event time, changes of the configuration, order and identity (§8.10, §8.15-8.19)."""

from typing import Any

from shared.model.rule import Level, Missing
from shared.model.severity import Severity


def test_an_edition_judges_what_was_observed_while_it_was_in_force(desk: Any, rule: Any) -> None:
    d = desk(
        rule(name="old", yellow="> 60", valid=(-100, 10)),
        rule(name="new", yellow="> 30", valid=(10, None)),
    )
    d.read(9, 50)
    assert d.heard() == []
    d.read(10, 50)
    assert [t.rule for t in d.said] == ["new"]


def test_the_first_newer_reading_after_the_end_withdraws(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60", valid=(-100, 10)))
    d.read(9, 61)
    d.read(12, 99)
    d.read(13, 99)
    assert d.heard() == [
        "firing raised yellow @9 61 > 60",
        "withdrawn withdrawn yellow @12 61 > 60",
    ]


def test_the_end_of_an_edition_drops_what_is_pending_silently(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60", wait=10, valid=(-100, 10)))
    d.read(9, 61)
    d.read(12, 61)
    d.tick(60)
    assert d.heard() == ["pending raised yellow @9 61 > 60"]


def test_an_identical_rule_keeps_its_state_over_activation(desk: Any, rule: Any) -> None:
    d = desk(rule(yellow="> 60; <= 50"))
    d.tick(0)
    d.read(0, 61)
    d.activate(rule(yellow="> 60; <= 50"), rule(name="other", yellow="> 100"))
    d.read(1, 55)
    d.read(2, 50)
    assert d.heard() == ["firing raised yellow @0 61 > 60", "resolved cleared yellow @2 50 > 60"]


def test_a_rule_that_is_gone_withdraws_at_log_time(desk: Any, rule: Any) -> None:
    silent = rule(
        Missing("cod", "realtime", every_us=60_000_000), name="m", level=(Level(Severity.RED),)
    )
    d = desk(rule(yellow="> 60"), silent)
    d.tick(0)
    d.read(0, 61)
    d.tick(30)
    d.heard()
    d.activate()
    assert d.heard() == [
        "withdrawn withdrawn red @30 - -",
        "withdrawn withdrawn yellow @30 61 > 60",
    ]


def test_a_changed_rule_starts_anew_and_no_identity_is_given_twice(desk: Any, rule: Any) -> None:
    """The same silence found by the changed rule goes on counting its steps."""

    def silent(grace: int) -> Any:
        return rule(
            Missing("cod", "realtime", every_us=60_000_000, grace_us=grace * 60_000_000),
            level=(Level(Severity.RED),),
        )

    d = desk(silent(1))
    d.tick(0)
    d.read(0, 1)
    d.tick(10)
    d.activate(silent(2))
    d.tick(11)
    assert [(t.episode_us, t.step) for t in d.said] == [
        (1_582_473_660_000_000, step) for step in (1, 2, 3)
    ]


def test_a_station_that_is_gone_withdraws_and_remembers_what_was_judged(
    desk: Any, rule: Any
) -> None:
    d = desk(rule(yellow="> 60"))
    d.tick(0)
    d.read(5, 61)
    d.activate(rule(yellow="> 60"), stations=("t",))
    d.activate(rule(yellow="> 60"), stations=("s",))
    d.read(5, 99)
    assert [w.split()[0] for w in d.heard()] == ["firing", "withdrawn"]


def test_within_one_record_transitions_come_by_time_then_name(desk: Any, rule: Any) -> None:
    d = desk(rule(name="b", yellow="> 60", wait=3), rule(name="a", yellow="> 60", wait=5))
    d.read(0, 61)
    d.tick(9)
    assert [(t.rule, t.state) for t in d.said] == [
        ("a", "pending"), ("b", "pending"), ("b", "firing"), ("a", "firing"),
    ]  # fmt: skip


def test_a_record_that_breaks_leaves_what_came_before_and_after(desk: Any, rule: Any) -> None:
    """One poisoned record costs itself only."""
    d = desk(rule(yellow="> 60"))
    from shared.model.report import Activate, Report

    def report(minute: int, value: float) -> Report:
        at = 1_582_473_600_000_000 + minute * 60_000_000
        return Report("f", "s", "realtime", at, ("cod",), (value,), None, at, "http")

    rest = iter([report(0, 61), Activate("nobody put this bundle"), report(1, 10)])
    try:
        d.engine.apply(rest)
    except KeyError:
        d.said += d.engine.broken()
    d.said += d.engine.apply(rest)
    assert [w.split()[0] for w in d.heard()] == ["firing", "resolved"]
    assert d.engine.emitted == 2
