"""Transitions by partition: every one once, whoever reads, wherever a reader thought it stood."""

import threading
from collections.abc import Mapping

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, update

from services.notify.app import run_partitions
from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.machine import Notify
from services.notify.positions import hold_position
from shared.errors import Unavailable
from shared.model.transition import Transition
from shared.observe.metrics import Metrics
from shared.testing.program import until
from tests.scenario.desks import Desks, Houses
from tests.scenario.house import House

TICK_US = 100_000


class Topic:
    """Partitions in memory; `bad` positions hold nothing that can be read."""

    def __init__(self, *partitions: list[Transition | None]) -> None:
        self.entries = partitions
        self.failures = 0

    def partitions(self) -> int:
        return len(self.entries)

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Transition]], int]:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the broker is away")
        some = list(enumerate(self.entries[partition][start : start + limit], start))
        return [(n, each) for n, each in some if each is not None], start + len(some)

    def wait(self, starts: Mapping[int, int], timeout_s: float) -> bool:
        threading.Event().wait(min(timeout_s, 0.01))
        return True


def story(house: House, facility: str) -> list[Transition | None]:
    firing = house.transition("cod", "firing", "orange", facility)[1]
    joined = house.transition("ammonia", "firing", "yellow", facility)[1]
    ended = house.transition("cod", "resolved", "orange", facility, "cleared")[1]
    return [firing, None, joined, ended]


def taken(house: House) -> list[tuple[int, int]]:
    c = t.inbox.c
    with house.desk.read() as connection:
        rows = connection.execute(select(c.partition, c.seq).order_by(c.partition, c.seq))
        return [(row[0], row[1]) for row in rows]


def test_each_entry_is_taken_once_whatever_the_reader_thought(house: House) -> None:
    """A position and what was made of it are kept together."""
    notify, (one, _, two, three) = house.notify, story(house, "420100-f1")
    assert one and two and three
    assert notify.positions() == {}
    assert notify.take_entries(3, [(0, one)], 2) == 2
    assert notify.take_entries(3, [(0, one), (2, two)], 3, start=0) == 3
    assert notify.take_entries(3, [(0, one)], 2) == 3
    assert notify.take_entries(3, [(9, three)], 10, start=9) == 3
    assert notify.take_entries(1, [(0, one)], 1) == 1
    assert notify.take_entries(3, [(3, three)], 4, start=3) == 4
    assert notify.positions() == {1: 1, 3: 4}
    assert taken(house) == [(3, 0), (3, 2), (3, 3)]
    assert house.kinds().count("opened") == 1


def test_a_crash_while_taking_keeps_position_and_incident_together(house: House) -> None:
    """All of a batch or nothing of it."""

    class Died(Exception):
        pass

    def fault(point: str) -> None:
        if dying and point == dying[0]:
            raise Died

    first = house.transition("cod", "firing", "orange")[1]
    dying: list[str] = []
    house.restart(fault)
    dying.append("before commit")
    with pytest.raises(Died):
        house.notify.take_entries(0, [(0, first)], 1)
    assert house.notify.positions() == {}
    dying[0] = "after commit"
    with pytest.raises(Died):
        house.notify.take_entries(0, [(0, first)], 1)
    dying.clear()
    house.restart()
    assert house.notify.positions() == {0: 1}
    assert len(taken(house)) == 1


@pytest.mark.needs("postgres")
def test_a_partition_that_another_has_in_hand_is_left_to_it() -> None:
    """Not waited for: there are other partitions."""
    with Desks("postgres") as desks:
        url = desks.url()
        house, other = House(desk=desks.open(url)), desks.open(url)
        first = house.transition("cod", "firing", "orange")[1]
        with other.unit() as unit:
            assert hold_position(unit, 0) == 0
        with other.unit() as unit:
            assert hold_position(unit, 0) == 0
            assert house.notify.take_entries(0, [(0, first)], 1) is None
            assert house.notify.take_entries(1, [], 5) == 5
        assert house.notify.take_entries(0, [(0, first)], 1) == 1


