"""Edits after the fact: one promise of docs/conditions/discipline.md a test."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.rules.core import state
from services.rules.core.clock import LogClock
from services.rules.core.edits import EditsOf
from services.rules.core.engine import Engine
from services.rules.core.evidence import evidence
from services.rules.core.memory import EditsMemory
from services.rules.core.witness import Said
from shared.model.comparison import Comparison
from shared.model.instants import Instant
from shared.model.numbers import exact
from shared.model.report import WITHDRAWN, Report
from shared.model.timed import Discipline
from tests.unit.rules.conftest import MINUTE, START, Desk, make_rule

EDITS = Discipline("cod", "realtime", "edits", 10)
ABOVE = Comparison(">", 60.0, "> 60")
LOWERED = replace(EDITS, undoes=ABOVE)


def watched(condition: Discipline, limit: str = ">= 20") -> Desk:
    """Ten readings from minute 0 to 9: 61, 62 … 70."""
    desk = Desk(make_rule(condition, name="edits", yellow=limit))
    desk.tick(0)
    for minute in range(10):
        desk.read(minute, 61 + minute)
    return desk


def again(desk: Desk, minute: int, value: float, revision: int | None, flag: str = "N") -> None:
    at = Instant(START + minute * MINUTE)
    desk.feed(
        Report("f", "s", "realtime", at, ("cod",), (value,), (flag,), at, "http", "", revision)
    )


def test_two_of_ten_were_changed() -> None:
    """Known when the change comes, as of the newest reading."""
    desk = watched(EDITS)
    desk.read(3, 12)
    assert desk.heard() == []
    desk.read(5, 12)
    assert desk.heard() == ["firing raised yellow @9 20 >= 20"]


def test_a_duplicate_and_a_late_reading_are_no_edits() -> None:
    """Nor is a reading that comes late into a gap, and changes nothing that was judged."""
    desk = Desk(make_rule(EDITS, name="edits", yellow="> 0"))
    for minute in (0, 2, 4):
        desk.read(minute, 61)
    desk.read(2, 61)
    desk.read(4, 61)
    desk.read(3, 12)
    desk.read(3, 13)
    assert desk.heard() == []


def test_one_reading_counts_once_however_often_it_is_changed() -> None:
    desk = watched(EDITS)
    for value in (1, 2, 3, 4):
        desk.read(3, value)
    assert desk.heard() == []


def test_an_older_saying_that_comes_late_is_no_edit() -> None:
    desk = watched(EDITS, "> 10")
    again(desk, 3, 12, 2)
    again(desk, 4, 12, 1)
    assert desk.heard() == ["firing raised yellow @9 20 > 10"]
    again(desk, 3, 64, 1)
    again(desk, 5, 66, 7)  # said again with a higher number: the same value is no edit
    again(desk, 5, 12, 6)  # and what that number replaced is none either
    assert desk.heard() == []


def test_only_what_takes_a_value_out_of_the_limit() -> None:
    """72 becomes 65, 12 becomes 20: no suspicion; 61 is mended to 58, 62 is muted, 63 taken back."""
    desk = watched(LOWERED, ">= 30")
    desk.read(3, 65)
    desk.read(3, 72)
    desk.read(0, 58)
    desk.read(1, 62, "M")
    assert desk.heard() == []
    desk.read(2, 63, WITHDRAWN)
    assert desk.heard() == ["firing raised yellow @9 30 >= 30"]


def test_edits_leave_the_window_with_their_readings() -> None:
    desk = watched(EDITS, ">= 10; < 10")
    desk.read(3, 12)
    for minute in range(10, 15):
        desk.read(minute, 61)
    assert desk.heard() == [
        "firing raised yellow @9 10 >= 10", "resolved cleared yellow @13 0 >= 10",
    ]  # fmt: skip


def test_it_is_saved_and_says_which_readings() -> None:
    desk = watched(EDITS)
    desk.read(3, 12)
    cells = [state.save_cell(cell) for cell in desk.engine.cells.values()]
    fresh = Engine(desk.bundles.__getitem__)
    state.restore(fresh, state.save_head(desk.engine), cells)
    desk.engine = fresh
    desk.read(5, 12)
    assert desk.heard() == ["firing raised yellow @9 20 >= 20"]
    ((judging, hold),) = fresh.cells["s", "realtime"].series["cod"].holds
    assert judging.derive is not None and hold.memory is not None
    shown = evidence(judging.derive, hold.memory, fresh.zone)
    assert shown is not None
    assert (shown["seen"], shown["within"], shown["counted"]) == (10, 10, 2)
    assert shown["edited"] == ["2020-02-24T00:03:00+08:00", "2020-02-24T00:05:00+08:00"]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([10.0, 70.0])), max_size=200))
def test_memory_is_bounded_and_only_judged_readings_are_edited(
    sayings: list[tuple[int, float]],
) -> None:
    own, clock = EditsOf(LOWERED, exact(1.0)), LogClock(deaf_after_us=0)
    memory = own.empty()
    said: dict[int, list[float]] = {}
    for at, value in sayings:
        each = Said(at, "known", value, "N", clock, lambda: None)
        if not memory.times or at > memory.times[-1]:
            own.witness(memory, each)
        else:
            own.edited(memory, each)
        if at in memory.times:
            said.setdefault(at, []).append(value)
    assert isinstance(memory, EditsMemory)
    assert len(memory.times) <= 10
    for at, is_edited in zip(memory.times, memory.edited, strict=True):
        pairs = list(zip(said[at], said[at][1:], strict=False))
        assert bool(is_edited) == any(before > 60 >= after for before, after in pairs)
