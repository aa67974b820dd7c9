"""Envelopes: the records of one group, each with the partition that its facility belongs to."""

from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope

ENVELOPE_BYTES = 512 * 1024
"""An envelope is halved until it is no larger; one record alone may be."""


class Partitioned:
    """In each partition the order in which they were added."""

    def __init__(self, count: int) -> None:
        self._records: list[list[Record]] = [[] for _ in range(count)]

    def add(self, report: Report) -> None:
        self._records[partition_of(report.facility, len(self._records))].append(report)

    def everywhere(self, control: Tick | Activate) -> None:
        """Every partition has a clock of its own, and learns of every change of rules."""
        for records in self._records:
            records.append(control)

    def envelopes(self) -> list[tuple[int, list[Record], bytes]]:
        """(partition, what is inside, its bytes), in order within each partition."""
        found: list[tuple[int, list[Record], bytes]] = []
        for number, records in enumerate(self._records):
            if records:
                _cut(number, records, found)
        return found


def _cut(number: int, records: list[Record], found: list[tuple[int, list[Record], bytes]]) -> None:
    body = encode_envelope(records)
    if len(body) <= ENVELOPE_BYTES or len(records) == 1:
        found.append((number, records, body))
        return
    half = len(records) // 2
    _cut(number, records[:half], found)
    _cut(number, records[half:], found)
