"""What may be read of the engine: facilities with their newest readings and rule states."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from services.rules.core.beside import BesideOf
from services.rules.core.book import Book, Judging
from services.rules.core.cell import Cell, Series
from services.rules.core.composite import CompositeOf
from services.rules.core.engine import Engine
from services.rules.core.hold import Hold
from services.rules.core.missing import Watch
from services.rules.core.silent import SilentOf
from services.rules.core.territory import members as members_of
from shared.model.facility import Facility
from shared.model.instants import INTERVALS, Instant, instant_text
from shared.model.report import EVIDENCE_FLAGS
from shared.model.severity import Severity
from shared.model.standing import AlertNow, RuleState


def facilities(engine: Engine) -> list[dict[str, Any]]:
    """Every configured facility (contract §4). `last_heard` is when its newest report came in."""
    book = engine.book
    if book is None:
        return []
    cells = _cells(engine, book)
    return [
        _facility(book, facility, cells.get(facility.id, []))
        for facility in book.facilities.values()
    ]


def alerts(engine: Engine) -> list[AlertNow]:
    """Every rule on every series of every configured facility."""
    book = engine.book
    if book is None:
        return []
    cells = _cells(engine, book)
    return [
        alert
        for facility in book.facilities
        for alert in facility_alerts(book, facility, cells.get(facility, []))
    ]


def counts(engine: Engine) -> dict[tuple[str, Severity], int]:
    """How many alerts are pending and firing, by severity; quick, for every scrape."""
    return count(engine.cells.values())


def count(cells: Iterable[Cell]) -> dict[tuple[str, Severity], int]:
    """The same of some cells."""
    found: dict[tuple[str, Severity], int] = {}
    for cell in cells:
        for key in standing(cell):
            found[key] = found.get(key, 0) + 1
    return found


def standing(cell: Cell) -> Iterator[tuple[str, Severity]]:
    """State and severity of every alert of a cell that is pending or firing."""
    for judging, hold in _holds(cell):
        if hold.phase != "inactive":
            yield hold.phase, judging.ladder.severities[hold.level]
    for series in cell.series.values():
        for judging, watch in series.watches:
            if watch.open_us is not None:
                yield "firing", judging.ladder.severities[0]


def one_facility(engine: Engine, facility: str) -> tuple[dict[str, Any], list[AlertNow]] | None:
    """One facility as `facilities` and `alerts` have it; None when it is not configured.

    Looks at its own cells only, so the price does not depend on how many others there are.
    """
    book = engine.book
    known = book.facilities.get(facility) if book else None
    if book is None or known is None:
        return None
    keys = sorted(product({facility, *book.stations_of(facility)}, INTERVALS))
    cells = [
        cell
        for key in keys
        if (cell := engine.cell(key)) and cell.facility == facility and _is_shown(book, cell)
    ]
    return _facility(book, known, cells), list(facility_alerts(book, facility, cells))


def _holds(cell: Cell) -> Iterator[tuple[Judging, Hold]]:
    for series in cell.series.values():
        yield from series.holds
    for ratio in cell.ratios:
        yield ratio.judging, ratio.hold


def _cells(engine: Engine, book: Book) -> dict[str, list[Cell]]:
    """By facility, in order of station and interval; a station that is gone is not shown."""
    cells: dict[str, list[Cell]] = {}
    engine.wake_all()
    for _, cell in sorted(engine.cells.items()):
        if _is_shown(book, cell):
            cells.setdefault(cell.facility, []).append(cell)
    return cells


def _is_shown(book: Book, cell: Cell) -> bool:
    """A station that is gone is not; what a rule on several of them holds is."""
    return cell.station in book.stations or bool(cell.grouped)


def _facility(book: Book, facility: Facility, cells: list[Cell]) -> dict[str, Any]:
    heard = [cell.received_us for cell in cells if cell.received_us is not None]
    series = []
    for cell in cells:
        cell.settle()
        for one in cell.series.values():
            if one.heard is not None:
                series.append(_series(book, cell, one))
    return {
        "id": facility.id,
        "name": facility.name,
        "territory": facility.territory,
        "kind": facility.kind,
        "last_heard": instant_text(max(heard), book.zone) if heard else None,
        "series": series,
        "rules": [
            {
                "rule": alert.rule, "station": alert.station, "indicator": alert.indicator,
                "interval": alert.interval, "state": alert.state,
                "severity": alert.severity.value if alert.severity else None,
            }
            for alert in facility_alerts(book, facility.id, cells)
        ],
    }  # fmt: skip


def facility_alerts(book: Book, facility: str, cells: list[Cell]) -> Iterator[AlertNow]:
    """Every rule that applies, also where nothing was ever heard: that is unknown, not normal."""
    seen = set()
    for cell in cells:
        for alert in alerts_of(cell):
            seen.add((alert.rule, alert.station))
            yield alert
    for station in book.stations_of(facility):
        for judging in book.rules_of(station):
            is_own = judging.group is None or isinstance(judging.group, BesideOf)
            place = station if is_own else facility
            if (judging.rule.id, place) not in seen:
                seen.add((judging.rule.id, place))
                yield AlertNow(
                    judging.rule.id,
                    facility,
                    place,
                    judging.indicator,
                    judging.interval,
                    "normal" if isinstance(judging.group, CompositeOf) else "unknown",
                )


def _series(book: Book, cell: Cell, series: Series) -> dict[str, Any]:
    indicator = book.indicators.get(series.indicator)
    return {
        "station": cell.station,
        "indicator": series.indicator,
        "interval": cell.interval,
        "observed_at": instant_text(Instant(series.newest_us), book.zone),
        "value": series.value,
        "unit": indicator.unit if indicator else None,
        "flag": series.flag,
        **members(cell),
    }


def members(cell: Cell) -> dict[str, Any]:
    """Of a territory: how many of its stations stand in the value, and which do not."""
    found = members_of(cell)
    return {} if found is None else {"members": found.as_object()}


def alerts_of(cell: Cell) -> Iterator[AlertNow]:
    """Every rule on every series of a cell that was heard or is waited for."""
    cell.settle()
    for series in cell.series.values():
        unknown = series.heard is None or series.flag not in EVIDENCE_FLAGS
        for judging, hold in series.holds:
            if isinstance(judging.group, CompositeOf):
                yield _held(cell, judging, hold, False)
            elif judging.derive is not None or judging.group is not None:
                yield _held(cell, judging, hold, hold.memory is None or hold.memory.unknown)
            else:
                yield _held(cell, judging, hold, unknown)
        for judging, watch in series.watches:
            yield _watched(cell, judging, watch, series)
    for ratio in cell.ratios:
        yield _held(cell, ratio.judging, ratio.hold, ratio.last_unknown)


def _held(cell: Cell, judging: Judging, hold: Hold, unknown: bool) -> AlertNow:
    if hold.phase == "inactive":
        return _alert(cell, judging, "unknown" if unknown else "normal")
    shown = not hold.standing
    return AlertNow(
        judging.rule.id, cell.facility, cell.station, judging.indicator, cell.interval,
        hold.phase, judging.ladder.severities[hold.level], hold.start_us,
        hold.value if shown else None,
        judging.ladder.limits[hold.level] if shown else None,
        judging.unit,
    )  # fmt: skip


def _watched(cell: Cell, judging: Judging, watch: Watch, series: Series) -> AlertNow:
    if watch.open_us is None:
        known = series.heard is not None or isinstance(judging.group, SilentOf)
        return _alert(cell, judging, "normal" if known else "unknown")
    return AlertNow(
        judging.rule.id, cell.facility, cell.station, judging.indicator, cell.interval,
        "firing", judging.ladder.severities[0], watch.open_us,
    )  # fmt: skip


def _alert(cell: Cell, judging: Judging, state: RuleState) -> AlertNow:
    return AlertNow(
        judging.rule.id, cell.facility, cell.station, judging.indicator, cell.interval, state
    )
