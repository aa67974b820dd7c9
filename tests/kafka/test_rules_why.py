"""Why, of a series and of a report, asked of any worker: it reads that one partition again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from shared.model.partition import partition_of
from shared.testing.configs import STATION_CODE
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.kafka.rules_house import BEGIN, MINUTE, RulesHouse

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[RulesHouse]:
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        postgres = Postgres(durable=False).start()
        found = RulesHouse(
            tmp_path, broker.bootstrap, postgres.url(postgres.create()), facilities=6, fresh=True
        )
        yield found
        found.close()
        postgres.stop()


def text(minute: int) -> str:
    return datetime.fromtimestamp((BEGIN + minute * MINUTE) / 1e6, UTC).isoformat()


def test_a_worker_judges_a_partition_again(house: RulesHouse) -> None:
    """At every minute the newest reading and the last transition are those of that minute."""
    house.minutes(30)
    worker = house.worker()
    until(lambda: worker.client.get("/readyz").status_code == 200, 60)
    for facility in house.site.facilities:
        for minute in (5, 17, 30):
            answer = worker.get(
                "/v1/why/series", facility=facility.id, indicator=STATION_CODE, at=text(minute)
            )
            assert (answer["by"], answer["read"]["complete"]) == ("log", True)
            if answer["reading"] is not None:  # some are silent for a while
                observed = datetime.fromisoformat(answer["reading"]["observed_at"])
                assert observed == datetime.fromisoformat(text(minute))
            said = [
                each
                for each in house.expected()[facility.id]
                if datetime.fromisoformat(each["at"]) <= datetime.fromisoformat(text(minute))
            ]
            last = {each["rule"]: each["id"] for each in said}
            shown = {
                each["rule"]: each["last_transition"]["id"]
                for each in answer["rules"]
                if each.get("last_transition")
            }
            assert shown == last
    one = house.site.facilities[0]
    named = replace(house.calm(0), id="calm")
    house.append({partition_of(one.id, house.partitions): [named]})
    answer = worker.get("/v1/why/calm", facility=one.id)
    assert (answer["is"], answer["reason"]) == ("report", "it changed no episode")
