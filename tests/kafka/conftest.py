"""What the tests of the cluster share: topics on the real broker, and services beside it."""

import gc
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from shared.testing.configs import Site, duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import free_ports

if TYPE_CHECKING:
    from shared.testing.cluster import Service
    from shared.testing.parts.kafka import Broker

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a broker."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.kafka)
            item.add_marker(pytest.mark.needs("kafka"))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """kafka-python leaks the socket of a connection that was refused: found here, said nowhere."""
    yield
    gc.collect()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random, but told: a failing test prints the seed that repeats it."""
    seed = int(os.environ.get("SEED") or secrets.randbelow(2**32))
    print(f"SEED={seed}")
    return Random(seed)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        yield running


@pytest.fixture
def site(rng: Random, gateway: Gateway) -> Site:
    """One city, a duty officer and a leader, a COD rule, SMS by the gateway."""
    http_port, hj212_port = free_ports(2)
    return duty_site(rng, http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url)


@pytest.fixture
def own_broker(tmp_path: Path) -> "Iterator[Broker]":
    """A broker that this test may kill, with the topics of topics.yaml."""
    from shared.testing.parts.kafka import Broker

    with Broker(tmp_path / "broker") as found:
        apply_topics(found)
        yield found


def apply_topics(broker: "Broker", user: str | None = None) -> None:
    from shared.log.security import Security
    from shared.log.topics import Topics, read_topics

    security = Security()
    if user is not None:
        security = Security(user, broker.users[user], str(broker.ca))
    topics = Topics(broker.bootstrap, security, read_topics())
    topics.apply()
    topics.close()


@pytest.fixture
def service(site: Site, tmp_path: Path) -> "Iterator[Callable[..., Service]]":
    """Start a service; ended afterwards."""
    from shared.testing.cluster import Service

    running: list[Service] = []

    def make(verb: str, kafka: str, *, start: bool = True, **more: Any) -> Service:
        found = Service(verb, site, tmp_path / "services", kafka=kafka, **more)
        running.append(found)
        if start:
            found.start()
        return found

    yield make
    for each in running:
        each.close()
