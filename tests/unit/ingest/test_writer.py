"""The writer: one order, durable before it answers, and honest when the log is away."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from ingest_house import NOON, ZONE, House, opened, report

from services.ingest.ticker import Ticker
from shared.errors import SlowDown, Unavailable
from shared.log.port import Addition, Position
from shared.log.sqlite import SqliteLog
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from shared.reports.candidate import Accepted, Candidate, Duplicate, Rejection, Source
from shared.reports.parse import parse_report

SOURCE = Source("http", "platform", ("420100-*",))
SECOND = 1_000_000


class Log(SqliteLog):
    """A log that can be away, or slow, as disks are."""

    away = False
    lies = False
    """The append reaches the disk but says it did not: a crash between commit and answer."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()

    def append_all(self, additions: Sequence[Addition]) -> list[Position]:
        self.entered.set()
        self.gate.wait(30)
        if self.away:
            raise Unavailable("no space left")
        position = super().append_all(additions)
        if self.lies:
            raise Unavailable("nobody can tell")
        return position


@pytest.fixture
def log(house: House) -> Log:
    log = Log(house.log._path)
    house.log.close()
    house.log = log
    house.writer._log = log
    house.seen._log = log
    return log


def item(
    value: float, at: str = "2026-03-01T08:00:00+08:00"
) -> tuple[Candidate | Rejection, bytes]:
    found = parse_report(report(value, at), ZONE)
    return found, b"raw"


def test_an_answer_comes_only_after_the_log_has_it(house: House, log: Log) -> None:
    """While the disk works nobody hears yes; what queues meanwhile is one group."""
    log.gate.clear()
    futures = [house.writer.submit([item(n)], SOURCE) for n in range(20)]
    assert not any(future.done() for future in futures)
    assert house.reports() == []
    log.gate.set()
    assert [future.result(30) for future in futures] == [[Accepted()]] * 20
    assert [one.values for one in house.reports()] == [(float(n),) for n in range(20)]
    assert log.end("yujing.reports.v1", 0) <= 3


def test_two_deliveries_in_one_group_are_judged_once(house: House, log: Log) -> None:
    """On two connections at the same moment."""
    log.gate.clear()
    futures = [house.writer.submit([item(1), item(1)], SOURCE) for _ in range(2)]
    log.gate.set()
    assert [future.result(30) for future in futures] == [
        [Accepted(), Duplicate()],
        [Duplicate(), Duplicate()],
    ]
    assert len(house.reports()) == 1


def test_while_the_log_is_away_nothing_is_taken_and_it_comes_back_by_itself(
    house: House, log: Log
) -> None:
    """503 and not ready as long; then the first report is 202."""
    log.away = True
    found = house.post(report(1))
    assert (found.status_code, found.json()["type"]) == (503, "/problems/log-away")
    assert 1 <= int(found.headers["retry-after"]) <= 60
    assert house.ask("GET", "/readyz").status_code == 503
    assert house.ask("GET", "/healthz").status_code == 200
    log.away = False
    assert house.post(report(1)).json()["accepted"] == 1
    assert house.ask("GET", "/readyz").status_code == 200
    assert house.count("yujing_rejections_total", reason="log-away") == 1


def test_an_append_that_nobody_can_tell_about_is_found_again(house: House, log: Log) -> None:
    """It did reach the disk: the sender's second try is a duplicate, judged once."""
    log.lies = True
    assert house.post(report(1)).status_code == 503
    log.lies = False
    assert house.post(report(1)).json()["duplicates"] == 1
    assert len(house.reports()) == 1


def test_a_full_queue_asks_for_patience(house: House, log: Log) -> None:
    """429 at once instead of memory without bound; ticks still queue."""
    house.writer.most_queued = 3
    log.gate.clear()
    first = house.writer.submit([item(0)], SOURCE)
    log.entered.wait(30)  # the writer holds it
    waiting = []
    with pytest.raises(SlowDown):
        for n in range(1, 9):
            waiting.append(house.writer.submit([item(n)], SOURCE))
    found = house.post([report(1)] * 3)
    assert (found.status_code, found.json()["type"]) == (429, "/problems/slow-down")
    assert 1 <= int(found.headers["retry-after"]) <= 60
    tick = house.writer.append_control(Tick(NOON))
    log.gate.set()
    for future in [first, *waiting, tick]:
        future.result(30)


def test_a_tick_stands_behind_what_was_accepted_before_it(house: House, log: Log) -> None:
    """A tick says: I was listening until now."""
    log.gate.clear()
    house.writer.submit([item(1)], SOURCE)
    house.writer.append_control(Activate("b"))
    house.writer.submit([item(2)], SOURCE)
    last = house.writer.append_control(Tick(NOON))
    log.gate.set()
    last.result(30)
    kinds = [type(record) for record in house.records()]
    assert kinds == [Report, Activate, Report, Tick]


