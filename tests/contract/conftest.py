"""The logs that every promise is asked of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.log.memory import MemoryLog
from shared.log.port import DEAD_LETTERS, REPORTS, Log
from shared.log.sqlite import SqliteLog

KAFKA = pytest.param("kafka", marks=(pytest.mark.kafka, pytest.mark.needs("kafka")))


@pytest.fixture(params=["memory", "sqlite", KAFKA])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    found: Log
    if request.param == "memory":
        found = MemoryLog()
    elif request.param == "sqlite":
        found = SqliteLog(tmp_path / "log.db")
    else:
        from tests.brokers import FreshLog

        found = FreshLog(request.getfixturevalue("broker"), {REPORTS: 1, DEAD_LETTERS: 1})
    yield found
    found.close()
