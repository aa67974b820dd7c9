"""What constant thresholds reach on the same data, told in the same way: the bar to be above."""

from collections.abc import Iterator

from tests.eval.scoring import Score, score, together
from tests.eval.series import Labelled

QUIET_S = 86_400.0
STEPS = 200


def crossings(series: Labelled, low: float, high: float) -> list[float]:
    """One detection for everything outside that is less than a day apart."""
    told: list[float] = []
    newest = float("-inf")
    for at, value in zip(series.times, series.values, strict=True):
        if not low <= value <= high:
            if at - newest > QUIET_S:
                told.append(at)
            newest = at
    return told


def best_of_one(every: list[Labelled]) -> tuple[float, Score]:
    """One number for all series, upwards or downwards: what a single setting means."""
    values = sorted(value for series in every for value in series.values)
    tried = [
        (total.total, side, limit, total)
        for limit in _steps(values)
        for side in (-1, 1)
        if (total := together(score(s, _beyond(s, side, limit)) for s in every))
    ]
    _, _, limit, total = max(tried)
    return limit, total


def best_of_each(every: list[Labelled]) -> Score:
    """The best number for each series, found by looking at its labels. Nobody has this."""
    best = []
    for series in every:
        values = sorted(series.values)
        tried = [
            score(series, _beyond(series, side, limit))
            for limit in _steps(values)
            for side in (-1, 1)
        ]
        best.append(max([*tried, score(series, [])], key=lambda s: s.worth))
    return together(best)


def _beyond(series: Labelled, side: int, limit: float) -> list[float]:
    endless = float("inf")
    return crossings(series, -endless, limit) if side > 0 else crossings(series, limit, endless)


def _steps(values: list[float]) -> Iterator[float]:
    """Thresholds at even places of the order of the values, and close to both ends."""
    count = len(values)
    places = {round(n * (count - 1) / STEPS) for n in range(STEPS + 1)}
    places |= set(range(min(20, count))) | {count - 1 - n for n in range(min(20, count))}
    return iter(sorted({values[place] for place in places}))
