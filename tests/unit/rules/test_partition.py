"""A partition judges its share of the log; what it cannot judge is set aside with a reason."""

from collections import defaultdict
from random import Random

import msgspec
import pytest

from services.rules.core import view
from services.rules.partition import Applied, Partition
from services.rules.shares import Shares, split
from shared.errors import Unavailable
from shared.log.memory import MemoryBundles
from shared.model.alert import decode_alert
from shared.model.configuration import Bundle, decode_bundle, encode_bundle
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.transition import Transition
from tests.reference.cases import Case, make_case
from tests.reference.compare import bare
from tests.reference.evaluator import evaluate
from tests.unit.rules.checkpoints_in_memory import Memory, MemoryCheckpoints

COUNT = 4


def written(case: Case, partitions: int) -> tuple[MemoryBundles, list[list[list[Record]]]]:
    """The log of each partition, one record after the other, as ingest would write it."""
    bundles = MemoryBundles()
    for bundle in case.bundles.values():
        bundles.put(*encode_bundle(bundle))
    logs: list[list[list[Record]]] = [[] for _ in range(partitions)]
    for record in case.records:
        for number, log in enumerate(logs):
            mine = not isinstance(record, Report)
            if isinstance(record, Report):
                mine = partition_of(record.facility, partitions) == number
            if mine:
                log.append([record])
    return bundles, logs


def judged_with_crashes(case: Case, random: Random, partitions: int) -> dict[str, list[Transition]]:
    """By facility; crashes between any two effects, in any partition."""
    bundles, logs = written(case, partitions)
    memory = Memory()
    for number, log in enumerate(logs):
        while True:
            checkpoints = MemoryCheckpoints(memory)
            epoch, partition = restored(checkpoints, number, partitions, bundles)
            crashed = False
            while partition.next < len(log) and not crashed:
                size = random.randint(1, 3)
                upto = partition.next + size
                alerts = []
                for offset in range(partition.next, min(upto, len(log))):
                    applied = partition.apply(encode_envelope(log[offset]), offset)
                    assert all(r.reason == "unknown-facility" or r.reason == "unknown-station"
                               for r in applied.rejects), applied.rejects  # fmt: skip
                    alerts += applied.alerts
                crashed = random.random() < 0.1
                if not crashed:
                    checkpoints.publish(number, epoch, alerts)
                    crashed = random.random() < 0.1
                if not crashed and random.random() < 0.5:
                    checkpoints.save(number, epoch, partition.cut())
                    crashed = random.random() < 0.2
            if not crashed:
                break
    found: dict[str, list[Transition]] = defaultdict(list)
    for alert in memory.alerts:
        assert decode_alert(alert.value) == alert.transition
        found[alert.transition.facility].append(bare(alert.transition))
    return found


def restored(
    checkpoints: MemoryCheckpoints, number: int, partitions: int, bundles: MemoryBundles
) -> tuple[int, Partition]:
    partition = Partition(number, partitions, Shares(bundles, partitions).of)
    epoch, saved = checkpoints.load(number)
    if saved is not None:
        partition.restore(saved.next, saved.head, saved.cells, saved.untold)
    return epoch, partition


def without_strangers(case: Case) -> list[Record]:
    """What is judged when reports of facilities and stations that are gone are set aside."""
    kept: list[Record] = []
    stations: set[tuple[str, str]] = set()
    for record in case.records:
        if isinstance(record, Activate):
            stations = {(s.facility, s.id) for s in case.bundles[record.bundle].stations}
        if not isinstance(record, Report) or (record.facility, record.station) in stations:
            kept.append(record)
    return kept


@pytest.mark.parametrize("partitions", [1, COUNT])
@pytest.mark.parametrize("hundred", range(2))
def test_partitions_with_crashes_say_what_one_evaluator_says(hundred: int, partitions: int) -> None:
    """Each facility's transitions, in order, whoever judges it and whenever it dies."""
    for seed in range(hundred * 100, hundred * 100 + 100):
        case = make_case(seed)
        expected: dict[str, list[Transition]] = defaultdict(list)
        for transition in evaluate(without_strangers(case), case.bundles):
            expected[transition.facility].append(transition)
        assert judged_with_crashes(case, Random(seed), partitions) == expected, seed


