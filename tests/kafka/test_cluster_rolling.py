"""Every service restarted in turn by SIGTERM under load: exit 0 in 15 s, nothing lost or repeated."""

import threading
from pathlib import Path
from random import Random

import pytest

from shared.clock import real_monotonic
from shared.testing.cluster import Cluster
from shared.testing.parts.gateway import Gateway
from shared.testing.program import until
from tests.kafka.cluster_site import chaos_site, fired, senders
from tests.kafka.cluster_truth import (
    everybody_was_told_once,
    heard_at,
    ledger_is_whole,
    transitions_equal_the_backtest,
)

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(300)]


def test_a_rolling_restart_is_heard_by_nobody(
    rng: Random, tmp_path: Path, gateway: Gateway
) -> None:
    """Not one text twice, marked or not; what is said equals the backtest."""
    site = chaos_site(rng, gateway.url, 50)
    with Cluster(site, tmp_path) as cluster:
        load = senders(cluster, rng).start()
        until(lambda: load.count() > 50, 30)
        took: dict[str, float] = {}
        pauses: dict[str, float] = {}
        for name in cluster.services:
            start = real_monotonic()
            assert cluster.stop(name) == 0, cluster.services[name].tail()
            took[name] = real_monotonic() - start
            cluster.begin(name)
            until(cluster.tend, 60, 0.1, f"{name} ready again")
            threading.Event().wait(0.3)
            pauses[name] = load.longest_silence(start, real_monotonic())
        load.stop()
        heard = fired(load, site)
        print(everybody_was_told_once(cluster, gateway, heard, marked_at_most=0))
        assert cluster.stop("ingest") == 0
        print(transitions_equal_the_backtest(cluster, load))
        ledger_is_whole(cluster.all("notify")[0])
        assert dict(cluster.ended) == {}
        told_at = heard_at(cluster, gateway)
        late = max(told_at[facility] - moment for facility, moment in heard.items())
        for name, seconds in took.items():
            print(f"{name}: ended in {seconds:.1f} s, answers paused {pauses[name]:.1f} s")
        print(f"told after at most {late:.1f} s")
