"""Sheets: the rows of a table that people filled in become reports, by a template.

A row becomes the report it stands for, as JSON would have it, and goes the way of all reports;
what is refused is named by its cell. Rows above the header (titles, units) do not count.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.ingest.bodies import Item, Refused, check_count
from services.ingest.sheet_files import Cell, Row, rows_of
from shared.model.instants import EARLIEST_US, LATEST_US, window_start
from shared.model.sheet import Sheet, SheetColumn, plain
from shared.reports.candidate import Candidate, Rejection
from shared.reports.cells import whole, yes_or_no
from shared.reports.parse import parse_report

HEADER_WITHIN = 20
"""The header is one of the first rows."""
LONG = (
    "observed_at", "facility", "station", "interval", "indicator", "value", "unit", "flag",
    "revision", "withdrawn",
)  # fmt: skip
_NEEDED = ("observed_at", "facility", "interval", "indicator", "value")
_MAY_LACK = ("ignore", "revision", "withdrawn")
_DATE = re.compile(
    r"(\d{4})(?:[-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})日?(?:[ T]*(\d{1,2}):(\d{2})(?::(\d{2}))?)?\Z"
)


class Place(msgspec.Struct, frozen=True):
    """Where an item stands: the row of its report, and of each pointer the cell."""

    row: int
    cells: Mapping[str, str]

    def cell(self, pointer: str) -> str | None:
        parts = pointer.split("/")
        return self.cells.get("/".join(parts[:3])) or self.cells.get("/".join(parts[:2]))


Table = tuple[list[Item], list[Place]]


def read_sheet(body: bytes, sheet: Sheet | None, names: Mapping[str, str], zone: ZoneInfo) -> Table:
    """The reports of a sheet; `sheet` is None for `readings`, `names` lead to facility ids.

    Raises:
        Refused: 400 when the file or its header is wrong, 413 for too much, 415 for .xls.

    """
    rows = rows_of(body, sheet.tab if sheet else None)
    made = _long(rows) if sheet is None else _wide(rows, sheet, names)
    items: list[Item] = []
    places: list[Place] = []
    for report, place in made:
        said = parse_report(report, zone)
        if sheet is not None and sheet.window_label == "end":
            said = _begun(said, zone)
        items.append((said, msgspec.json.encode(report)))
        places.append(place)
        check_count(len(items))
    return items, places


def _begun(said: Candidate | Rejection, zone: ZoneInfo) -> Candidate | Rejection:
    """Its time names the end of the window; `realtime` has none."""
    if isinstance(said, Rejection) or said.interval == "realtime":
        return said
    if not EARLIEST_US < said.observed_us < LATEST_US:
        return said  # refused for its time
    start = window_start(said.observed_us - 1, said.interval, zone)
    return msgspec.structs.replace(said, observed_us=start)


# -- a report a row ----------------------------------------------------------------------------


def _wide(
    rows: Iterator[Row], sheet: Sheet, names: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], Place]]:
    known = {plain(column.header): column for column in sheet.columns}
    needed = [c.header for c in sheet.columns if c.field not in _MAY_LACK and not c.is_flag]
    columns = _header(rows, known, needed, others=sheet.ignores_others)
    for number, cells in rows:
        found = [(known[key], index) for key, index in columns if index < len(cells)]
        yield _report(sheet, number, cells, found, names)


def _report(
    sheet: Sheet, number: int, cells: list[Cell], found: list[tuple[SheetColumn, int]],
    names: Mapping[str, str],
) -> tuple[dict[str, Any], Place]:  # fmt: skip
    report: dict[str, Any] = {"interval": sheet.interval}
    if sheet.facility is not None:
        report["facility"] = sheet.facility
    readings: list[dict[str, Any]] = []
    places: dict[str, str] = {}
    flags = {
        c.indicator: text for c, i in found if c.is_flag and (text := _text(cells[i])) is not None
    }
    for column, index in found:
        cell, at = cells[index], f"{_letters(index)}{number}"
        if column.is_flag or (text := _text(cell)) is None:
            continue
        if column.indicator is not None:
            places[f"/readings/{len(readings)}"] = at
            reading = {"indicator": column.indicator, "value": _number(cell)}
            if column.unit is not None:
                reading["unit"] = column.unit
            if column.indicator in flags:
                reading["flag"] = flags[column.indicator]
            readings.append(reading)
        elif column.field == "observed_at":
            report["observed_at"], places["/observed_at"] = _moment(cell), at
        elif column.field == "facility_name":
            report["facility"], places["/facility"] = names.get(plain(text), text), at
        elif column.field in ("revision", "withdrawn"):
            report[column.field], places[f"/{column.field}"] = _said(column.field, cell), at
        elif column.field is not None and column.field != "ignore":
            report[column.field], places[f"/{column.field}"] = text, at
    if report.get("withdrawn") is True and not readings:
        # No value is named: the whole row is taken back.
        readings = [
            {"indicator": c.indicator} for c in sheet.columns if c.indicator and not c.is_flag
        ]
    return report | {"readings": readings}, Place(number, places)


# -- a reading a row ---------------------------------------------------------------------------


def _long(rows: Iterator[Row]) -> Iterator[tuple[dict[str, Any], Place]]:
    """Consecutive rows of one time, facility, station, interval and revision are one report."""
    columns = _header(rows, {name: name for name in LONG}, _NEEDED, others=False)
    held: tuple[object, dict[str, Any], int, dict[str, str]] | None = None
    for number, cells in rows:
        row = {key: cells[index] for key, index in columns if index < len(cells)}
        where = {key: f"{_letters(index)}{number}" for key, index in columns}
        head: dict[str, Any] = {"observed_at": _moment(row.get("observed_at"))}
        for key in ("facility", "station", "interval"):
            if (text := _text(row.get(key))) is not None:
                head[key] = text
        for key in ("revision", "withdrawn"):
            if _text(row.get(key)) is not None:
                head[key] = _said(key, row[key])
        value = row.get("value")
        reading: dict[str, Any] = {"value": None if _text(value) is None else _number(value)}
        for key in ("indicator", "unit", "flag"):
            if (text := _text(row.get(key))) is not None:
                reading[key] = text
        same = tuple(head.items())
        if held is None or held[0] != same:
            if held is not None:
                yield held[1], Place(held[2], held[3])
            places = {f"/{key}": where[key] for key in where}
            held = same, head | {"readings": []}, number, places
        readings = held[1]["readings"]
        held[3][f"/readings/{len(readings)}"] = where["value"]
        readings.append(reading)
    if held is not None:
        yield held[1], Place(held[2], held[3])


# -- headers and cells -------------------------------------------------------------------------


def _header(
    rows: Iterator[Row], known: Mapping[str, object], needed: Iterable[str], *, others: bool
) -> list[tuple[str, int]]:
    """(column, its place) of the first row that has all columns that are needed."""
    wanted = {plain(name): name for name in needed}
    best: list[str] = list(wanted)
    is_empty = True
    for number, cells in rows:
        is_empty = False
        found = [(plain(cell), index) for index, cell in enumerate(cells) if plain(cell)]
        names = [name for name, _ in found]
        missing = [name for name in wanted if name not in names]
        if len(missing) < len(best):
            best = missing
        if not missing:
            twice = [name for name in known if names.count(name) > 1]
            strange = [str(cells[i]).strip()[:40] for name, i in found if name not in known]
            if twice:
                raise Refused(400, "bad-field", f"row {number}: column {twice[0]!r} stands twice")
            if strange and not others:
                raise Refused(
                    400, "bad-field", f"row {number}: the template knows no column "
                    f"{', '.join(map(repr, strange[:8]))}; delete it or ask for it to be ignored",
                )  # fmt: skip
            return [(name, index) for name, index in found if name in known]
        if number >= HEADER_WITHIN:
            break
    if is_empty:
        raise Refused(400, "bad-field", "there is nothing in this sheet; send the file as the body")
    absent = ", ".join(repr(wanted[name]) for name in best[:8])
    raise Refused(
        400, "bad-field", f"no row among the first {HEADER_WITHIN} has the column {absent}; "
        "use the template of this sheet",
    )  # fmt: skip


def _text(cell: Cell) -> str | None:
    """A cell as text; ids that Excel took for numbers have no decimals."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() or None


