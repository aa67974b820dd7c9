"""What must be true of a cluster at the end: asked of Kafka, of the backtest, of the phones."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka.admin import AdminClient
from kafka import KafkaConsumer, TopicPartition

from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, REPORTS, Position
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, decode_envelope
from shared.testing.cluster import Cluster, Service
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.smsc import MessageCentre
from shared.testing.program import ROOT, until
from tests.kafka.cluster_load import Given, Load
from tests.system.test_live_equals_backtest import line_of

Body = dict[str, Any]
IDLE = "yujing_outbox_oldest_seconds"


def judged_log(bootstrap: str) -> dict[int, list[Record]]:
    """Everything on the judged log, by partition, in its order."""
    log = KafkaLog(bootstrap)
    found: dict[int, list[Record]] = {}
    try:
        for number in range(log.partitions(REPORTS)):
            found[number], start = [], Position(0)
            while (batch := log.read(REPORTS, number, start)).entries:
                start = batch.next
                for entry in batch.entries:
                    found[number] += decode_envelope(entry.value)
    finally:
        log.close()
    return found


def givens(records: dict[int, list[Record]]) -> Counter[Given]:
    """The readings of the judged log, as senders write them down."""
    return Counter(
        Given(each.facility, each.observed_us, each.values[0], each.flag(0))
        for inside in records.values()
        for each in inside
        if isinstance(each, Report)
    )


def backtested(cluster: Cluster, records: dict[int, list[Record]]) -> list[Body]:
    """What the backtest says: each partition by itself, for the facilities that are its own."""
    ingest = cluster.ingest
    running = []
    for number, inside in records.items():
        file = cluster.folder / f"log-{number}.jsonl"
        lines = [line_of(record) for record in inside if not isinstance(record, Activate)]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        command = [sys.executable, "-m", "services", "backtest",
                   "--config", str(ingest.config), "--out", f"{file}.out", str(file)]  # fmt: skip
        child = subprocess.Popen(
            command, cwd=ROOT, env=ingest.child_environment(), stderr=subprocess.PIPE
        )
        running.append((number, Path(f"{file}.out"), child))
    found: list[Body] = []
    for number, out, child in running:
        _, said = child.communicate(timeout=120)
        assert (child.returncode, said) == (0, b""), said.decode()
        bodies = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        found += [b for b in bodies if partition_of(b["facility"], len(records)) == number]
    return found


def identity(body: Body) -> str:
    """Contract §4, computed here once more from what is said."""
    names = ("rule", "facility", "station", "indicator", "interval", "episode", "step")
    return hashlib.sha256(msgspec.json.encode([body[name] for name in names])).hexdigest()[:32]


def by_facility(bodies: list[Body]) -> dict[str, list[Body]]:
    """In their order within a facility; the order between partitions is not defined."""
    found: dict[str, list[Body]] = {}
    for body in bodies:
        bare = {name: value for name, value in body.items() if name not in ("id", "seq")}
        found.setdefault(body["facility"], []).append(bare | {"id": identity(body)})
    return found


def transitions_equal_the_backtest(cluster: Cluster, load: Load, within_s: float = 60.0) -> str:
    """With ingest stopped: nothing acknowledged is missing, nothing said is missing or too much.

    Returns what was counted, in words.
    """
    records = judged_log(cluster.bootstrap)
    logged = givens(records)
    lost = [given for _, given in load.acknowledged() if not logged[given]]
    assert lost == [], f"{len(lost)} acknowledged and not in the judged log"
    expected = backtested(cluster, records)
    (rules, *_) = cluster.all("rules")

    def caught_up() -> bool:
        cluster.tend()
        return len(rules.transitions()) >= len(expected)

    until(caught_up, within_s, 0.5, f"{len(expected)} transitions")
    said = rules.transitions()
    assert [t["seq"] for t in said] == list(range(1, len(said) + 1))
    assert all(t["id"] == identity(t) for t in said)
    assert by_facility(said) == by_facility(expected)
    told, repeats = alerts(cluster)
    assert told == by_facility(expected), "the topic of alerts"
    twice = sum(logged.values()) - len(logged)
    return (
        f"{load.count()} acknowledged, 0 lost; {len(logged)} in the log ({twice} stand twice); "
        f"{len(said)} transitions, all equal; {repeats} repeated on the topic"
    )


def alerts(cluster: Cluster) -> tuple[dict[str, list[Body]], int]:
    """By facility: what stands on the topic without repeats; and how many repeats there were."""
    log = KafkaLog(cluster.bootstrap)
    found: dict[str, list[Body]] = {}
    seen: dict[str, Body] = {}
    repeats = 0
    try:
        for number in range(log.partitions(ALERTS)):
            start = Position(0)
            while (batch := log.read(ALERTS, number, start)).entries:
                start = batch.next
                for entry in batch.entries:
                    body = json.loads(entry.value)
                    bare = {k: v for k, v in body.items() if k not in ("format", "report", "us")}
                    if bare["id"] in seen:
                        assert seen[bare["id"]] == bare, "a repeat says something else"
                        repeats += 1
                        continue
                    seen[bare["id"]] = bare
                    found.setdefault(bare["facility"], []).append(bare)
    finally:
        log.close()
    return found, repeats


def nobody_is_named(cluster: Cluster) -> int:
    """No phone, no mailbox, no token in any topic, the broker's own included; bytes looked at."""
    consumer = KafkaConsumer(
        bootstrap_servers=cluster.bootstrap.split(","), group_id=None, enable_auto_commit=False,
        auto_offset_reset="earliest", exclude_internal_topics=False,
    )  # fmt: skip
    names = {person.phone for person in cluster.site.people}
    names |= {person.mailbox for person in cluster.site.people}
    names |= set(cluster.site.environment.values()) - {"secret"}
    sought = re.compile(b"|".join(re.escape(name.encode()) for name in names))
    looked_at = 0
    try:
        topics = set(
            AdminClient({"bootstrap.servers": cluster.bootstrap}).list_topics(timeout=5).topics
        )
        assert topics >= {REPORTS, ALERTS, "__consumer_offsets"}, topics
        parts = [TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        consumer.seek_to_beginning(*parts)
        # A topic that only has markers of its own at the end has nothing more to give.
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    headers = [(name.encode(), value) for name, value in record.headers or ()]
                    for piece in (record.key, record.value, *(p for pair in headers for p in pair)):
                        looked_at += len(piece or b"")
                        found = sought.search(piece or b"")
                        assert not found, f"{record.topic} names {found[0]!r}"  # type: ignore[index]  # found
    finally:
        consumer.close()
    return looked_at


def told(cluster: Cluster, centre: "MessageCentre | Gateway") -> dict[str, dict[str, list[str]]]:
    """The texts at the message centre by facility (the number in its short name) and person."""
    names = {f.short_name[2:]: f.id for f in cluster.site.facilities}
    found: dict[str, dict[str, list[str]]] = {}
    for person in cluster.site.people:
        for text in centre.texts(person.phone):
            number = re.search(r"\d+号", text)
            assert number, text
            found.setdefault(names[number[0]], {}).setdefault(person.id, []).append(text)
    return found


def heard_at(cluster: Cluster, centre: "MessageCentre | Gateway") -> dict[str, float]:
    """When the first text about a facility was at the message centre."""
    names = {f.short_name[2:]: f.id for f in cluster.site.facilities}
    found: dict[str, float] = {}
    came = centre.got if isinstance(centre, Gateway) else centre.parts
    for part in came:
        if number := re.search(r"\d+号", part.text):
            found.setdefault(names[number[0]], part.at_s)
    return found


def everybody_was_told_once(
    cluster: Cluster,
    centre: "MessageCentre | Gateway",
    fired: Iterable[str],
    *,
    marked_at_most: int = 1,
) -> str:
    """Every firing told, unmarked repeats 0, each marked one explained in the ledger."""
    until(lambda: cluster.tend() and set(told(cluster, centre)) >= set(fired), 90, 0.5, "told")
    for each in cluster.all("notify"):
        until(lambda n=each: n.metrics()[IDLE] == 0, 30, 0.5, "the outbox empty")  # type: ignore[misc]  # bound now
    threading.Event().wait(2.5)  # unknown_hold, and a moment for what must not come
    notify = cluster.all("notify")[-1]
    texts = told(cluster, centre)
    assert set(texts) == set(fired), "every firing told, nothing else"
    marked = failed = unknown = 0
    for facility, phones in texts.items():
        (incident,) = notify.incidents(facility=facility)
        timeline = notify.get(f"/v1/incidents/{incident['id']}")["timeline"]
        for person, received in phones.items():
            kinds = [entry["kind"] for entry in timeline if entry["person"] == person]
            unknown += kinds.count("unknown")
            plain = [text for text in received if "重发" not in text]
            assert len(plain) <= 1, f"unmarked repeat: {received} {timeline}"
            assert len(received) <= len(plain) + marked_at_most, f"{received} {timeline}"
            if len(plain) < len(received):
                marked += 1
                assert "unknown" in kinds, timeline
                assert "repeated" in kinds, timeline
        if len(phones) > 1:
            # The leader hears of it only when the officer's message was lost twice.
            failed += 1
            assert "failed" in [entry["kind"] for entry in timeline], timeline
    return (
        f"{len(texts)} firings told; unmarked repeats 0; {unknown} outcomes unknown, "
        f"{marked} sent again and marked, {failed} lost twice"
    )


def ledger_is_whole(notify: Service) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "audit", "verify", "--url", str(notify.client.base_url)],
        cwd=ROOT, env=os.environ | {"YUJING_TOKEN": notify.site.operator_token},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
