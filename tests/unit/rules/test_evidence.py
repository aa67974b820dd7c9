"""What a suspicion stands on can be asked for."""

from collections.abc import Callable

from services.rules.core.windows import window
from shared.model.rule import Rule
from shared.model.timed import Compliance, Discipline, Flagged, TimeToLimit
from tests.unit.rules.conftest import MINUTE, Desk

RuleMaker = Callable[..., Rule]
DAY = 1440


def shown(desk: Desk) -> dict[str, object]:
    (cell,) = desk.engine.cells.values()
    ((judging, hold),) = cell.series_of("cod").holds
    assert judging.derive is not None
    return window(judging.derive, hold.memory, desk.engine.zone)


def test_a_heap_is_shown_beside_the_band_below(desk: type[Desk], rule: RuleMaker) -> None:
    heap = Discipline("cod", "realtime", "heaping", 10, limit=100.0)
    asked = desk(rule(heap, yellow=">= 80"))
    for minute, value in enumerate((99, 97, 92, 20)):
        asked.read(minute, value)
    assert shown(asked) == {
        "of": "heaping", "seen": 4, "within": 10, "counted": 2, "in_the_band_below": 1,
    }  # fmt: skip


def test_a_clock_says_when_it_began(desk: type[Desk], rule: RuleMaker) -> None:
    asked = desk(rule(Flagged("cod", "realtime", ("M",)), yellow=">= 3"))
    asked.read(0, 1, "M")
    asked.read(60, 1, "M")
    assert shown(asked) == {"flagged_since": "2020-02-24T00:00:00+08:00"}


def test_a_trend_shows_its_band(desk: type[Desk], rule: RuleMaker) -> None:
    days = TimeToLimit("cod", "realtime", 100.0, 4 * DAY * MINUTE, 16 * DAY * MINUTE)
    asked = desk(rule(days, red="<= 1"))
    for day in range(4):
        asked.read(day * DAY, 50.0 + 10 * day)
    assert shown(asked) == {
        "readings": 4, "from": "2020-02-24T00:00:00+08:00", "early": 2.0, "late": 2.0,
    }  # fmt: skip


def test_a_plan_shows_the_period_that_runs(desk: type[Desk], rule: RuleMaker) -> None:
    asked = desk(rule(Compliance("cod", "realtime", 3, "week"), yellow="< 100"))
    asked.tick(0)
    asked.read(0, 1)
    assert shown(asked) == {
        "period_from": "2020-02-24T00:00:00+08:00", "per": "week", "required": 3, "counted": 1,
    }  # fmt: skip
