"""Three brokers, and the leader of a busy partition is killed with -9 under load.

Nothing acknowledged is lost, what is said equals the backtest, and the pause is measured. One
round; `ROUNDS=5` for the record in docs/faults.md.
"""

import logging
import os
import threading
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.clock import real_monotonic
from shared.log.port import ALERTS, REPORTS
from shared.model.partition import partition_of
from shared.testing.cluster import Cluster
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.kafka import Broker
from shared.testing.program import until
from tests.kafka.cluster_site import chaos_site, fired, senders
from tests.kafka.cluster_truth import (
    everybody_was_told_once,
    heard_at,
    ledger_is_whole,
    transitions_equal_the_backtest,
)

ROUNDS = int(os.environ.get("ROUNDS") or 1)

QUIET = logging.getLogger("test.librdkafka")
pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(180 + 60 * ROUNDS)]


def parts(broker: Broker, topic: str) -> dict[int, tuple[int, int]]:
    """By partition: the node that leads it, and how many replicas are in sync; {}: no answer."""
    try:
        told = AdminClient({"bootstrap.servers": broker.bootstrap, "logger": QUIET}).list_topics(
            topic, 5
        )
    except KafkaException:
        return {}
    found = told.topics[topic].partitions
    return {number: (part.leader, len(part.isrs)) for number, part in found.items()}


def is_whole(broker: Broker) -> bool:
    """Every partition of ours has three replicas in sync."""
    found = [parts(broker, topic) for topic in (REPORTS, ALERTS)]
    return all(each and all(count == 3 for _, count in each.values()) for each in found)


def test_the_leader_of_a_busy_partition_is_killed(
    rng: Random, tmp_path: Path, gateway: Gateway
) -> None:
    """Another leader goes on with everything that was acknowledged."""
    site = chaos_site(rng, gateway.url, 20 * ROUNDS)
    with Cluster(site, tmp_path, brokers=3, rules=1, notify=1) as cluster:
        busy = partition_of(site.facilities[-1].id, len(parts(cluster.brokers[0], REPORTS)))
        load = senders(cluster, rng).start()
        windows = []
        until(lambda: load.count() > 50, 30)
        for number in range(ROUNDS):
            threading.Event().wait(rng.uniform(0.5, 2.0))
            survivor = cluster.brokers[0]
            node, in_sync = parts(survivor, REPORTS)[busy]
            assert in_sync == 3
            name = f"broker-{node}"
            start = real_monotonic()
            cluster.kill(name)
            survivor = next(b for n, b in enumerate(cluster.brokers, 1) if n != node)
            until(
                lambda b=survivor, n=node: parts(b, REPORTS).get(busy, (n, 0))[0] not in (n, -1), 30
            )  # type: ignore[misc]  # bound now
            before = load.count()
            until(lambda n=before: load.count() > n + 20, 60, 0.1, "answered by the new leader")  # type: ignore[misc]  # bound now
            cluster.begin(name)
            until(lambda b=survivor: is_whole(b), 60, 0.5, f"{name} in sync again")  # type: ignore[misc]  # bound now
            windows.append((start, real_monotonic()))
            print(f"round {number + 1}: {name} led partition {busy}, {load.count()} acknowledged")
        load.stop()
        heard = fired(load, site)
        print(everybody_was_told_once(cluster, gateway, heard))
        assert cluster.stop("ingest") == 0
        print(transitions_equal_the_backtest(cluster, load))
        ledger_is_whole(cluster.all("notify")[0])
        told_at = heard_at(cluster, gateway)
        late = max(told_at[facility] - moment for facility, moment in heard.items())
        pause = max(load.longest_silence(*window) for window in windows)
        print(f"ended by themselves: {dict(cluster.ended)}")
        print(f"answers paused {pause:.1f} s, told after at most {late:.1f} s")
        assert pause < 20
