"""Rules workers come, go, die and freeze; what they say together is the backtest of the log."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.log.port import REPORTS
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.kafka.rules_house import ROUNDS, RulesHouse

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    found = Postgres(durable=False).start()
    yield found
    found.stop()


@pytest.fixture
def house(broker: Broker, postgres: Postgres, tmp_path: Path) -> Iterator[RulesHouse]:
    """Topics of its own each time: the broker's are deleted before."""
    found = RulesHouse(tmp_path, broker.bootstrap, postgres.url(postgres.create()), fresh=True)
    yield found
    found.close()


def test_one_worker_says_what_the_backtest_says(house: RulesHouse) -> None:
    """Also what came before it started; on SIGTERM the checkpoint stands at the end of the log."""
    house.minutes(20)
    worker = house.worker()
    house.minutes(20)
    assert house.everything_is_said() == 0
    assert worker.stop() == 0
    for number, position in house.positions().items():
        assert position == house.log.end(REPORTS, number) - 1
    house.minutes(10)
    house.worker("rules-1")
    assert house.everything_is_said() == 0


def test_two_then_three_then_one(house: RulesHouse) -> None:
    """Partitions move while records flow; nothing is said twice on the topic, nothing is missing."""
    one, two = house.worker("rules-0"), house.worker("rules-1")
    house.minutes(10)
    until(lambda: house.owned(one) == house.owned(two) == 2, 30, what="two partitions each")
    three = house.worker("rules-2", start=False)
    three.spawn()
    for _ in range(10):
        house.minutes(2)
    until(lambda: house.owned(three) >= 1, 30, what="a partition for the third")
    house.minutes(5)
    assert two.stop() == 0
    assert three.stop() == 0
    house.minutes(5)
    until(lambda: house.owned(one) == house.partitions, 40, what="all of them for the last")
    house.minutes(5)
    assert house.everything_is_said() == 0


def test_kill_9_again_and_again(house: RulesHouse) -> None:
    """Under load, between any two effects: repeats on the topic have the same identities."""
    worker = house.worker()
    for _ in range(ROUNDS):
        for _ in range(house.random.randint(1, 12)):
            house.minutes(1)
        worker.kill()
        house.minutes(house.random.randint(1, 5))
        worker.start()
    house.minutes(5)
    house.everything_is_said()


def test_a_killed_worker_is_back_within_seconds(house: RulesHouse) -> None:
    """Static membership: the others go on meanwhile, its own partitions wait for it."""
    one, two = house.worker("rules-0"), house.worker("rules-1")
    until(lambda: house.owned(one) == house.owned(two) == 2, 30, what="two partitions each")
    house.minutes(5)
    one.kill()
    house.minutes(5)
    assert house.owned(two) == 2
    one.start()
    until(lambda: house.owned(one) == 2, 10, what="its partitions back")
    assert house.everything_is_said(20) >= 0


def test_a_frozen_worker_finds_that_it_is_nobody(house: RulesHouse) -> None:
    """SIGSTOP past the session: another one takes over; thawed, it ends and writes nothing."""
    frozen = house.worker("rules-0")
    house.minutes(10)
    house.everything_is_said()
    frozen.freeze()
    other = house.worker("rules-1", start=False)
    other.spawn()
    house.minutes(10)
    until(lambda: house.owned(other) == house.partitions, 60, what="everything for the other")
    repeats = house.everything_is_said()  # from its last checkpoint on
    before = house.positions()
    frozen.thaw()
    house.minutes(10)
    until(lambda: frozen.process.poll() is not None, 30, what="the end of the zombie")
    assert frozen.process.poll() == 1
    assert any(line["event"] == "rules_end" for line in frozen.log_lines())
    assert house.everything_is_said() == repeats
    assert all(house.positions()[number] >= position for number, position in before.items())


def test_a_second_worker_of_the_same_name(house: RulesHouse) -> None:
    """The later one wins; the earlier one ends and says why; nothing is lost."""
    one = house.worker("rules-0")
    house.minutes(10)
    house.everything_is_said()
    two = house.worker("rules-0", start=False)
    two.data = house.folder / "other"
    two.spawn()
    for _ in range(20):
        house.minutes(1)
    ended = until(
        lambda: [w for w in (one, two) if w.process.poll() is not None], 60, what="one to end"
    )
    left = two if ended == [one] else one
    until(lambda: house.owned(left) == house.partitions, 60, what="the rest for the one left")
    house.minutes(5)
    house.everything_is_said()
    assert "YUJING_INSTANCE" in ended[0].log_text()


def test_postgres_restarts_under_load(house: RulesHouse, postgres: Postgres) -> None:
    """Alerts leave meanwhile; rows and checkpoints follow."""
    worker = house.worker()
    house.minutes(10)
    house.everything_is_said()
    postgres.stop()
    house.minutes(10)
    expected = sum(map(len, house.expected().values()))
    until(lambda: sum(map(len, house.alerts()[0].values())) == expected, 20, what="alerts on Kafka")
    assert worker.process.poll() is None
    postgres.start()
    house.minutes(5)
    assert house.everything_is_said() == 0
    assert worker.stop() == 0


def test_the_end_is_quick_also_without_the_database(house: RulesHouse, postgres: Postgres) -> None:
    worker = house.worker()
    house.minutes(5)
    house.everything_is_said()
    postgres.stop()
    house.minutes(5)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(15) == 0
    postgres.start()
    house.worker()
    house.everything_is_said()
