"""Several partitions: each facility in its own, ticks in all, and two ingests on one log."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.envelopes import ENVELOPE_BYTES, Partitioned
from services.ingest.seen import Seen
from shared.log.memory import MemoryLog
from shared.log.port import REPORTS
from shared.model.instants import Instant
from shared.model.partition import murmur2, partition_of
from shared.model.report import Activate, Record, Report, Tick, decode_envelope
from tests.unit.ingest.ingest_house import NOON


def test_the_hash_is_that_of_kafka_clients() -> None:
    """The vectors of org.apache.kafka.common.utils.UtilsTest, as unsigned numbers."""
    known = {
        "21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
        "a-little-bit-longer-string": -1486304829,
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
    }  # fmt: skip
    assert {text: murmur2(text.encode()) for text in known} == {
        text: number & 0xFFFFFFFF for text, number in known.items()
    }


@given(st.text(max_size=20), st.integers(1, 50))
def test_a_facility_has_one_partition(facility: str, count: int) -> None:
    """Any name, any number of partitions."""
    assert 0 <= partition_of(facility, count) < count


def test_each_partition_gets_its_facilities_and_every_tick() -> None:
    """In the order in which they came."""
    group = Partitioned(3)
    reports = [other(f"f{n % 7}", n) for n in range(40)]
    for n, each in enumerate(reports):
        group.add(each)
        if n == 20:
            group.everywhere(Tick(NOON))
    found = {number: inside for number, inside, _ in group.envelopes()}
    for number in range(3):
        mine = [each for each in reports if partition_of(each.facility, 3) == number]
        assert [r for r in found[number] if isinstance(r, Report)] == mine
        assert Tick(NOON) in found[number]


def test_a_large_group_is_cut_and_keeps_its_order() -> None:
    """Consumers must not meet one record of many megabytes."""
    group = Partitioned(1)
    reports = [other("f", n, "x" * 2_000) for n in range(1_000)]
    for each in reports:
        group.add(each)
    envelopes = group.envelopes()
    assert all(len(body) <= ENVELOPE_BYTES for _, _, body in envelopes)
    assert [r for _, _, body in envelopes for r in decode_envelope(body)] == reports


def test_two_ingests_on_one_log_learn_what_the_other_took(tmp_path: Path) -> None:
    """At the latest with the next entry of the partition; after a restart at once."""
    log = MemoryLog(3)
    first, second = Seen(tmp_path / "1.db", log), Seen(tmp_path / "2.db", log)
    for each in (first, second):
        each.catch_up()
        add(log, each, [Tick(NOON), Activate("b")])
    by_second = [other(f"f{n}", 1) for n in range(20)]
    add(log, second, [*by_second])
    assert not first.known(by_second[0])
    add(log, first, [Tick(Instant(NOON + 1))])
    assert all(first.known(each) for each in by_second)
    assert first.last_bundle == "b" and first.last_tick_us == NOON + 1
    second.forget()
    second.catch_up()
    assert all(second.known(each) for each in by_second)
    assert second.last_tick_us == NOON + 1


def test_what_is_no_envelope_does_not_stop_the_index(tmp_path: Path) -> None:
    """Somebody else may write to a topic."""
    log = MemoryLog(2)
    log.append(REPORTS, [("", b"nonsense")], 1)
    seen = Seen(tmp_path / "1.db", log)
    seen.catch_up()
    assert seen.last_bundle is None and not seen.behind


def other(facility: str, minute: int, id_: str = "") -> Report:
    at = Instant(NOON + minute)
    return Report(
        facility, f"{facility}-a", "realtime", at, ("w01018",), (1.0,), None, at, "http", id_
    )


def add(log: MemoryLog, seen: Seen, records: list[Record]) -> None:
    group = Partitioned(3)
    for record in records:
        if isinstance(record, Report):
            group.add(record)
        else:
            group.everywhere(record)
    for number, inside, body in group.envelopes():
        seen.learn(number, log.append(REPORTS, [("", body)], number), inside)
