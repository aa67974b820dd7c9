"""Rows like those that were a fit report before are one at once (as shared.reports.quick does for JSON).

What makes rows alike are the cells themselves: all but time and value are equal, letter by letter,
so whatever they mean, they mean it again.
"""

import math
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from services.rules.given import LISTENER, Item
from shared.model.instants import Interval
from shared.model.report import Report
from shared.reports.judge import Judge
from shared.reports.quick import MOST_SHAPES, Windows

Cells = list[str]
NEEDED = frozenset({"observed_at", "facility", "interval", "indicator", "value"})
OF_REPORT = ("facility", "station", "interval", "revision", "withdrawn")
OF_READING = ("indicator", "unit", "flag")


class QuickRows:
    """For one file, whose header has all that is needed."""

    def __init__(self, header: list[str], judge: Judge, zone: ZoneInfo) -> None:
        self._judge = judge
        self._windows = Windows(judge, zone)
        self._time, self._value = header.index("observed_at"), header.index("value")
        self._of_report = _getter(header, OF_REPORT)
        self._of_reading = _getter(header, OF_READING)
        self._shapes: dict[tuple[object, ...], tuple[str, str, Interval, tuple[str, ...]]] = {}

    def read(self, rows: list[Cells]) -> Report | None:
        """The report of rows that are one; None: it must take the long way."""
        known = self._shapes.get(self._shape(rows))
        if known is None:
            return None
        values = []
        for cells in rows:
            text = cells[self._value]
            if not text.isascii() or "_" in text:
                return None
            try:
                value = float(text)
            except ValueError:
                return None
            if not math.isfinite(value):
                return None
            values.append(value)
        facility, station, interval, indicators = known
        start = self._windows.start(rows[0][self._time].strip(), interval)
        if start is None:
            return None
        return Report(
            facility, station, interval, start, indicators, tuple(values), None, start, LISTENER
        )

    def learn(self, rows: list[Cells], item: Item, report: Report) -> None:
        """They took the long way and became `report`: from now on their like is let in."""
        if report.flags is not None or report.revision is not None:
            return
        readings = item.report["readings"]
        if len(readings) < len(rows):
            return
        if any("unit" in each and not self._is_own_unit(each) for each in readings):
            return
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        shown = report.facility, report.station, report.interval, report.indicators
        self._shapes[self._shape(rows)] = shown

    def _shape(self, rows: list[Cells]) -> tuple[object, ...]:
        return (self._of_report(rows[0]), *map(self._of_reading, rows))

    def _is_own_unit(self, reading: dict[str, Any]) -> bool:
        return self._judge.is_own_unit(reading["indicator"], reading["unit"])


def _getter(header: list[str], names: tuple[str, ...]) -> Callable[[Cells], object]:
    return itemgetter(*(header.index(name) for name in names if name in header))
