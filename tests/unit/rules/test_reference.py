"""The engine says what the reference says; 10,000 cases: `python -m tests.reference`."""

import pytest

from tests.reference.compare import check

BLOCK = 40


@pytest.mark.parametrize("first", range(0, 20 * BLOCK, BLOCK))
def test_engine_agrees_with_the_reference(first: int) -> None:
    """Random rules, data, batchings and restarts give the transitions of the contract."""
    for seed in range(first, first + BLOCK):
        check(seed)


def test_random_cases_are_not_empty() -> None:
    """A generator that says nothing would prove nothing."""
    assert sum(check(seed) for seed in range(200)) > 400
