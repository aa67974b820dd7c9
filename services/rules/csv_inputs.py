"""Recorded inputs as CSV: consecutive rows of one time, facility, station and interval are one report."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.rules.csv_quick import NEEDED, Cells, QuickRows
from services.rules.csv_rows import item_of, row_of, same_report, wrong_header
from services.rules.given import Given, Note, judged
from services.rules.input_files import opened
from shared.model.report import Report
from shared.reports.judge import Judge

PLACE = ("observed_at", "facility", "station", "interval", "revision", "withdrawn")
Rows = list[tuple[int, Cells]]


def read_csv(path: Path, judge: Judge, zone: ZoneInfo) -> Iterator[Given]:
    with (
        opened(path) as packed,
        TextIOWrapper(packed, encoding="utf-8-sig", newline="", errors="replace") as file,
    ):
        reader = csv.reader(file)
        header: list[str] | None = None
        for found in _lines(path, reader):
            if isinstance(found, Note):
                yield found
                continue
            header = [name.strip() for name in found[1]]
            if wrong := wrong_header(header):
                yield Note(str(path), found[0], wrong)
                return
            break
        if header is not None:
            yield from _Table(path, header, judge, zone).read(reader)


def _lines(path: Path, reader: Any) -> Iterator[tuple[int, Cells] | Note]:
    while True:
        try:
            for cells in reader:
                yield reader.line_num, cells
            return
        except csv.Error as error:
            yield Note(str(path), reader.line_num, f"bad-field: not CSV: {error}")


class _Table:
    """The rows of one file. Rows that are alike take the quick way."""

    def __init__(self, path: Path, header: list[str], judge: Judge, zone: ZoneInfo) -> None:
        self._path, self._header, self._judge, self._zone = path, header, judge, zone
        self._place = [n for n, name in enumerate(header) if name in PLACE]
        self._facility_at = header.index("facility") if "facility" in header else None
        self._quick = QuickRows(header, judge, zone) if set(header) >= NEEDED else None

    def read(self, reader: Any) -> Iterator[Given]:
        width, place = len(self._header), self._place
        group: Rows = []
        last: list[str] | None = None
        for found in _lines(self._path, reader):
            if isinstance(found, Note):
                yield found
                continue
            cells = found[1]
            here = [cells[n] for n in place] if len(cells) == width else None
            if here is None or here != last:
                if len(cells) > width and any(cell.strip() for cell in cells):
                    text = f"bad-field: {len(cells)} cells under {width} columns"
                    yield Note(str(self._path), found[0], text)
                    continue
                if not any(cell.strip() for cell in cells):
                    continue
                if group and not self._is_one(group[0][1], cells):
                    yield self._report(group)
                    group = []
                last = here if here is not None and any(cell.strip() for cell in here) else None
            group.append(found)
        if group:
            yield self._report(group)

    def _is_one(self, before: Cells, cells: Cells) -> bool:
        """Both are rows of one report, however they are written."""
        if self._facility(before) != self._facility(cells):
            return False
        one, other = row_of(self._header, before), row_of(self._header, cells)
        return same_report(one, self._zone) == same_report(other, self._zone)

    def _facility(self, cells: Cells) -> str:
        n = self._facility_at
        return cells[n].strip() if n is not None and n < len(cells) else ""

    def _report(self, group: Rows) -> Report | Note:
        quick = self._quick
        rows = [cells for _, cells in group]
        if quick is not None and any(len(cells) < len(self._header) for cells in rows):
            quick = None
        if quick is not None and (report := quick.read(rows)) is not None:
            return report
        item = item_of([(line, row_of(self._header, cells)) for line, cells in group])
        found = judged(self._judge, self._zone, self._path, item)
        if quick is not None and isinstance(found, Report):
            quick.learn(rows, item, found)
        return found
