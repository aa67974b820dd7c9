"""Unit readings: what is kept of every cell of a history unit, within bounds, in log order."""

from collections.abc import Mapping
from typing import Protocol

from services.rules.core.cell_history import Arrived, Key
from services.rules.core.history_units import Unit
from services.rules.history_store import Kept

MOST_REPORTS = 100_000
"""Reports that one history is made of, the newest, the same stretch of every cell: 69 days of
minutes of one station, 207 days of 481 daily reports. About 60 MB while one is made; one is
made at a time."""


class Readings(Protocol):
    def arrived(
        self, key: Key, since_us: int, most: int, *, own: bool = False
    ) -> list[Arrived]: ...


def readings_of(
    store: Readings, unit: Unit, kept: Mapping[Key, Kept], keep_us: int, *, own: bool = False
) -> list[Arrived]:
    """`own`: as the writer sees them, with what is not committed."""
    most = max(MOST_REPORTS // max(len(unit.cells), 1), 1)
    found: list[Arrived] = []
    since_us = -(1 << 62)
    for key in unit.cells:
        last_us = kept[key].last_us if key in kept else None
        if last_us is None and len(unit.cells) > 1:
            continue
        first_us = -(1 << 62) if last_us is None else last_us - keep_us
        arrived = store.arrived(key, first_us, most, own=own)
        if len(arrived) == most:  # the others are seen no further back either
            since_us = max(since_us, min(one.report.observed_us for one in arrived))
        found += arrived
    if len(unit.cells) > 1:
        found = [one for one in found if one.report.observed_us >= since_us]
        found.sort(key=lambda one: one.n)
    return found
