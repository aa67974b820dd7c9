"""A million series on one worker: kill -9 under load, until every partition is current again.

Current: every partition has judged a tick that was written after the kill; the load goes on
meanwhile, a tick a second and a thousand reports a second.
"""

import os
import tempfile
import threading
from pathlib import Path

from shared.clock import real_monotonic
from shared.testing.cluster import Service
from shared.testing.configs import Site
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import until
from tests.bench.bench_rules import MINUTE, START
from tests.bench.table import Row
from tests.bench_kafka.load import Load
from tests.bench_kafka.topics import make_topics

PARTITIONS = 12
STATIONS = 125_000
REPORTS_PER_S = 1_000
SECOND = 1_000_000
KILLS = 2


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "broker") as broker:
        postgres = Postgres(durable=False).start()
        try:
            return _measured(broker.bootstrap, postgres.url(postgres.create()), Path(folder))
        finally:
            postgres.stop()


def _measured(bootstrap: str, url: str, folder: Path) -> list[Row]:
    from random import Random

    topics = make_topics(bootstrap, folder, PARTITIONS)
    load = Load(bootstrap, PARTITIONS, STATIONS)
    load.activate()
    load.minutes(1, 200)
    site = Site(rng=Random(1), http_port=8620, hj212_port=8621)
    site.add_facility()
    worker = Service(
        "rules", site, folder, kafka=bootstrap, database_url=url, name="rules-0",
        arguments=("--topics", str(topics)),
    )  # fmt: skip
    worker.start()
    until(lambda: is_at(worker, START + MINUTE), 300, 0.5, "the first minute")
    until(lambda: kept(worker), 120, 0.5, "a checkpoint of everything")
    clock = Clockwork(load)
    clock.start()
    until(lambda: is_at(worker, clock.now_us - 2 * SECOND), 60, 0.2, "the worker to be current")
    found, cpu = [], []
    for _ in range(KILLS):
        threading.Event().wait(12)  # into the middle of the next checkpoint's interval
        worker.kill()
        killed, at = real_monotonic(), clock.now_us + SECOND
        worker.spawn()
        until(lambda at=at: is_at(worker, at), 120, 0.1, "all partitions after the kill")
        found.append(real_monotonic() - killed)
        cpu.append(cpu_of(worker))
        until(lambda: is_at(worker, clock.now_us - 2 * SECOND), 60, 0.2, "no lag")
    clock.stop()
    memory = resident(worker)
    worker.close()
    what = f"rules: {STATIONS * 8:,} series after kill -9 until current"
    note = f"worst of {KILLS}; start of Python, group and state; {REPORTS_PER_S:,} reports/s go on"
    return [
        Row(what, max(found), "s", "the bar", 10.0, note),
        Row("the same, best", min(found), "s"),
        Row(
            "rules: CPU of the worker until then", max(cpu), "s", "", None, "start of Python in it"
        ),
        Row("rules: memory of that worker", memory / 1e6, "MB"),
    ]


class Clockwork(threading.Thread):
    """A tick a second and the reports of that second."""

    def __init__(self, load: Load) -> None:
        super().__init__(daemon=True)
        self._load, self._end = load, threading.Event()
        self._began = real_monotonic()
        self.now_us = START + 2 * MINUTE

    def run(self) -> None:
        done = 0
        while not self._end.wait(0.05):
            second = int(real_monotonic() - self._began)
            if second <= done:
                continue
            done = second
            at = START + 2 * MINUTE + second * SECOND
            self._load.some(second * REPORTS_PER_S // PARTITIONS, REPORTS_PER_S, at)
            self._load.tick(at)
            self._load.flush()
            self.now_us = at

    def stop(self) -> None:
        self._end.set()
        self.join(5)


def is_at(worker: Service, at_us: int) -> bool:
    """Every partition has judged a tick of that time."""
    found = [
        value
        for name, value in worker.metrics().items()
        if name.startswith("yujing_partition_clock_seconds")
    ]
    return len(found) == PARTITIONS and min(found) * 1e6 >= at_us


def kept(worker: Service) -> bool:
    """Nothing is waiting for a checkpoint."""
    found = [
        value
        for name, value in worker.metrics().items()
        if name.startswith("yujing_checkpoint_age_seconds")
    ]
    return len(found) == PARTITIONS and max(found) == 0


def cpu_of(worker: Service) -> float:
    """Seconds since it started."""
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(worker: Service) -> int:
    pages = int(Path(f"/proc/{worker.process.pid}/statm").read_text().split()[1])
    return pages * 4096
