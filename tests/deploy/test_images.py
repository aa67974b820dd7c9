"""The image recipe: linted, complete, and the program in it stops when it is told to."""

import fnmatch
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, ROOT, Run, said

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SERVICES = {"ingest": 8620, "rules": 8622, "notify": 8623}


def stages() -> dict[str, str]:
    """The text of each stage, by its name."""
    parts = re.split(r"^FROM \S+ AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def copied() -> list[str]:
    """What the recipe takes from the source tree."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_hadolint_has_nothing_to_say(run: Run) -> None:
    done = run("hadolint", DEPLOY / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, ""), said(done)


def test_everything_copied_exists_and_is_not_ignored() -> None:
    """A line in .dockerignore that is forgotten fails a build on another machine, not here."""
    allowed = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source in allowed, f"{source} is not let in by Dockerfile.dockerignore"
    assert sorted(allowed) == sorted(copied())


@pytest.mark.parametrize("service", SERVICES)
def test_a_target_runs_its_service_alone_and_asks_whether_it_lives(service: str) -> None:
    """Exec form, so that SIGTERM reaches the program; health on its own port."""
    text = stages()[service]
    [entry] = re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)
    assert json.loads(entry) == ["yujing", service]
    [health] = re.findall(r"CMD (\[.+\])$", text, re.MULTILINE)
    python, flag, code = json.loads(health)
    assert (python, flag) == ("python", "-c")
    assert f"http://127.0.0.1:{SERVICES[service]}/healthz" in code
    assert f"YUJING_HTTP=0.0.0.0:{SERVICES[service]}" in text


def test_the_image_runs_as_nobody_in_particular() -> None:
    """A fixed number, so that Kubernetes can check that it is not root."""
    [user] = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert user == "10001:10001"
    assert "USER" in stages()["base"], "every target must inherit it"


def test_the_wheel_carries_every_file_the_program_reads(tmp_path: Path) -> None:
    """Templates, packs, schemas, the page: what is in the tree is in the image."""
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert built.returncode == 0, said(built)
    [wheel] = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "services", "shared"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert [name for name in tracked if name not in inside] == []


def test_the_build_sees_no_secret_and_no_data() -> None:
    """The ignore file begins by refusing everything."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    for allowed in (rule[1:] for rule in rules if rule.startswith("!")):
        assert not fnmatch.fnmatch("deploy/secrets/database-password", f"{allowed}*")