# -- what cannot be judged ----------------------------------------------------------------------


class Hospital:
    """One partition of four with a hospital in it."""

    def __init__(self) -> None:
        case = next(c for c in map(make_case, range(1000)) if len(c.bundles) == 1)
        (bundle,) = case.bundles.values()
        self.station = bundle.stations[0]
        self.number = partition_of(self.station.facility, COUNT)
        self.bundles = MemoryBundles()
        self.name, body = encode_bundle(bundle)
        self.bundles.put(self.name, body)
        self.shares = Shares(self.bundles, COUNT)
        self.partition = Partition(self.number, COUNT, self.shares.of)
        self.offset = 0
        assert self.feed(Activate(self.name)).rejects == []

    def feed(self, *records: Record) -> Applied:
        return self.raw(encode_envelope(list(records)))

    def raw(self, value: bytes | None) -> Applied:
        self.offset += 1
        return self.partition.apply(value, self.offset - 1)

    def report(self, **changed: object) -> Report:
        plain = Report(
            self.station.facility, self.station.id, "hour", 3_600_000_000, ("w01018",), (4.0,),
            None, 1, "http",
        )  # fmt: skip
        return msgspec.structs.replace(plain, **changed)


def elsewhere(number: int) -> str:
    """A facility of another partition."""
    return next(f"f{n}" for n in range(100) if partition_of(f"f{n}", COUNT) != number)


def nobody(number: int) -> str:
    """A facility of this partition that is not configured."""
    return next(f"f{n}" for n in range(100) if partition_of(f"f{n}", COUNT) == number)


def test_bytes_that_are_no_envelope_are_refused_with_a_reason() -> None:
    house = Hospital()
    newer = msgspec.msgpack.encode([99, []])
    for value, reason in (
        (None, "tombstone"),
        (b"", "bad-record"),
        (b"\x00" * 2_000_000, "bad-record"),
        (b"\x92\x01\x91\x9a\xa1r\xa2\xff\xfe", "bad-record"),
        (newer, "bad-record"),
        (b"\x91" * 100_000, "bad-record"),
        (msgspec.msgpack.encode([1, [["t", "x"]]]), "bad-record"),
    ):
        applied = house.raw(value)
        assert [r.reason for r in applied.rejects] == [reason], value and value[:20]
        assert house.partition.next == house.offset
    assert "format 99" in house.raw(newer).rejects[0].detail


def test_a_bad_record_costs_only_itself() -> None:
    """Its neighbours in the same envelope are judged."""
    house = Hospital()
    other, missing = elsewhere(house.number), nobody(house.number)
    applied = house.feed(
        house.report(),
        house.report(facility=other),
        house.report(facility=missing),
        house.report(station="no-such"),
        house.report(indicators=("w01018", "x")),
        house.report(values=()),
        house.report(flags=()),
        house.report(observed_us=1 << 62),
        Tick(1 << 62),
        Activate("no-such-bundle"),
        house.report(observed_us=7_200_000_000, values=(5.0,)),
    )
    assert [r.reason for r in applied.rejects] == [
        "wrong-partition", "unknown-facility", "unknown-station", "bad-record", "bad-record",
        "bad-record", "bad-time", "bad-time", "unknown-bundle",
    ]  # fmt: skip
    cell = house.partition.engine.cells[house.station.id, "hour"]
    cell.settle()
    assert cell.series["w01018"].value == 5.0
    raw = msgspec.json.decode(applied.rejects[1].raw)
    assert raw["facility"] == missing
    assert raw["observed_at"] == "1970-01-01T01:00:00+00:00"
    assert house.partition.engine.clock.now_us is None


def test_a_report_before_any_configuration_is_refused() -> None:
    house = Hospital()
    fresh = Partition(house.number, COUNT, house.shares.of)
    applied = fresh.apply(encode_envelope([house.report()]), 0)
    assert [r.reason for r in applied.rejects] == ["unknown-facility"]


