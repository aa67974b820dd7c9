"""Kafka away with loggers connected, PostgreSQL away under load: a pause, and nothing else.

`OUTAGE_S` is how long the broker stays away: 20 s, 60 for the record in docs/faults.md.
"""

import os
import threading
from collections.abc import Iterator
from datetime import datetime
from random import Random

import pytest

from shared.clock import real_monotonic, real_wall
from shared.model.report import Report
from shared.testing.cluster import Cluster
from shared.testing.parts.gateway import Gateway
from shared.testing.program import now_text, reading, until
from tests.kafka.cluster_site import chaos_site, fired, senders
from tests.kafka.cluster_stations import ZONE, Stations
from tests.kafka.cluster_truth import (
    alerts,
    everybody_was_told_once,
    judged_log,
    ledger_is_whole,
    transitions_equal_the_backtest,
)

OUTAGE_S = float(os.environ.get("OUTAGE_S") or 20)
DATABASE_S = 10.0
STATIONS = 50
GRACE_S = 1.0
"""What was on its way when the broker died may still be answered so long."""
MOST_GROWTH_MB = 64

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(240 + 3 * OUTAGE_S)]


@pytest.fixture(scope="module")
def far_gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, far_gateway: Gateway) -> Iterator[Cluster]:
    """One for both outages: each ends with everything well."""
    site = chaos_site(Random(7), far_gateway.url, STATIONS)
    with Cluster(site, tmp_path_factory.mktemp("outage"), rules=1, notify=1) as running:
        yield running


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123  no file of ours
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


class WebHeard(threading.Thread):
    """One sender by HTTP, a report at a time: (moment, status, Retry-After) of every answer."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.cluster, self.over = cluster, threading.Event()
        self.heard: list[tuple[float, int, int]] = []

    def run(self) -> None:
        while not self.over.wait(0.5):
            body = reading(self.cluster.site.facilities[-1], 1.0, at=now_text())
            answer = self.cluster.ingest.post(body, timeout=60)
            after = int(answer.headers.get("Retry-After", 0))
            self.heard.append((real_monotonic(), answer.status_code, after))


def test_the_broker_is_away_with_loggers_connected(cluster: Cluster) -> None:
    """No 9014 meanwhile, no line closed, memory bounded; afterwards everything is taken once."""
    ingest, site = cluster.ingest, cluster.site
    calm = site.facilities[:STATIONS]
    begun_s = int(real_wall()) + 1  # the other test may have used the same loggers before
    until(lambda: real_wall() >= begun_s, 5, 0.05)
    stations = Stations(calm, site.hj212_port, round(site.low * 0.3, 3))
    web = WebHeard(cluster)
    stations.start()
    try:
        until(lambda: all(len(s.answered) > 2 for s in stations.all), 30, what="all are answered")
        before_mb = most_mb = resident_mb(ingest.process.pid)
        killed = real_monotonic()
        cluster.kill("broker")
        web.start()
        # A report that was being written waits up to 20 s for its 503.
        while real_monotonic() < killed + (OUTAGE_S if web.heard else OUTAGE_S + 10):
            most_mb = max(most_mb, resident_mb(ingest.process.pid))
            threading.Event().wait(0.5)
        assert ingest.client.get("/readyz").status_code == 503
        back = real_monotonic()
        heard = list(web.heard)
        cluster.begin("broker")
        web.over.set()
        assert heard, "nobody was answered by HTTP"
        assert {status for _, status, _ in heard} <= {429, 503}, heard
        assert all(1 <= seconds <= 60 for _, _, seconds in heard), heard
        assert stations.answers(killed + GRACE_S, back) == 0, "9014 without a log"
        assert stations.still_open() == STATIONS
        until(lambda: stations.answers(back, real_monotonic()), 60, 0.05, "an answer")
        paused = real_monotonic() - killed
        until(lambda: cluster.tend() and all(s.answered[-1][0] > back for s in stations.all), 60)
        stations.fresh = False
        until(lambda: stations.unanswered() == 0, 60, 0.2, "every frame answered")
        most_mb = max(most_mb, resident_mb(ingest.process.pid))
    finally:
        web.over.set()
        stations.close()
    assert stations.still_open() == STATIONS
    frames = {
        (
            s.facility.id,
            int(datetime.strptime(time, "%Y%m%d%H%M%S").replace(tzinfo=ZONE).timestamp()),
        )
        for s in stations.all
        for _, time in s.answered
    }
    assert len(frames) == sum(s.frames for s in stations.all)
    ids = {facility.id for facility in calm}
    logged = [
        (r.facility, r.observed_us // 1_000_000)
        for inside in judged_log(cluster.bootstrap).values()
        for r in inside
        if isinstance(r, Report)
        and r.facility in ids
        and r.listener == "hj212"
        and r.observed_us >= begun_s * 1_000_000
    ]
    assert sorted(logged) == sorted(frames), "each once, and nothing else"
    assert most_mb - before_mb < MOST_GROWTH_MB
    print(
        f"{len(frames)} frames of {STATIONS} stations, each once; {len(heard)} HTTP answers "
        f"(the first after {heard[0][0] - killed:.0f} s) "
        f"{sorted({(status, after) for _, status, after in heard})}; ingest {before_mb:.0f} MB, at most {most_mb:.0f} MB; "
        f"no answer for {paused:.1f} s of which {back - killed:.1f} s without a broker; "
        f"ended by themselves: {dict(cluster.ended)}"
    )


def test_postgresql_is_away_under_load(cluster: Cluster, rng: Random, far_gateway: Gateway) -> None:
    """Rules go on telling through the topic; notify catches up; nothing is lost or told twice."""
    until(cluster.tend, 60, 0.2, "everything ready")
    load = senders(cluster, rng).start()
    until(lambda: len(fired(load, cluster.site)) > 2, 30, what="alarms")
    start = real_monotonic()
    cluster.kill("postgres")
    threading.Event().wait(DATABASE_S / 2)
    meanwhile = {
        facility for facility, moment in fired(load, cluster.site).items() if moment > start
    }
    assert meanwhile, "the load is too light"
    until(lambda: set(alerts(cluster)[0]) >= meanwhile, DATABASE_S, what="told on the topic")
    on_topic = real_monotonic() - start
    threading.Event().wait(max(0.0, start + DATABASE_S - real_monotonic()))
    assert cluster.services["rules-0"].process.poll() is None
    assert cluster.services["notify-0"].process.poll() is None
    cluster.begin("postgres")
    away = real_monotonic() - start
    until(cluster.tend, 60, 0.2, "everything ready")
    load.stop()
    print(everybody_was_told_once(cluster, far_gateway, fired(load, cluster.site)))
    assert cluster.stop("ingest") == 0
    print(transitions_equal_the_backtest(cluster, load))
    ledger_is_whole(cluster.all("notify")[0])
    cluster.begin("ingest")
    until(cluster.tend, 60, 0.2, "everything ready")
    print(
        f"away {away:.1f} s; {len(meanwhile)} alarms on the topic within {on_topic:.1f} s of its "
        f"death; answers paused {load.longest_silence(start, real_monotonic()):.1f} s; "
        f"ended by themselves: {dict(cluster.ended)}"
    )