def test_one_senders_failure_inside_is_his_alone(house: House, log: Log) -> None:
    """His neighbours in the group are served, and it is counted."""
    log.gate.clear()
    broken = house.writer.submit([(None, b"")], SOURCE)  # type: ignore[list-item]  # a bug of a listener
    good = house.writer.submit([item(1)], SOURCE)
    log.gate.set()
    assert good.result(30) == [Accepted()]
    with pytest.raises(Unavailable):
        broken.result(30)
    assert house.writer.healthy
    assert house.count("yujing_failures_total", service="ingest") == 1


def test_a_sender_that_went_away_hurts_nobody(house: House, log: Log) -> None:
    """A cancelled future must not stop the writer."""
    log.gate.clear()
    house.writer.submit([item(0)], SOURCE)
    gone = house.writer.submit([item(1)], SOURCE)
    stays = house.writer.submit([item(2)], SOURCE)
    gone.cancel()
    log.gate.set()
    assert stays.result(30) == [Accepted()]
    assert house.post(report(3)).status_code == 202


def test_stopping_finishes_what_was_queued(tmp_path: Path) -> None:
    """SIGTERM under load loses nothing; later senders hear 503."""
    with opened(tmp_path) as house:
        futures = [house.writer.submit([item(n)], SOURCE) for n in range(50)]
        house.writer.close()
        assert all(future.result(0) == [Accepted()] for future in futures)
        assert house.post(report(99)).status_code == 503
    with opened(tmp_path) as again:
        assert again.post([report(n) for n in range(50)]).json()["duplicates"] == 50


def test_duplicates_are_remembered_after_a_crash(tmp_path: Path) -> None:
    """The index is behind the log then; it reads the rest before it judges."""
    with opened(tmp_path) as house:
        house.post([report(1), report(at="2026-02-28T08:00:00+08:00")])
        house.seen._db.execute("ROLLBACK")  # what kill -9 leaves of an open transaction
        house.seen._db.execute("BEGIN")
        house.seen._load()
    with opened(tmp_path) as again:
        assert again.post(report(1)).json()["duplicates"] == 1


def ticker(house: House, last: int | None = None) -> Ticker:
    return Ticker(house.writer, house.clock, lambda: SECOND, house.metrics, last)


def ticks(house: House) -> list[int]:
    return [record.at_us - NOON for record in house.records() if isinstance(record, Tick)]


def test_ticks_carry_the_programs_time(house: House) -> None:
    """And set the metric of the clock."""
    one = ticker(house)
    assert one.tick()
    house.clock.advance(SECOND)
    assert one.tick()
    assert ticks(house) == [0, SECOND]
    assert house.count("yujing_clock_seconds") == (NOON + SECOND) / 1e6


def test_ticks_do_not_pile_up_while_the_log_is_away(house: House, log: Log) -> None:
    """The gap is honest deafness; the first tick after it is the proof that it is over."""
    one = ticker(house)
    one.tick()
    log.away = True
    for _ in range(5):
        house.clock.advance(SECOND)
        assert not one.tick()
    assert not house.writer.healthy
    log.away = False
    house.clock.advance(SECOND)
    assert one.tick()
    assert house.writer.healthy
    assert ticks(house) == [0, 6 * SECOND]


def test_a_clock_that_was_set_back_never_ticks_backwards(house: House) -> None:
    """Not in this process, and not after a restart."""
    one = ticker(house, last=int(NOON))
    house.clock.step(-3600 * SECOND)
    assert one.tick()
    assert max(ticks(house)) == 0
    house.clock.step(3601 * SECOND)
    assert one.tick()
    assert ticks(house) == sorted(ticks(house))
    assert ticks(house)[-1] == SECOND


def test_a_running_ticker_ticks_and_stops(house: House) -> None:
    """Under a virtual clock a second passes as soon as it is waited for."""
    one = ticker(house)
    one.start()
    while len(ticks(house)) < 3:
        pass
    one.close()
    found = ticks(house)
    assert found == sorted(found)
    assert Instant(found[0] + NOON) == NOON


def impatient(house: House) -> None:
    route = next(one for one in house.app.routes if getattr(one, "path", "") == "/v1/reports")
    route.endpoint.__self__.patience_s = 0.05  # type: ignore[attr-defined]  # a Route


def test_who_waits_too_long_is_told_and_nothing_of_it_is_taken(house: House, log: Log) -> None:
    """429 takes it out of the queue again; what the disk already has is 503, not known."""
    impatient(house)
    log.gate.clear()
    held = house.post(report(1))
    assert (held.status_code, held.json()["type"]) == (503, "/problems/log-away")
    queued = house.post(report(2))
    assert (queued.status_code, queued.json()["type"]) == (429, "/problems/slow-down")
    last = house.writer.submit([item(3)], SOURCE)
    log.gate.set()
    assert last.result(30) == [Accepted()]
    assert [one.values for one in house.reports()] == [(1.0,), (3.0,)]