def _said(field: str, cell: Cell) -> object:
    """Which saying of the window it is, or whether it is taken back."""
    return whole(cell) if field == "revision" else yes_or_no(cell)


def _number(cell: Cell) -> object:
    """A number, also where it was typed as text; anything else stays and is refused by name."""
    if not isinstance(cell, str):
        return cell.isoformat() if isinstance(cell, date | time) else cell
    text = unicodedata.normalize("NFKC", cell).strip()
    try:
        return float(text) if "_" not in text else text
    except ValueError:
        return text


def _moment(cell: Cell) -> object:
    """A time as RFC 3339 has it; dates as people write them begin at midnight of the site."""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, date):
        return f"{cell.isoformat()}T00:00:00"
    if isinstance(cell, str):
        text = unicodedata.normalize("NFKC", cell).strip()
        if (match := _DATE.match(text)) is not None:
            year, month, day, *clock = (int(part or 0) for part in match.groups())
            hour, minute, second = clock
            if (hour, minute, second) == (24, 0, 0):  # how tables write the end of a day
                return _next_midnight(year, month, day, text)
            return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        return text
    return cell.isoformat() if isinstance(cell, time) else cell


def _next_midnight(year: int, month: int, day: int, text: str) -> str:
    try:
        return f"{(date(year, month, day) + timedelta(days=1)).isoformat()}T00:00:00"
    except (ValueError, OverflowError):
        return text  # refused as it stands


def _letters(index: int) -> str:
    """0 is A, 26 is AA, as a sheet shows it."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text
