"""kill -9 of every part of a cluster in turn while reports stream in; counted outside of it.

Every acknowledged report is in the judged log and judged, what is said equals the backtest of that
log, every firing is told, unmarked repeats at the message centre are 0, and no topic names anybody.
Three rounds; `ROUNDS=20` for the record in docs/faults.md.
"""

import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from shared.clock import real_monotonic
from shared.testing.cluster import Cluster
from shared.testing.configs import Site, step
from shared.testing.parts.kannel import Kannel
from shared.testing.parts.smsc import MessageCentre
from shared.testing.program import free_ports, until
from tests.kafka.cluster_load import Load, Sender, WebSender, WireSender, alarms, steady
from tests.kafka.cluster_truth import (
    everybody_was_told_once,
    ledger_is_whole,
    nobody_is_named,
    told,
    transitions_equal_the_backtest,
)

ROUNDS = int(os.environ.get("ROUNDS") or 3)
PER_ROUND = 16
"""Facilities that raise an alarm, at most."""
PER_CITY = 50
"""One person has at most 192 tickets open at a time: 24 letters with 8 digits."""
STEADY = 24

pytestmark = [pytest.mark.needs("postgres", "kannel"), pytest.mark.timeout(180 + 45 * ROUNDS)]


@pytest.fixture
def centre() -> Iterator[MessageCentre]:
    with MessageCentre() as running:
        yield running


def chaos_site(rng: Random) -> Site:
    """Facilities that raise one alarm each, by city; others that go up and down and tell nobody."""
    site = Site(rng, *free_ports(2))
    site.timing.update(tick="500ms", deaf_after="4s")
    site.add_sms("http://127.0.0.1:1/")
    site.add_policy(
        step("duty_officer", wait="6h"), step("shift_leader", wait="6h"),
        match={"severity": ["yellow", "orange", "red"]},
    )  # fmt: skip
    site.add_threshold(levels=[{"severity": "yellow", "raise": f"> {site.low:g}"}])
    watched = {"applies": {"kind": "sewage_plant"}}
    blue = [{"severity": "blue", "raise": f"> {site.low:g}", "clear": f"<= {site.low * 0.9:g}"}]
    site.add_threshold(**watched, levels=blue)
    site.add_threshold(
        **watched, levels=blue, **{"for": "3s", "keep_firing_for": "5s", "unknown": "alert"}
    )
    site.add_silence("6s", "1s", **watched)
    for number in range(ROUNDS * PER_ROUND // PER_CITY + 1):
        city = f"{site.province[:2]}{number + 1:02}00"
        if city != site.city:
            site.documents["territories"]["territories"].append({"id": city, "name": site.word(2)})
        officer, leader = site.add_person(territory=city), site.add_person(territory=city)
        site.add_roster(city, {"duty_officer": [officer], "shift_leader": [leader]})
        for _ in range(PER_CITY):
            site.add_facility(territory=city)
    for _ in range(STEADY):
        site.add_facility(kind="sewage_plant")
    return site


def senders(cluster: Cluster, rng: Random) -> Load:
    """Half by HTTP, half by HJ 212."""
    site = cluster.site
    loud, calm = site.facilities[:-STEADY], site.facilities[-STEADY:]
    made: list[Sender] = []
    for half, kind in enumerate((WebSender, WireSender)):
        plan = steady(Random(rng.random()), calm[half::2], site.low, 0.05)
        made.append(kind(cluster, plan))
        plan = alarms(Random(rng.random()), loud[half::2], site.low, 0.4)
        made.append(kind(cluster, plan))
    return Load(made)


class Rounds:
    """One kill each; remembers when, and how long nobody was answered."""

    def __init__(self, cluster: Cluster, load: Load, rng: Random) -> None:
        self.cluster, self.load, self.rng = cluster, load, rng
        self.kinds = ["ingest", "rules", "notify", "broker", "postgres"]
        rng.shuffle(self.kinds)
        self.begun: list[tuple[float, str]] = []

    def one(self, number: int) -> None:
        kind = self.kinds[number % len(self.kinds)]
        name = (
            kind if kind in ("ingest", "broker", "postgres") else f"{kind}-{self.rng.randrange(2)}"
        )
        self._wait(self.rng.uniform(0.5, 2.0))
        self.begun.append((real_monotonic(), kind))
        self.cluster.kill(name)
        self._wait(self.rng.uniform(0.0, 2.0))
        self.cluster.begin(name)
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
        over = real_monotonic()
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        ends = [start for start, _ in self.begun[1:]] + [over]
        for (start, kind), end in zip(self.begun, ends, strict=True):
            late = [
                heard[given.facility] - moment
                for moment, given in self.load.acknowledged()
                if start - 1 <= moment < end and given.facility in heard
                and given.value > self.cluster.site.low
            ]  # fmt: skip
            found[kind].append((self.load.longest_silence(start, end), max(late, default=0.0)))
        return {kind: (max(a for a, _ in x), max(b for _, b in x)) for kind, x in found.items()}


def heard_at(cluster: Cluster, centre: MessageCentre) -> dict[str, float]:
    """When the first text about a facility was at the message centre."""
    names = {f.short_name[2:]: f.id for f in cluster.site.facilities}
    found: dict[str, float] = {}
    for part in centre.parts:
        if number := re.search(r"\d+号", part.text):
            found.setdefault(names[number[0]], part.at_s)
    return found


def test_killed_in_turn_nothing_is_lost_or_told_twice_unmarked(
    rng: Random, tmp_path: Path, centre: MessageCentre
) -> None:
    """The promise of the whole cluster."""
    site = chaos_site(rng)
    reply_url = f"http://127.0.0.1:{site.http_port}/gateway/sms/reply"
    with Kannel(tmp_path / "kannel", centre.port, reply_url) as kannel:
        site.documents["channels"]["channels"][0]["url"] = kannel.url
        with Cluster(site, tmp_path) as cluster:
            load = senders(cluster, rng).start()
            rounds = Rounds(cluster, load, rng)
            for number in range(ROUNDS):
                rounds.one(number)
            load.stop()
            loud = {facility.id for facility in site.facilities[:-STEADY]}
            fired = {
                given.facility
                for _, given in load.acknowledged()
                if given.facility in loud and given.value > site.low
            }
            until(lambda: cluster.tend() and set(told(cluster, centre)) >= fired, 90, 0.5, "told")
            assert cluster.stop("ingest") == 0
            print(transitions_equal_the_backtest(cluster, load))
            notify = cluster.all("notify")[0]
            oldest = "yujing_outbox_oldest_seconds"
            until(lambda: notify.metrics()[oldest] == 0, 30, 0.5, "the outbox empty")
            threading.Event().wait(3.0)  # unknown_hold, and a moment for what must not come
            print(everybody_was_told_once(cluster, centre, fired))
            ledger_is_whole(notify)
            print(f"{nobody_is_named(cluster)} bytes on all topics name nobody")
            print(f"ended by themselves: {dict(cluster.ended)}")
            for kind, (silent, late) in rounds.pauses(heard_at(cluster, centre)).items():
                print(f"{kind}: answers paused {silent:.1f} s, told after at most {late:.1f} s")
