"""Poison among good records: every one in the dead letters with its reason, the good ones on time.

POISON says how many of every kind (3 by default; the full run is POISON=10000).
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from shared.clock import real_monotonic
from shared.log.port import REPORTS
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import RECORD_FORMAT, Activate, Tick, encode_envelope
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.kafka.rules_house import RulesHouse

pytestmark = pytest.mark.needs("postgres")
EACH = int(os.environ.get("POISON", "30"))
BIG = 2_000_000
BURST = 1_000
"""Poison records at once, before the good ones of a minute in the same partition."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RulesHouse]:
    postgres = Postgres(durable=False).start()
    with Broker(tmp_path / "broker") as broker:
        found = RulesHouse(tmp_path, broker.bootstrap, postgres.url(postgres.create()))
        yield found
        found.close()
    postgres.stop()


def poisons(house: RulesHouse) -> dict[str, tuple[str, bytes | None, bytes | None]]:
    """Name -> (the reason it gets, key, value); all for partition 0."""
    mine = next(n for n, f in enumerate(house.site.facilities) if part_of(house, f.id) == 0)
    other = next(f for f in house.site.facilities if part_of(house, f.id) != 0)
    good = house.calm(mine)
    nobody = next(f"nobody-{n}" for n in range(100) if part_of(house, f"nobody-{n}") == 0)

    def report(**changed: object) -> bytes:
        return encode_envelope([msgspec.structs.replace(good, **changed)])

    return {
        "2 MB": ("bad-record", b"k", b"\x00" * BIG),
        "tombstone": ("tombstone", b"k", None),
        "tombstone without a key": ("tombstone", None, None),
        "empty": ("bad-record", b"k", b""),
        "invalid UTF-8": ("bad-record", b"\xff\xfe", report().replace(b"http", b"\xff\xfe\xfd\xfc")),
        "null key": ("bad-record", None, b"{}"),
        "JSON": ("bad-record", b"k", b'{"facility": "f", "readings": []}'),
        "newer format": (
            "bad-record", b"k", msgspec.msgpack.encode([RECORD_FORMAT + 1, []]),
        ),
        "facility of nobody": ("unknown-facility", b"k", report(facility=nobody)),
        "another partition's": (
            "wrong-partition", b"k", report(facility=other.id, station=other.station),
        ),
        "station of nobody": ("unknown-station", b"k", report(station="nowhere")),
        "columns that do not fit": ("bad-record", b"k", report(values=(1.0, 2.0))),
        "year 100,000": ("bad-time", b"k", report(observed_us=1 << 62)),
        "a tick of the year 100,000": ("bad-time", b"k", encode_envelope([Tick(Instant(1 << 62))])),
        "configuration of nobody": ("unknown-bundle", b"k", encode_envelope([Activate("0" * 32)])),
    }  # fmt: skip


def part_of(house: RulesHouse, facility: str) -> int:
    return partition_of(facility, house.partitions)


def seconds_until_said(house: RulesHouse, within_s: float) -> float:
    """From the writing of a minute to its transitions in the table."""
    began = real_monotonic()
    count = sum(map(len, house.expected().values()))
    looked = real_monotonic() - began
    until(lambda: house.count_rows() >= count, within_s, 0.1, what=f"{count} transitions")
    return real_monotonic() - began - looked


@pytest.mark.timeout(1200)
def test_poison_costs_only_itself(house: RulesHouse) -> None:
    """As many of every kind, in random order among good ones; the worker never ends."""
    worker = house.worker()
    kinds = poisons(house)
    order = [name for name in kinds for _ in range(EACH if name != "2 MB" else min(EACH, 50))]
    house.random.shuffle(order)
    house.minutes(5)
    house.everything_is_said()
    producer = Producer({"bootstrap.servers": house.bootstrap, "message.max.bytes": 4_000_000})
    waits: list[float] = []
    step = max(1, min(len(order) // 20, BURST))
    for n, name in enumerate(order):
        _, key, value = kinds[name]
        producer.produce(REPORTS, key=key, value=value, partition=0)
        if n % step == 0:
            producer.flush()
            house.minutes(1)
            waits.append(seconds_until_said(house, within_s=30 + n / 500))
    producer.flush()
    house.minutes(5)
    house.everything_is_said(30 + len(order) / 500)
    print(f"{len(order)} poison records; seconds until the good ones were said: {max(waits):.2f}")
    assert max(waits) < 5.0
    expected = Counter(kinds[name][0] for name in order)
    until(
        lambda: Counter(letter.reason for letter in house.letters()) == expected,
        30 + len(order) / 500, what=f"{expected}",
    )  # fmt: skip
    assert all("partition 0 offset" in letter.detail for letter in house.letters())
    metrics = worker.metrics()
    for reason, count in expected.items():
        assert metrics[f'yujing_rejections_total{{reason="{reason}"}}'] == count
    assert worker.stop() == 0
    again = house.worker()
    house.minutes(2)
    assert house.everything_is_said() == 0
    assert again.stop() == 0
