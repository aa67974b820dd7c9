"""One clock for all replicas: a step moves the timers once, a pause of one machine does not."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.port import Accepted
from shared.clock import Clock, SystemClock
from shared.model.instants import Instant
from shared.testing.parts.postgres import Postgres
from tests.scenario.desks import Desks
from tests.scenario.house import House

pytestmark = pytest.mark.needs("postgres")
HOUR_US = 3_600_000_000
SECOND_US = 1_000_000


@pytest.fixture
def desks() -> Iterator[Desks]:
    with Desks("postgres") as made:
        yield made


class Machine(SystemClock):
    """A machine whose steady clock can miss time, and whose wall clock is wrong."""

    def __init__(self) -> None:
        self.missed_us = 0

    def now(self) -> Instant:
        return Instant(super().now() - 5 * HOUR_US)

    def steady_us(self) -> int:
        return super().steady_us() - self.missed_us


def replica(desk: Desk, house: House, name: str, clock: Clock) -> Notify:
    return Notify(
        desk, house.configuration, clock, replica=name,
        read_reply=decide, link=lambda *_: "http://127.0.0.1:1/a/x",
    )  # fmt: skip


def due(house: House) -> int:
    with house.desk.read() as connection:
        return connection.execute(select(t.incidents.c.due_us)).scalar_one()


@pytest.mark.parametrize("by_us", [HOUR_US, -HOUR_US])
def test_a_step_of_the_clock_moves_the_timers_once_for_all_replicas(
    desks: Desks, by_us: int
) -> None:
    """Whoever sees it first, and however often the others look."""
    url = desks.url()
    house = House(desk=desks.open(url))
    crew = [replica(desks.open(url), house, f"r{n}", house.clock) for n in range(3)]
    house.fire()
    for each in crew[:2]:  # the third has not looked at any clock yet
        each.tick(house.now, house.clock.steady_us())
    before = due(house)
    house.clock.step(by_us)
    for _ in range(2):
        for each in (*crew, house.notify):
            each.tick(house.now, house.clock.steady_us())
    assert due(house) == before + by_us
    assert house.kinds().count("step") == 1
    assert house.notify.audit_verify() == []


def test_the_servers_clock_counts_not_the_replicas(desks: Desks) -> None:
    """A replica whose clock is wrong by hours decides nothing with it."""
    url = desks.url()
    house = House(desk=desks.open(url))
    wrong = replica(desks.open(url), house, "wrong", Machine())
    real = SystemClock().now()
    wrong.on_transitions([house.transition("cod", "firing", "red")], house.now)
    (entry,) = [e for e in house.incident()["timeline"] if e["kind"] == "opened"]
    assert abs(wrong.clock_now() - real) < 60 * SECOND_US
    with house.desk.read() as connection:
        opened = connection.execute(select(t.incidents.c.opened_us)).scalar_one()
    assert abs(opened - real) < 60 * SECOND_US
    assert entry["at"] is not None


@pytest.mark.parametrize("is_witnessed", [True, False])
def test_a_machine_that_stood_still_moves_nothing_when_another_was_awake(
    desks: Desks, is_witnessed: bool
) -> None:
    """The same difference without a witness is a step of the server's clock."""
    url = desks.url()
    house = House(desk=desks.open(url))
    machine = Machine()
    paused = replica(desks.open(url), house, "paused", machine)
    paused.on_transitions([house.transition("cod", "firing", "red")], house.now)
    before = due(house)
    if not is_witnessed:
        with house.desk.unit() as unit:
            unit.connection.execute(update(t.replicas).values(renewed_us=1))
    machine.missed_us = 600 * SECOND_US
    for _ in range(2):
        paused.tick(house.now, 0)
    assert due(house) - before == pytest.approx(
        0 if is_witnessed else 600 * SECOND_US, abs=SECOND_US
    )


@pytest.mark.needs("faketime")
@pytest.mark.parametrize("by_s", [3600, -3600])
def test_the_servers_clock_is_set_and_nobody_is_rung_or_buried(by_s: int) -> None:
    """A real server whose clock is set under two replicas that use the machine's clock."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    stamp = Path(tempfile.mkdtemp(prefix="yujing-clock-")) / "faketime"
    stamp.parent.chmod(0o755)
    stamp.write_text("+0")
    stamp.chmod(0o644)
    server = Postgres(
        durable=False,
        environment={
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(stamp),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    ).start()  # fmt: skip
    house = House(desk=Desk.at_url(server.url()))
    others = [Desk.at_url(server.url()) for _ in range(2)]
    crew = [replica(desk, house, f"r{n}", SystemClock()) for n, desk in enumerate(others)]
    crew[0].on_transitions([house.transition("cod", "firing", "red")], house.now)
    claimed = crew[0].claim(house.now)
    for each in crew:
        each.beat()
    before = due(house)
    stamp.write_text(f"{by_s:+d}")
    for _ in range(3):
        for each in crew:
            each.beat()
            each.tick(house.now, 0)
    assert abs(due(house) - before - by_s * SECOND_US) < 5 * SECOND_US
    assert house.kinds().count("step") == 1
    assert claimed is not None
    crew[0].record(claimed, Accepted("r", "text"), house.now)
    assert house.kinds()[-1] == "accepted"
    assert house.notify.audit_verify() == []
    for desk in (*others, house.desk):
        desk.close()
    server.stop()
