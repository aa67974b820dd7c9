"""A restart on what an earlier commit stored, and what is said to data of a newer program."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from services.notify.core.incident import INCIDENT_FORMAT
from services.rules.core.state import STATE_FORMAT
from services.rules.postgres import SCHEMA_FORMAT
from shared.log.kafka import KafkaLog
from shared.log.port import ALERTS, REPORTS
from shared.model.alert import ALERT_FORMAT
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import RECORD_FORMAT, Report
from shared.testing.cluster import Cluster, Service
from shared.testing.configs import STATION_CODE
from shared.testing.parts.gateway import Gateway
from shared.testing.program import now_text, reading, until
from tests.kafka.cluster_truth import ledger_is_whole
from tests.kafka.stored_data import FOLDER, put_back, read, site_of

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(180)]
FILES = sorted(FOLDER.glob("*.json.gz"))


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(getattr(request, "param", FILES[-1]))


@pytest.fixture
def stored(kept: dict[str, Any], tmp_path: Path, gateway: Gateway) -> Iterator[Cluster]:
    """Kafka, PostgreSQL and ingest.db as they were left; no service runs yet."""
    cluster = Cluster(site_of(kept, gateway.url), tmp_path, rules=1, notify=1)
    try:
        cluster.start_parts()
        put_back(kept, cluster)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same for those who are refused: each test puts back what it changed."""
    kept = read(FILES[-1])
    site = site_of(kept, "http://127.0.0.1:1/")
    cluster = Cluster(site, tmp_path_factory.mktemp("stored"), rules=1, notify=1)
    try:
        cluster.start_parts()
        put_back(kept, cluster)
        yield cluster
    finally:
        cluster.close()


@pytest.mark.parametrize("kept", FILES, indirect=True, ids=lambda path: path.stem)
def test_a_cluster_goes_on_with_what_an_earlier_commit_stored(
    kept: dict[str, Any], stored: Cluster, gateway: Gateway
) -> None:
    """Episodes, incidents, duplicates and the ledger are those of before; nobody is told again."""
    stored.start_services()
    site = stored.site
    firing, acknowledged, pending = site.facilities
    ingest, rules, notify = (stored.services[n] for n in ("ingest", "rules-0", "notify-0"))
    assert rules.transitions()[:3] == kept["transitions"]
    assert [{k: i[k] for k in ("id", "facility", "state")} for i in notify.incidents()] == kept[
        "incidents"
    ]
    # The index of readings: what was taken then is known.
    again = ingest.post(reading(firing, round(site.low * 1.2, 3), at="2020-02-24T08:00:01+08:00"))
    assert again.json()["duplicates"] == 1
    # The state of rules: the delay that ran then ends at its instant, not later.
    until(lambda: len(rules.transitions()) > 3, 30, what="the pending one fires")
    (fired,) = rules.transitions()[3:]
    began = next(t for t in kept["transitions"] if t["facility"] == pending.id)
    assert (fired["facility"], fired["state"], fired["step"]) == (pending.id, "firing", 2)
    assert (fired["episode"], fired["at"]) == (began["episode"], "2020-02-24T09:00:01+08:00")
    # An incident: its recovery belongs to the episode of then, and goes to who was told then.
    ingest.report(firing, round(site.low * 0.3, 3), at=now_text())
    until(lambda: notify.incident(firing)["state"] == "resolved", 30, what="resolved")
    until(lambda: len(gateway.got) == 1, 30, what="the recovery")
    assert gateway.got[0].recipient == site.people[0].phone
    assert notify.incident(acknowledged)["state"] == "acknowledged"
    ledger_is_whole(notify)
    for name in stored.services:
        assert stored.stop(name) == 0
    assert len(gateway.got) == 1


def newer_than(what: str, known: int) -> str:
    return f"{what} has format {known + 1}, this program knows {known}"


def ends_with(service: Service, within_s: float = 30.0) -> tuple[int, str]:
    """Start it; how it ended, and what it said."""
    service.spawn()
    try:
        code = service.process.wait(within_s)
    except subprocess.TimeoutExpired:
        code = 0
        service.kill()
    return code, service.log_text()


@contextmanager
def changed(cluster: Cluster, table: str, column: str, value: object) -> Iterator[None]:
    """One column of the only row, for a while."""
    with psycopg.connect(cluster.postgres.url(), autocommit=True) as connection:
        (before,) = connection.execute(f"SELECT {column} FROM {table}".encode()).fetchone() or ()
        order = f"UPDATE {table} SET {column} = %s".encode()
        connection.execute(order, (value,))
        yield
        connection.execute(order, (before,))


