"""SASL_SSL, SCRAM and ACLs: every client of ours on a broker that trusts nobody."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.errors import Unavailable
from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, REPORTS, Position
from shared.log.security import Security
from shared.log.topics import Topics, read_topics
from shared.testing.cluster import Service
from shared.testing.configs import Site
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import ROOT, until

pytestmark = [pytest.mark.needs("postgres")]
USERS = {name: f"{name}-secret-9" for name in ("admin", "ingest", "rules", "notify", "upstream")}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", users=USERS) as broker:
        for arguments in (("topics", "apply"), ("topics", "allow")):
            done = subprocess.run(
                [sys.executable, "-m", "services", *arguments, "--kafka", broker.bootstrap],
                env=os.environ | broker.environment("admin"), cwd=ROOT, capture_output=True,
                text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        yield broker


def test_the_thread_runs_with_least_rights(
    secure: Broker, site: Site, gateway: Gateway, tmp_path: Path
) -> None:
    """Each service as its own user: a report becomes a text, and the inbox takes a report."""
    postgres = Postgres().start()
    services = [
        Service(
            verb, site, tmp_path / "services", kafka=secure.bootstrap, database_url=postgres.url(),
            environment=secure.environment(verb),
        )
        for verb in ("ingest", "rules", "notify")
    ]  # fmt: skip
    try:
        for each in services:
            each.start()
        facility = site.facilities[0]
        services[0].report(facility, 900.0)
        until(lambda: gateway.texts(site.people[0].phone), within_s=30)
        assert secure.users["ingest"] not in "".join(each.log_text() for each in services)
    finally:
        for each in services:
            each.close()
        postgres.stop()


def test_who_may_not_is_refused(secure: Broker) -> None:
    """notify may not write alerts, upstream may not read; a wrong password is a sentence."""
    upstream = KafkaLog(secure.bootstrap, _as(secure, "upstream"), timeout_s=5)
    with pytest.raises(Unavailable):
        upstream.append(REPORTS, [("", b"forged")])
    upstream.close()
    notify = KafkaLog(secure.bootstrap, _as(secure, "notify"), timeout_s=5)
    with pytest.raises(Unavailable):
        notify.append(ALERTS, [("", b"forged")])
    assert notify.read(ALERTS, 0, Position(0)).entries == []
    notify.close()
    producer = KafkaProducer(bootstrap_servers=secure.bootstrap, **secure.client("rules"))
    with pytest.raises(KafkaError) as seen:
        producer.send("yujing.inbox.v1", b"{}").get(10)
    assert isinstance(seen.value, TopicAuthorizationFailedError) or seen.value.args
    producer.close(timeout=1)
    with pytest.raises(Unavailable, match="check the address, that it runs, and the user"):
        Topics(secure.bootstrap, Security("ingest", "wrong", str(secure.ca)), read_topics())


def _as(broker: Broker, user: str) -> Security:
    return Security(user, broker.users[user], str(broker.ca))
