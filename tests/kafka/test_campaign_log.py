"""`campaigns report` and `backtest` read the log of a cluster, as a user who may only read it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shared.config.load import load
from shared.log.kafka import KafkaLog
from shared.log.port import REPORTS, Addition
from shared.log.security import Security
from shared.log.sqlite import SqliteLog
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.testing.parts.kafka import Broker
from shared.testing.program import ROOT
from tests.kafka.conftest import apply_topics
from tests.scenario.campaign_site import write_campaign_site

DAY = 86_400_000_000
USERS = {name: f"{name}-secret-9" for name in ("admin", "analyst")}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", users=USERS) as broker:
        apply_topics(broker, "admin")
        asked(["topics", "allow", "--kafka", broker.bootstrap], broker.environment("admin"))
        yield broker


def asked(arguments: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "services", *arguments], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_log_of_a_cluster_says_what_that_of_one_process_says(
    secure: Broker, tmp_path: Path
) -> None:
    """Two plants in two partitions of twelve, six days: the same report, the same transitions."""
    config = write_campaign_site(tmp_path / "config")
    configuration = load(config, {})
    (campaign,) = configuration.campaigns.values()
    name, body = encode_bundle(configuration.bundle())
    (tmp_path / "data").mkdir()
    file = SqliteLog(tmp_path / "data" / "log.db")
    log = KafkaLog(secure.bootstrap, Security("admin", secure.users["admin"], str(secure.ca)))
    partitions = log.partitions(REPORTS)
    assert partition_of("wuhan", partitions) != partition_of("hunan", partitions)
    try:
        file.put(name, body)
        for day in range(-2, 5):
            at = Instant(campaign.from_us + day * DAY)
            records: list[Record] = [Activate(name)] * (day == -2)
            records.append(Tick(Instant(at + DAY)))
            for plant, tonnes in (("wuhan", 35.0), ("hunan", 55.0 if day == 2 else 20.0)):
                columns = (("mw.disposed_t",), (tonnes,))
                records.append(Report(plant, plant, "day", at, *columns, None, at, "http"))
            file.append(REPORTS, [("k", encode_envelope(records))])
            log.append_all(
                [
                    Addition(REPORTS, "", encode_envelope(
                        [r for r in records if not isinstance(r, Report)
                         or partition_of(r.facility, partitions) == number]), number)
                    for number in range(partitions)
                ]
            )  # fmt: skip
    finally:
        file.close()
        log.close()
    cluster = ["--kafka", secure.bootstrap, "--config", str(config)]
    analyst = secure.environment("analyst")
    for verb in (["campaigns", "report", campaign.id], ["backtest"]):
        one = asked([*verb, str(tmp_path / "data"), "--config", str(config)], {})
        assert asked([*verb, *cluster], analyst) == one
    assert "合计：报警 +1 −0" in asked(["campaigns", "report", campaign.id, *cluster], analyst)
    late = asked(
        ["campaigns", "report", campaign.id, *cluster, "--since", "2020-01-23T00:00:00"], analyst
    )
    assert "数据从 2020-01-23T00:00:00+08:00 开始，行动此前的部分没有数据" in late
