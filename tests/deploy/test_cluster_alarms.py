"""The alarms of the cluster on a real cluster: quiet while all is well, loud when workers die.

Real Kafka, PostgreSQL, ingest, two workers of rules, notify, a gateway, Prometheus. Every `for:` is two seconds here;
the expressions are those of deploy/.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from shared.testing.cluster import Service
from shared.testing.configs import duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import free_ports, until
from tests.deploy.queries import partitions
from tests.deploy.watched import Prometheus
from tests.kafka.conftest import apply_topics

pytestmark = [pytest.mark.system, pytest.mark.needs("kafka", "postgres")]

PARTITIONS = partitions("yujing.reports.v1")


class Cluster:
    """Two workers; `one` came first, so it has given six partitions up."""

    def __init__(self, folder: Path, broker: Broker, url: str, gateway: Gateway) -> None:
        http_port, hj212_port = free_ports(2)
        site = duty_site(Random(7), http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url)

        def service(verb: str, name: str) -> Service:
            return Service(
                verb, site, folder / "services", kafka=broker.bootstrap, database_url=url, name=name
            )

        self.site = site
        self.ingest = service("ingest", "ingest-0")
        self.notify = service("notify", "notify-0")
        self.one, self.two = service("rules", "rules-0"), service("rules", "rules-1")
        self.jobs = {
            "yujing-ingest": [f"127.0.0.1:{self.ingest.http_port}"],
            "yujing-notify": [f"127.0.0.1:{self.notify.http_port}"],
            "yujing-rules": [f"127.0.0.1:{each.http_port}" for each in (self.one, self.two)],
        }

    def start(self) -> None:
        self.ingest.start()
        self.notify.start()
        self.one.start()
        until(lambda: owned(self.one) == PARTITIONS, 30.0, what="all partitions at one worker")
        self.two.start()
        until(lambda: owned(self.two) == PARTITIONS // 2, 30.0, what="half of them at each")

    def close(self) -> None:
        for each in (self.one, self.two, self.notify, self.ingest):
            each.close()


def owned(worker: Service) -> int:
    return int(worker.metrics().get("yujing_partitions_owned", 0))


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Cluster, Prometheus]]:
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / "broker"))
        apply_topics(broker)
        postgres = Postgres(durable=False).start()
        stack.callback(postgres.stop)
        gateway = stack.enter_context(Gateway())
        cluster = Cluster(folder, broker, postgres.url(postgres.create()), gateway)
        stack.callback(cluster.close)
        cluster.start()
        prometheus = stack.enter_context(
            Prometheus(folder / "prometheus", cluster.jobs, delay="2s")
        )
        yield cluster, prometheus


def test_silence_then_every_partition_is_missed_then_silence(
    watched: tuple[Cluster, Prometheus],
) -> None:
    """Both workers die: each partition is named. They come back: nothing fires any more."""
    cluster, prometheus = watched

    def silent() -> bool:
        assert prometheus.firing() == [{"alertname": "YujingWatchdog", "severity": "none"}]
        return True

    cluster.ingest.report(cluster.site.facilities[0], cluster.site.low * 1.2)
    sent = 'sum(yujing_notifications_total{outcome="accepted"}) > 0'
    until(lambda: prometheus.ask(sent), 30.0, what="a message has gone out")
    count = f"count(yujing:partition_clock:seconds) == {PARTITIONS}"
    until(lambda: prometheus.ask(count), 20.0, what="a log time of every partition")
    until(silent, 30.0, what="silence")

    cluster.one.kill()
    cluster.two.kill()
    missed = {str(number) for number in range(PARTITIONS)}

    def named() -> set[str]:
        return {
            labels["partition"]
            for labels in prometheus.firing()
            if labels["alertname"] == "YujingPartitionUnevaluated"
        }

    until(lambda: named() == missed, 30.0, what="every partition is named")
    assert {"YujingRulesDown", "YujingReplicaDown"} <= prometheus.names()

    cluster.one.start()
    cluster.two.start()
    until(silent, 45.0, what="silence again")
