"""Units of systemd: verified by systemd itself, hardened alike, restarted only where it helps."""

import re
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, Run, said

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/yujing/.venv/bin/yujing"


def installed(folder: Path) -> list[Path]:
    """The units as on a machine where the program stands: systemd wants the command to exist."""
    copies = []
    for unit in UNITS:
        copy = folder / unit.name.replace("@.", "@1.")
        copy.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
        copies.append(copy)
    return copies


def test_systemd_verifies_the_units(run: Run, tmp_path: Path) -> None:
    """No warning either: an unknown key is only a warning to systemd, and a hole to us."""
    done = run("systemd-analyze", "verify", "--man=no", *installed(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), said(done)


def test_the_exposure_systemd_computes_is_low(run: Run, tmp_path: Path) -> None:
    """At most 2.0 of 10; 1.3 when this was written."""
    for unit in installed(tmp_path):
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
        assert done.returncode == 0, said(done)


def block(unit: Path, first: str) -> str:
    """The lines of a unit from a comment to the next empty line."""
    return unit.read_text().split(f"# {first}", 1)[1].split("\n\n", 1)[0]


@pytest.mark.parametrize("first", ["Hardening", "Exit codes"])
def test_what_must_be_equal_in_all_units_is(first: str) -> None:
    assert len({block(unit, first) for unit in UNITS}) == 1


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_ends_and_restarts_as_the_contract_says(unit: Path) -> None:
    """SIGTERM ends within 15 s; exit codes 2 and 4 are not mended by a restart."""
    keys = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
    assert keys["Restart"] == "on-failure"
    assert keys["RestartPreventExitStatus"] == "2 4"
    assert int(keys["TimeoutStopSec"]) > 15
    assert keys["ExecStart"].startswith(f"{PROGRAM} ")
    assert keys["StateDirectory"] == keys_of_data(unit)


def keys_of_data(unit: Path) -> str:
    """The folder under /var/lib that the unit names as YUJING_DATA."""
    [name] = re.findall(r"^Environment=YUJING_DATA=/var/lib/(.+)$", unit.read_text(), re.MULTILINE)
    return str(name)
