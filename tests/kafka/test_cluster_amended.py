"""A correction through a whole cluster: 更正 once, kill -9 of rules or not; amended as one log is."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.rules.amender import Amender
from services.rules.history_store import HistoryStore
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.memory import MemoryLog
from shared.log.port import REPORTS, Position
from shared.model.configuration import decode_bundle
from shared.observe.metrics import Metrics
from shared.testing.cluster import Cluster
from shared.testing.configs import Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import now_text, reading, until
from tests.kafka.cluster_truth import ledger_is_whole

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(300)]
MANY = 6


def amendments(cluster: Cluster, replica: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.all("rules")[replica].get("/v1/amendments")["amendments"]
    return found


def of_one_log(cluster: Cluster, folder: Path) -> set[str]:
    """The ids that the embedded amender gives the very same log, partition by partition."""
    log, found = KafkaLog(cluster.bootstrap), set()
    bundles = KafkaBundles(log)
    for number in range(log.partitions(REPORTS)):
        copy, at = MemoryLog(), Position(0)
        while entries := log.read(REPORTS, number, at).entries:
            copy.append(REPORTS, [(each.key, each.value) for each in entries])
            at = Position(entries[-1].position + 1)
        place = folder / str(number)
        place.mkdir(parents=True)
        store = HistoryStore(place / "history.db")
        amender = Amender(
            copy, lambda name: decode_bundle(bundles.get(name)), store, 30 * 86_400_000_000,
            Metrics(CollectorRegistry()),
        )  # fmt: skip
        while amender.pump():
            pass
        found |= {each.id for _, each in store.amendments(0, 1000)}
        store.close()
    log.close()
    return found


def test_corrections_are_told_once_also_when_rules_are_killed(
    site: Site, tmp_path: Path, gateway: Gateway, rng: Random
) -> None:
    """120 for 12 at one facility after the other, and one of the workers dies in the middle."""
    site.documents["site"]["history"] = {"keep": "30d"}
    for _ in range(MANY - len(site.facilities)):
        site.add_facility()
    with Cluster(site, tmp_path) as cluster:
        ingest = cluster.ingest
        for n, facility in enumerate(site.facilities):
            at = now_text()
            ingest.report(facility, site.low * 1.2, at=at)
            gateway.wait_for(2 * n + 1, 30)
            right = reading(facility, site.low / 10, at=at) | {"id": f"right-{n}"}
            assert ingest.post(right).json()["accepted"] == 1
            if n:
                name = f"rules-{n % 2}"
                cluster.kill(name)
                cluster.begin(name)
            gateway.wait_for(2 * n + 2, 60)
            until(cluster.tend, 60, 0.1, "ready again")
        texts = gateway.texts()
        assert ["更正" in text for text in texts] == [False, True] * MANY, texts

        found = amendments(cluster)
        assert found == amendments(cluster, 1)
        assert [each["facility"] for each in found] == [each.id for each in site.facilities]
        assert {each["kind"] for each in found} == {"vanished"}
        assert [each["seq"] for each in found] == list(range(1, MANY + 1))
        for replica in cluster.all("rules"):
            (episode,) = replica.get("/v1/episodes", facility=site.facilities[0].id)["episodes"]
            assert (episode["state"], episode["amended"]) == ("vanished", True)
            why = replica.get("/v1/why/right-0", facility=site.facilities[0].id)
            assert [each["id"] for each in why["amended"]] == [found[0]["id"]]
            assert "reason" not in why
        notify = cluster.all("notify")[1]
        for facility in site.facilities:
            kinds = [each["kind"] for each in notify.incident(facility)["timeline"]]
            assert kinds.count("amended") == 1
        ledger_is_whole(notify)
        assert of_one_log(cluster, tmp_path / "alone") == {each["id"] for each in found}
        assert len(gateway.texts()) == 2 * MANY
        assert dict(cluster.ended) == {}
        for name in cluster.services:
            assert cluster.stop(name) == 0, cluster.services[name].tail()


def test_the_end_is_quick_also_while_the_history_cannot_be_kept(
    site: Site, tmp_path: Path, gateway: Gateway
) -> None:
    """Without the database the amender waits, and is not waited for; afterwards it goes on."""
    site.documents["site"]["history"] = {"keep": "30d"}
    facility, at = site.facilities[0], now_text()
    with Cluster(site, tmp_path, rules=1, notify=1) as cluster:
        cluster.ingest.report(facility, site.low * 1.2, at=at)
        gateway.wait_for(1, 30)
        cluster.kill("postgres")
        cluster.ingest.report(facility, site.low / 10, at=at)
        until(lambda: "amender_waiting" in cluster.services["rules-0"].log_text(), 30)
        assert cluster.stop("rules-0") == 0
        for name in ("postgres", "rules-0"):
            cluster.begin(name)
        until(cluster.tend, 60, 0.1, "ready again")
        gateway.wait_for(2, 60)
        assert ["更正" in text for text in gateway.texts()] == [False, True]
