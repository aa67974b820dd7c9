"""Time that misbehaves: a frozen process is deaf, a stepped clock rings nobody up the ladder."""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from shared.testing.configs import Site, step
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, until

Serve = Callable[..., Program]


def test_frozen_process_is_deaf_not_its_stations_silent(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """SIGSTOP for twice `every` + `grace`: no station is called silent for our own deafness."""
    site.timing["deaf_after"] = "3s"
    site.documents["rules"]["rules"] = []
    site.add_silence("3s", "1s")
    for _ in range(500):
        site.add_facility()
    stations = list(site.facilities)
    program = serve()
    for facility in stations[::50]:
        program.report(facility, 1.0)
    program.freeze()
    threading.Event().wait(8.0)
    program.thaw()
    until(program.is_ready)
    started = program.metrics()
    until(lambda: program.metrics()["yujing_clock_seconds"] > started["yujing_clock_seconds"] + 1)
    assert program.transitions() == []
    assert gateway.got == []
    assert program.metrics()["yujing_deaf_seconds_total"] > 6

    # And real silence is still found afterwards, in all of them.
    def silent() -> int:
        return len({t["facility"] for t in program.transitions()})

    until(lambda: silent() >= len(stations), 40.0, 0.5, "silence found")
    found = program.transitions()
    assert {t["facility"] for t in found} == {f.id for f in stations}
    assert {t["cause"] for t in found} == {"missing"}
    assert min(datetime.fromisoformat(t["at"]) for t in found) > datetime.fromisoformat(
        found[0]["episode"]
    )


def faked(folder: Path) -> tuple[dict[str, str], Callable[[str], None]]:
    """An environment in which the wall clock follows a file, and the way to move it."""
    library = str(next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")))
    stamp = folder / "faketime"
    folder.mkdir(parents=True, exist_ok=True)

    def move(offset: str) -> None:
        stamp.write_text(offset + "\n")

    move("+0")
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }, move


@pytest.mark.needs("faketime")
@pytest.mark.parametrize("offset", ["+3600", "-3600"])
def test_clock_step_rings_nobody_up_the_ladder(
    serve: Serve, site: Site, gateway: Gateway, tmp_path: Path, offset: str
) -> None:
    """An hour forward or back while a step waits half an hour: nobody further is told."""
    site.documents["policies"]["policies"][0]["steps"] = [
        step("duty_officer", wait="30m"), step("shift_leader", wait="30m"),
    ]  # fmt: skip
    environment, move = faked(tmp_path / "clock")
    program = serve(environment=environment)
    program.report(site.facilities[0], site.low * 1.2)
    gateway.wait_for(1)
    before = program.metrics()["yujing_clock_seconds"]
    move(offset)
    until(lambda: abs(program.metrics()["yujing_clock_seconds"] - before) > 3000, what="the step")
    with pytest.raises(TimeoutError):
        gateway.wait_for(2, 4.0)
    until(program.is_ready)
    # New alerts still go out at once, to the first step.
    other = site.facilities[1]
    at = "2026-01-01T00:00:00+08:00"
    program.report(other, site.low * 1.2, at=at)
    assert gateway.wait_for(2)[1].recipient == site.people[0].phone
    assert program.stop() == 0


@pytest.mark.needs("faketime")
@pytest.mark.parametrize("offset", ["+600", "-600"])
def test_short_step_comes_when_due_after_a_clock_step(
    serve: Serve, site: Site, gateway: Gateway, tmp_path: Path, offset: str
) -> None:
    """A step that waits 5 s is taken about 5 s later whatever the wall clock did meanwhile."""
    site.documents["policies"]["policies"][0]["steps"] = [
        step("duty_officer", wait="5s"), step("shift_leader", wait="1h"),
    ]  # fmt: skip
    environment, move = faked(tmp_path / "clock")
    program = serve(environment=environment)
    program.report(site.facilities[0], site.low * 1.2)
    first = gateway.wait_for(1)[0]
    move(offset)
    second = gateway.wait_for(2, 15.0)[1]
    assert second.recipient == site.people[1].phone
    assert 3.5 < second.at_s - first.at_s < 10
    assert program.stop() == 0
