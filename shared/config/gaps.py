"""Gaps: of limits that one value decides between, those never taken, and values that have none."""

from collections.abc import Sequence
from itertools import pairwise

from shared.model.rule import Comparison


def unused(tests: Sequence[Comparison]) -> list[int]:
    """Places of tests that hold only where one before them does."""
    taken = {_first(tests, value) for value in _values(tests)}
    return [place for place in range(len(tests)) if place not in taken]


def uncovered(tests: Sequence[Comparison]) -> str | None:
    """A value at which no test holds, as people say it; None: there is always one."""
    edges = sorted({test.limit for test in tests})
    for value in edges:
        if _first(tests, value) is None:
            return f"is {value:g}"
    for low, high in pairwise(edges):
        if _first(tests, (low + high) / 2) is None:
            return f"lies between {low:g} and {high:g}"
    if edges and _first(tests, edges[0] - 1) is None:
        return f"is below {edges[0]:g}"
    if edges and _first(tests, edges[-1] + 1) is None:
        return f"is above {edges[-1]:g}"
    return None


def _values(tests: Sequence[Comparison]) -> list[float]:
    """One value of each stretch on which every test says the same."""
    edges = sorted({test.limit for test in tests})
    between = [(low + high) / 2 for low, high in pairwise(edges)]
    ends = [edges[0] - 1, edges[-1] + 1] if edges else []
    return [*edges, *between, *ends]


def _first(tests: Sequence[Comparison], value: float) -> int | None:
    return next((place for place, test in enumerate(tests) if test.holds(value)), None)
