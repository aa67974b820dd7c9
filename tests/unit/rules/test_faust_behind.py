"""How far behind a partition is, also while a rebalance is taking it away."""

import pytest
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from faust.types import TP

from services.rules.faust_app import records_behind
from shared.log.port import REPORTS


class Consumer:
    """As much of one as is asked."""

    def __init__(self, said: int | Exception | None) -> None:
        self.said = said

    def highwater(self, tp: TP) -> int | None:
        assert tp == TP(REPORTS, 3)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("said", "behind"),
    [
        (12, 5), (7, 0), (5, 0), (None, 0),
        (AssertionError("Partition is not assigned"), 0), (IllegalStateError("no assignment"), 0),
    ],
)  # fmt: skip
def test_a_partition_that_was_just_taken_away_is_not_behind(
    said: int | Exception | None, behind: int
) -> None:
    assert records_behind(Consumer(said), 3, 7) == behind
