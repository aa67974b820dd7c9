"""Senders that misbehave: wrong password, one MN twice, a flood without ##, the same report twice."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.testing.configs import STATION_CODE, Site
from shared.testing.hj212_device import Hj212Device
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, device, now_text, reading, until

Serve = Callable[..., Program]


def stamp(offset_s: int = 0) -> str:
    """DataTime of now in the site's time zone."""
    return (datetime.now(UTC) + timedelta(hours=8, seconds=offset_s)).strftime("%Y%m%d%H%M%S")


def rejections(program: Program, reason: str) -> float:
    return program.metrics().get(f'yujing_rejections_total{{reason="{reason}"}}', 0.0)


def test_wrong_password_unknown_mn_and_crc_get_no_answer_and_are_counted(
    serve: Serve, site: Site
) -> None:
    """The connection stays open: the right frame after the wrong ones is answered."""
    program = serve()
    facility = site.facilities[0]
    right = device(facility)
    wrong = "000000" if facility.password != "000000" else "111111"
    value = {STATION_CODE: site.low / 2}
    bad_crc = bytearray(right.upload(value, data_time=stamp()))
    bad_crc[-6:-2] = b"1234"
    with program.line(timeout_s=1.0) as line:
        for data in (
            Hj212Device(mn=facility.mn, password=wrong).upload(value, data_time=stamp()),
            Hj212Device(mn="F" * 24, password=facility.password).upload(value, data_time=stamp()),
            bytes(bad_crc),
            Hj212Device(mn=facility.mn, password=facility.password, modbus=True).upload(
                value, data_time=stamp()
            ),
        ):
            with pytest.raises(TimeoutError):
                line.ask(data)
    with program.line() as line:
        line.send(Hj212Device(mn=facility.mn, password=wrong).upload(value, data_time=stamp()))
        assert b"CN=9014" in line.ask(right.upload(value, data_time=stamp(1)))
    for reason in ("password", "unknown-station", "crc", "modbus-crc"):
        assert rejections(program, reason) >= 1, reason
    assert wrong not in program.log_text()


@pytest.mark.parametrize("edition", ["2005", "2017", "2025"])
def test_answer_is_in_the_dialect_of_the_sender(serve: Serve, site: Site, edition: str) -> None:
    """2005 puts QN and CN into CP, later editions into the head with their own Flag."""
    program = serve()
    facility = site.facilities[0]
    when = stamp()
    frame = device(facility, edition).upload({STATION_CODE: 1.5}, data_time=when)
    with program.line() as line:
        answer = line.ask(frame).decode()
        again = line.ask(frame).decode()
    assert answer == again
    body = answer[6:-4]
    qn = when + "000"
    head = f"PW={facility.password};MN={facility.mn}"
    assert (
        body
        == {
            "2005": f"ST=91;CN=9014;CP=&&QN={qn};CN=2011;PNO=1;PNUM=1;&&",
            "2017": f"QN={qn};ST=91;CN=9014;{head};Flag=4;CP=&&&&",
            "2025": f"QN={qn};ST=91;CN=9014;{head};Flag=8;CP=&&&&",
        }[edition]
    )
    until(lambda: len(program.get("/v1/facilities")["facilities"]) == len(site.facilities))
    accepted = program.metrics()['yujing_reports_total{listener="hj212",result="accepted"}']
    assert accepted == 1


def test_same_mn_on_two_connections_is_heard_on_both(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """A logger that reconnects before its old line is noticed dead is answered on either."""
    program = serve()
    one = device(site.facilities[0])
    with program.line() as first, program.line() as second:
        assert b"9014" in first.ask(one.upload({STATION_CODE: 1}, data_time=stamp()))
        assert b"9014" in second.ask(one.upload({STATION_CODE: site.low * 1.2}, data_time=stamp(1)))
        assert b"9014" in first.ask(one.upload({STATION_CODE: site.low * 1.3}, data_time=stamp(2)))
    gateway.wait_for(1)
    assert [t["cause"] for t in until(program.transitions)] == ["raised"]


def test_two_deliveries_of_one_report_on_two_connections(
    serve: Serve, site: Site, gateway: Gateway
) -> None:
    """By HTTP twice at once and by HJ 212 twice: accepted once each, told once."""
    program = serve()
    web, wire = site.facilities[:2]
    body = reading(web, site.low * 1.2, at=now_text())
    answers: list[dict[str, int]] = []

    def deliver() -> None:
        answers.append(program.post(body).json())

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(a["accepted"] for a in answers) == 1
    assert sum(a["duplicates"] for a in answers) == 7
    frame = device(wire).upload({STATION_CODE: site.low * 1.2}, data_time=stamp())
    with program.line() as first, program.line() as second:
        first.send(frame)
        assert b"9014" in second.ask(frame)
        assert b"9014" in first.answer()
    until(lambda: len(program.transitions()) == 2)
    gateway.wait_for(2)
    with pytest.raises(TimeoutError):
        gateway.wait_for(3, 1.0)


def test_flood_without_a_frame_is_cut_off_and_others_are_heard(serve: Serve, site: Site) -> None:
    """64 KiB without ##: closed; memory does not grow with what was sent."""
    program = serve()
    before = resident_mb(program)
    sent = 0
    junk = b"\0#x" * 21_845
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", site.hj212_port), timeout=5) as flood:
            try:
                for _ in range(160):
                    flood.sendall(junk)
                    sent += len(junk)
            except OSError:
                continue
    assert sent < 20 * 160 * len(junk), "it was never cut off"
    with program.line() as line:
        frame = device(site.facilities[0]).upload({STATION_CODE: 1}, data_time=stamp())
        assert b"9014" in line.ask(frame)
    assert resident_mb(program) - before < 60


def resident_mb(program: Program) -> float:
    """Resident memory of the program."""
    pages = Path(f"/proc/{program.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096 / 1e6
