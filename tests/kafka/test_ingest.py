"""`yujing ingest`: the yes comes after the broker, the inbox is a listener, nothing is lost."""

import json
import shutil
import subprocess
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from kafka import KafkaProducer

from shared.log.kafka import KafkaLog
from shared.log.port import INBOX, REPORTS, Position
from shared.model.partition import partition_of
from shared.model.report import Activate, Report, Tick, decode_envelope
from shared.testing.cluster import Service
from shared.testing.configs import STATION_CODE, Site
from shared.testing.parts.kafka import Broker
from shared.testing.program import device, now_text, reading, until

Start = Callable[..., Service]


def records(broker: Broker) -> dict[int, list[Any]]:
    """Everything on the judged log, by partition."""
    log = KafkaLog(broker.bootstrap)
    found: dict[int, list[Any]] = {}
    try:
        for number in range(log.partitions(REPORTS)):
            found[number] = []
            start = Position(0)
            while (batch := log.read(REPORTS, number, start)).entries:
                start = batch.next
                for entry in batch.entries:
                    found[number] += decode_envelope(entry.value)
    finally:
        log.close()
    return found


def reports(broker: Broker) -> list[Report]:
    return [r for inside in records(broker).values() for r in inside if isinstance(r, Report)]


def letters(ingest: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := ingest.get("/v1/dead-letters", after=found[-1]["id"] if found else 0, limit=1000)[
        "dead-letters"
    ]:
        found += page
    return found


def test_reports_stand_in_the_partition_of_their_facility(
    own_broker: Broker, service: Start, site: Site
) -> None:
    """By HTTP and by HJ 212; ticks and the configuration in every partition; once over a restart."""
    for _ in range(9):
        site.add_facility()
    ingest = service("ingest", own_broker.bootstrap)
    for number, facility in enumerate(site.facilities[1:]):
        ingest.report(facility, float(number), at="2026-03-01T08:00:00+08:00")
    with ingest.line() as line:
        upload = device(site.facilities[0]).upload({STATION_CODE: 0.0}, data_time="20260301080000")
        line.send(upload)
        assert b"CN=9014" in line.answer()
    again = ingest.post(reading(site.facilities[0], 0.0, at="2026-03-01T08:00:00+08:00"))
    assert again.json()["duplicates"] == 1
    until(lambda: all(any(isinstance(r, Tick) for r in rs) for rs in records(own_broker).values()))
    found = records(own_broker)
    for number, inside in found.items():
        assert sum(isinstance(r, Activate) for r in inside) == 1
        for record in inside:
            if isinstance(record, Report):
                assert partition_of(record.facility, len(found)) == number
    assert len(reports(own_broker)) == len(site.facilities)
    assert ingest.stop() == 0
    ingest.start()
    again = ingest.post(reading(site.facilities[0], 0.0, at="2026-03-01T08:00:00+08:00"))
    assert again.json()["duplicates"] == 1
    found = records(own_broker)
    assert all(sum(isinstance(r, Activate) for r in rs) == 1 for rs in found.values())


def test_two_ingests_know_what_the_other_took(
    own_broker: Broker, service: Start, site: Site
) -> None:
    """A sender that is sent to the other one after a second hears that it is known."""
    first = service("ingest", own_broker.bootstrap, name="one")
    site.hj212_port = 0
    second = service("ingest", own_broker.bootstrap, name="two")
    facility = site.facilities[0]
    first.report(facility, 5.0, at="2026-03-01T08:00:00+08:00")
    body = reading(facility, 5.0, at="2026-03-01T08:00:00+08:00")
    until(
        lambda: second.client.post(
            "/v1/reports?dry_run=1", json=body, headers={"Authorization": f"Bearer {site.upstream_token}"}
        ).json()["duplicates"] == 1,
        within_s=10,
    )  # fmt: skip


def test_the_inbox_takes_reports_from_any_client(
    own_broker: Broker, service: Start, site: Site, rng: Random
) -> None:
    """Single, array, CloudEvent; what is none becomes a dead letter with its reason."""
    ingest = service("ingest", own_broker.bootstrap)
    facility = site.facilities[0]
    good = [reading(facility, float(n), at=f"2026-03-01T08:{n:02}:00+08:00") for n in range(20)]
    event = {
        "specversion": "1.0", "id": "1", "source": "/x", "type": "cn.report",
        "datacontenttype": "application/json", "data": good[3],
    }  # fmt: skip
    stranger = good[0] | {"facility": "nobody-01", "station": "nobody-01-a"}
    values = [
        json.dumps(good[0]), json.dumps(good[1:3]), json.dumps(event),
        *(json.dumps(each) for each in good[4:]),
    ]  # fmt: skip
    bad: list[bytes | None] = [
        None, b"", b"\xff\xfe", b"{", b"[]", b"7", json.dumps(stranger).encode(), b"x" * 2_000_000,
    ]  # fmt: skip
    mixed: list[bytes | None] = [*(text.encode() for text in values), *bad]
    rng.shuffle(mixed)
    producer = KafkaProducer(bootstrap_servers=own_broker.bootstrap, max_request_size=4_000_000)
    for value in mixed:
        # kafka-python wants a key or a value; a tombstone has none.
        producer.send(INBOX, value, key=None if value and rng.random() < 0.5 else b"any")
    producer.close()
    until(lambda: len(reports(own_broker)) == len(good), within_s=20)
    until(lambda: len(letters(ingest)) == len(bad), within_s=20)
    assert {each["listener"] for each in letters(ingest)} == {"kafka"}
    reasons = sorted(each["reason"] for each in letters(ingest))
    assert reasons == sorted(["bad-json"] * 6 + ["bad-field", "unknown-facility"])
    assert ingest.metrics()['yujing_reports_total{listener="kafka",result="accepted"}'] == 20
    until(lambda: sum(v for k, v in ingest.metrics().items() if "lag" in k and "inbox" in k) == 0)


@pytest.mark.needs("kcat")
def test_kcat_publishes_with_its_own_partitioner(
    own_broker: Broker, service: Start, site: Site
) -> None:
    """It hashes keys otherwise than we do: the inbox does not mind."""
    service("ingest", own_broker.bootstrap)
    lines = [
        f"{facility.id}|" + json.dumps(reading(facility, 7.0, at=now_text()))
        for facility in site.facilities
    ]
    kcat = shutil.which("kcat")
    assert kcat is not None
    subprocess.run(
        [kcat, "-P", "-b", own_broker.bootstrap, "-t", INBOX, "-K", "|"],
        input="\n".join(lines).encode(), check=True, timeout=30,
    )  # fmt: skip
    until(lambda: len(reports(own_broker)) == len(site.facilities), within_s=20)


def test_a_broker_that_is_away_costs_nothing_that_was_said_yes_to(
    own_broker: Broker, service: Start, site: Site
) -> None:
    """HTTP hears 503, a logger hears nothing; afterwards both are taken without a restart."""
    ingest = service("ingest", own_broker.bootstrap)
    facility = site.facilities[0]
    ingest.report(facility, 1.0, at="2026-03-01T08:00:00+08:00")
    own_broker.kill()
    answer = ingest.post(reading(facility, 2.0, at="2026-03-01T08:01:00+08:00"), timeout=60)
    assert answer.status_code in (429, 503), answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    until(lambda: ingest.client.get("/readyz").status_code == 503, within_s=20)
    own_broker.start()
    until(lambda: ingest.client.get("/readyz").status_code == 200, within_s=30)
    answer = ingest.post(reading(facility, 2.0, at="2026-03-01T08:01:00+08:00"))
    assert answer.status_code == 202, answer.text
    values = sorted(report.values[0] for report in reports(own_broker))
    assert values == [1.0, 2.0]
