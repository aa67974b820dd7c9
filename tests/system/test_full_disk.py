"""A full disk: no 202 and no 9014 while the log cannot be written; well again without restart."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.testing.configs import STATION_CODE, Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, device, now_text, reading, until

Serve = Callable[..., Program]
MEBIBYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB for the data directory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this container may not mount a tmpfs; run with CAP_SYS_ADMIN")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more fits, to the last byte."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (MEBIBYTE, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return path


@pytest.mark.needs("root")
def test_full_disk_gives_no_202_and_no_9014_and_recovers(
    serve: Serve, site: Site, small_disk: Path, gateway: Gateway
) -> None:
    """503 with Retry-After and silence on the station port; then 202 without a restart."""
    program = serve(data=small_disk / "data")
    one, two, three = site.facilities[:3]
    program.report(one, 1.0)
    filler = fill(small_disk)
    statuses = set()
    for attempt in range(50):
        answer = program.post(reading(one, 1.0 + attempt, at=now_text()))
        statuses.add(answer.status_code)
        if answer.status_code == 503:
            break
        assert answer.status_code == 202, answer.text
    assert 503 in statuses
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert program.client.get("/readyz").status_code == 503
    assert program.post(reading(one, 99.0, at=now_text())).status_code == 503

    stamp = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    frame = device(two).upload({STATION_CODE: site.low * 1.2}, data_time=stamp)
    with program.line(timeout_s=3.0) as line:
        with pytest.raises(TimeoutError):
            line.ask(frame)
        filler.unlink()
    until(program.is_ready, 15.0)
    program.report(three, site.low * 1.2)
    with program.line() as line:
        assert b"CN=9014" in line.ask(frame)
    until(lambda: {t["facility"] for t in program.transitions()} == {two.id, three.id})
    until(lambda: len(gateway.got) == 2)
    assert program.process.poll() is None
