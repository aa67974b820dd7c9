"""From log: the judged log of a data directory as inputs, with the ticks that ingest wrote."""

from collections.abc import Iterator
from pathlib import Path

from shared.errors import InputError
from shared.log.port import REPORTS, Position
from shared.log.sqlite import SqliteLog
from shared.model.report import Report, Tick, decode_envelope

AT_ONCE = 200
"""Entries in memory at a time; each is one envelope of reports."""


def from_log(path: Path) -> Iterator[Report | Tick]:
    """Reports and ticks in their order. The configurations of then are left out: another is tried.

    Raises:
        InputError: an entry that this program cannot read.
    """
    log = SqliteLog(path)
    try:
        place = Position(1)
        while (batch := log.read(REPORTS, 0, place, AT_ONCE)).entries:
            for entry in batch.entries:
                try:
                    records = decode_envelope(entry.value)
                except ValueError as error:
                    raise InputError(f"{path}: entry {entry.position}: {error}") from error
                yield from (each for each in records if isinstance(each, Report | Tick))
            place = batch.next
    finally:
        log.close()
