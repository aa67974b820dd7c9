"""`yujing topics` and the comparison at every start: said in sentences, mended where it can be."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from shared.errors import ConfigError, Unavailable
from shared.log.security import Security
from shared.log.topics import Topics, read_topics
from shared.testing.cluster import Service
from shared.testing.parts.kafka import Broker
from shared.testing.program import ROOT


def topics(broker: Broker, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", "topics", *arguments, "--kafka", broker.bootstrap],
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip


def test_topics_are_made_compared_and_mended(tmp_path: Path) -> None:
    """Missing, then as wanted, then with a setting that somebody changed."""
    with Broker(tmp_path / "broker") as broker:
        missing = topics(broker, "diff")
        assert missing.returncode == 1
        assert "yujing.reports.v1: it is missing" in missing.stdout
        made = topics(broker, "apply")
        assert made.returncode == 0, made.stdout + made.stderr
        assert "1 broker(s): 1 copies instead of 3" in made.stdout
        assert topics(broker, "diff").stdout.startswith("ok:")
        admin = broker.admin()
        reports = ConfigResource(
            ConfigResourceType.TOPIC, "yujing.reports.v1", configs={"retention.ms": "1000"}
        )
        admin.alter_configs([reports])
        found = topics(broker, "diff")
        assert found.returncode == 1
        assert "retention.ms is 1000, wanted 604800000" in found.stdout
        assert "retention.ms set to 604800000" in topics(broker, "apply").stdout
        admin.close()


def test_another_number_of_partitions_is_refused(
    tmp_path: Path, service: Callable[..., Service]
) -> None:
    """It cannot be mended, and a service does not start on it: exit 2 and a sentence."""
    with Broker(tmp_path / "broker") as broker:
        admin = broker.admin()
        admin.create_topics([NewTopic("yujing.reports.v1", 3, 1)])
        admin.close()
        found = topics(broker, "apply")
        assert found.returncode == 1
        assert "it has 3 partitions, topics.yaml says 12; this cannot be changed" in found.stdout
        ingest = service("ingest", broker.bootstrap, start=False)
        ingest.spawn()
        assert ingest.process.wait(30) == 2
        assert "topics.yaml: yujing.reports.v1: it has 3 partitions" in ingest.log_text()
        assert not ingest.data.exists()


def test_a_broker_that_is_not_there_is_named() -> None:
    """Not a traceback, and not for ever."""
    with pytest.raises(Unavailable, match=r"broker 127\.0\.0\.1:1 does not answer"):
        Topics("127.0.0.1:1", Security(), read_topics())


@pytest.mark.parametrize(
    "body", ["", "topics: 3", "replication: x\ntopics: {}", "a: [", "topics: {t: {}}"]
)
def test_what_is_no_topics_file_is_refused(tmp_path: Path, body: str) -> None:
    """With its name."""
    path = tmp_path / "other.yaml"
    path.write_text(body)
    with pytest.raises(ConfigError, match=r"other\.yaml"):
        read_topics(path)
