"""What every log promises, asked of each adapter: order, all or none, durability, bounds."""

import resource
import signal
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import DEAD_LETTERS, READ_BYTES, REPORTS, Addition, Bundles, Log, Position
from shared.log.sqlite import SqliteLog

START = Position(0)


def values(log: Log, topic: str = REPORTS, start: Position = START) -> list[bytes]:
    """Everything from `start`, read in small steps as a consumer does."""
    found: list[bytes] = []
    while True:
        batch = log.read(topic, 0, start, 3)
        if not batch.entries:
            return found
        found += [entry.value for entry in batch.entries]
        start = batch.next


def test_an_empty_log_has_nothing_and_says_where_to_read_next(log: Log) -> None:
    """A consumer may come before the first producer."""
    batch = log.read(REPORTS, 0, START)
    assert (batch.entries, batch.next) == ([], START)
    assert not log.wait(REPORTS, 0, START, 0.0)
    assert log.append(REPORTS, []) == 0


def test_entries_come_in_the_order_they_were_added(log: Log) -> None:
    """Within an append and over many; positions rise; key and value are kept."""
    first = log.append(REPORTS, [("a", b"1"), ("b", b"2")])
    last = log.append(REPORTS, [("c", b"3")])
    found = log.read(REPORTS, 0, START).entries
    assert [(entry.key, entry.value) for entry in found] == [("a", b"1"), ("b", b"2"), ("c", b"3")]
    assert [entry.position for entry in found] == sorted({entry.position for entry in found})
    assert (found[1].position, found[2].position) == (first, last)


def test_topics_do_not_mix(log: Log) -> None:
    """Dead letters move no reader of reports."""
    log.append(DEAD_LETTERS, [("", b"bad")])
    log.append(REPORTS, [("", b"good")])
    assert values(log) == [b"good"]
    assert values(log, DEAD_LETTERS) == [b"bad"]


def test_a_consumer_that_keeps_its_position_misses_and_repeats_nothing(log: Log) -> None:
    """Reading may be cut anywhere; the next read goes on there."""
    for n in range(7):
        log.append(REPORTS, [("", b"%d" % n)])
        log.append(DEAD_LETTERS, [("", b"between")])
    kept, found = START, []
    while (batch := log.read(REPORTS, 0, kept, 2)).entries:
        kept, found = batch.next, found + [entry.value for entry in batch.entries]
    assert found == [b"%d" % n for n in range(7)]
    assert log.read(REPORTS, 0, kept).next == kept
    log.append(REPORTS, [("", b"later")])
    assert values(log, start=kept) == [b"later"]


def test_the_end_is_where_the_next_entry_stands(log: Log) -> None:
    """Lag is end minus position."""
    log.append(REPORTS, [("", b"1")])
    end = log.end(REPORTS, 0)
    assert log.append(REPORTS, [("", b"2")]) >= end
    assert values(log, start=end) == [b"2"]


def test_waiting_ends_when_an_entry_comes(log: Log) -> None:
    """Not before, and at once when it is there already."""
    start = log.end(REPORTS, 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(log.wait, REPORTS, 0, start, 30.0)
        log.append(DEAD_LETTERS, [("", b"other")])
        assert not waiting.done()
        log.append(REPORTS, [("", b"1")])
        assert waiting.result(30)
    assert log.wait(REPORTS, 0, start, 0.0)


def test_a_read_is_bounded_in_bytes_and_never_empty(log: Log) -> None:
    """Entries of 10,000 reports must not fill the memory of whoever is behind."""
    big = b"x" * (READ_BYTES - 1)
    log.append(REPORTS, [("", big + b"xx"), ("", big), ("", b"1"), ("", b"2")])
    sizes = []
    start = START
    while (batch := log.read(REPORTS, 0, start)).entries:
        sizes.append([len(entry.value) for entry in batch.entries])
        start = batch.next
    assert [size for read in sizes for size in read] == [READ_BYTES + 1, READ_BYTES - 1, 1, 1]
    assert all(sum(read) <= READ_BYTES or len(read) == 1 for read in sizes)


def test_many_writers_and_readers_see_one_order(log: Log) -> None:
    """Every reader the same, every writer's own entries in its order, none lost."""
    start_together = threading.Barrier(6)

    def write(who: int) -> None:
        start_together.wait(30)
        for n in range(25):
            log.append(REPORTS, [("", b"%d %d" % (who, n)), ("", b"%d %d+" % (who, n))])

    def read() -> list[bytes]:
        start_together.wait(30)
        found: list[bytes] = []
        start = START
        while len(found) < 200 and log.wait(REPORTS, 0, start, 30):
            batch = log.read(REPORTS, 0, start, 7)
            start, found = batch.next, found + [entry.value for entry in batch.entries]
        return found

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writers = [pool.submit(write, who) for who in range(4)]
        for writer in writers:
            writer.result(60)
        first, second = (reader.result(60) for reader in readers)
    assert first == second == values(log)
    for who in range(4):
        mine = [value for value in first if value.startswith(b"%d " % who)]
        assert mine == [b"%d %d%s" % (who, n, end) for n in range(25) for end in (b"", b"+")]
    pairs = list(zip(first[::2], first[1::2], strict=True))
    assert all(pair[0] + b"+" == pair[1] for pair in pairs)


@given(
    st.lists(
        st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=9)), max_size=4), max_size=9
    )
)
def test_what_is_read_is_what_was_added(appends: list[list[tuple[str, bytes]]]) -> None:
    """Any bytes, any keys, any grouping; both adapters alike."""
    memory = MemoryLog()
    for entries in appends:
        memory.append(REPORTS, entries)
    assert values(memory) == [value for entries in appends for _, value in entries]


