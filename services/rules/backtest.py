"""Backtest: recorded reports through the engine in virtual time (contract §8.20).

Reads JSONL or CSV in the order given, as one log. Without tick lines it makes the ticks a
listening ingest would have made, so there is no deafness. What ingest would refuse is named on
stderr and skipped.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec

from services.rules.core.engine import Engine
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import parse_instant, window_end
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import transition_object
from shared.reports.candidate import Rejection
from shared.reports.judge import Judge
from shared.reports.parse import parse_report

CSV_COLUMNS = (
    "observed_at",
    "facility",
    "station",
    "indicator",
    "interval",
    "value",
    "unit",
    "flag",
)


class Note(msgspec.Struct, frozen=True):
    """A line that was skipped."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


Given = Report | Tick | Note


def read_inputs(paths: Iterable[Path], configuration: Configuration) -> Iterator[Given]:
    """Reports, ticks and notes of all inputs, in order."""
    judge = Judge(configuration)
    for path in paths:
        reader = _csv(path) if path.suffix.lower() == ".csv" else _jsonl(path, configuration)
        for line, item in reader:
            if isinstance(item, Tick):
                yield item
                continue
            if isinstance(item, str):
                yield Note(str(path), line, item)
                continue
            candidate = parse_report(item, configuration.site.zone)
            judged: Report | Rejection = (
                candidate
                if isinstance(candidate, Rejection)
                else judge.judge(candidate, None, None, "backtest")
            )
            if isinstance(judged, Rejection):
                yield Note(str(path), line, f"{judged.reason}: {judged.detail}")
            else:
                yield judged


def _jsonl(path: Path, configuration: Configuration) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                item = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                yield number, f"bad-json: {error}"
                continue
            if isinstance(item, dict) and set(item) == {"tick"}:
                try:
                    yield number, Tick(parse_instant(str(item["tick"]), configuration.site.zone))
                except ValueError as error:
                    yield number, f"bad-time: tick: {error}"
                continue
            yield number, item


def _csv(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        reader = csv.DictReader(file)
        unknown = [name for name in reader.fieldnames or [] if name not in CSV_COLUMNS]
        if unknown or reader.fieldnames is None:
            yield 1, f"bad-field: unknown columns {unknown}; known are {', '.join(CSV_COLUMNS)}"
            return
        rows = ((reader.line_num, row) for row in reader)
        for _, group in groupby(rows, key=lambda pair: _same_report(pair[1])):
            numbered = list(group)
            yield from _row_reports(numbered)


def _same_report(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("observed_at", "facility", "station", "interval"))


def _row_reports(rows: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, Any]]:
    """Rows of one report; an indicator that comes again begins another report."""
    first, head = rows[0]
    item = {
        key: head[key]
        for key in ("observed_at", "facility", "station", "interval")
        if head.get(key)
    }
    readings: list[dict[str, Any]] = []
    for number, row in rows:
        try:
            value: object = float(row.get("value") or "")
        except ValueError:
            value = row.get("value")
        reading = {"indicator": row.get("indicator") or "", "value": value}
        reading |= {key: row[key] for key in ("unit", "flag") if row.get(key)}
        if any(reading["indicator"] == known["indicator"] for known in readings):
            yield first, item | {"readings": readings}
            first, readings = number, []
        readings.append(reading)
    yield first, item | {"readings": readings}


def records(
    given: Iterable[Given], configuration: Configuration, own_ticks: bool
) -> Iterator[Record | Note]:
    """The log of a backtest: with the file's own ticks, or with those of a listening ingest."""
    zone = configuration.site.zone
    log_us: int | None = None
    reports = False
    for item in given:
        if isinstance(item, Report):
            reports = True
            if not own_ticks:
                end = window_end(item.observed_us, item.interval, zone)
                if log_us is None or end > log_us:
                    log_us = end
                    yield Tick(end)
        yield item
    if not own_ticks and reports and log_us is not None:
        yield Tick(log_us)  # type: ignore[arg-type]  # an Instant all the same


def has_ticks(paths: Iterable[Path]) -> bool:
    """Does any JSONL input bring ticks of its own?"""
    for path in paths:
        if path.suffix.lower() == ".csv":
            continue
        with path.open("rb") as file:
            for line in file:
                if b'"tick"' in line and line.lstrip().startswith(b"{"):
                    try:
                        item = msgspec.json.decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        continue
                    if isinstance(item, dict) and set(item) == {"tick"}:
                        return True
    return False


def backtest(configuration: Configuration, paths: list[Path], notes: IO[str]) -> Iterator[bytes]:
    """One JSON line per transition, as §4 but for `id` and `seq`."""
    name, body = encode_bundle(configuration.bundle())
    bundles = {name: configuration.bundle()}
    del body
    engine = Engine(bundles.__getitem__)
    own_ticks = has_ticks(paths)
    if not own_ticks:
        engine.deaf_never = True
    engine.apply([Activate(name)])
    zone = configuration.site.zone
    for item in records(read_inputs(paths, configuration), configuration, own_ticks):
        if isinstance(item, Note):
            print(item, file=notes)
            continue
        for transition in engine.apply((item,)):
            yield msgspec.json.encode(transition_object(transition, zone))


def run(configuration: Configuration, paths: list[Path], out: Path | None) -> int:
    """Write transitions to `out` or stdout; 0 also when lines were skipped, 1 for a file that is not there."""
    for path in paths:
        if not path.is_file():
            print(f"{path}: no such file", file=sys.stderr)
            return 1
    lines = backtest(configuration, paths, sys.stderr)
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
        return 0
    with out.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return 0
