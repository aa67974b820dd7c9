"""Rows of CSV as reports, the long way: cells by their names, without blanks around them."""

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from services.rules.given import Item
from shared.model.instants import parse_instant
from shared.reports.cells import whole, yes_or_no

COLUMNS = frozenset(
    {
        "observed_at",
        "facility",
        "station",
        "indicator",
        "interval",
        "value",
        "unit",
        "flag",
        "revision",
        "withdrawn",
    }
)

Row = dict[str, str]
"""What is not empty."""


def row_of(header: list[str], cells: list[str]) -> Row:
    pairs = zip(header, cells, strict=False)
    return {name: cell.strip() for name, cell in pairs if cell.strip()}


def wrong_header(header: list[str]) -> str | None:
    wrong = [name for name in header if name not in COLUMNS]
    if not wrong and len(set(header)) == len(header):
        return None
    what = f"unknown columns {wrong}" if wrong else "a column stands twice"
    return f"bad-field: {what}; known are {' '.join(sorted(COLUMNS))}"


def same_report(row: Row, zone: ZoneInfo) -> tuple[object, ...]:
    """Consecutive rows of which this is equal are one report.

    Times are equal when they are one instant, however they are written; of another `revision` or
    `withdrawn` it is another saying.
    """
    moment: object = row.get("observed_at")
    with suppress(ValueError):  # what is wrong is named when the report is judged
        moment = parse_instant(row.get("observed_at", ""), zone)
    return (
        moment, row.get("facility"), row.get("station"), row.get("interval"),
        whole(row.get("revision")), yes_or_no(row.get("withdrawn", "0")),
    )  # fmt: skip


def item_of(rows: list[tuple[int, Row]]) -> Item:
    """A row that repeats an indicator of its report changes nothing, like any reading that is not newer."""
    line, head = rows[0]
    report: dict[str, Any] = {
        key: head[key] for key in ("observed_at", "facility", "station", "interval") if key in head
    }
    if "revision" in head:
        report["revision"] = whole(head["revision"])
    if "withdrawn" in head:
        report["withdrawn"] = yes_or_no(head["withdrawn"])
    readings: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, row in rows:
        reading: dict[str, Any] = {
            key: row[key] for key in ("indicator", "unit", "flag") if key in row
        }
        if "value" in row:
            reading["value"] = _number(row["value"])
        readings.setdefault(row.get("indicator", f"line {number}"), (number, reading))
    report["readings"] = [reading for _, reading in readings.values()]
    return Item(line, report, tuple(number for number, _ in readings.values()))


def _number(text: str) -> object:
    """A number as JSON would have it; anything else stays text and is refused as `bad-number`."""
    try:
        return float(text) if text.isascii() and "_" not in text else text
    except ValueError:
        return text
