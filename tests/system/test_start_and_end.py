"""Starting and ending: exit codes, named lines and ports, strange paths and places, SIGTERM."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from shared.testing.configs import Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, now_text, reading, until

Serve = Callable[..., Program]


def ended(program: Program, within_s: float = 20.0) -> tuple[int, str]:
    """Start a program that is expected to end by itself: its exit code and what it said."""
    code = program.spawn().wait(within_s)
    return code, program.tail(50)


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def test_second_serve_on_the_same_data_exits_3(serve: Serve, site: Site, tmp_path: Path) -> None:
    """The data directory belongs to one process; the first goes on serving."""
    first = serve()
    second = Program(site, tmp_path / "second", data=first.data)
    second.arguments = ["--http", "127.0.0.1:0", "--hj212", "127.0.0.1:0"]
    code, said = ended(second)
    second.close()
    assert code == 3, said
    assert str(first.data) in said or "data" in said
    assert first.is_ready()


@pytest.mark.parametrize("which", ["http", "hj212"])
def test_port_in_use_exits_3_and_is_named(serve: Serve, site: Site, which: str) -> None:
    """Whoever has to free the port learns its number, and nothing was opened for writing."""
    port = site.http_port if which == "http" else site.hj212_port
    with socket.create_server(("127.0.0.1", port)):
        program = serve(start=False)
        code, said = ended(program)
    assert code == 3, said
    assert str(port) in said
    assert not (program.data / "log.db").exists()


def test_data_of_a_newer_version_exits_4_untouched(serve: Serve) -> None:
    """A newer program's data is not touched by an older one."""
    program = serve()
    assert program.stop() == 0
    version = program.data / "VERSION"
    number = int(version.read_text().splitlines()[0])
    version.write_text(f"{number + 1}\n")
    before = {path.name: path.read_bytes() for path in program.data.iterdir() if path.is_file()}
    code, said = ended(program)
    after = {path.name: path.read_bytes() for path in program.data.iterdir() if path.is_file()}
    assert code == 4, said
    assert str(number + 1) in said
    assert {n: b for n, b in after.items() if n != "lock"} == {
        n: b for n, b in before.items() if n != "lock"
    }


def test_configuration_error_names_file_and_line_before_any_port_opens(
    serve: Serve, site: Site, rng: Random
) -> None:
    """Exit 2, `rules.yaml:LINE:` on stderr, no port open, no data directory made."""
    program = serve(start=False)
    path = program.config / "rules.yaml"
    lines = path.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if "severity: orange" in line)
    lines[at] = lines[at].replace("orange", "purple")
    filler = [f"# {site.word(4)}" for _ in range(rng.randint(0, 5))]
    path.write_text("\n".join(filler + lines) + "\n", "utf-8")
    opened = threading.Event()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if is_open(site.http_port) or is_open(site.hj212_port):
                opened.set()
            over.wait(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code, said = ended(program)
    over.set()
    watcher.join()
    assert code == 2, said
    assert f"rules.yaml:{len(filler) + at + 1}:" in said
    assert not opened.is_set()
    assert not program.data.exists() or not any(program.data.iterdir())


def test_variable_that_is_named_and_not_set_exits_2(serve: Serve, site: Site) -> None:
    """A secret that is not there is found before anything starts."""
    program = serve(start=False)
    del site.environment["OPS_TOKEN"]
    code, said = ended(program)
    assert code == 2, said
    assert "access.yaml:" in said
    assert "OPS_TOKEN" in said


def test_path_with_chinese_and_a_space(
    serve: Serve, site: Site, tmp_path: Path, gateway: Gateway
) -> None:
    """Folders may be named as people name them."""
    program = serve(folder=tmp_path / f"{site.word(2)} 预警 数据")
    program.report(site.facilities[0], site.low * 1.2)
    gateway.wait_for(1)


def test_foreign_time_zone_and_no_locale(serve: Serve, site: Site, gateway: Gateway) -> None:
    """TZ=America/New_York and LC_ALL=C change nothing that is seen."""
    program = serve(environment={"TZ": "America/New_York", "LC_ALL": "C", "LANG": "C"})
    facility = site.facilities[0]
    noon = now_text()[:11] + "00:30:00+08:00"
    program.report(facility, site.low * 1.2, at=noon)
    text = gateway.wait_for(1)[0].text
    assert text.startswith("【预警】")
    assert facility.short_name in text
    assert "00:30" in text
    transition = until(program.transitions)[0]
    assert transition["at"].endswith("T00:30:00+08:00")
    program.report(facility, site.low * 1.3, at=now_text()[:19])
    assert program.log_lines()


def test_sigterm_under_load_loses_nothing_and_ends_in_time(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """What was acknowledged before the end is judged after the next start; each told once."""
    facilities = [site.add_facility() for _ in range(40)]
    program = serve()
    taken: list[str] = []

    def stream() -> None:
        for facility in facilities:
            try:
                answer = program.post(reading(facility, site.low * 1.2, at=now_text()))
            except Exception:
                return
            if answer.status_code == 202:
                taken.append(facility.id)

    loader = threading.Thread(target=stream)
    loader.start()
    until(lambda: len(taken) >= 10)
    assert program.stop() == 0
    loader.join()
    program.start()
    until(lambda: {t["facility"] for t in program.transitions()} >= set(taken), what="all judged")
    until(lambda: len(gateway.got) >= len(taken), what="all told")
    ids = [message.notification for message in gateway.got]
    assert len(ids) == len(set(ids))


def test_ready_within_ten_seconds_and_logs_are_json(serve: Serve, site: Site) -> None:
    """Contract §1: /readyz within 10 s, one JSON object a line, no phone number in it."""
    program = serve(start=False)
    program.start(within_s=10.0)
    program.report(site.facilities[0], site.low * 3)
    until(lambda: program.incident(site.facilities[0]))
    assert program.stop() == 0
    assert program.log_lines()
    for person in site.people:
        assert person.phone not in program.log_text()


def test_sigterm_ends_within_15_s_while_a_gateway_hangs(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """A gateway that never answers does not hold up the end."""
    site.documents["channels"]["channels"][0]["timeout"] = "60s"
    gateway.mood = "hang"
    program = serve()
    program.report(site.facilities[0], site.low * 1.2)
    gateway.wait_for(1)
    try:
        assert program.stop(15.0) == 0
    except subprocess.TimeoutExpired:
        pytest.fail("SIGTERM did not end it within 15 s")
