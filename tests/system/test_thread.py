"""The thread: bytes in at a port, a text on a phone, an answer from the phone, recovery; and mail."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import pytest

from shared.testing.configs import STATION_CODE, Site, step
from shared.testing.parts.exim import Exim
from shared.testing.parts.kannel import Kannel
from shared.testing.parts.smsc import MessageCentre
from shared.testing.program import Program, device, free_ports, now_text, until

pytestmark = pytest.mark.needs("kannel", "exim")


@pytest.fixture
def centre() -> Iterator[MessageCentre]:
    with MessageCentre() as running:
        yield running


@pytest.fixture
def mail(open_folder: Path) -> Iterator[Exim]:
    with Exim(open_folder / "exim") as running:
        yield running


@pytest.fixture
def program(rng: Random, tmp_path: Path, centre: MessageCentre, mail: Exim) -> Iterator[Program]:
    http_port, hj212_port = free_ports(2)
    reply_url = f"http://127.0.0.1:{http_port}/gateway/sms/reply"
    with Kannel(tmp_path / "kannel", centre.port, reply_url) as kannel:
        site = Site(rng, http_port, hj212_port)
        site.add_sms(kannel.url)
        site.add_mail(mail.port, tls="starttls", ca_file=str(mail.ca_file))
        duty, leader = site.add_person(), site.add_person()
        site.add_roster(site.city, {"duty_officer": [duty], "shift_leader": [leader]})
        site.add_policy(step("duty_officer"), match={"severity": ["yellow"]})
        site.add_policy(step("shift_leader", by="mail"), match={"severity": ["orange", "red"]})
        site.add_threshold()
        for _ in range(3):
            site.add_facility()
        with Program(site, tmp_path / "program") as running:
            yield running


def test_http_report_rings_the_phone_and_a_reply_acknowledges(
    program: Program, centre: MessageCentre
) -> None:
    """A report by HTTP becomes an SMS through a real Kannel; `1` from that phone acknowledges."""
    site, facility = program.site, program.site.facilities[0]
    duty = site.people[0]
    value = round(site.low * 1.2, 2)
    program.report(facility, value)
    part = centre.wait_for(1)[0]
    assert (part.recipient, part.coding) == (duty.phone, 8)
    assert part.text.startswith("【预警】")
    assert facility.short_name in part.text
    assert f"{float(f'{value:.4g}'):g}mg/L" in part.text.replace(" ", "")
    assert re.search(r"回1收到 [A-HJ-NP-Z][2-9]$", part.text), part.text
    assert len(part.text.encode("utf-16-be")) // 2 <= 70

    until(lambda: kinds(program, facility).count("delivered") == 1, what="the receipt")
    centre.say(duty.phone, "10690123", "1")
    whole = until(lambda: program.incident(facility, "acknowledged"), what="acknowledged")
    assert whole["acknowledged_by"] == duty.id

    program.report(facility, site.low / 2)
    recovery = centre.wait_for(2)[1]
    assert recovery.recipient == duty.phone
    assert "恢复" in recovery.text
    assert "回1收到" not in recovery.text
    until(lambda: program.incident(facility, "resolved"), what="resolved")


def test_hj212_frame_rings_the_phone(program: Program, centre: MessageCentre) -> None:
    """A frame on the station port is answered with 9014 and becomes an SMS."""
    site, facility = program.site, program.site.facilities[1]
    stamp = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    with program.line() as line:
        answer = line.ask(
            device(facility).upload({STATION_CODE: round(site.low * 1.3, 1)}, data_time=stamp)
        )
    assert b"CN=9014" in answer, answer
    assert facility.short_name in centre.wait_for(1)[0].text


def test_mail_link_is_read_by_scanners_and_only_a_post_acknowledges(
    program: Program, mail: Exim
) -> None:
    """GET and HEAD by a mail scanner change nothing; POST without a body acknowledges."""
    site, facility = program.site, program.site.facilities[2]
    leader = site.people[1]
    program.report(facility, site.low * 1.7)
    message = mail.wait_for(1)[0]
    assert message["X-Yujing-Incident"]
    assert message["X-Yujing-Notification"]
    links = {
        link
        for part in message.walk()
        if part.get_content_maintype() == "text"
        for link in re.findall(r"http://[^\s\"'<>]+", part.get_content())
    }
    assert len(links) == 1, links
    link = links.pop()
    assert link.startswith(f"http://127.0.0.1:{site.http_port}/a/")
    for _ in range(3):
        assert httpx.get(link, trust_env=False).status_code == 200
        assert httpx.head(link, trust_env=False).status_code == 200
    assert program.incident(facility)["state"] == "open"
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert httpx.post(forged, trust_env=False).status_code == 404
    assert httpx.post(link, trust_env=False).status_code == 200
    whole = program.incident(facility, "acknowledged")
    assert whole["acknowledged_by"] == leader.id

    program.report(facility, site.low / 2, at=now_text(1))
    recovery = mail.wait_for(2)[1]
    assert message["Message-ID"] in (recovery["References"] or "")
    body = "".join(
        part.get_content() for part in recovery.walk() if part.get_content_maintype() == "text"
    )
    assert "/a/" not in body


def kinds(program: Program, facility: object) -> list[str]:
    """The kinds of the timeline of a facility's newest incident."""
    return [entry["kind"] for entry in program.incident(facility)["timeline"]]  # type: ignore[arg-type]  # a Facility
