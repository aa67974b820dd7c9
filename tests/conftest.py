"""What every test may rely on: real parts found or the skip said aloud, and Hypothesis profiles.

`@pytest.mark.needs("kannel", "exim")` names the real servers a test speaks to. Where one is
missing the test is skipped with the command that installs it; with CI=true it fails instead.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from shared.testing.parts.kafka import Broker

KAFKA_JARS = Path(__file__).parents[1] / "var" / "kafka" / "lib"

IN_CI = os.environ.get("CI") == "true"
os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

PARTS: dict[str, tuple[tuple[str, ...], str]] = {
    "kannel": (("bearerbox", "smsbox"), "kannel"),
    "exim": (("exim4", "openssl"), "exim4-daemon-light openssl"),
    "promtool": (("promtool",), "prometheus"),
    "kcat": (("kcat",), "kcat"),
    "faketime": (("faketime",), "faketime"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Markers of ours; --strict-markers refuses the rest."""
    config.addinivalue_line("markers", "needs(*parts): real servers the test speaks to")


def missing_package(part: str) -> str | None:
    """The Debian packages that would bring a part, or nothing when it is there."""
    if part == "root":
        return None if os.geteuid() == 0 else "(run as root)"
    if part == "kafka":
        there = (KAFKA_JARS.exists() and shutil.which("java")) or None
        return None if there else "openjdk-17-jre-headless maven && sh scripts/install_kafka.sh"
    if part == "postgres":  # Debian keeps its binaries off the PATH
        from shared.testing.parts.postgres import binaries

        return None if binaries() else "postgresql"
    if part == "chromium":
        return None if any(shutil.which(name) for name in BROWSERS) else "chromium"
    commands, package = PARTS[part]
    return None if all(shutil.which(command) for command in commands) else package


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip loudly, or fail in CI, where a real part is missing."""
    for mark in item.iter_markers("needs"):
        for part in mark.args:
            package = missing_package(part)
            if package is None:
                continue
            reason = f"{part} is not here; apt-get install --no-install-recommends {package}"
            if IN_CI and part != "root":
                pytest.fail(f"CI skips nothing: {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Broker]":
    """One real broker for all tests of a process; tests that kill a broker start their own."""
    from shared.testing.parts.kafka import Broker

    with Broker(tmp_path_factory.mktemp("kafka")) as found:
        yield found
