"""Sleep: restored cells stay bytes until a report, a timer or a reader needs them.

A restart then costs what was touched since, not what exists. Beside its bytes a sleeping cell
has the instant at which log time must wake it; it may be early, never late.
"""

from collections.abc import Iterable
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core import missing, state, view
from services.rules.core.activation import AT_ONCE
from services.rules.core.book import Judging
from services.rules.core.cell import Cell, Series
from services.rules.core.clock import LogClock
from services.rules.core.engine import Engine, Key
from services.rules.core.missing import Watch
from shared.model.rule import Missing, Silent


class SleepingCell(msgspec.Struct, frozen=True):
    """A saved cell with what must be known without opening it."""

    station: str
    interval: str
    due_us: int | None
    """When a tick must look at it; None: never before it is heard."""
    stands: bool
    """Something is pending or firing: it is opened at once, so that it is counted."""
    body: bytes


def save(engine: Engine, key: Key, cell: Cell) -> SleepingCell:
    body = state.save_cell(cell)  # settles it
    stands = next(iter(view.standing(cell)), None) is not None
    return SleepingCell(*key, next_due(engine, cell), stands, body)


def restore(engine: Engine, head: bytes, cells: Iterable[SleepingCell]) -> None:
    """Put a saved state into a fresh engine; its cells sleep.

    Raises:
        ValueError: the state has a newer format than this program knows.

    """
    if not state.restore_head(engine, head):
        return
    engine.awaken = partial(state.open_cell, engine)
    due: list[tuple[int, Key]] = []
    standing: list[Key] = []
    for cell in cells:
        key = (cell.station, cell.interval)
        engine.asleep[key] = cell.body
        if cell.stands:
            standing.append(key)
        elif cell.due_us is not None:
            due.append((cell.due_us, key))
    engine.alarm(due)
    for key in standing:
        engine.cell(key)


def next_due(engine: Engine, cell: Cell) -> int | None:
    """The first instant at which a tick may have something to do for a (settled) cell."""
    assert engine.book is not None
    found = [ratio.hold.timer_us for ratio in cell.ratios]
    for series in cell.series.values():
        found += [hold.timer_us for _, hold in series.holds]
        found += [hold.memory.alarm_us for _, hold in series.holds if hold.memory is not None]
        found += [
            _watch_due(judging, watch, series, engine.clock, engine.book.zone)
            for judging, watch in series.watches
        ]
    return min((due for due in found if due is not None), default=None)


def _watch_due(
    judging: Judging, watch: Watch, series: Series, clock: LogClock, zone: ZoneInfo
) -> int | None:
    """When `missing.look_daily` or `look_often` would next say something.

    Deafness that comes later moves it later only, so what is said here may be early.
    """
    condition = judging.rule.condition
    if clock.now_us is None or clock.first_us is None:
        return AT_ONCE
    if isinstance(condition, Silent):
        return watch.look_us if watch.open_us is not None else watch.look_us or AT_ONCE
    assert isinstance(condition, Missing)
    if condition.every_us is None:
        if watch.next_day is None:
            return AT_ONCE
        due = _slot_due(watch.next_day, condition, zone)
        return clock.listened_until(due, condition.grace_us)
    if watch.open_us is not None:
        return None
    since = series.heard[0] if series.heard is not None else watch.active_us
    start = judging.edition.begins(since if since is not None else clock.first_us)
    if start is None:
        return None
    return clock.listened_until(start, condition.every_us + condition.grace_us)


@lru_cache(maxsize=4096)
def _slot_due(day: int, condition: Missing, zone: ZoneInfo) -> int:
    """Stations share slots, and a local instant costs more than all the rest here."""
    return missing.due_of(day, condition, zone)
