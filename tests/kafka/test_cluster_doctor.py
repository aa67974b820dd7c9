"""`yujing doctor` in a cluster: a line for the broker, its topics and the database."""

import os
import subprocess
import sys
from pathlib import Path

from shared.testing.configs import Site
from shared.testing.parts.kafka import Broker
from shared.testing.program import ROOT


def doctor(site: Site, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", "doctor", "--config", str(site.write(tmp_path / "c")),
         *arguments],
        capture_output=True, text=True, timeout=90, cwd=ROOT, check=False,
        env=os.environ | site.environment,
    )  # fmt: skip


def test_it_says_what_answers_and_what_does_not(
    own_broker: Broker, site: Site, tmp_path: Path
) -> None:
    """What is well, what an operator should know, and what to do about the rest."""
    nobody = "postgresql://127.0.0.1:1/none"
    found = doctor(site, tmp_path, "--kafka", own_broker.bootstrap, "--database-url", nobody)
    assert "warn  broker: " in found.stdout and "1 copies instead of 3" in found.stdout
    assert "ok    topics: as topics.yaml says" in found.stdout
    assert "ok    yujing.reports.v1: 12 partitions, 0 entries" in found.stdout
    assert "fail  database: PostgreSQL:" in found.stdout
    assert found.returncode == 1
    own_broker.kill()
    found = doctor(site, tmp_path, "--kafka", own_broker.bootstrap)
    assert "does not answer" in found.stdout and "start it" in found.stdout
