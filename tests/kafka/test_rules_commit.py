"""Between any two effects of a checkpoint: the worker dies exactly there, and nothing is missing.

The order is alerts acknowledged, rows, checkpoint, group offset. A worker is told by its
environment after which of them to die (only the process of this test listens to that).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import ROOT
from tests.kafka.rules_house import RulesHouse

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
    found = RulesHouse(tmp_path, broker.bootstrap, postgres.url(postgres.create()), fresh=True)
    yield found
    found.close()


def dies(house: RulesHouse, place: str, nth: int) -> None:
    """One worker that ends with exit code 9 the nth time it comes to `place`."""
    given = {
        "bootstrap": house.bootstrap, "url": house.url, "partitions": house.partitions,
        "place": place, "nth": nth,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.kafka.mortal_worker", json.dumps(given)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 9, done.stderr[-2000:]


@pytest.mark.parametrize("place", ["apply", "publish", "published", "save", "saved", "committed"])
def test_death_at_this_very_place_loses_nothing(house: RulesHouse, place: str) -> None:
    """Before and after each effect; then an ordinary worker says the rest."""
    house.minutes(12)
    dies(house, place, 7 if place == "apply" else 2)
    house.minutes(6)
    dies(house, place, 1)
    house.minutes(3)
    house.worker()
    house.everything_is_said()


def test_an_exception_inside_the_engine_skips_no_other_record(house: RulesHouse) -> None:
    """A fault of ours costs the record in which it is, with a letter; its neighbours are judged."""
    house.minutes(5)
    dies(house, "engine", 1)
    letters = house.letters()
    assert [letter.reason for letter in letters] == ["not-judged"]
    assert "ZeroDivisionError" in letters[0].detail
    assert house.count_rows() > 0
