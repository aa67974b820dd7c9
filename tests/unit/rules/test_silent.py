"""Silent: no reading of any series of a facility; one promise of docs/conditions/silent.md a test."""

from msgspec.structs import replace

from services.rules.core import sleep, state
from services.rules.core.engine import Engine
from services.rules.core.verdict_group import of_group
from services.rules.core.view import facility_alerts
from shared.model.report import WITHDRAWN
from shared.model.rule import Applies, Composite, Rule, Silent
from tests.unit.rules.conftest import MINUTE, Desk, make_rule

SILENT = make_rule(
    Silent(10 * MINUTE, 5 * MINUTE), name="silent", level=make_rule(yellow="> 0").levels[:1]
)


def plant(*others: Rule, deaf_after: int = 10**6) -> Desk:
    desk = Desk(deaf_after=deaf_after)
    desk.activate(SILENT, *others, stations=("a", "b"))
    return desk


def ticks(desk: Desk, first: int, last: int) -> None:
    desk.tick(*range(first, last + 1))


def test_any_series_of_any_station_is_a_sign_of_life() -> None:
    desk = plant()
    ticks(desk, 0, 5)
    desk.read(1, 1, station="a")
    ticks(desk, 6, 12)
    desk.report(12, {"mw.backlog_t": (1.0, "D")}, "minute", "b")
    ticks(desk, 13, 26)
    assert desk.heard() == []
    desk.tick(27)
    (said,) = desk.said
    assert (said.facility, said.station, said.indicator) == ("f", "f", "facility.readings")
    assert (said.cause, said.limit, said.unit) == ("missing", None, None)
    assert desk.heard() == ["firing missing yellow @27 - -"]
    desk.read(20, 1, station="a")
    assert desk.heard() == ["resolved reported yellow @27 - -"]


def test_a_facility_that_never_spoke_is_silent_since_its_activation() -> None:
    desk = plant()
    ticks(desk, 0, 14)
    assert desk.heard() == []
    desk.tick(15)
    assert desk.heard() == ["firing missing yellow @15 - -"]


def test_our_deafness_is_not_its_silence() -> None:
    desk = plant(deaf_after=5)
    ticks(desk, 0, 3)
    desk.read(3, 1, station="a")
    ticks(desk, 60, 70)
    assert desk.heard() == []
    ticks(desk, 71, 75)
    assert desk.heard() == ["firing missing yellow @75 - -"]


def test_what_is_old_or_withdrawn_is_no_sign_of_life() -> None:
    """As everywhere: only a reading that is newer counts (contract §8.1)."""
    desk = plant()
    ticks(desk, 0, 2)
    desk.read(2, 1, station="a")
    ticks(desk, 3, 20)
    assert desk.heard() == ["firing missing yellow @17 - -"]
    desk.read(1, 1, station="a")
    desk.read(19, 1, WITHDRAWN, station="b")
    assert desk.heard() == []
    desk.read(19, 1, station="a")
    assert desk.heard() == ["resolved reported yellow @20 - -"]


def test_quiet_data_stays_quiet_and_is_heard() -> None:
    """Readings of the short way count, and the first after the silence ends it."""
    cod = make_rule(name="cod", yellow="> 60")
    desk = plant(cod)
    desk.tick(0)
    for minute in range(1, 40):
        desk.read(minute, 1, station="a")
        desk.tick(minute)
    cell = desk.engine.cells["a", "realtime"]
    assert cell.quiet
    ticks(desk, 40, 54)
    assert desk.heard() == ["firing missing yellow @53 - -"]
    assert not cell.quiet
    desk.read(54, 2, station="a")
    assert desk.heard() == ["resolved reported yellow @54 - -"]
    assert cell.quiet


def test_only_the_stations_it_applies_to_count() -> None:
    """A rule for one facility does not watch another; states are seen where they stand."""
    other = replace(SILENT, id="other", applies=Applies(facility="g"))
    desk = Desk(deaf_after=10**6)
    desk.activate(SILENT, other)
    ticks(desk, 0, 20)
    assert [t.rule for t in desk.said] == ["silent"]
    assert desk.engine.book is not None
    alerts = list(facility_alerts(desk.engine.book, "f", list(desk.engine.cells.values())))
    assert [(a.rule, a.station, a.state) for a in alerts] == [("silent", "f", "firing")]


def test_others_have_time_to_come_back() -> None:
    """It ends a while after the first reading, and that while is one of listening."""
    desk = Desk(deaf_after=5)
    patient = replace(SILENT, condition=replace(SILENT.condition, settle_us=10 * MINUTE))
    desk.activate(patient, stations=("a", "b"))
    ticks(desk, 0, 20)
    assert desk.heard() == ["firing missing yellow @15 - -"]
    desk.read(20, 1, station="a")
    ticks(desk, 21, 24)
    ticks(desk, 40, 45)
    assert desk.heard() == []
    desk.tick(46)
    assert desk.heard() == ["resolved reported yellow @46 - -"]
    ticks(desk, 47, 51)
    assert desk.heard() == ["firing missing yellow @51 - -"]


def test_a_composite_counts_it_and_why_says_when() -> None:
    both = make_rule(Composite(("silent",)), name="both", red=">= 1")
    desk = plant(both)
    ticks(desk, 0, 3)
    desk.read(3, 1, station="a")
    assert desk.engine.book is not None
    found = of_group(desk.engine, desk.engine.book.rules["silent"], "f")
    assert found.stage == "silence"
    assert found.until == "2020-02-24T00:18:00+08:00"
    ticks(desk, 4, 18)
    assert [t.rule for t in desk.said] == ["both", "silent"]
    assert of_group(desk.engine, desk.engine.book.rules["silent"], "f").stage == "firing"


def test_a_restart_wakes_nothing_before_it_is_due() -> None:
    """Sleeping cells stay asleep until somebody must know when they were heard."""
    desk = plant()
    ticks(desk, 0, 16)
    desk.read(16, 1, station="a")
    ticks(desk, 17, 18)
    assert desk.heard() == [
        "firing missing yellow @15 - -", "resolved reported yellow @16 - -",
    ]  # fmt: skip
    saved = [sleep.save(desk.engine, key, cell) for key, cell in desk.engine.cells.items()]
    fresh = Engine(desk.bundles.__getitem__)
    sleep.restore(fresh, state.save_head(desk.engine), saved)
    desk.engine = fresh
    ticks(desk, 19, 30)
    assert set(fresh.asleep) == {("a", "realtime"), ("f", "realtime")}
    assert desk.heard() == []
    desk.tick(31)
    assert desk.heard() == ["firing missing yellow @31 - -"]
