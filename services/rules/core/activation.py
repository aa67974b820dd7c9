"""Activation: the configuration changes at its place in the log (contract §8.19).

A rule that judges as before keeps its state; one that is gone, changed, or no longer applies to
a station ends what it had there. A missing rule watches from its activation on.
"""

from typing import TYPE_CHECKING

from services.rules.core import contribute, group, missing, plans, silent, territory
from services.rules.core.book import Book, Judging, same_judgement
from services.rules.core.cell import Cell
from services.rules.core.hold import Hold
from services.rules.core.missing import Watch
from shared.model.rule import Missing

if TYPE_CHECKING:
    from services.rules.core.engine import Engine

AT_ONCE = -(1 << 62)
"""Due before everything: looked at by the next tick."""


def activate(engine: "Engine", name: str) -> None:
    """From here on the bundle of that name counts.

    Raises:
        KeyError: there is no such bundle; then nothing has changed.

    """
    engine.wake_all()  # with the book they were saved under
    old = engine.book
    book = engine.open_book(name)
    gone = set()
    if old is not None:
        gone = {
            rule
            for rule, judging in old.rules.items()
            if rule not in book.rules or not same_judgement(judging.rule, book.rules[rule].rule)
        }
    for key, cell in list(engine.cells.items()):
        cell.settle()
        station = book.stations.get(cell.station)
        exists = station is not None and station.facility == cell.facility
        rules = book.rules_of(cell.station) if exists else []
        grouped = book.at_home(cell.facility, cell.station)
        keep = {judging.rule.id for judging in (*rules, *grouped)} - gone
        _withdraw_gone(engine, cell, keep)
        if station is not None and not exists:
            del engine.cells[key]  # it is another facility's now: other series
        else:
            # A station that is gone keeps its newest readings: what was judged once
            # must not be judged again should it come back.
            cell.adopt(rules, grouped)
            group.forget(book, cell)
        engine.dirty.add(key)
    if book.has_plans():
        plans.arm(engine, book)
    if book.has_missing_rules():
        _arm_watches(engine, book)
    if book.has_silents:
        silent.arm(engine, book, AT_ONCE)
    if book.rollups is not None or (old is not None and old.rollups is not None):
        territory.adopt(engine, book.rollups)
    if book.rollups is not None:
        contribute.begin(engine, book.rollups)


def _withdraw_gone(engine: "Engine", cell: Cell, keep: set[str]) -> None:
    """Take the rules that are gone off a cell; what fires ends as withdrawn (§8.19)."""
    for series in cell.series.values():
        for judging, hold in series.holds:
            if judging.rule.id not in keep:
                _withdraw(engine, cell, judging, hold)
        for judging, watch in series.watches:
            if judging.rule.id not in keep:
                _unwatch(engine, cell, judging, watch)
        series.holds = tuple(pair for pair in series.holds if pair[0].rule.id in keep)
        series.watches = tuple(pair for pair in series.watches if pair[0].rule.id in keep)
    for state in cell.ratios:
        if state.judging.rule.id not in keep:
            _withdraw(engine, cell, state.judging, state.hold)
    cell.ratios = [state for state in cell.ratios if state.judging.rule.id in keep]


def _withdraw(engine: "Engine", cell: Cell, judging: Judging, hold: Hold) -> None:
    at_us = engine.clock.now_us if engine.clock.now_us is not None else hold.start_us
    engine.emit(cell, judging, hold.withdraw(at_us), None)
    if hold.step:
        cell.remember(judging, hold.start_us, hold.step)


def _unwatch(engine: "Engine", cell: Cell, judging: Judging, watch: Watch) -> None:
    if watch.open_us is not None:
        at_us = engine.clock.now_us if engine.clock.now_us is not None else watch.open_us
        engine.emit(cell, judging, [missing.episode(watch, "withdrawn", at_us)], None)
        cell.remember(judging, watch.open_us, watch.step)


def _arm_watches(engine: "Engine", book: Book) -> None:
    """A missing rule watches from its activation on, also what was never heard."""
    for station in book.stations.values():
        for judging in book.rules_of(station.id):
            if not isinstance(judging.rule.condition, Missing):
                continue
            key = (station.id, judging.interval)
            cell = engine.cells.get(key)
            if cell is None:
                cell = engine.new_cell(*key)
            series = cell.series_of(judging.indicator)
            known = {own.rule.id: watch for own, watch in series.watches}
            watch = known.get(judging.rule.id) or Watch(engine.clock.now_us)
            known[judging.rule.id] = watch
            series.watches = tuple(
                [(book.judging(station.id, rule), kept) for rule, kept in sorted(known.items())]
            )
            engine.dirty.add(key)
            engine.push(AT_ONCE, cell, judging)
