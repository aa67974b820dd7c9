"""Composite: how many of some other rules are firing at a facility."""

from msgspec.structs import replace

from services.rules.core import state, view
from services.rules.core.engine import Engine
from services.rules.core.outside import outside
from services.rules.core.verdict_group import of_group
from shared.model.instants import Instant
from shared.model.rule import Across, Composite, Missing, Pause, Rule, Threshold
from tests.unit.rules.conftest import MINUTE, START, Desk, make_rule

COD = make_rule(Threshold("cod", "realtime"), name="cod", yellow="> 60")
HOT = make_rule(Threshold("cod", "realtime"), name="hot", yellow="> 90", wait=5)
STORED = make_rule(Threshold("mw.backlog_t", "realtime"), name="stored", yellow="> 10")
BOTH = make_rule(Composite(("cod", "stored")), name="both", orange=">= 2")


def said(desk: Desk, rule: str) -> list[str]:
    heard, desk.said = desk.said, []
    return [desk.words(t) for t in heard if t.rule == rule]


def stored(desk: Desk, minute: float, value: float, station: str = "s") -> None:
    desk.report(minute, {"mw.backlog_t": (value, "N")}, station=station)


def test_two_rules_that_fire_together_are_one_alert_of_the_facility() -> None:
    """Each at its own station; the facility's alert begins with the later of them."""
    desk = Desk()
    desk.activate(COD, STORED, BOTH, stations=("a", "b"))
    desk.tick(0)
    desk.read(10, 70, station="a")
    assert said(desk, "both") == []
    stored(desk, 12, 11, "b")
    (last,) = [t for t in desk.said if t.rule == "both"]
    assert (last.facility, last.station, last.indicator) == ("f", "f", "rules.firing")
    assert said(desk, "both") == ["firing raised orange @12 2 >= 2"]
    desk.read(20, 10, station="a")
    assert said(desk, "both") == ["resolved cleared orange @20 1 >= 2"]


def test_a_record_is_seen_whole() -> None:
    """One tick in which one rule ends and another begins is no gap between them."""
    slow = make_rule(name="slow", yellow="> 60", keep=10)
    late = make_rule(Threshold("mw.backlog_t", "realtime"), name="late", yellow="> 10", wait=10)
    either = make_rule(Composite(("slow", "late")), name="either", orange=">= 1")
    desk = Desk()
    desk.activate(slow, late, either)
    desk.tick(0)
    desk.read(1, 70)
    assert said(desk, "either") == ["firing raised orange @1 1 >= 1"]
    desk.read(2, 10)
    stored(desk, 2, 11)
    desk.tick(30)
    assert [f"{t.rule} {t.state}" for t in desk.said] == [
        "late pending", "late firing", "slow resolved",
    ]  # fmt: skip


def test_a_late_station_does_not_move_it_back_in_time() -> None:
    """Its own judgements go forward, so that an episode has a beginning before its end."""
    desk = Desk()
    desk.activate(COD, STORED, BOTH, stations=("a", "b"))
    desk.tick(0)
    desk.read(30, 70, station="a")
    stored(desk, 10, 11, "b")
    assert said(desk, "both") == ["firing raised orange @30 2 >= 2"]


def test_what_begins_again_at_one_instant_goes_on_counting_its_steps() -> None:
    """No identity is given twice."""
    desk = Desk()
    desk.activate(COD, STORED, BOTH, stations=("a", "b"))
    desk.tick(0)
    desk.read(30, 70, station="a")
    for minute, value in ((1, 11), (2, 1), (3, 11)):
        stored(desk, minute, value, "b")
    steps = [(t.state, t.episode_us, t.step) for t in desk.said if t.rule == "both"]
    start = steps[0][1]
    assert steps == [("firing", start, 1), ("resolved", start, 2), ("firing", start, 3)]


def test_a_composite_of_composites_and_of_the_facility_itself() -> None:
    """The inner ones first, in the same record."""
    mean = make_rule(Across("cod", "hour", "mean", None, 1.0), name="mean", yellow="> 60")
    inner = make_rule(Composite(("mean",)), name="z-inner", yellow=">= 1")
    outer = make_rule(Composite(("z-inner",)), name="a-outer", red=">= 1")
    desk = Desk()
    desk.activate(mean, inner, outer, stations=("a", "b"))
    for station in ("a", "b"):
        desk.report(0, {"cod": (70.0, "N")}, "hour", station)
    assert [t.rule for t in desk.said] == ["a-outer", "mean", "z-inner"]


