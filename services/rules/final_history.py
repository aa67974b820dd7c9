"""`yujing backtest --history`: the final episodes of recorded reports, in whatever order they stand.

Late lines, corrections and withdrawals count as they would in the history of a running site;
lines that ingest would call duplicates are passed over. Every report is held in memory, about
1 KB each: a year of minutes of one station is 0.5 GB, so give it the stations in question.
"""

from collections.abc import Iterator, Sequence
from typing import IO

import msgspec

from services.rules.core import history
from services.rules.core.book import Book
from services.rules.core.cell_history import Key
from services.rules.core.history_units import Unit, Units
from services.rules.episodes_api import span_object
from services.rules.given import Note
from services.rules.input_files import Input
from services.rules.inputs import read_inputs
from shared.model.configuration import Bundle, Configuration
from shared.model.instants import window_end
from shared.model.report import Report, Tick

Windows = dict[int, list[Report]]


def final_history(
    configuration: Configuration, paths: Sequence[Input], notes: IO[str]
) -> Iterator[bytes]:
    """One JSON line per episode that fired, by its start; what would be refused is named."""
    zone = configuration.site.zone
    cells: dict[Key, Windows] = {}
    now_us = -(1 << 62)
    for item in read_inputs(paths, configuration):
        if isinstance(item, Note):
            print(item, file=notes)
        elif isinstance(item, Tick):
            now_us = max(now_us, item.at_us)
        else:
            now_us = max(now_us, window_end(item.observed_us, item.interval, zone))
            windows = cells.setdefault((item.facility, item.station, item.interval), {})
            said = windows.setdefault(item.observed_us, [])
            if not _is_known(item, said):
                said.append(item)
    bundle = configuration.bundle()
    units = Units(bundle, Book(bundle))
    settled = {
        key: history.settled(report for said in windows.values() for report in said)
        for key, windows in cells.items()
    }
    found = []
    for unit in _units(units, sorted(settled), bundle):
        own = [settled[key] for key in unit.cells if key in settled]
        log = history.together(own, unit.part) if own else []
        for alert, episodes in history.episodes(
            history.transitions(unit.part, log, now_us)
        ).items():
            if unit.owns(alert):
                found += [(each.span.start_us, alert, each.span) for each in episodes]
    for _, (rule, facility, station, indicator, interval), span in sorted(
        found, key=lambda each: each[:2]
    ):
        body = {"rule": rule, "facility": facility, "station": station, "indicator": indicator,
                "interval": interval} | span_object(span, zone)  # fmt: skip
        yield msgspec.json.encode(body)


def _units(units: Units, keys: list[Key], bundle: Bundle) -> Iterator[Unit]:
    yield from (units.of_cell(key) for key in keys)
    for facility in sorted({key[0] for key in keys}):
        unit = units.of_facility(facility, keys)
        if unit.cells:
            yield unit
    yield from (units.of_rollup(rollup.id) for rollup in bundle.rollups)


def _is_known(report: Report, said: list[Report]) -> bool:
    """As ingest sees it: every reading with the same value and flag, under no lower revision."""
    known = {
        (indicator, old.values[i], old.flag(i))
        for old in said
        if report.revision is None or (old.revision or 0) >= report.revision
        for i, indicator in enumerate(old.indicators)
    }
    return all(
        (indicator, report.values[i], report.flag(i)) in known
        for i, indicator in enumerate(report.indicators)
    )
