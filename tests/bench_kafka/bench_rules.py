"""Rules on Kafka: readings per CPU-second of the worker, beside decode only and one report each.

One run on one topic: envelopes of 100 reports, of 400, then one report in a record. CPU is that of the worker's process, from when every station was heard once until the
brokers have acknowledged and PostgreSQL has the rows of every transition; checkpoints, facility
states, metrics and the producer are in it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

import psycopg
from confluent_kafka import Consumer, TopicPartition

from shared.log.kafka import KafkaLog
from shared.log.port import REPORTS
from shared.model.report import Report, decode_envelope
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import ROOT
from tests.bench.table import Row
from tests.bench_kafka.load import Load
from tests.bench_kafka.topics import make_topics

PARTITIONS = 4
STATIONS = 12_500
MINUTES = 60
SINGLE_MINUTES = 6
PER_CPU = "M readings per CPU-second"


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "broker") as broker:
        postgres = Postgres(durable=False).start()
        try:
            return _measured(broker.bootstrap, postgres, Path(folder))
        finally:
            postgres.stop()


def _measured(bootstrap: str, postgres: Postgres, folder: Path) -> list[Row]:
    make_topics(bootstrap, folder, PARTITIONS)
    load = Load(bootstrap, PARTITIONS, STATIONS)
    load.activate()
    databases = {name: postgres.url(postgres.create()) for name in ("confluent", "aiokafka")}
    small = Phase(load, 100, MINUTES)
    told = {name: worker(bootstrap, url, small, name) for name, url in databases.items()}
    expected = load.expected(MINUTES, 100)
    for name, url in databases.items():
        assert counted(url) == expected, f"{name}: {counted(url)} transitions, not {expected}"
    load.minute = MINUTES
    large = Phase(load, 400, MINUTES)
    told["large"] = worker(bootstrap, databases["confluent"], large, "confluent")
    single = Phase(load, 1, SINGLE_MINUTES)
    told["single"] = worker(bootstrap, databases["confluent"], single, "confluent")

    def row(name: str, phase: Phase, by: str, note: str) -> Row:
        rate = told[name]["readings"] / told[name]["cpu"] / 1e6
        what = f"rules: Faust, transitions by {by}, {phase.reports} report(s) in a record"
        return Row(what, rate, PER_CPU, "plain consumer, decode only", phase.limit(bootstrap), note)

    note = f"{small.readings:,} readings, {expected:,} transitions"
    wall = told["large"]["readings"] / told["large"]["wall"] / 1e6
    return [
        row("confluent", small, "confluent-kafka", note),
        row("aiokafka", small, "aiokafka", "the same records"),
        row("large", large, "confluent-kafka", f"{large.readings:,} readings"),
        row("single", single, "confluent-kafka", f"{single.readings:,} readings, 8 in a record"),
        Row("rules: by the clock, 400 reports in a record", wall, "M readings/s", "", None,
            "broker, PostgreSQL and worker on the same cores"),
        Row(f"rules: checkpoint of {STATIONS * 8:,} series that all changed",
            told["confluent"]["checkpoint"], "s", "", None, "to PostgreSQL, in threads"),
    ]  # fmt: skip


class Phase:
    """A stretch of the topic: a minute in which every station is heard, then what is measured."""

    def __init__(self, load: Load, reports: int, minutes: int) -> None:
        self.reports = reports
        load.minutes(1, reports)
        self.warm = ends_of(load.bootstrap)
        self.readings, _ = load.minutes(minutes - 1, reports)
        self.ends = ends_of(load.bootstrap)

    def limit(self, bootstrap: str) -> float:
        """M readings per CPU-second of a consumer that decodes and touches nothing."""
        best = min(decoded(bootstrap, self.warm, self.ends) for _ in range(3))
        return self.readings / best / 1e6


def ends_of(bootstrap: str) -> dict[int, int]:
    """Offsets at which the log ends."""
    log = KafkaLog(bootstrap)
    try:
        return {n: log.end(REPORTS, n) - 1 for n in range(log.partitions(REPORTS))}
    finally:
        log.close()


def decoded(bootstrap: str, starts: dict[int, int], ends: dict[int, int]) -> float:
    """CPU seconds for reading and decoding, and touching nothing."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "decode", "enable.auto.commit": False,
         "fetch.message.max.bytes": 4 << 20, "enable.partition.eof": False}
    )  # fmt: skip
    consumer.assign([TopicPartition(REPORTS, n, start) for n, start in starts.items()])
    left, began, reports = dict(ends), process_time(), 0
    while left:
        for message in consumer.consume(500, 1.0):
            reports += sum(type(r) is Report for r in decode_envelope(message.value()))
            number = message.partition()
            if number in left and message.offset() + 1 >= left[number]:
                del left[number]
    took = process_time() - began
    consumer.close()
    assert reports
    return took


def worker(bootstrap: str, url: str, phase: Phase, out: str) -> dict[str, float]:
    given = {"bootstrap": bootstrap, "url": url, "warm": phase.warm, "ends": phase.ends,
             "out": out, "group": f"bench-{out}"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench_kafka.worker", json.dumps(given)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{out}: {done.stderr[-3000:]}")
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def counted(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT last FROM yujing_rules.counter").fetchone()
        return int(row[0]) if row else 0
