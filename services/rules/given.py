"""What recorded inputs give: reports, ticks, and notes about lines that were skipped (§8.20)."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.model.report import Report, Tick
from shared.reports.candidate import Rejection
from shared.reports.judge import Judge
from shared.reports.parse import parse_report

LISTENER = "backtest"


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


def judged(judge: Judge, zone: ZoneInfo, path: Path, item: Item) -> Report | Note:
    """What ingest would say. Access rules and `in-the-future` do not apply."""
    candidate = parse_report(item.report, zone)
    if not isinstance(candidate, Rejection):
        report = judge.judge(candidate, None, None, LISTENER)
        if not isinstance(report, Rejection):
            return report
        candidate = report
    line = _line_of(item, candidate.pointer)
    return Note(str(path), line, f"{candidate.reason}: {candidate.detail}")


def _line_of(item: Item, pointer: str) -> int:
    """The line of the reading that is named, else where the report begins."""
    parts = pointer.split("/")
    if item.reading_lines and len(parts) > 2 and parts[1] == "readings" and parts[2].isdigit():
        return item.reading_lines[int(parts[2])]
    return item.line