def test_the_loop_reads_all_partitions_and_survives_a_broker_that_is_away(
    houses: Houses,
) -> None:
    """It asks the desk again where to read on."""
    house = houses()
    topic = Topic(story(house, "420100-f1"), [], story(house, "420100-f2"))
    topic.failures = 1
    stop, threads = threading.Event(), [_loop(house, topic)]
    try:
        until(lambda: house.notify.positions() == {0: 4, 2: 4}, 20)
    finally:
        _end(threads)
    assert stop.is_set() is False
    assert [one["severity"] for one in house.notify.incidents(None, None, lambda _: True)] == [
        "yellow", "yellow",
    ]  # fmt: skip


def test_the_loop_begins_with_what_an_earlier_process_was_sending(house: House) -> None:
    """Its outcome is unknown, and somebody has to say so."""
    house.notify.on_transitions([house.transition("cod", "firing", "red")], house.now)
    assert house.notify.claim(house.now) is not None
    again = Notify(
        house.desk, house.configuration, house.clock,
        read_reply=decide, link=lambda *_: "",
    )  # fmt: skip
    loop = _loop(house, Topic([]), again)
    try:
        until(lambda: "unknown" in house.kinds(), 10)
    finally:
        _end([loop])


def test_what_cannot_be_taken_holds_back_its_own_partition_only(houses: Houses) -> None:
    """An incident that a newer program wrote: it waits, whole; all others are told."""
    house = houses()
    topic = Topic(*(story(house, f"420100-f{n}") for n in range(1, 4)))
    spoiled = house.transition("cod", "firing", "orange", "420100-f9")
    house.notify.on_transitions([spoiled], house.now)
    i = t.incidents.c
    with house.desk.unit() as unit:
        body = unit.connection.execute(select(i.body)).scalar_one()
        newer = msgspec.msgpack.encode(msgspec.msgpack.decode(body) | {"format": 99})
        unit.connection.execute(update(t.incidents).values(body=newer))
    topic.entries[0].insert(0, house.transition("cod", "resolved", "orange", "420100-f9")[1])
    loop = _loop(house, topic)
    try:
        until(lambda: house.notify.positions() == {1: 4, 2: 4}, 20)
    finally:
        _end([loop])


@pytest.mark.needs("postgres")
def test_two_replicas_share_the_partitions_and_one_goes_on_alone() -> None:
    """No group and no hand-over: whoever is there reads on."""
    with Desks("postgres") as desks:
        url = desks.url()
        house = House(desk=desks.open(url))
        second = _replica(house, desks, url, "second")
        topic = Topic(*(story(house, f"420100-f{n}") for n in range(1, 6)))
        mine, theirs = _loop(house, topic), _loop(house, topic, second)
        until(lambda: len(taken(house)) == 15, 20)
        _end([theirs])
        late = house.transition("cod", "firing", "red", "429004-f1")[1]
        topic.entries[2].append(late)
        until(lambda: len(taken(house)) == 16, 20)
        _end([mine])
        assert len(set(taken(house))) == 16
        assert house.notify.audit_verify() == []


def _replica(house: House, desks: Desks, url: str, name: str) -> Notify:
    return Notify(
        desks.open(url), house.configuration, house.clock, replica=name,
        read_reply=decide, link=lambda *_: "",
    )  # fmt: skip


def _loop(
    house: House, topic: Topic, notify: Notify | None = None
) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(
        target=run_partitions,
        args=(
            notify or house.notify, topic, house.clock, lambda: TICK_US,
            Metrics(CollectorRegistry()), stop, threading.Event(),
        ),
    )  # fmt: skip
    thread.start()
    return thread, stop


def _end(loops: list[tuple[threading.Thread, threading.Event]]) -> None:
    for thread, stop in loops:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
