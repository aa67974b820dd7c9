"""What a cluster of an earlier commit left behind, kept as bytes: Kafka, PostgreSQL, ingest.db.

`record` makes it with today's program (`python -m tests.kafka.stored_data FILE`), `put_back` lays
it under a new cluster. When a stored format changes, record a new file beside the old one; the
test reads all of them, so that an upgrade of a running site is what is tested.
"""

import base64
import gzip
import json
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import psycopg
from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition

from shared.testing.cluster import Cluster
from shared.testing.configs import Facility, Person, Site, step
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.postgres import binaries
from shared.testing.program import free_ports, until

FOLDER = Path(__file__).parent / "stored"
CLOCK = "2020-02-24T08:00:00+08:00,x1"
"""In the past, so that whoever goes on with it is later."""


def story_site(sms_url: str) -> Site:
    """One firing, one acknowledged, and one that has been above its limit for less than an hour."""
    site = Site(Random(20200224), *free_ports(2))
    site.add_sms(sms_url)
    site.add_roster(site.city, {"duty_officer": [site.add_person()]})
    site.add_policy(
        step("duty_officer", wait="6h"), match={"severity": ["yellow", "orange", "red"]}
    )
    site.add_threshold()
    blue = [{"severity": "blue", "raise": f"> {site.low:g}"}]
    site.add_threshold(applies={"kind": "sewage_plant"}, levels=blue, **{"for": "1h"})
    for kind in ("hospital_wastewater", "hospital_wastewater", "sewage_plant"):
        site.add_facility(kind=kind)
    return site


def record(file: Path) -> None:
    """Play the story, end every service, and keep what lies there."""
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        site = story_site(gateway.url)
        parts = Cluster(site, Path(folder), rules=1, notify=1, arguments=("--clock", CLOCK))
        with parts as cluster:
            for facility in site.facilities:
                for second, factor in enumerate((0.3, 1.2)):
                    at = f"2020-02-24T08:00:0{second}+08:00"
                    cluster.ingest.report(facility, round(site.low * factor, 3), at=at)
            rules, notify = cluster.services["rules-0"], cluster.services["notify-0"]
            until(lambda: len(gateway.got) == 2, 30)
            incident = notify.incident(site.facilities[1])
            assert notify.acknowledge(incident["id"], site.people[0].id).status_code == 200
            until(lambda: len(rules.transitions()) == 3, 30)
            kinds = lambda n: [e["kind"] for e in notify.incident(site.facilities[n])["timeline"]]  # noqa: E731
            until(lambda: "accepted" in kinds(0) and "accepted" in kinds(1), 30)
            said, incidents = rules.transitions(), notify.incidents()
            for name in cluster.services:
                assert cluster.stop(name) == 0
            database = sqlite3.connect(cluster.ingest.data / "ingest.db")
            kept = {
                "site": _site_kept(site), "transitions": said,
                "incidents": [{k: i[k] for k in ("id", "facility", "state")} for i in incidents],
                "ingest": list(database.iterdump()), "sql": _sql(cluster),
                "version": (cluster.ingest.data / "VERSION").read_text(),
                "topics": _topics(cluster),
            }  # fmt: skip
            database.close()
    file.write_bytes(gzip.compress(json.dumps(kept, ensure_ascii=False).encode(), 9, mtime=0))


def read(file: Path) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return kept


def site_of(kept: dict[str, Any], sms_url: str) -> Site:
    """The site as it was configured, on ports of today."""
    site = Site(Random(0), *free_ports(2))
    site.documents, site.environment = kept["site"]["documents"], kept["site"]["environment"]
    site.facilities = msgspec.convert(kept["site"]["facilities"], list[Facility])
    site.people = msgspec.convert(kept["site"]["people"], list[Person])
    site.low = kept["site"]["low"]
    site.upstream_token = site.environment["UP_TOKEN"]
    site.operator_token = site.environment["OPS_TOKEN"]
    site.documents["channels"]["channels"][0]["url"] = sms_url
    site.documents["site"]["site"]["base_url"] = f"http://127.0.0.1:{site.http_port}"
    return site


def put_back(kept: dict[str, Any], cluster: Cluster) -> None:
    """Into parts that are fresh; every record gets the offset it had."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    wrong: list[str] = []
    for topic, number, offset, key, value in kept["topics"]:

        def landed(error: object, message: Any, offset: int = offset) -> None:
            if error or message.offset() != offset:
                wrong.append(f"{error} {message.topic()} {message.offset()} for {offset}")

        producer.produce(
            topic, _bytes(value), _bytes(key), partition=number, on_delivery=landed
        )  # fmt: skip
    assert producer.flush(30) == 0
    assert wrong == []
    with psycopg.connect(cluster.postgres.url(), autocommit=True) as connection:
        connection.execute(kept["sql"])
    cluster.ingest.data.mkdir(parents=True)
    (cluster.ingest.data / "VERSION").write_text(kept["version"])
    database = sqlite3.connect(cluster.ingest.data / "ingest.db")
    database.executescript("\n".join(kept["ingest"]))
    database.close()


def _site_kept(site: Site) -> dict[str, Any]:
    return {
        "documents": site.documents, "environment": site.environment, "low": site.low,
        "facilities": msgspec.to_builtins(site.facilities),
        "people": msgspec.to_builtins(site.people),
    }  # fmt: skip


def _sql(cluster: Cluster) -> str:
    folder = binaries()
    assert folder is not None
    done = subprocess.run(
        [str(folder / "pg_dump"), "--inserts", "--no-owner", "-d", cluster.postgres.url()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Lines of psql's own (\restrict) and comments are no SQL.
    lines = [line for line in done.stdout.splitlines() if line and line[0] != "\\"]
    return "\n".join(line for line in lines if not line.startswith("--"))


def _topics(cluster: Cluster) -> list[tuple[str, int, int, str | None, str | None]]:
    consumer = KafkaConsumer(
        bootstrap_servers=cluster.bootstrap, group_id=None, enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    found = []
    try:
        topics = sorted(name for name in consumer.topics() if name.startswith("yujing."))
        parts = [TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=500).values():
                found += [
                    (r.topic, r.partition, r.offset, _text(r.key), _text(r.value)) for r in records
                ]
    finally:
        consumer.close()
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


if __name__ == "__main__":
    record(Path(sys.argv[1]))
