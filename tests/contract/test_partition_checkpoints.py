"""Checkpoints of partitions: kept whole, numbered without gaps, refused to a former owner."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from services.rules.checkpoints import Checkpoints, Fenced
from services.rules.core.sleep import SleepingCell
from services.rules.partition import Alert, Cut
from services.rules.partition_store import PartitionStore
from services.rules.postgres import Session
from shared.errors import NewerData, Unavailable
from shared.model.severity import Severity
from shared.model.transition import Transition
from shared.testing.parts.postgres import Postgres
from tests.unit.rules.checkpoints_in_memory import Memory, MemoryCheckpoints

Open = Callable[[], Checkpoints]
"""One more process on the same store."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    part = Postgres(durable=False).start()
    yield part
    part.stop()


@pytest.fixture
def url(server: Postgres) -> str:
    return server.url(server.create())


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def opens(request: pytest.FixtureRequest) -> Iterator[Open]:
    if request.param == "memory":
        yield partial(MemoryCheckpoints, Memory())
        return
    url = request.getfixturevalue("url")
    opened: list[PartitionStore] = []

    def open_one() -> Checkpoints:
        opened.append(PartitionStore(url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def alert(number: int, facility: str = "f") -> Alert:
    transition = Transition(
        rule="r", facility=facility, station="s", indicator="cod", interval="hour", episode_us=number,
        step=1, state="firing", severity=Severity.RED, cause="raised", at_us=number, value=1.5,
        limit="> 1", unit="mg/L", standard="标准", edition="1", clause="-", report_id=f"report-{number}",
    )  # fmt: skip
    return Alert(f"id-{number:04}", transition, b"")


def cell(station: str, body: bytes, due_us: int | None = None) -> SleepingCell:
    return SleepingCell(station, "hour", due_us, due_us is not None, body)


def cut(next_offset: int, *cells: SleepingCell | tuple[str, str]) -> Cut:
    return Cut(next_offset, b"head-%d" % next_offset, list(cells), [f"f{next_offset}"], [])


def test_what_was_saved_last_is_loaded(opens: Open) -> None:
    """Changed cells replace, gone cells go, the others stay."""
    one = opens()
    epoch, nothing = one.load(3)
    assert nothing is None
    one.save(3, epoch, cut(10, cell("a", b"\x00\xff", 5), cell("b", b"b1"), cell("c", b"c1")))
    one.save(3, epoch, cut(20, cell("b", b"b2", -(1 << 62)), ("a", "hour"), ("never", "hour")))
    one.save(3, epoch, cut(30))
    saved = opens().load(3)[1]
    assert saved is not None
    assert (saved.next, bytes(saved.head), saved.untold) == (30, b"head-30", ["f30"])
    assert sorted(saved.cells, key=lambda each: each.station) == [
        cell("b", b"b2", -(1 << 62)),
        cell("c", b"c1"),
    ]


def test_partitions_do_not_see_each_other(opens: Open) -> None:
    one = opens()
    one.save(0, one.load(0)[0], cut(10, cell("a", b"zero")))
    one.save(1, one.load(1)[0], cut(11, cell("a", b"one")))
    zero = opens().load(0)[1]
    assert zero is not None
    assert [each.body for each in zero.cells] == [b"zero"]


def test_a_former_owner_writes_nothing(opens: Open) -> None:
    """Neither state nor transitions; and the new owner is not disturbed by his trying."""
    old, new = opens(), opens()
    was, other = old.load(0)[0], old.load(1)[0]
    old.save(0, was, cut(10, cell("a", b"old")))
    old.publish(0, was, [alert(1)])
    now = new.load(0)[0]
    with pytest.raises(Fenced, match="partition 0"):
        old.save(0, was, cut(99, cell("a", b"late")))
    with pytest.raises(Fenced):
        old.publish(0, was, [alert(2)])
    with pytest.raises(Fenced):
        old.verify(0, was)
    old.verify(1, other)
    new.save(0, now, cut(20))
    new.publish(0, now, [alert(3)])
    again = opens()
    last, saved = again.load(0)
    assert saved is not None
    assert (saved.next, [each.body for each in saved.cells]) == (20, [b"old"])
    assert again.publish(0, last, [alert(1), alert(2), alert(3)]) == [alert(2)]


def test_what_nobody_took_is_taken_back_without_reading(opens: Open) -> None:
    """Only when the checkpoint stands where we stand, and then the old epoch is void."""
    one, other = opens(), opens()
    first = one.load(0)[0]
    assert one.resume(0, first, 10) is None
    one.save(0, first, cut(10))
    assert one.resume(0, first, 11) is None
    second = one.resume(0, first, 10)
    assert second is not None
    with pytest.raises(Fenced):
        one.save(0, first, cut(11))
    one.save(0, second, cut(12))
    other.load(0)
    assert one.resume(0, second, 12) is None


def test_what_is_said_again_is_not_new(opens: Open) -> None:
    one = opens()
    epoch = one.load(0)[0]
    assert one.publish(0, epoch, [alert(1), alert(2), alert(1)]) == [alert(1), alert(2)]
    assert one.publish(0, epoch, [alert(2), alert(3)]) == [alert(3)]
    assert one.publish(0, epoch, [alert(3)]) == []
    assert one.publish(0, epoch, []) == []


# -- PostgreSQL alone ----------------------------------------------------------------------------


@pytest.fixture
def store(url: str) -> Iterator[PartitionStore]:
    store = PartitionStore(url)
    assert store.load(0)[0] == 1
    yield store
    store.close()


@pytest.mark.needs("postgres")
def test_numbers_have_no_gaps_and_are_found_again(store: PartitionStore) -> None:
    store.publish(0, 1, [alert(n, f"f{n % 3}") for n in range(1, 8)])
    store.publish(0, 1, [alert(n, f"f{n % 3}") for n in range(5, 11)])
    assert [(seq, t.episode_us) for seq, t in store.read(0, 100)] == [(n, n) for n in range(1, 11)]
    assert store.read(0, 100)[0][1] == alert(1, "f1").transition
    assert [seq for seq, _ in store.read(3, 2)] == [4, 5]
    assert [seq for seq, _ in store.read(0, 100, ["f0", "f1"])] == [1, 3, 4, 6, 7, 9, 10]
    assert store.read(0, 100, []) == []
    assert store.by_id("id-0004") == (4, alert(4, "f1").transition)
    assert store.by_id("nothing") is None
    assert [t.episode_us for t in store.by_report("f1", "report-4")] == [4]


@pytest.mark.needs("postgres")
def test_replicas_number_together(url: str) -> None:
    """Three processes publish at once: every number once, in order, none missing at any time."""
    stores = [PartitionStore(url) for _ in range(3)]
    seen: list[list[int]] = []

    def publish(number: int) -> None:
        epoch = stores[number].load(number)[0]
        for n in range(30):
            stores[number].publish(number, epoch, [alert(1000 * number + n)])
            seen.append([seq for seq, _ in stores[number].read(0, 1000)])

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    assert len(stores[0].read(0, 1000)) == 90
    for each in stores:
        each.close()


@pytest.mark.needs("postgres")
def test_an_owner_who_is_writing_is_waited_for(url: str) -> None:
    """Who takes a partition sees what its owner committed, or the owner commits nothing."""
    old, new = PartitionStore(url), PartitionStore(url)
    epoch = old.load(0)[0]
    fenced = threading.Event()

    def save() -> None:
        try:
            for n in range(1, 500):
                old.save(0, epoch, cut(n, *(cell(f"s{k}", b"%d" % n) for k in range(50))))
        except Fenced:
            fenced.set()

    thread = threading.Thread(target=save)
    thread.start()
    for _ in range(5):
        saved = new.load(0)[1]
        if saved is not None:
            assert {each.body for each in saved.cells} == {b"%d" % saved.next}
    thread.join()
    assert fenced.is_set()
    old.close()
    new.close()


@pytest.mark.needs("postgres")
def test_a_broken_connection_is_opened_again(url: str, store: PartitionStore) -> None:
    store.publish(0, 1, [alert(1)])
    other = Session(url, 5)
    with other.transaction() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'yujing-rules' AND pid <> pg_backend_pid()"
        )
    with pytest.raises(Unavailable):
        store.publish(0, 1, [alert(2)])
    assert store.publish(0, 1, [alert(1), alert(2)]) == [alert(2)]
    other.close()


@pytest.mark.needs("postgres")
def test_a_schema_of_a_newer_program_is_refused(url: str, store: PartitionStore) -> None:
    session = Session(url, 5)
    with session.transaction() as cursor:
        cursor.execute("UPDATE yujing_rules.format SET number = 99")
    with pytest.raises(NewerData, match="format 99"):
        PartitionStore(url)
    session.close()


@pytest.mark.needs("postgres")
def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(Unavailable, match="PostgreSQL"):
        PartitionStore("postgresql://yujing@127.0.0.1:1/postgres?connect_timeout=1")
