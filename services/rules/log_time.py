"""Log time and places in the log: where the log stood when its clock showed an instant."""

from collections.abc import Iterator

import msgspec

from shared.log.port import REPORTS, Log, Position
from shared.model.report import Record, Tick, decode_envelope

PROBE = 512
"""Entries looked through for a tick; ticks come every second or so."""


def records(entry: bytes) -> list[Record]:
    """What an entry holds; one that cannot be read holds nothing, as for the worker."""
    try:
        return decode_envelope(entry)
    except (msgspec.MsgspecError, ValueError):
        return []


def first_tick(log: Log, partition: int, start: Position) -> int | None:
    """Log time of the first tick at or after a place; None when there is none near."""
    return next(_ticks(log, partition, start), None)


def _ticks(log: Log, partition: int, start: Position) -> Iterator[int]:
    for entry in log.read(REPORTS, partition, start, PROBE).entries:
        for record in records(entry.value):
            if isinstance(record, Tick):
                yield record.at_us


def first_place(log: Log, partition: int) -> Position | None:
    """Where the oldest entry stands that the log still holds."""
    found = log.read(REPORTS, partition, Position(0), 1).entries
    return found[0].position if found else None


def place_at(log: Log, partition: int, first: Position, end: Position, at_us: int) -> Position:
    """A place after which log time soon passes `at_us`; by halving, some twenty reads."""
    low, high = int(first), int(end)
    while high - low > PROBE:
        middle = (low + high) // 2
        tick = first_tick(log, partition, Position(middle))
        if tick is not None and tick <= at_us:
            low = middle
        else:
            high = middle
    return Position(low)