def test_tables_and_directories_of_a_newer_program_are_refused(untouched: Cluster) -> None:
    """Exit code 4 and a sentence, before anything is written or a port is open."""
    with changed(untouched, "yujing_rules.format", "number", SCHEMA_FORMAT + 1):
        code, said = ends_with(untouched.services["rules-0"])
    assert code == 4, said
    assert newer_than("schema yujing_rules", SCHEMA_FORMAT) in said
    with changed(untouched, "yujing_notify.alembic_version", "version_num", "9999"):
        code, said = ends_with(untouched.services["notify-0"])
    assert code == 4, said
    assert "tables are newer than this program" in said
    version = untouched.ingest.data / "VERSION"
    version.write_text("2\n")
    code, said = ends_with(untouched.ingest)
    version.write_text("1\n")
    assert code == 4, said
    assert "use the newer program" in said


def test_a_checkpoint_of_a_newer_program_is_refused(untouched: Cluster) -> None:
    """The worker ends with 4 and says why; the checkpoint stays as it was."""
    heads = "SELECT partition, head FROM yujing_rules.partitions WHERE head IS NOT NULL"
    order = "UPDATE yujing_rules.partitions SET head = %s WHERE partition = %s"
    with psycopg.connect(untouched.postgres.url(), autocommit=True) as connection:
        number, body = connection.execute(heads).fetchall()[0]
        head = msgspec.msgpack.decode(body)
        assert head[0] <= STATE_FORMAT
        newer = msgspec.msgpack.encode([STATE_FORMAT + 1, *head[1:]])
        connection.execute(order, (newer, number))
        code, said = ends_with(untouched.services["rules-0"])
        assert (number, newer) in connection.execute(heads).fetchall()
        connection.execute(order, (body, number))
    assert newer_than("rules state", STATE_FORMAT) in said
    assert code == 4


def test_records_of_other_formats_among_those_of_today(stored: Cluster, gateway: Gateway) -> None:
    """An older envelope is judged, a newer one set aside; a newer alert is passed over, loudly.

    An incident that a newer program wrote waits for it; incidents of other partitions go on.
    """
    waiting, going_on = stored.site.facilities[1], stored.site.facilities[0]
    assert partition_of(waiting.id, 4) < partition_of(going_on.id, 4)
    log = KafkaLog(stored.bootstrap)
    older = Report(
        going_on.id, going_on.station, "realtime", Instant(1_600_000_000_000_000),
        (STATION_CODE,), (stored.site.low * 1.7,), None, Instant(1_600_000_000_000_000), "http",
    )  # fmt: skip
    number = partition_of(going_on.id, 4)
    log.append(REPORTS, [("", msgspec.msgpack.encode([RECORD_FORMAT + 1, []]))], number)
    log.append(REPORTS, [("", msgspec.msgpack.encode([RECORD_FORMAT - 1, [older]]))], number)
    log.append(ALERTS, [("", json.dumps({"format": ALERT_FORMAT + 1}).encode())], number)
    log.close()
    with psycopg.connect(stored.postgres.url(), autocommit=True) as connection:
        query = "SELECT body FROM yujing_notify.incidents WHERE facility = %s"
        (body,) = connection.execute(query, (waiting.id,)).fetchone() or ()
        newer = msgspec.msgpack.encode(
            msgspec.msgpack.decode(body) | {"format": INCIDENT_FORMAT + 1}
        )
        order = "UPDATE yujing_notify.incidents SET body = %s WHERE facility = %s"
        connection.execute(order, (newer, waiting.id))
    stored.start_services()
    ingest, rules, notify = (stored.services[n] for n in ("ingest", "rules-0", "notify-0"))
    (letter,) = until(lambda: ingest.get("/v1/dead-letters")["dead-letters"], 30)
    assert letter["reason"] == "bad-record"
    assert newer_than("log entry", RECORD_FORMAT) in letter["detail"]
    until(lambda: len(gateway.got) == 1, 30, what="what the older envelope raised")
    ingest.report(waiting, stored.site.low * 1.7)
    until(lambda: "partition_not_taken" in notify.log_text(), 30, what="the newer incident")
    ingest.report(going_on, stored.site.low * 2.5)
    until(lambda: len(gateway.got) == 2, 30, what="told of what came after")
    assert {each.recipient for each in gateway.got} == {stored.site.people[0].phone}
    said = notify.log_text()
    assert f"has format {INCIDENT_FORMAT + 1}, this program knows {INCIDENT_FORMAT}" in said
    assert "alert_not_readable" in said
    assert notify.metrics()['yujing_failures_total{service="notify"}'] >= 2
    assert [t["severity"] for t in rules.transitions() if t["facility"] == going_on.id] == [
        "yellow", "orange", "red",
    ]  # fmt: skip
