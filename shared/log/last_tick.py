"""The last tick of the log: where a scenario clock goes on when a service starts again."""

import msgspec

from shared.log.port import REPORTS, Log, Position
from shared.model.instants import Instant
from shared.model.report import Tick, decode_envelope

LOOK_BACK = 50
"""Entries; ticks come so often that one is among them."""


def last_tick(log: Log) -> Instant | None:
    """The highest of the newest ticks of the first partition; None when there was none."""
    start = Position(max(0, log.end(REPORTS, 0) - LOOK_BACK))
    found: list[int] = []
    while (batch := log.read(REPORTS, 0, start)).entries:
        start = batch.next
        for entry in batch.entries:
            try:
                records = decode_envelope(entry.value)
            except (msgspec.MsgspecError, ValueError):
                continue
            found += [record.at_us for record in records if isinstance(record, Tick)]
    return Instant(max(found)) if found else None
