"""Duplicates: a reading the log has already changes nothing, whatever happened in between."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.seen import KEEP, Seen, series_of
from shared.log.memory import MemoryLog
from shared.log.port import REPORTS
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick, encode_envelope


def reading(
    at: int = 1, value: float = 1.0, flag: str = "N", *, indicator: str = "a", station: str = "s"
) -> Report:
    return several([(indicator, value, flag)], at, station)


def several(readings: list[tuple[str, float, str]], at: int = 1, station: str = "s") -> Report:
    flags = tuple(flag for _, _, flag in readings)
    return Report(
        "f",
        station,
        "hour",
        Instant(at),
        tuple(name for name, _, _ in readings),
        tuple(value for _, value, _ in readings),
        None if set(flags) <= {"N"} else flags,
        Instant(0),
        "http",
    )


class Index:
    """A log and the index that is derived from it."""

    def __init__(self, path: Path | str = ":memory:", log: MemoryLog | None = None) -> None:
        self.path, self.log = path, log or MemoryLog()
        self.seen = Seen(path, self.log)
        self.seen.catch_up()

    def add(self, *records: Record) -> None:
        listed = list(records)
        position = self.log.append(REPORTS, [("", encode_envelope(listed))])
        self.seen.learn(0, position, listed)


def test_the_same_reading_is_known_and_another_value_is_not() -> None:
    """Identity, value and flag all count."""
    index = Index()
    index.add(reading(1, 1.0))
    assert index.seen.known(reading(1, 1.0))
    for other in (
        reading(1, 2.0),
        reading(1, 1.0, "D"),
        reading(2, 1.0),
        reading(0, 1.0),
        reading(1, 1.0, indicator="b"),
        reading(1, 1.0, station="t"),
    ):
        assert not index.seen.known(other)


def test_a_report_is_known_when_each_of_its_readings_is() -> None:
    """Over several reports of one window, in any order, with corrections between."""
    index = Index()
    index.add(several([("a", 1.0, "N"), ("b", 2.0, "N")]))
    index.add(several([("c", 3.0, "D")]), several([("a", 9.0, "N")]))
    assert index.seen.known(several([("c", 3.0, "D"), ("a", 1.0, "N")]))
    assert index.seen.known(several([("b", 2.0, "N"), ("a", 9.0, "N")]))
    assert not index.seen.known(several([("a", 1.0, "N"), ("d", 1.0, "N")]))
    assert not index.seen.known(several([("c", 3.0, "N")]))


def test_what_waits_for_the_log_is_known_too() -> None:
    """Two deliveries in one group are one report."""
    index = Index()
    assert index.seen.known(reading(5), [reading(5)])
    assert not index.seen.known(reading(5), [reading(5, 2.0)])


@settings(max_examples=60)
@given(
    script=st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from([1.0, 2.0]), st.sampled_from("ND"), st.booleans()
        ),
        max_size=25,
    )
)
def test_the_index_agrees_with_a_set_of_everything(
    script: list[tuple[int, float, str, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever comes in whatever order, with a crash or a failed write anywhere."""
    path = tmp_path_factory.mktemp("seen") / "ingest.db"
    index = Index(path)
    everything: set[tuple[int, float, str]] = set()
    for at, value, flag, crash in script:
        if crash:  # what was not committed is lost, the log is not
            index.seen.forget()
            index.seen._db.close()
            index = Index(path, index.log)
        report = reading(at, value, flag)
        assert index.seen.known(report) == ((at, value, flag) in everything)
        if (at, value, flag) not in everything:
            everything.add((at, value, flag))
            index.add(report)
    index.seen.close()


def test_a_failed_write_is_made_good_from_the_log() -> None:
    """The log has it, so it must be known, though learning it failed."""
    index = Index()
    index.log.append(REPORTS, [("", encode_envelope([reading(7)]))])
    index.seen.forget()
    assert index.seen.behind
    index.seen.catch_up()
    assert index.seen.known(reading(7))
    assert not index.seen.behind


def test_the_newest_thousand_of_each_series_are_remembered_and_old_ones_go(tmp_path: Path) -> None:
    """Corrections of one window and other lists of indicators take no place from them."""
    index = Index(tmp_path / "ingest.db")
    for at in range(KEEP * 3):
        index.add(reading(at), reading(at, 2.0), reading(at, indicator="b"))
    index.seen.flush()
    newest = range(KEEP * 2, KEEP * 3)
    assert all(index.seen.known(reading(at, value)) for at in newest for value in (1.0, 2.0))
    assert all(index.seen.known(reading(at, indicator="b")) for at in newest)
    (rows,) = index.seen._db.execute("SELECT count(*) FROM windows").fetchone()
    assert rows < KEEP * 3 * 2.5
    index.seen.close()


def test_the_last_tick_and_bundle_are_found_again(tmp_path: Path) -> None:
    """A scenario clock goes on from the last tick of its log."""
    index = Index(tmp_path / "ingest.db")
    index.add(Activate("b1"), Tick(Instant(5)))
    index.add(Activate("b2"), Tick(Instant(9)))
    index.seen.close()
    again = Index(tmp_path / "ingest.db", index.log)
    assert (again.seen.last_tick_us, again.seen.last_bundle) == (9, "b2")
    again.seen.close()


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    """All of it is in the log."""
    path = tmp_path / "ingest.db"
    log = MemoryLog()
    log.append(REPORTS, [("", encode_envelope([reading(3)]))])
    path.write_bytes(b"no database at all " * 500)
    index = Index(path, log)
    assert index.seen.known(reading(3))
    index.seen.close()


def test_an_index_that_is_ahead_of_its_log_is_made_again(tmp_path: Path) -> None:
    """Somebody put an older copy of the log back."""
    index = Index(tmp_path / "ingest.db")
    index.add(reading(1))
    index.add(reading(2))
    index.seen.close()
    shorter = MemoryLog()
    again = Index(tmp_path / "ingest.db", shorter)
    assert not again.seen.known(reading(1))
    again.add(reading(4))
    assert again.seen.known(reading(4))
    again.seen.close()


def test_a_new_window_costs_no_look_up() -> None:
    """The way of nearly every report: one comparison in memory."""
    index = Index()
    index.add(reading(10))
    asked: list[str] = []
    index.seen._db.set_trace_callback(asked.append)
    assert not index.seen.known(reading(11))
    assert asked == []
    assert index.seen.known(reading(10))
    assert len(asked) == 1
    index.seen._db.set_trace_callback(None)


def test_a_position_and_its_rows_are_one_transaction(tmp_path: Path) -> None:
    """Never a position without its rows."""
    index = Index(tmp_path / "ingest.db")
    index.add(reading(1))
    other = sqlite3.connect(tmp_path / "ingest.db")
    assert other.execute("SELECT count(*) FROM windows").fetchone() == (0,)
    assert other.execute("SELECT value FROM state WHERE name = 'next'").fetchone() in (None, ("0",))
    index.seen.flush()
    assert other.execute("SELECT count(*) FROM windows").fetchone() == (1,)
    assert other.execute("SELECT value FROM state WHERE name = 'next'").fetchone() == ("2",)
    other.close()
    index.seen.close()
    assert series_of(reading(1)) == series_of(reading(2))
