"""kill -9 of every part of a cluster in turn while reports stream in; counted outside of it.

Every acknowledged report is in the judged log and judged, what is said equals the backtest of that
log, every firing is told, unmarked repeats at the message centre are 0, and no topic names anybody.
Three rounds; `ROUNDS=20` for the record in docs/faults.md.
"""

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from shared.clock import real_monotonic
from shared.testing.cluster import Cluster
from shared.testing.parts.kannel import Kannel
from shared.testing.parts.smsc import MessageCentre
from shared.testing.program import until
from tests.kafka.cluster_load import Load
from tests.kafka.cluster_site import chaos_site, fired, senders
from tests.kafka.cluster_truth import (
    everybody_was_told_once,
    heard_at,
    ledger_is_whole,
    nobody_is_named,
    told,
    transitions_equal_the_backtest,
)
from tests.kafka.slow_door import SlowDoor

ROUNDS = int(os.environ.get("ROUNDS") or 3)
PER_ROUND = 24
"""Facilities that raise an alarm, at most."""

ANSWER_S = 0.5
"""How long the gateway takes to answer: most kills meet a message under way."""

pytestmark = [pytest.mark.needs("postgres", "kannel"), pytest.mark.timeout(180 + 45 * ROUNDS)]


@pytest.fixture
def centre() -> Iterator[MessageCentre]:
    with MessageCentre() as running:
        yield running


class Rounds:
    """One kill each; remembers when, and how long nobody was answered."""

    def __init__(self, cluster: Cluster, load: Load, door: SlowDoor, rng: Random) -> None:
        self.cluster, self.load, self.door, self.rng = cluster, load, door, rng
        self.kinds = ["ingest", "rules", "notify", "broker", "postgres"]
        rng.shuffle(self.kinds)
        self.begun: list[tuple[float, str]] = []
        self.away: dict[str, float] = defaultdict(float)
        """By kind: the longest from its death until it ran again (a service: until it was started)."""

    def one(self, number: int) -> None:
        kind = self.kinds[number % len(self.kinds)]
        name = f"{kind}-{self.rng.randrange(2)}" if kind in ("rules", "notify") else kind
        self._wait(self.rng.uniform(0.5, 2.0))
        if kind in ("notify", "postgres"):
            with contextlib.suppress(TimeoutError):  # no alarm just now
                until(lambda: self.door.under_way, 5, 0.005)
        self.begun.append((real_monotonic(), kind))
        self.cluster.kill(name)
        self._wait(self.rng.uniform(0.0, 2.0))
        self.cluster.begin(name)
        self.away[kind] = max(self.away[kind], real_monotonic() - self.begun[-1][0])
        if name in self.cluster.services and self.rng.random() < 0.2:
            self._wait(self.rng.uniform(0.0, 2.0))
            self.cluster.kill(name)  # now and then while it is still starting
            self.cluster.begin(name)
        before = self.load.count()
        until(self.cluster.tend, 60, 0.1, f"everything ready after the death of {name}")
        until(lambda: self.load.count() > before, 60, 0.1, "somebody is answered again")
        print(f"round {number + 1}: {name}, {self.load.count()} acknowledged", flush=True)

    def _wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)
        self.cluster.tend()

    def pauses(self, heard: dict[str, float]) -> dict[str, tuple[float, float]]:
        """By kind: the longest silence for senders; the longest from acknowledged to the phone."""
        over, raised = real_monotonic(), fired(self.load, self.cluster.site)
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        ends = [start for start, _ in self.begun[1:]] + [over]
        for (start, kind), end in zip(self.begun, ends, strict=True):
            late = [
                heard[facility] - moment
                for facility, moment in raised.items()
                if start - 1 <= moment < end
            ]
            found[kind].append((self.load.longest_silence(start, end), max(late, default=0.0)))
        return {kind: (max(a for a, _ in x), max(b for _, b in x)) for kind, x in found.items()}


def test_killed_in_turn_nothing_is_lost_or_told_twice_unmarked(
    rng: Random, tmp_path: Path, centre: MessageCentre
) -> None:
    """The promise of the whole cluster."""
    site = chaos_site(rng, "http://127.0.0.1:1/", ROUNDS * PER_ROUND)
    reply_url = f"http://127.0.0.1:{site.http_port}/gateway/sms/reply"
    with (
        Kannel(tmp_path / "kannel", centre.port, reply_url) as kannel,
        SlowDoor(kannel.port, ANSWER_S) as door,
    ):
        channel = site.documents["channels"]["channels"][0]
        channel["url"] = kannel.url.replace(str(kannel.port), str(door.port))
        with Cluster(site, tmp_path) as cluster:
            load = senders(cluster, rng, 0.9).start()
            rounds = Rounds(cluster, load, door, rng)
            for number in range(ROUNDS):
                rounds.one(number)
            load.stop()
            heard = fired(load, site)
            until(
                lambda: cluster.tend() and set(told(cluster, centre)) >= set(heard), 90, 0.5, "told"
            )
            assert cluster.stop("ingest") == 0
            print(transitions_equal_the_backtest(cluster, load))
            print(everybody_was_told_once(cluster, centre, heard))
            ledger_is_whole(cluster.all("notify")[0])
            print(f"{nobody_is_named(cluster)} bytes on all topics name nobody")
            print(f"ended by themselves: {dict(cluster.ended)}")
            for kind, (silent, late) in rounds.pauses(heard_at(cluster, centre)).items():
                print(
                    f"{kind}: away up to {rounds.away[kind]:.1f} s, answers paused {silent:.1f} s, "
                    f"told after at most {late:.1f} s"
                )
