"""Roll-ups through partitions as they run on Kafka: bytes, shares, cuts, crashes, any pace."""

from random import Random
from typing import Any

import msgspec
import pytest

from services.rules.contributions_out import contribution_words
from services.rules.core.engine import Engine
from services.rules.core.sleep import SleepingCell
from services.rules.partition import Partition
from services.rules.shares import Shares
from shared.log.memory import MemoryBundles
from shared.model.alert import encode_alert
from shared.model.configuration import Bundle, encode_bundle
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, encode_envelope
from tests.reference.rollup_cases import make_province


class Owner:
    """Owns one partition, keeps what a checkpoint would, and dies now and then."""

    def __init__(self, number: int, count: int, shares: Shares) -> None:
        self.number, self.count, self.shares = number, count, shares
        self.log: list[bytes] = []
        self.said: dict[str, bytes] = {}
        self.cells: dict[tuple[str, str], SleepingCell] = {}
        self.kept: tuple[int, bytes, list[SleepingCell], list[str]] | None = None
        self.machine = Partition(number, count, shares.of)

    def step(self) -> list[tuple[str, bytes, bytes, int]]:
        applied = self.machine.apply(self.log[self.machine.next], self.machine.next)
        assert applied.rejects == []
        for alert in applied.alerts:
            assert self.said.setdefault(alert.id, alert.value) == alert.value
        return contribution_words(applied.contributions, self.count)

    def checkpoint(self) -> None:
        cut = self.machine.cut()
        assert cut.unkept == []
        for cell in cut.cells:
            if isinstance(cell, SleepingCell):
                self.cells[cell.station, cell.interval] = cell
            else:
                self.cells.pop(cell, None)
        self.kept = cut.next, cut.head, list(self.cells.values()), cut.untold

    def die(self) -> None:
        self.machine = Partition(self.number, self.count, self.shares.of)
        self.cells = {}
        if self.kept is not None:
            place, head, cells, untold = self.kept
            self.cells = {(cell.station, cell.interval): cell for cell in cells}
            self.machine.restore(place, head, iter(cells), untold)


def together(bundle: Bundle, records: list[Record], random: Random) -> list[Any]:
    name, body = encode_bundle(bundle)
    bundles, count = MemoryBundles(), random.randint(2, 5)
    bundles.put(name, body)
    owners = [Owner(n, count, Shares(bundles, count)) for n in range(count)]
    rest: list[Record] = [Activate(name), *records[1:]]
    while rest or any(owner.machine.next < len(owner.log) for owner in owners):
        if rest and random.random() < 0.3:
            record = rest.pop(0)
            is_report = isinstance(record, Report)
            to = [partition_of(record.facility, count)] if is_report else range(count)
            for number in to:
                owners[number].log.append(encode_envelope([record]))
        owner = random.choice(owners)
        if random.random() < 0.02:
            owner.die()
        if random.random() < 0.1:
            owner.checkpoint()
        if owner.machine.next < len(owner.log):
            for _, _, value, number in owner.step():
                owners[number].log.append(value)
    return sorted(comparable(value) for owner in owners for value in owner.said.values())


def comparable(value: bytes) -> list[Any]:
    return [msgspec.json.encode(msgspec.json.decode(value), order="sorted")]


@pytest.mark.parametrize("block", range(3))
def test_partitions_on_kafka_say_what_one_engine_says(block: int) -> None:
    """Evidence included: which report, when it was received."""
    for seed in range(block * 40, block * 40 + 40):
        bundle, records = make_province(seed)
        engine = Engine(lambda _, bundle=bundle: bundle)  # type: ignore[misc]
        said = engine.apply(records)
        expected = sorted(comparable(encode_alert(t, engine.zone)) for t in said)
        assert together(bundle, records, Random(seed)) == expected, seed
