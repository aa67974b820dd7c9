"""Partitions that are read in turn all go on, one that holds more than a poll gives among them."""

import pytest

from shared.log.port import REPORTS, Addition, Position
from shared.testing.parts.kafka import Broker
from tests.brokers import FreshLog

AT_ONCE = 50


@pytest.mark.parametrize("lengths", [(1_500, 400), (400, 1_500), (1_440, 1_440, 700, 1)])
def test_partitions_read_in_turn_all_go_on(broker: Broker, lengths: tuple[int, ...]) -> None:
    """kafka-python parks half-parsed records of a paused partition, and could forget them there."""
    log = FreshLog(broker, {REPORTS: len(lengths)})
    try:
        for number, length in enumerate(lengths):
            log.append_all([Addition(REPORTS, "", b"%d" % n, number) for n in range(length)])
        starts = [Position(0)] * len(lengths)
        seen: list[list[bytes]] = [[] for _ in lengths]
        while sum(map(len, seen)) < sum(lengths):
            for number in range(len(lengths)):
                batch = log.read(REPORTS, number, starts[number], AT_ONCE)
                starts[number] = batch.next
                seen[number] += [entry.value for entry in batch.entries]
        assert seen == [[b"%d" % n for n in range(length)] for length in lengths]
    finally:
        log.close()
