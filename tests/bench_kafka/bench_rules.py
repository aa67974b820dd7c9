"""Rules on Kafka: readings per CPU-second of the worker, beside decode only and one report each.

One run on one topic: the same readings first in envelopes of 100 reports, then one report in a
record. CPU is that of the worker's process, from when every station was heard once until the
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
    load.minutes(1, 100)
    warm = ends_of(bootstrap)
    readings, envelopes = load.minutes(MINUTES - 1, 100)
    ends = ends_of(bootstrap)
    expected = load.expected(MINUTES, 100)
    limit = min(decoded(bootstrap, warm, ends) for _ in range(3))
    databases = {name: postgres.url(postgres.create()) for name in ("confluent", "aiokafka")}
    told = {name: worker(bootstrap, url, warm, ends, name) for name, url in databases.items()}
    for name, url in databases.items():
        assert counted(url) == expected, f"{name}: {counted(url)} transitions, not {expected}"
    more, messages = load.minutes(SINGLE_MINUTES, 1)
    later = ends_of(bootstrap)
    single = worker(bootstrap, databases["confluent"], ends, later, "confluent")
    single_limit = decoded(bootstrap, ends, later)
    m, n = readings / 1e6, more / 1e6

    def rate(name: str, by: str = "cpu") -> float:
        return told[name]["readings"] / told[name][by] / 1e6

    note = f"{readings:,} readings in {envelopes:,} envelopes, {expected:,} transitions"
    decode = "plain consumer, decode only"
    return [
        Row("rules: Faust, transitions by confluent-kafka, 100 reports in a record",
            rate("confluent"), PER_CPU, decode, m / limit, note),
        Row("rules: Faust, transitions by aiokafka, 100 reports in a record",
            rate("aiokafka"), PER_CPU, decode, m / limit, "the same readings"),
        Row("rules: Faust, transitions by confluent-kafka, one report in a record",
            single["readings"] / single["cpu"] / 1e6, PER_CPU, decode, n / single_limit, f"{messages:,} records, 8 readings each"),
        Row("rules: Faust, by the clock, 100 reports in a record",
            rate("confluent", "wall"), "M readings/s", "", None, "broker and PostgreSQL on the same cores"),
        Row(f"rules: checkpoint of {STATIONS * 8:,} series that all changed",
            told["confluent"]["checkpoint"], "s", "", None, "to PostgreSQL, in threads"),
    ]  # fmt: skip


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


def worker(
    bootstrap: str, url: str, warm: dict[int, int], ends: dict[int, int], out: str
) -> dict[str, float]:
    given = {"bootstrap": bootstrap, "url": url, "warm": warm, "ends": ends, "out": out,
             "group": f"bench-{out}"}  # fmt: skip
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
