"""Where the tools that check deploy/ are found, and what is said when one is missing.

`scripts/install_deploy_tools.sh` brings them: what Debian has by apt, the rest into var/tools.
A missing tool is a loud skip; with CI=true it is a failure.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / "var" / "tools" / "bin"
IN_CI = os.environ.get("CI") == "true"

Run = Callable[..., subprocess.CompletedProcess[str]]


def find_tool(name: str) -> str:
    """The path of a tool, from var/tools or the machine; or the skip said aloud."""
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is not None:
        return found
    reason = f"{name} is not here; run: sh scripts/install_deploy_tools.sh"
    if IN_CI:
        pytest.fail(f"CI skips nothing: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def run() -> Run:
    """Run one tool to its end, bounded; what it printed belongs to the failure."""

    def call(
        *command: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        name, *rest = map(str, command)
        return subprocess.run(
            [find_tool(name), *rest],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return call


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Everything a tool printed, for the message of a failed assertion."""
    return f"{done.args}\n{done.stdout}\n{done.stderr}"
