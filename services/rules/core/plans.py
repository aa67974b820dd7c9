"""Plans: a compliance rule watches from its activation on, also what was never heard."""

from typing import TYPE_CHECKING

from services.rules.core.book import Book
from services.rules.core.compliance import ComplianceOf
from shared.model.timed import Compliance

if TYPE_CHECKING:
    from services.rules.core.engine import Engine


def arm(engine: "Engine", book: Book) -> None:
    """Give every plan its memory; one that has it keeps it."""
    for station in book.stations.values():
        for judging in book.rules_of(station.id):
            if not isinstance(judging.rule.condition, Compliance):
                continue
            key = (station.id, judging.interval)
            cell = engine.cells.get(key)
            if cell is None:
                cell = engine.new_cell(*key)
            for own, hold in cell.series_of(judging.indicator).holds:
                if own is not judging or hold.memory is not None:
                    continue
                plan = ComplianceOf(judging.rule.condition, book.zone)
                memory = hold.memory = plan.armed(engine.clock.now_us)
                memory.alarm_us = plan.alarm(memory, engine.clock, None)
                assert memory.alarm_us is not None
                engine.push(memory.alarm_us, cell, judging)
                engine.dirty.add(key)
