"""Amended history, kept in a file or in PostgreSQL by partition: the same words, once, fenced.

CASES=2000 pytest tests/contract/test_history_kept.py
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.rules.amender import Amender
from services.rules.amenders import Amenders
from services.rules.checkpoints import Fenced
from services.rules.core.cell_history import Arrived
from services.rules.history_database import PartitionHistory, prepare_history
from services.rules.history_port import HistoryReader, HistoryWriter
from services.rules.history_replies import HistoryReplies
from services.rules.history_store import HistoryStore, Kept
from services.rules.owned import Owned
from services.rules.partition import Partition
from services.rules.partition_store import PartitionStore
from services.rules.postgres import Session
from services.rules.shares import split
from shared.errors import NewerData, Unavailable
from shared.log.memory import MemoryLog
from shared.log.port import AMENDMENTS, REPORTS, Position
from shared.model.amendment import Amendment, Cause, Span, decode_amendment
from shared.model.configuration import Bundle
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import WITHDRAWN, Activate, Record, Report, encode_envelope
from shared.model.severity import Severity
from shared.observe.metrics import Metrics
from shared.testing.parts.postgres import Postgres
from tests.reference.cases import Case, make_case

CASES = int(os.environ.get("CASES", "25"))
PARTITIONS = 3
KEEP_US = 90 * 86_400_000_000
KEY = ("f", "s", "hour")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    part = Postgres(durable=False).start()
    yield part
    part.stop()


@pytest.fixture
def url(server: Postgres) -> str:
    return server.url(server.create())


class Kept3:
    """Three partitions in PostgreSQL; `own` is what a rebalance does."""

    def __init__(self, url: str) -> None:
        self.store = PartitionStore(url)
        self.session = Session(url, 30)
        prepare_history(self.session)
        self.replies = HistoryReplies(url)

    def own(self, number: int = 0) -> PartitionHistory:
        return PartitionHistory(self.session, number, self.store.load(number)[0])

    def close(self) -> None:
        self.store.close()
        self.session.close()
        self.replies.close()


@pytest.fixture
def kept(url: str) -> Iterator[Kept3]:
    found = Kept3(url)
    yield found
    found.close()


Made = tuple[HistoryWriter, HistoryReader]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    if request.param == "postgres":
        found = request.getfixturevalue("kept")
        yield found.own(), found.replies
        return
    store = HistoryStore(tmp_path / "history.db")
    yield store, store
    store.close()


def arrived(n: int, observed_us: int, value: float = 1.0) -> Arrived:
    report = Report(
        *KEY, Instant(observed_us), ("cod",), (value,), None, Instant(n), "http", f"r{n}"  # type: ignore[arg-type]  # an interval
    )  # fmt: skip
    return Arrived(KEY, n, n % 3, report)


def amendment(number: int, facility: str = "f") -> Amendment:
    span = Span(Instant(number), Instant(number), None, Severity.RED, 1.5, "> 1", "mg/L")
    cause = Cause("late", "cod", Instant(number), 1.5, "N", f"r{number}", Instant(number))
    return Amendment(
        1, f"id-{number:03}", "appeared", "r", facility, "s", "cod", "hour", None, span, cause,
        Instant(number), number,
    )  # fmt: skip


def test_everything_of_one_pump_or_nothing_of_it(made: Made) -> None:
    """State, cells, readings and amendments; and inside it the writer sees what he wrote."""
    writer, reader = made

    class Died(Exception):
        pass

    assert writer.state() == {}
    assert list(writer.cells()) == []
    with suppress(Died), writer.writing():
        writer.add([arrived(1, 10)])
        writer.put_cells([(KEY, Kept({"cod": 10}, is_amended=True))])
        writer.amend(amendment(1), told=True)
        writer.set_state({"next": "7"})
        raise Died
    assert writer.state() == {}
    assert list(writer.cells()) == []
    assert reader.amendments(0, 10) == []
    with writer.writing():
        writer.add([arrived(4, 20), arrived(2, 30)])
        writer.add([arrived(6, 10)])
        assert [one.n for one in writer.arrived(KEY, 15, 10, own=True)] == [2, 4]
        writer.amend(amendment(1), told=True)
        assert [one.id for one in writer.amended("f")] == ["id-001"]
        writer.put_cells([(KEY, Kept({"cod": 30}, 4, is_amended=True))])
        writer.set_state({"next": "8", "format": "1"})
    assert writer.state() == {"next": "8", "format": "1"}
    assert list(writer.cells()) == [(KEY, Kept({"cod": 30}, 4, is_amended=True))]
    with writer.writing():
        writer.drop_before(KEY, 20)
        writer.set_state({"next": "9"})
    assert writer.arrived(KEY, 0, 10) == [arrived(2, 30), arrived(4, 20)]
    assert writer.arrived(KEY, 0, 1) == [arrived(2, 30)]
    assert writer.arrived(("g", "s", "hour"), 0, 10) == []
    (part,) = reader.parts(["f"])
    assert part.reader_state()["next"] == "9"
    assert part.kept(["f"]) == {KEY: Kept({"cod": 30}, 4, is_amended=True)}
    assert part.arrived(KEY, 20, 10) == [arrived(2, 30), arrived(4, 20)]


def test_amendments_are_numbered_in_order_and_once(made: Made) -> None:
    writer, reader = made
    for some in ((1, 2, 1), (2, 3), (), (4,)):
        with writer.writing():
            for number in some:
                writer.amend(amendment(number, f"f{number % 2}"), told=number != 3)
    found = [amendment(n, f"f{n % 2}") for n in (1, 2, 3, 4)]
    numbers = [seq for seq, _ in reader.amendments(0, 10)]
    assert [each for _, each in reader.amendments(0, 10)] == found
    assert numbers == sorted(set(numbers))
    assert [each.id for _, each in reader.amendments(numbers[1], 1)] == ["id-003"]
    assert [each.id for _, each in reader.amendments(0, 9, told_only=True)][2:] == ["id-004"]
    assert [each.id for _, each in reader.amendments(0, 9, ["f0"])] == ["id-002", "id-004"]
    assert reader.amendments(0, 9, []) == []
    assert [each.id for each in writer.amended("f0")] == ["id-004", "id-002"]
    assert reader.by_id("id-002") == found[1]
    assert reader.by_id("nothing") is None
    assert reader.by_report(["f0", "f1"], "r3") == [found[2]]
    assert reader.by_report(["f0"], "r3") == []


# -- by partition ----------------------------------------------------------------------------------


@pytest.mark.needs("postgres")
def test_a_former_owner_keeps_nothing(kept: Kept3) -> None:
    """His readings, his position and his amendments are refused; so is his mark on what he told."""
    old = kept.own()
    with old.writing():
        old.amend(amendment(1), told=True)
    (row,) = old.unpublished(10)
    with pytest.raises(Fenced, match="partition 0"), old.writing():
        old.add([arrived(1, 10)])
        old.set_state({"next": "99"})
        old.amend(amendment(2), told=True)
        new = kept.own()
    with new.writing():
        new.add([arrived(1, 10)])
    with pytest.raises(Fenced), old.writing():
        old.add([arrived(1, 10)])
    with pytest.raises(Fenced):
        old.published([row[0]])
    assert new.state() == {}
    assert new.unpublished(10) == [row]
    new.published([row[0]])
    assert new.unpublished(10) == []
    assert [each.id for _, each in kept.replies.amendments(0, 10)] == ["id-001"]


@pytest.mark.needs("postgres")
def test_numbers_of_all_partitions_have_no_gaps(kept: Kept3) -> None:
    owners = [kept.own(number) for number in range(PARTITIONS)]
    for n in range(12):
        with owners[n % 3].writing():
            owners[n % 3].amend(amendment(n, f"f{n % 3}"), told=True)
    assert [seq for seq, _ in kept.replies.amendments(0, 100)] == list(range(1, 13))
    assert [len(each.unpublished(100)) for each in owners] == [4, 4, 4]


@pytest.mark.needs("postgres")
def test_history_of_a_newer_program_is_refused(kept: Kept3) -> None:
    owner = kept.own()
    with owner.writing():
        owner.set_state({"format": "99"})
    with pytest.raises(NewerData, match="format 99"):
        kept.own().state()


# -- the same words --------------------------------------------------------------------------------


def with_news(case: Case, random: Random) -> list[Record]:
    """Reports that come late, again with another value, or are taken back."""
    found: list[Record] = []
    owed: list[Record] = []
    for record in case.records:
        if isinstance(record, Report):
            if random.random() < 0.1:
                owed.append(record)
                continue
            if random.random() < 0.4:
                values = tuple(random.choice([1.0, 5.1, 10.3]) for _ in record.values)
                flags = (WITHDRAWN,) * len(values) if random.random() < 0.3 else None
                owed.append(msgspec.structs.replace(record, values=values, flags=flags, revision=1))
        found.append(record)
        if owed and random.random() < 0.1:
            found += owed
            owed.clear()
    return found


def spread(records: list[Record]) -> MemoryLog:
    """Each to the partition of its facility; ticks and activations to all."""
    log = MemoryLog(PARTITIONS)
    for record in records:
        whole = not isinstance(record, Report)
        for number in range(PARTITIONS):
            mine = isinstance(record, Report) and number == partition_of(
                record.facility, PARTITIONS
            )
            if whole or mine:
                log.append(REPORTS, [("", encode_envelope([record]))], number)
    return log


def bare(found: list[tuple[int, Amendment]]) -> dict[str, list[Amendment]]:
    """By facility, in their order; where in the log it was seen is a matter of the log."""
    by_facility: dict[str, list[Amendment]] = {}
    for _, each in found:
        at = msgspec.structs.replace(each, position=0)
        by_facility.setdefault(each.facility, []).append(at)
    return by_facility


def without_rollups(bundle: Bundle) -> Bundle:
    """Members of a territory are in several partitions: those are amended on one machine only."""
    return msgspec.structs.replace(bundle, rollups=())


def one_log(case: Case, records: list[Record], folder: Path) -> dict[str, list[Amendment]]:
    log = MemoryLog()
    log.append(REPORTS, [("", encode_envelope([record])) for record in records])
    folder.mkdir()
    store = HistoryStore(folder / "history.db")
    metrics = Metrics(CollectorRegistry())
    amender = Amender(
        log, lambda name: without_rollups(case.bundles[name]), store, KEEP_US, metrics
    )
    while amender.pump():
        pass
    found = bare(store.amendments(0, 100_000))
    store.close()
    return found


class Owners:
    """Replicas that take partitions from each other while they amend and publish."""

    def __init__(self, kept: Kept3, case: Case, log: MemoryLog, random: Random) -> None:
        self.kept, self.random, self.log = kept, random, log
        self.shares = {name: split(each, PARTITIONS) for name, each in case.bundles.items()}
        self.owned: tuple[dict[int, Owned], ...] = ({}, {})
        self.replicas = [self._replica(n) for n in range(2)]
        for number in range(PARTITIONS):
            self.take(number)

    def share_of(self, name: str, number: int) -> Bundle:
        return without_rollups(self.shares[name][number])

    def take(self, number: int) -> None:
        machine = Partition(number, PARTITIONS, self.share_of)
        machine.next = int(self.log.end(REPORTS, number))
        owned = Owned(machine, self.kept.store.load(number)[0])
        left, right = self.random.sample(self.owned, 2)
        left[number] = owned
        if self.random.random() < 0.5:  # else it has not heard of it yet, and is fenced
            right.pop(number, None)

    def _replica(self, n: int) -> Amenders:
        return Amenders(
            owned=lambda: dict(self.owned[n]), log_=self.log, session=self.kept.session,
            share_of=self.share_of, keep_us=KEEP_US, metrics=Metrics(CollectorRegistry()),
            monotonic=count().__next__,
        )  # fmt: skip

    def go_on(self) -> None:
        while True:
            what = self.random.random()
            if what < 0.1:
                self.take(self.random.randrange(PARTITIONS))
            elif what < 0.2:
                n = self.random.randrange(2)
                self.replicas[n] = self._replica(n)
            moved = [each.turn() for each in self.replicas]
            if not any(moved):
                return


@pytest.mark.needs("postgres")
@pytest.mark.timeout(3600)
def test_partitions_amend_as_one_log_does(kept: Kept3, tmp_path: Path) -> None:
    """Byte for byte, whoever owned them when, and all of it stands on the topic."""
    amended = 0
    for seed in range(CASES):
        random = Random(seed)
        case = make_case(seed)
        records = with_news(case, random)
        wanted = one_log(case, records, tmp_path / str(seed))
        log = spread(records)
        for number in range(PARTITIONS):
            # As if the site had amended from its beginning: then everything is told.
            with (owner := kept.own(number)).writing():
                owner.set_state({"next": "0", "tell_from": "0"})
        Owners(kept, case, log, random).go_on()
        got = kept.replies.amendments(0, 100_000)
        assert bare(got) == wanted, f"seed {seed}"
        told = [
            decode_amendment(entry.value)
            for number in range(PARTITIONS)
            for entry in log.read(AMENDMENTS, number, Position(0), 100_000).entries
        ]
        assert {each.id for each in told} == {each.id for _, each in got}, f"seed {seed}"
        amended += len(got)
        with kept.session.transaction() as cursor:
            cursor.execute(
                "TRUNCATE yujing_rules.history_state, yujing_rules.history_cells, "
                "yujing_rules.history_readings, yujing_rules.amendments"
            )
    print(f"{CASES} cases, {amended} amendments")
    assert amended > CASES // 5


@pytest.mark.needs("postgres")
def test_what_is_not_judged_yet_is_not_told(kept: Kept3) -> None:
    """Its alert may be on its way: the amendment waits for it, in its place."""
    log = MemoryLog(PARTITIONS)
    with (owner := kept.own()).writing():
        owner.set_state({"next": "0", "tell_from": "0"})
        for n in (3, 5, 4):
            owner.amend(amendment(n), told=True)

    def nothing(name: str, number: int) -> Bundle:
        raise KeyError(name)

    owned = Owned(Partition(0, PARTITIONS, nothing), kept.store.load(0)[0])
    amenders = Amenders(
        owned=lambda: {0: owned}, log_=log, session=kept.session, share_of=nothing,
        keep_us=KEEP_US, metrics=Metrics(CollectorRegistry()),
    )  # fmt: skip

    def told() -> list[str]:
        entries = log.read(AMENDMENTS, 0, Position(0)).entries
        return [decode_amendment(entry.value).id for entry in entries]

    assert not amenders.turn()
    owned.told = 4
    assert amenders.turn()
    assert told() == ["id-003"]
    owned.told = 5
    assert amenders.turn()
    assert not amenders.turn()
    assert told() == ["id-003", "id-005", "id-004"]


@pytest.mark.needs("postgres")
def test_a_partition_that_fails_leaves_the_others_alone(kept: Kept3) -> None:
    """It rests a second and is tried again from what is kept; it is counted and said."""
    case = make_case(1)
    name, bundle = next(iter(case.bundles.items()))
    log = spread([Activate(name)])
    broken, now = [True], [0.0]

    def share_of(_: str, number: int) -> Bundle:
        if number == 0 and broken[0]:
            raise RuntimeError("a defect")
        return split(bundle, PARTITIONS)[number]

    owned = {}
    for number in range(PARTITIONS):
        machine = Partition(number, PARTITIONS, share_of)
        machine.next = 1
        owned[number] = Owned(machine, kept.store.load(number)[0])
    metrics = Metrics(CollectorRegistry())
    amenders = Amenders(
        owned=lambda: owned, log_=log, session=kept.session, share_of=share_of, keep_us=KEEP_US,
        metrics=metrics, monotonic=lambda: now[0],
    )  # fmt: skip
    assert amenders.turn()
    assert not amenders.turn()
    named = {number: kept.own(number).state().get("bundle") for number in range(PARTITIONS)}
    assert named == {0: None, 1: name, 2: name}
    failed = 'yujing_failures_total{service="rules"}'
    assert f"{failed} 1.0" in generate_latest(metrics.registry).decode()
    broken[0] = False
    owned[0].epoch += 1
    assert not amenders.turn()
    now[0] += 1.0
    assert amenders.turn()
    assert kept.own(0).state()["bundle"] == name


@pytest.mark.needs("postgres")
def test_without_the_database_nothing_is_kept_and_it_goes_on(
    kept: Kept3, url: str, server: Postgres
) -> None:
    owner = kept.own()
    with pytest.raises(Unavailable), owner.writing():
        owner.add([arrived(1, 10)])
        other = Session(url, 5)
        with other.transaction() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'yujing-rules' AND pid <> pg_backend_pid()"
            )
        other.close()
        owner.set_state({"next": "7"})
    assert owner.state() == {}
    list(owner.cells())
    with owner.writing():
        owner.add([arrived(1, 10)])
    assert owner.arrived(KEY, 0, 10) == [arrived(1, 10)]
