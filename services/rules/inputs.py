"""Recorded inputs: JSONL and CSV become reports, ticks and notes about what was skipped (§8.20)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from services.rules.csv_inputs import read_csv
from services.rules.from_log import from_log
from services.rules.given import LISTENER, Given, Item, Note, judged
from services.rules.input_files import STANDARD_INPUT, Input, is_csv, log_of, opened
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant
from shared.model.report import Report, Tick
from shared.reports.judge import Judge
from shared.reports.quick import Quick

NO_TICKS = "standard input cannot bring ticks of its own; give the log as a file"


def read_inputs(paths: Iterable[Input], configuration: Configuration) -> Iterator[Given]:
    """Reports, ticks and notes of all inputs, in order; nothing is kept but the line at hand."""
    judge = Judge(configuration)
    zone = configuration.site.zone
    for path in paths:
        if not isinstance(path, Path):
            yield from path()
        elif log := log_of(path):
            yield from from_log(log)
        elif is_csv(path):
            yield from read_csv(path, judge, zone)
        else:
            yield from _jsonl(path, judge, zone)


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
    found = judged(judge, zone, path, Item(number, item))
    if isinstance(found, Report):
        quick.learn(item, found)
    return found


def is_tick(item: object) -> bool:
    return isinstance(item, dict) and set(item) == {"tick"}


def _tick(path: Path, number: int, text: object, zone: ZoneInfo) -> Tick | Note:
    try:
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not an RFC 3339 time")
        return Tick(parse_instant(text, zone))
    except ValueError as error:
        return Note(str(path), number, f"bad-time: tick: {error}")


def has_ticks(paths: Iterable[Input]) -> bool:
    """Does any input bring ticks of its own, as a log does? Stops at the first."""
    for path in paths:
        if not isinstance(path, Path) or log_of(path):
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
