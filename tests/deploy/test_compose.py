"""The compose set-up: accepted by docker compose, closed to the outside, secrets only as files."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import DEPLOY, Run, said

OURS = {"ingest": "ingest", "rules-1": "rules", "rules-2": "rules", "notify": "notify"}


@pytest.fixture
def project(run: Run) -> dict[str, Any]:
    """The set-up as compose itself reads it."""
    done = run("docker-compose", "-f", DEPLOY / "compose.yaml",
               "--env-file", DEPLOY / ".env.example", "config", "--format", "json")  # fmt: skip
    assert done.returncode == 0, said(done)
    assert done.stderr == "", said(done)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_compose_says_what_is_missing_without_its_settings(run: Run, tmp_path: Path) -> None:
    """A set-up without configuration must not start with an empty one."""
    empty = tmp_path / "env"
    empty.write_text("")
    done = run("docker-compose", "-f", DEPLOY / "compose.yaml", "--env-file", empty, "config", "-q")
    assert done.returncode != 0
    assert "YUJING_CONFIG_DIR" in done.stderr


def test_only_loopback_is_published(project: dict[str, Any]) -> None:
    published = {
        name: [port.get("host_ip") for port in service.get("ports", [])]
        for name, service in project["services"].items()
    }
    assert {ip for ips in published.values() for ip in ips} == {"127.0.0.1"}
    assert published["kafka"] == published["postgres"] == []
    assert project["networks"]["inside"]["internal"] is True


def test_no_port_is_published_twice(project: dict[str, Any]) -> None:
    published = [
        port["published"]
        for service in project["services"].values()
        for port in service.get("ports", [])
    ]
    assert len(published) == len(set(published))


def test_no_secret_stands_in_the_file(project: dict[str, Any]) -> None:
    """Variables with PASSWORD, SECRET or TOKEN in the name only ever name a file."""
    for name, service in project["services"].items():
        for key, value in (service.get("environment") or {}).items():
            if any(word in key for word in ("PASSWORD", "SECRET", "TOKEN")):
                assert str(value).startswith("/run/secrets/"), f"{name}: {key}"


@pytest.mark.parametrize(("name", "target"), OURS.items())
def test_a_service_of_ours_is_confined_and_waits(
    project: dict[str, Any], name: str, target: str
) -> None:
    """Read-only root, no capability, no new privilege; topics and database come first."""
    service = project["services"][name]
    assert service["build"]["target"] == target
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["stop_grace_period"] == "20s", "SIGTERM ends within 15 s"
    after = {key: each["condition"] for key, each in service["depends_on"].items()}
    assert after.pop("topics") == "service_completed_successfully"
    assert after == ({} if target == "ingest" else {"postgres": "service_healthy"})


def test_workers_of_rules_have_stable_names_and_one_address(project: dict[str, Any]) -> None:
    """Two workers of one name would throw each other out."""
    workers = [project["services"][name] for name in ("rules-1", "rules-2")]
    assert [w["environment"]["YUJING_INSTANCE"] for w in workers] == ["rules-1", "rules-2"]
    assert all(w["networks"]["inside"]["aliases"] == ["rules"] for w in workers)


def test_every_file_that_is_mounted_is_there(project: dict[str, Any]) -> None:
    """What compose would make as an empty folder is a mistake, but for the site's own secrets."""
    mounts = [
        Path(mount["source"])
        for service in project["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    ]
    assert {m.name for m in mounts if not m.exists()} <= {"site"}


def test_prometheus_finds_every_service_by_a_name_compose_gives(project: dict[str, Any]) -> None:
    import yaml

    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    names = {
        name
        for job in config["scrape_configs"]
        for entry in job.get("dns_sd_configs", [])
        for name in entry["names"]
    }
    given = set(project["services"]) | {
        alias
        for service in project["services"].values()
        for network in (service.get("networks") or {}).values()
        for alias in (network or {}).get("aliases") or []
    }
    assert names == {"ingest", "rules", "notify"}
    assert names <= given
