"""The score of detections against windows, as the standard profile of the benchmark has it.

A detection in a window is worth 1 at its start and falls to 0 at its end, by a sigmoid; only the
first one counts. A window without one costs 1, a detection outside of all windows 0.11. Over all
series together 0 is what silence gets and 100 what is perfect.
"""

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

from tests.eval.series import Labelled

FALSE_ALARM = 0.11


class Score(NamedTuple):
    worth: float
    windows: int
    found: int
    false: int
    days: float

    @property
    def total(self) -> float:
        """Of a perfect 100; of a series without windows there is only what it costs."""
        if not self.windows:
            return 100 * self.worth
        return 100 * (self.worth + self.windows) / (2 * self.windows)

    @property
    def false_per_day(self) -> float:
        return self.false / self.days


def score(series: Labelled, detections: Iterable[float]) -> Score:
    """Detections before the series is warm do not count."""
    first: dict[int, float] = {}
    false = 0
    for at in sorted(at for at in detections if at >= series.warm):
        window = next((n for n, (a, b) in enumerate(series.windows) if a <= at <= b), None)
        if window is None:
            false += 1
        else:
            first.setdefault(window, at)
    worth = -FALSE_ALARM * false - (len(series.windows) - len(first))
    for window, at in first.items():
        begin, end = series.windows[window]
        worth += falling((at - begin) / (end - begin) - 1) / falling(-1)
    return Score(worth, len(series.windows), len(first), false, series.days)


def falling(place: float) -> float:
    """From the start (-1) of a window to its end (0)."""
    return 2 / (1 + exp(5 * place)) - 1


def together(scores: Iterable[Score]) -> Score:
    every = list(scores)
    return Score(
        sum(s.worth for s in every), sum(s.windows for s in every), sum(s.found for s in every),
        sum(s.false for s in every), sum(s.days for s in every),
    )  # fmt: skip