def test_its_own_delay_runs_and_its_silence_counts() -> None:
    """A missing report is a rule like others; `for` starts with the second of them."""
    silent = make_rule(
        Missing("mw.disposed_t", "realtime", every_us=5 * 60_000_000), name="silent",
        level=COD.levels,
    )  # fmt: skip
    both = make_rule(Composite(("cod", "silent")), name="both", orange=">= 2", wait=10)
    desk = Desk()
    desk.activate(COD, silent, both)
    desk.tick(0)
    desk.read(2, 70)
    desk.tick(6)
    assert said(desk, "both") == ["pending raised orange @5 2 >= 2"]
    desk.tick(14)
    assert said(desk, "both") == []
    desk.tick(15)
    assert said(desk, "both") == ["firing raised orange @15 2 >= 2"]


def test_a_rule_taken_away_ends_what_it_was_part_of() -> None:
    desk = Desk()
    desk.activate(COD, STORED, BOTH)
    desk.tick(0)
    desk.read(10, 70)
    stored(desk, 10, 11)
    desk.tick(20)
    desk.said.clear()
    harder = make_rule(Threshold("cod", "realtime"), name="cod", yellow="> 65")
    desk.activate(harder, STORED, BOTH)
    assert [f"{t.rule} {t.state}" for t in desk.said] == ["both resolved", "cod withdrawn"]
    desk.said.clear()
    desk.activate(harder, STORED)
    assert desk.said == []


def test_one_that_is_new_counts_what_fires_already() -> None:
    """At log time: nobody waits for the next change to be told."""
    desk = Desk()
    desk.activate(COD, STORED)
    desk.tick(0)
    desk.read(10, 70)
    stored(desk, 10, 11)
    desk.tick(20)
    desk.said.clear()
    desk.activate(COD, STORED, BOTH)
    assert said(desk, "both") == ["firing raised orange @20 2 >= 2"]


def _restored(desk: Desk) -> Engine:
    fresh = Engine(desk.bundles.__getitem__)
    saved = [state.save_cell(cell) for cell in desk.engine.cells.values()]
    state.restore(fresh, state.save_head(desk.engine), saved)
    return fresh


def test_it_remembers_over_a_restart_and_says_why() -> None:
    desk = Desk()
    desk.activate(COD, STORED, BOTH, HOT)
    desk.tick(0)
    assert _state(desk.engine, BOTH) == "normal"
    desk.read(10, 70)
    desk.engine = _restored(desk)
    stored(desk, 12, 11)
    assert said(desk, "both") == ["firing raised orange @12 2 >= 2"]
    assert _state(desk.engine, BOTH) == "firing"
    assert desk.engine.book is not None
    found = of_group(desk.engine, desk.engine.book.rules["both"], "f")
    assert found.derived == {"firing": ["cod s", "stored s"]}


def _state(engine: Engine, rule: Rule) -> str:
    (found,) = [a for a in view.alerts(engine) if a.rule == rule.id]
    assert found.station == "f"
    return found.state


def test_why_finds_it_at_the_facility_and_not_at_a_station() -> None:
    """Also where the facility is its own only station."""
    for stations in (("a", "b"), ("f",)):
        desk = Desk()
        desk.activate(COD, STORED, BOTH, stations=stations)
        book = desk.engine.book
        assert book is not None
        both = book.rules["both"]
        assert outside(book, both, "f", "rules.firing", "realtime") is None
        no = outside(book, both, stations[0], "cod", "realtime")
        assert no is not None
        assert (no.stage, no.reason_en.startswith("it looks at rules.firing")) == (
            "indicator",
            True,
        )


def test_the_edition_of_a_campaign_counts_as_the_rule_it_stands_for() -> None:
    """While the campaign judges instead, and once at the instant that both meet."""
    hour = 60 * MINUTE
    nation = ("000000",)
    war = Pause("war", Instant(START + hour), Instant(START + 2 * hour), nation)
    paused = replace(COD, pauses=(war,))
    basis = replace(COD.basis, valid_from_us=war.from_us, valid_to_us=war.to_us)
    strict = replace(
        make_rule(Threshold("cod", "realtime"), name="cod@war", yellow="> 50"),
        basis=basis, campaign="war", base="cod", applies=replace(COD.applies, within=nation),
    )  # fmt: skip
    desk = Desk()
    desk.activate(paused, strict, STORED, BOTH)
    desk.tick(0)
    stored(desk, 10, 11)
    desk.read(30, 70)
    assert said(desk, "both") == ["firing raised orange @30 2 >= 2"]
    desk.read(70, 55)
    assert said(desk, "both") == []
    desk.activate(COD, STORED, BOTH)
    assert said(desk, "both") == ["resolved cleared orange @70 1 >= 2"]