def test_a_record_that_breaks_the_engine_is_set_aside() -> None:
    """A fault of ours costs one record, and the next is judged."""
    house = Hospital()
    house.feed(house.report())
    cell = house.partition.engine.cells[house.station.id, "hour"]
    series = cell.series["w01018"]
    good, series.holds = series.holds, (None,)  # type: ignore[assignment]
    cell.quiet = False
    applied = house.feed(
        house.report(observed_us=7_200_000_000), house.report(interval="day", observed_us=0)
    )
    assert [r.reason for r in applied.rejects] == ["not-judged"]
    assert (house.station.id, "day") in house.partition.engine.cells
    assert [r.reason for r in house.partition.cut().unkept] == ["not-kept"]
    series.holds = good


def test_nothing_is_touched_while_the_bundles_are_away() -> None:
    """The record waits whole; it is judged when the store answers."""
    house = Hospital()
    answers = False

    def sometimes(name: str, partition: int) -> Bundle:
        if not answers:
            raise Unavailable("no broker")
        return house.shares.of(name, partition)

    partition = Partition(house.number, COUNT, sometimes)
    value = encode_envelope([Tick(5), Activate(house.name)])
    with pytest.raises(Unavailable):
        partition.apply(value, 0)
    assert partition.next == 0
    assert partition.engine.clock.now_us is None
    answers = True
    assert partition.apply(value, 0).rejects == []
    assert partition.engine.clock.now_us == 5


def test_shares_hold_every_facility_once() -> None:
    case = make_case(1)
    (name, bundle), *_ = case.bundles.items()
    shares = split(bundle, COUNT)
    assert sorted(f.id for share in shares for f in share.facilities) == sorted(
        f.id for f in bundle.facilities
    )
    for number, share in enumerate(shares):
        own = {f.id for f in share.facilities}
        assert {s.facility for s in share.stations} <= own
        assert all(partition_of(facility, COUNT) == number for facility in own)
        assert share.rules == bundle.rules
    assert split(bundle, 1)[0] == decode_bundle(encode_bundle(bundle)[1])
    assert name == encode_bundle(bundle)[0]


def test_those_to_be_told_about_are_remembered() -> None:
    """Facilities that changed are part of the checkpoint until they were told."""
    house = Hospital()
    house.partition.changed.clear()
    house.feed(house.report())
    assert house.partition.cut().untold == [house.station.facility]


def test_those_who_were_told_are_told_again_after_the_next_reading() -> None:
    """Also after a quiet one: a look at a facility is what makes it news again."""
    house = Hospital()
    house.feed(house.report(), house.report(observed_us=7_200_000_000))
    engine, facility = house.partition.engine, house.station.facility
    house.partition.changed.clear()
    assert view.one_facility(engine, facility) is not None
    assert house.partition.changed == {}
    house.feed(house.report(observed_us=10_800_000_000))
    assert list(house.partition.changed) == [facility]


def test_a_rule_that_broke_makes_no_series_deaf() -> None:
    """Two series leave their bands and the second one's rule breaks: the next report asks both."""
    house = Hospital()
    pair = ("w01018", "w21003")
    house.feed(house.report(indicators=pair, values=(4.0, 1.0)))
    cell = house.partition.engine.cells[house.station.id, "hour"]
    broken = cell.series["w21003"]
    good, broken.holds = broken.holds, (None,)  # type: ignore[assignment]
    cell.lows, cell.highs = (9e9, 9e9), (-9e9, -9e9)
    loud = house.report(indicators=pair, values=(900.0, 1.0), observed_us=7_200_000_000)
    assert [r.reason for r in house.feed(loud).rejects] == ["not-judged"]
    broken.holds = good
    assert not cell.quiet
    later = msgspec.structs.replace(loud, observed_us=10_800_000_000)
    assert house.feed(later).rejects == []
    assert cell.series["w01018"].newest_us == 10_800_000_000
