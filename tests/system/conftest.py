"""What the system tests share: a seed that is told, a gateway, and the program in a folder.

`SEED=… make test` repeats a run: every name, number and moment is drawn from it.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from shared.testing.configs import Site, duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, free_ports

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder speaks to real processes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random, but told: a failing test prints the seed that repeats it."""
    seed = int(os.environ.get("SEED") or secrets.randbelow(2**32))
    request.node.user_properties.append(("seed", seed))
    print(f"SEED={seed}")
    return Random(seed)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        yield running


@pytest.fixture
def site(rng: Random, gateway: Gateway) -> Site:
    """One city, a duty officer and a leader, a COD rule, SMS by the gateway."""
    http_port, hj212_port = free_ports(2)
    return duty_site(rng, http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url)


@pytest.fixture
def serve(site: Site, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start the program on `site` (changed by the test as it likes); ended afterwards."""
    running: list[Program] = []

    def start(*, start: bool = True, folder: Path | None = None, **more: object) -> Program:
        program = Program(site, folder or tmp_path / "program", **more)  # type: ignore[arg-type]  # passed on as given
        running.append(program)
        return program.start() if start else program

    yield start
    for program in running:
        program.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter: Exim gives up being root, pytest's folders are 0700."""
    folder = Path(tempfile.mkdtemp(prefix="yujing-parts-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
