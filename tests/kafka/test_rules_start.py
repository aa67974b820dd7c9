"""When `yujing rules` is ready, what it refuses, and what anybody may ask it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from shared.log.port import ALERTS
from shared.model.report import Activate, Tick
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.kafka.rules_house import BEGIN, MINUTE, RulesHouse

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
    found = RulesHouse(
        tmp_path, broker.bootstrap, postgres.url(postgres.create()), fresh=True, partitions=1,
        facilities=6,
    )  # fmt: skip
    yield found
    found.close()


def test_any_replica_answers_for_all(house: RulesHouse) -> None:
    """Also one for which no partition is free: it is ready, and knows every facility."""
    one = house.worker("rules-0")
    two = house.worker("rules-1")
    house.minutes(10)
    house.everything_is_said()
    idle = two if house.owned(two) == 0 else one
    assert house.owned(one) + house.owned(two) == 1
    assert idle.is_ready()
    until(lambda: len(idle.get("/v1/facilities")["facilities"]) == 6, 20)
    facilities = {f["id"]: f for f in idle.get("/v1/facilities")["facilities"]}
    assert facilities.keys() == {f.id for f in house.site.facilities}
    last: dict[str, str] = {}
    for transition in idle.transitions():
        last[transition["facility"] + transition["rule"]] = transition["state"]
    standing = {key for key, state in last.items() if state == "firing"}

    def told() -> bool:
        alerts = idle.get("/v1/alerts", state="firing")["alerts"]
        return {a["facility"] + a["rule"] for a in alerts} == standing

    until(told, 10, what="the alerts that stand")
    assert [t["seq"] for t in idle.transitions()] == list(range(1, house.count_rows() + 1))


def test_a_transition_is_seen_within_a_second(house: RulesHouse) -> None:
    worker = house.worker()
    house.minutes(2)
    house.everything_is_said()
    until(lambda: len(worker.get("/v1/facilities")["facilities"]) == 6, 20)
    facility = house.site.facilities[0]
    for minute in (100, 102, 104):
        house.minute = minute
        house.everywhere(house.calm(0, value=house.site.low * 3), Tick(BEGIN + minute * MINUTE))

    def fires() -> bool:
        found = worker.get("/v1/alerts", facility=facility.id)["alerts"]
        return any(alert["state"] == "firing" and alert["severity"] == "red" for alert in found)

    until(fires, 5, 0.02, "the alert by HTTP")


def test_a_topic_with_another_number_of_partitions_is_refused(house: RulesHouse) -> None:
    """With a sentence, before anything is opened."""
    admin = KafkaAdminClient(bootstrap_servers=house.bootstrap)
    admin.delete_topics([ALERTS])
    until(lambda: ALERTS not in admin.list_topics(), 20)
    admin.create_topics([NewTopic(ALERTS, 3, 1)])
    admin.close()
    body = yaml.safe_load(house.topics.read_text())
    worker = house.worker(start=False)
    worker.spawn()
    assert worker.process.wait(30) == 2
    assert ALERTS in worker.log_text()
    assert "3 partitions" in worker.log_text()
    body["topics"][ALERTS]["partitions"] = 3  # also when the file itself is wrong
    body["config"].pop("min.insync.replicas")
    body["topics"][ALERTS].pop("config")
    house.topics.write_text(yaml.safe_dump(body, sort_keys=False))
    worker.spawn()
    assert worker.process.wait(30) == 2
    assert "same number" in worker.log_text()


def test_a_log_made_anew_under_an_old_database_is_refused(
    house: RulesHouse, broker: Broker, tmp_path: Path
) -> None:
    """Or everything up to the old position would pass unjudged."""
    worker = house.worker()
    house.minutes(10)
    house.everything_is_said()
    assert worker.stop() == 0
    (tmp_path / "anew").mkdir()
    again = RulesHouse(tmp_path / "anew", house.bootstrap, house.url, fresh=True, partitions=1)
    try:
        late = again.worker(start=False)
        late.spawn()
        assert late.process.wait(60) == 1
        assert "it is not the log of before" in late.log_text()
    finally:
        again.close()


def test_a_changed_configuration_reaches_every_partition(house: RulesHouse) -> None:
    """The same bundle again changes nothing; a state restored under it goes on."""
    worker = house.worker()
    house.minutes(6)
    house.everywhere(Activate(house.name))
    house.minutes(6)
    assert worker.stop() == 0
    worker.start()
    house.minutes(6)
    assert house.everything_is_said() == 0