# -- what only a file can promise ------------------------------------------------------------


@pytest.mark.parametrize("name", ["log.db", "预警 日志#1?%20.db"])
def test_what_was_added_is_there_when_opened_again(tmp_path: Path, name: str) -> None:
    """Also after the process died without closing, and under any path."""
    first = SqliteLog(tmp_path / name)
    first.append(REPORTS, [("a", b"1"), ("b", b"2")])
    again = SqliteLog(tmp_path / name)  # nobody closed the first: as after kill -9
    assert values(again) == [b"1", b"2"]
    assert again.append(REPORTS, [("c", b"3")]) == 3
    again.close()
    first.close()


def test_each_append_is_synchronous(tmp_path: Path) -> None:
    """202 means on the disk: the writer's connection is in FULL, in WAL mode."""
    log = SqliteLog(tmp_path / "log.db")
    connection = log._writer
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    log.close()


def test_several_topics_are_added_in_one_commit(tmp_path: Path) -> None:
    """A refused item is kept together with the accepted ones beside it."""
    log = SqliteLog(tmp_path / "log.db")
    log.append_all([Addition(DEAD_LETTERS, "", b"bad"), Addition(REPORTS, "", b"good")])
    assert (values(log), values(log, DEAD_LETTERS)) == ([b"good"], [b"bad"])
    log.close()


class FullDisk:
    """No file of this process may grow past `limit` bytes: writes fail as on a full disk."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __enter__(self) -> None:
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._limit, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
        signal.signal(signal.SIGXFSZ, self._handler)


def test_a_full_disk_takes_nothing_and_is_forgotten_when_it_has_room(tmp_path: Path) -> None:
    """All or none, reading goes on, and the next append after it works without a restart."""
    log = SqliteLog(tmp_path / "log.db")
    log.append(REPORTS, [("", b"before")])
    with FullDisk(200_000):
        for _ in range(2):
            with pytest.raises(Unavailable):
                log.append(REPORTS, [("", b"small"), ("", b"x" * 400_000)])
        assert values(log) == [b"before"]
    log.append(REPORTS, [("", b"after")])
    assert values(log) == [b"before", b"after"]
    log.close()
    again = SqliteLog(tmp_path / "log.db")
    assert values(again) == [b"before", b"after"]
    again.close()


def test_a_locked_file_is_unavailable_for_as_long(tmp_path: Path) -> None:
    """Another program that holds the database is the world's trouble, not ours."""
    log = SqliteLog(tmp_path / "log.db")
    assert log._writer is not None
    log._writer.execute("PRAGMA busy_timeout=20")
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        log.append(REPORTS, [("", b"1")])
    other.execute("ROLLBACK")
    other.close()
    log.append(REPORTS, [("", b"2")])
    assert values(log) == [b"2"]
    log.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Nothing of it is overwritten."""
    path = tmp_path / "log.db"
    path.write_bytes(b"something else " * 100)
    with pytest.raises(Unavailable, match=r"log\.db"):
        SqliteLog(path)
    assert path.read_bytes().startswith(b"something else")


@pytest.mark.parametrize("make", [lambda _: MemoryBundles(), lambda p: SqliteLog(p / "log.db")])
def test_bundles_are_kept_by_name(make: Callable[[Path], Bundles], tmp_path: Path) -> None:
    """The same name twice is the same bundle; a name that was never put is a KeyError."""
    bundles = make(tmp_path)
    bundles.put("n1", b"body")
    bundles.put("n1", b"body")
    assert bundles.get("n1") == b"body"
    with pytest.raises(KeyError):
        bundles.get("n2")
    if isinstance(bundles, SqliteLog):
        bundles.close()
