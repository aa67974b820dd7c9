"""Trace: a series of any length in at most 1,440 columns, lowest and highest of each kept.

Columns double their width when there are too many, so a year of minutes needs no more memory
than a day, and no peak is lost.
"""

from itertools import pairwise
from statistics import median

MOST_COLUMNS = 1440
FIRST_US = {
    "realtime": 60_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000,
}  # fmt: skip
"""The narrowest column: nothing is finer, except several `realtime` readings in one minute."""


class Trace:
    """Lowest and highest value by column; `columns` is empty when nothing known was sent."""

    def __init__(self, interval: str) -> None:
        self.interval = interval
        self.width_us = FIRST_US[interval]
        self.columns: dict[int, tuple[float, float]] = {}
        self.unknown: set[int] = set()
        """Columns in which a reading had a flag that is no evidence."""
        self.readings = 0
        self.begin_us: int | None = None
        """The earliest reading."""
        self._first: int | None = None
        self._last = 0

    def add(self, at_us: int, value: float | None) -> None:
        """A reading; None: its flag says that the value is no evidence."""
        self.readings += 1
        if self.begin_us is None or at_us < self.begin_us:
            self.begin_us = at_us
        column = at_us // self.width_us
        if self._first is None:
            self._first = self._last = column
        elif not self._first <= column <= self._last:
            self._first, self._last = min(self._first, column), max(self._last, column)
            while self._last - self._first >= MOST_COLUMNS:
                self._halve()
            column = at_us // self.width_us
        if value is None:
            self.unknown.add(column)
            return
        known = self.columns.get(column)
        if known is None:
            self.columns[column] = (value, value)
        elif value < known[0]:
            self.columns[column] = (value, known[1])
        elif value > known[1]:
            self.columns[column] = (known[0], value)

    def _halve(self) -> None:
        assert self._first is not None
        self.width_us *= 2
        merged: dict[int, tuple[float, float]] = {}
        for column, (low, high) in self.columns.items():
            known = merged.get(column // 2, (low, high))
            merged[column // 2] = (min(low, known[0]), max(high, known[1]))
        self.columns = merged
        self.unknown = {column // 2 for column in self.unknown}
        self._first, self._last = self._first // 2, self._last // 2

    def runs(self) -> list[list[tuple[int, float, float]]]:
        """(middle of the column, lowest, highest) in order, broken where nothing was sent."""
        columns = sorted(self.columns)
        gaps = [after - before for before, after in pairwise(columns)]
        usual = median(gaps) if gaps else 1
        longest = usual * (3 if self.interval == "realtime" else 1.5)
        runs: list[list[tuple[int, float, float]]] = []
        before: int | None = None
        for column in columns:
            if before is None or column - before > longest:
                runs.append([])
            low, high = self.columns[column]
            runs[-1].append((column * self.width_us + self.width_us // 2, low, high))
            before = column
        return runs

    def bounds(self) -> tuple[float, float] | None:
        if not self.columns:
            return None
        return min(low for low, _ in self.columns.values()), max(
            high for _, high in self.columns.values()
        )
