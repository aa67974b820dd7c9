"""Silent: no reading of any series of a facility, from whichever of its stations (docs/conditions).

    station a   ●───●───●─────────────────────────●──
    station b   ──●───●───●──────────────────────────
                          │← every + grace →│     │← settle →│
    facility    ────────────────────────────┏━━━━━━━━━━━━━━━━┓──   one episode, by log time

A watch at the facility waits in the heap and asks, when it comes up, when any series was last
heard. So a reading touches it only while it stands: then no cell of the facility is quiet.
"""

from typing import TYPE_CHECKING

from services.rules.core import missing
from services.rules.core.missing import Watch
from shared.model.instants import INTERVALS
from shared.model.report import Report
from shared.model.rule import Silent

if TYPE_CHECKING:
    from services.rules.core.book import Book, Judging
    from services.rules.core.cell import Cell
    from services.rules.core.engine import Engine

Heard = tuple[int | None] | None
"""Log time at which the newest reading was judged, None before the first tick; or never."""


class SilentOf:
    """One `silent` condition made ready; it takes nothing from the values of reports."""

    indicators: tuple[str, ...] = ()
    unit: str | None = None


def arm(engine: "Engine", book: "Book", at_once: int) -> None:
    """After an activation: a watch for each rule at each facility; one that is there stays."""
    for facility in book.facilities:
        for judging in book.silents(facility):
            home = engine.home(facility, judging)
            series = home.series_of(judging.indicator)
            known = {own.rule.id: watch for own, watch in series.watches}
            watch = known.get(judging.rule.id) or Watch(engine.clock.now_us)
            others = [pair for pair in series.watches if pair[0].rule.id != judging.rule.id]
            both = sorted([*others, (judging, watch)], key=lambda pair: pair[0].rule.id)
            series.watches = tuple(both)
            engine.dirty.add((home.station, home.interval))
            engine.push(at_once, home, judging)


def look(engine: "Engine", home: "Cell", judging: "Judging", watch: Watch) -> None:
    """A tick looks at a watch that came up."""
    condition = judging.rule.condition
    assert isinstance(condition, Silent)
    engine.dirty.add((home.station, home.interval))
    if watch.open_us is not None and not _ends(engine, home, judging, watch, condition.settle_us):
        return
    heard = last_heard(engine, judging, home.facility)
    back_us = watch.back_us
    if back_us is not None and (heard is None or heard[0] is None or heard[0] < back_us):
        heard = (back_us,)  # the station that spoke then is gone; it did speak
    changes, watch.look_us = missing.look_often(
        watch, condition, judging.edition, heard, engine.clock
    )
    if watch.look_us is not None:
        engine.push(watch.look_us, home, judging)
    if changes:
        watch.back_us = None
        for cell in _cells(engine, judging, home.facility):
            cell.quiet = False
        engine.emit(home, judging, changes, None)


def _ends(engine: "Engine", home: "Cell", judging: "Judging", watch: Watch, settle_us: int) -> bool:
    """A tick: has it spoken, and long enough ago?"""
    assert engine.clock.now_us is not None
    if watch.back_us is None:
        watch.look_us = None
        return False
    watch.look_us = engine.clock.listened_until(watch.back_us, settle_us)
    if watch.look_us > engine.clock.now_us:
        engine.push(watch.look_us, home, judging)
        return False
    engine.emit(home, judging, missing.reported(watch, None, watch.look_us), None)
    return True


def spoke(engine: "Engine", cell: "Cell", report: Report, is_newer: bool) -> None:
    """A report of a facility with such rules was judged in full."""
    assert engine.book is not None
    for judging in engine.book.silents(cell.facility):
        home = engine.home(cell.facility, judging)
        watch = watch_of(home, judging)
        if watch is None or watch.open_us is None or watch.back_us is not None:
            continue
        if cell.station not in engine.book.members(judging, cell.facility):
            continue
        if not is_newer:
            cell.quiet = False  # the next one ends it, and must not pass unseen
            continue
        condition, now_us = judging.rule.condition, engine.clock.now_us
        assert isinstance(condition, Silent) and now_us is not None
        watch.back_us = now_us
        if not condition.settle_us:
            engine.emit(home, judging, missing.reported(watch, None, now_us), report)
        watch.look_us = now_us
        engine.push(watch.look_us, home, judging)
        engine.dirty.add((home.station, home.interval))


def watch_of(home: "Cell", judging: "Judging") -> Watch | None:
    series = home.series.get(judging.indicator)
    for own, watch in series.watches if series is not None else ():
        if own.rule.id == judging.rule.id:
            return watch
    return None


def last_heard(engine: "Engine", judging: "Judging", facility: str) -> Heard:
    """Of all series of the stations that the rule applies to."""
    found: Heard = None
    for cell in _cells(engine, judging, facility):
        cell.settle()
        for series in cell.series.values():
            heard = series.heard
            if heard is None:
                continue
            if found is None or found[0] is None or (heard[0] is not None and heard[0] > found[0]):
                found = heard
    return found


def _cells(engine: "Engine", judging: "Judging", facility: str) -> "list[Cell]":
    assert engine.book is not None
    found = []
    for station in engine.book.members(judging, facility):
        for interval in INTERVALS:
            cell = engine.cell((station, interval))
            if cell is not None and cell.facility == facility:
                found.append(cell)
    return found
