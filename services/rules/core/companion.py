"""Companion: does a plant run? A second series of its facility says so, as it stands in the log.

runs       its newest value holds against the test
stands     it does not
nobody     there is none, it is too old or too new, unknown, or over range without proof
knows
"""

from typing import TYPE_CHECKING

from shared.model import units
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.timed import Companion

if TYPE_CHECKING:
    from services.rules.core.cell import Cell
    from services.rules.core.engine import Engine


def runs(engine: "Engine", cell: "Cell", companion: Companion, report: Report) -> bool | None:
    """When a reading of `cell` is judged; None: nobody knows. Of several stations one is enough."""
    found: bool | None = False
    stations = _stations(engine, cell, companion)
    for station in stations:
        shown = _at(engine, cell.facility, station, companion, report)
        if shown:
            return True
        found = None if shown is None else found
    return found if stations else None


def _stations(engine: "Engine", cell: "Cell", companion: Companion) -> list[str]:
    assert engine.book is not None
    if companion.station is None and companion.point is None:
        return [cell.station]
    here = sorted(engine.book.stations_of(cell.facility))
    if companion.station is not None:
        return [station for station in here if station == companion.station]
    return [s for s in here if engine.book.stations[s].point == companion.point]


def _at(
    engine: "Engine", facility: str, station: str, companion: Companion, report: Report
) -> bool | None:
    cell = engine.cell((station, companion.interval))
    if cell is None or cell.facility != facility:
        return None
    cell.settle()
    series = cell.series.get(companion.indicator)
    newest_us, value, flag = (0, 0.0, "") if series is None else (
        series.newest_us, series.value, series.flag
    )  # fmt: skip
    is_here = (report.station, report.interval) == (station, companion.interval)
    if (
        is_here
        and companion.indicator in report.indicators
        and (series is None or report.observed_us > newest_us)
    ):
        # It stands further on in the report that is being judged.
        place = report.indicators.index(companion.indicator)
        newest_us, value, flag = report.observed_us, report.values[place], report.flag(place)
    if not flag or abs(newest_us - report.observed_us) > companion.max_age_us:
        return None
    return holds(companion, value, flag)


def holds(companion: Companion, value: float, flag: str) -> bool | None:
    """Over range is a lower bound: it proves what lies above, and nothing else."""
    if flag not in EVIDENCE_FLAGS and flag not in companion.despite:
        return None
    if companion.own != companion.unit:
        value = units.convert(value, companion.own, companion.unit)
    shown = companion.runs.holds(value)
    if flag == "T":
        return True if shown and companion.runs.op[0] == ">" else None
    return shown
