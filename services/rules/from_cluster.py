"""From cluster: the judged log on Kafka as inputs: its partitions put back together by their ticks.

Ingest writes every tick into every partition. Whatever stands between two ticks of a partition
comes between the same two here, so every facility meets the log time that it met in its own.
"""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter

from shared.errors import InputError
from shared.log.kafka import KafkaLog
from shared.log.port import REPORTS, Log, Position
from shared.log.security import Security
from shared.model.instants import Instant
from shared.model.report import Record, Report, Tick, decode_envelope

AT_ONCE = 50
"""Entries of one partition that are decoded together; the reader holds 4 MiB of each beside them."""
_Place = tuple[int, int]
"""The log time of a partition, and how many of its ticks since then did not move it."""
_Placed = tuple[_Place, Record]


class ClusterLog:
    """Called, it gives the whole log again, up to where it ended when it was called first.

    It reads one topic and writes nothing: a user who may read `yujing.reports.v1` will do.
    """

    def __init__(
        self, bootstrap: str, security: Security, *, since_us: Instant | None = None
    ) -> None:
        self._bootstrap, self._security, self._since_us = bootstrap, security, since_us
        self._spans: list[tuple[Position, Position]] | None = None

    def __call__(self) -> Iterator[Report | Tick]:
        """Reports and ticks; the configurations of then and what members said are left out.

        Raises:
            Unavailable: the broker does not answer, or does not let us read.
            InputError: an entry that this program cannot read.
        """
        log = KafkaLog(self._bootstrap, self._security)
        try:
            if self._spans is None:
                self._spans = [
                    (first_at(log, number, self._since_us), log.end(REPORTS, number))
                    for number in range(log.partitions(REPORTS))
                ]
            parts = [placed(_part(log, number, *span)) for number, span in enumerate(self._spans)]
            yield from together(parts)
        finally:
            log.close()


def together(parts: list[Iterator[_Placed]]) -> Iterator[Report | Tick]:
    """In the order of log time; a tick that stands in several partitions comes once."""
    newest: _Place | None = None
    for place, record in heapq.merge(*parts, key=itemgetter(0)):
        if isinstance(record, Report):
            yield record
        elif isinstance(record, Tick) and place != newest:
            newest = place
            yield record


def placed(records: Iterable[Record]) -> Iterator[_Placed]:
    """A tick that moves no time is an instant of its own: timers that are due run at it."""
    log_us, again = -(1 << 62), 0
    for record in records:
        if isinstance(record, Tick):
            is_later = record.at_us > log_us
            log_us, again = (record.at_us, 0) if is_later else (log_us, again + 1)
        yield (log_us, again), record


def _part(log: Log, number: int, start: Position, end: Position) -> Iterator[Record]:
    while start < end and (batch := log.read(REPORTS, number, start, AT_ONCE)).entries:
        for entry in batch.entries:
            if entry.position >= end:
                return
            yield from _records(number, entry.position, entry.value)
        start = batch.next


def _records(number: int, position: Position, value: bytes) -> list[Record]:
    try:
        return decode_envelope(value)
    except ValueError as error:
        raise InputError(f"{REPORTS}-{number}: entry {position}: {error}") from error


def first_at(log: Log, number: int, since_us: Instant | None) -> Position:
    """An entry before which no tick has reached `since_us`: found by halving, some 20 reads.

    By the ticks, not by Kafka's own timestamps: a drill has its own time.
    """
    low, high = Position(1), log.end(REPORTS, number)
    if since_us is None:
        return low
    while low < high:
        middle = Position((low + high) // 2)
        tick_us = _next_tick(log, number, middle, high)
        if tick_us is None or tick_us >= since_us:
            high = middle
        else:
            low = Position(middle + 1)
    return low


def _next_tick(log: Log, number: int, start: Position, end: Position) -> int | None:
    while start < end and (batch := log.read(REPORTS, number, start, AT_ONCE)).entries:
        for entry in batch.entries:
            ticks = [
                record.at_us
                for record in _records(number, entry.position, entry.value)
                if isinstance(record, Tick)
            ]
            if ticks:
                return max(ticks)
        start = batch.next
    return None
