"""Recorded inputs: JSONL and CSV become reports, ticks and notes about what was skipped (§8.20)."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.rules.from_log import from_log
from services.rules.input_files import STANDARD_INPUT, is_csv, log_of, opened
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant
from shared.model.report import Report, Tick
from shared.reports.candidate import Rejection
from shared.reports.cells import whole, yes_or_no
from shared.reports.judge import Judge
from shared.reports.parse import parse_report
from shared.reports.quick import Quick

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


LISTENER = "backtest"
NO_TICKS = "standard input cannot bring ticks of its own; give the log as a file"


class Note(msgspec.Struct, frozen=True):
    """A line that was skipped, and why."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class Item(msgspec.Struct, frozen=True):
    """One report as the file has it, and the line of each of its readings (CSV)."""

    line: int
    report: Any
    reading_lines: tuple[int, ...] = ()


Given = Report | Tick | Note


def read_inputs(paths: Iterable[Path], configuration: Configuration) -> Iterator[Given]:
    """Reports, ticks and notes of all inputs, in order; nothing is kept but the line at hand."""
    judge = Judge(configuration)
    zone = configuration.site.zone
    for path in paths:
        if log := log_of(path):
            yield from from_log(log)
        elif is_csv(path):
            for item in csv_items(path, zone):
                yield _judged(judge, zone, path, item) if isinstance(item, Item) else item
        else:
            yield from _jsonl(path, judge, zone)


def _judged(judge: Judge, zone: ZoneInfo, path: Path, item: Item) -> Report | Note:
    """What ingest would say. Access rules and `in-the-future` do not apply."""
    candidate = parse_report(item.report, zone)
    if not isinstance(candidate, Rejection):
        judged = judge.judge(candidate, None, None, LISTENER)
        if not isinstance(judged, Rejection):
            return judged
        candidate = judged
    line = _line_of(item, candidate.pointer)
    return Note(str(path), line, f"{candidate.reason}: {candidate.detail}")


def _line_of(item: Item, pointer: str) -> int:
    """The line of the reading that is named, else where the report begins."""
    parts = pointer.split("/")
    if item.reading_lines and len(parts) > 2 and parts[1] == "readings" and parts[2].isdigit():
        return item.reading_lines[int(parts[2])]
    return item.line


# -- JSONL -----------------------------------------------------------------------------------


def _jsonl(path: Path, judge: Judge, zone: ZoneInfo) -> Iterator[Given]:
    quick = Quick(judge, zone, LISTENER)
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            report = quick.read(line)
            if report is not None:
                yield report
            elif line.strip():
                yield _the_long_way(path, number, line, judge, zone, quick)


def _the_long_way(
    path: Path, number: int, line: bytes, judge: Judge, zone: ZoneInfo, quick: Quick
) -> Given:
    try:
        item = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Note(str(path), number, f"bad-json: {error}")
    if is_tick(item):
        if path == STANDARD_INPUT:
            return Note(str(path), number, f"bad-field: {NO_TICKS}")
        return _tick(path, number, item["tick"], zone)
    judged = _judged(judge, zone, path, Item(number, item))
    if isinstance(judged, Report):
        quick.learn(item, judged)
    return judged


def is_tick(item: object) -> bool:
    return isinstance(item, dict) and set(item) == {"tick"}


def _tick(path: Path, number: int, text: object, zone: ZoneInfo) -> Tick | Note:
    try:
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not an RFC 3339 time")
        return Tick(parse_instant(text, zone))
    except ValueError as error:
        return Note(str(path), number, f"bad-time: tick: {error}")


def has_ticks(paths: Iterable[Path]) -> bool:
    """Does any input bring ticks of its own, as a log does? Stops at the first."""
    for path in paths:
        if log_of(path):
            return True
        if is_csv(path) or path == STANDARD_INPUT:
            continue
        with opened(path) as file:
            for line in file:
                if b'"tick"' not in line:
                    continue
                try:
                    if is_tick(msgspec.json.decode(line)):
                        return True
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue
    return False


# -- CSV -------------------------------------------------------------------------------------


def csv_items(path: Path, zone: ZoneInfo) -> Iterator[Item | Note]:
    """Consecutive rows with equal time, facility, station and interval are one report.

    With a column of either name also equal `revision` and `withdrawn`: another saying is another.

    Times are equal when they are one instant, however they are written. A row that repeats an
    indicator of its report changes nothing, like any reading that is not newer.
    """
    with (
        opened(path) as packed,
        TextIOWrapper(packed, encoding="utf-8-sig", newline="", errors="replace") as file,
    ):
        rows = _rows(path, csv.reader(file))
        group: list[tuple[int, dict[str, str]]] = []
        key: tuple[object, ...] | None = None
        for row in rows:
            if isinstance(row, Note):
                yield row
                continue
            same = _same_report(row[1], zone)
            if group and same != key:
                yield _report_of(group)
                group = []
            key = same
            group.append(row)
        if group:
            yield _report_of(group)


def _rows(path: Path, reader: Any) -> Iterator[tuple[int, dict[str, str]] | Note]:
    """(line, what is not empty) of each row, by the names of the header."""
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Note(str(path), reader.line_num, f"bad-field: not CSV: {error}")
            continue
        line = reader.line_num
        if header is None:
            header = [name.strip() for name in cells]
            wrong = [name for name in header if name not in COLUMNS]
            if wrong or len(set(header)) < len(header):
                what = f"unknown columns {wrong}" if wrong else "a column stands twice"
                known = " ".join(sorted(COLUMNS))
                yield Note(str(path), line, f"bad-field: {what}; known are {known}")
                return
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            text = f"bad-field: {len(cells)} cells under {len(header)} columns"
            yield Note(str(path), line, text)
            continue
        pairs = zip(header, cells, strict=False)
        yield line, {name: cell.strip() for name, cell in pairs if cell.strip()}


def _same_report(row: dict[str, str], zone: ZoneInfo) -> tuple[object, ...]:
    moment: object = row.get("observed_at")
    with suppress(ValueError):  # what is wrong is named when the report is judged
        moment = parse_instant(row.get("observed_at", ""), zone)
    return (
        moment, row.get("facility"), row.get("station"), row.get("interval"),
        whole(row.get("revision")), yes_or_no(row.get("withdrawn", "0")),
    )  # fmt: skip


def _report_of(rows: list[tuple[int, dict[str, str]]]) -> Item:
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
