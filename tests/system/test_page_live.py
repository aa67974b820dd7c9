"""The page of the real program: from a reading to the tap that answers it, and the commands."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from shared.testing.configs import Facility, Person, Site, step
from shared.testing.program import ROOT, Program, free_ports, until
from tests.conftest import BROWSERS

pytestmark = [pytest.mark.system, pytest.mark.needs("chromium")]

LIVE_MS = 3_000
"""Contract §4: changes appear within 3 s without reloading."""


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def site(random_seed: int) -> tuple[Site, Facility, Person]:
    """One city with a local screen for a phone, so that no gateway is needed."""
    http_port, hj212_port = free_ports(2)
    site = Site(random.Random(random_seed), http_port, hj212_port)
    site.documents["channels"]["channels"].append({"id": "screen", "kind": "local"})
    duty = site.add_person()
    for person in site.documents["people"]["people"]:
        person["contacts"] = [
            {"id": f"{person['id']}-screen", "channel": "screen", "address": duty.phone}
        ]
    site.add_roster(site.city, {"duty_officer": [duty]})
    site.add_policy(step("duty_officer", by="screen"))
    site.add_threshold()
    return site, site.add_facility(), duty


@pytest.fixture
def random_seed(request: pytest.FixtureRequest) -> int:
    return int(getattr(request.config.option, "randomly_seed", 0) or 0)


def test_from_a_reading_to_the_tap(
    browser: Browser, site: tuple[Site, Facility, Person], tmp_path: Path
) -> None:
    """Unknown, firing with the text on the phone, acknowledged by one tap, normal again."""
    made, facility, duty = site
    with Program(made, tmp_path, arguments=["--demo"]) as program:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"http://127.0.0.1:{made.http_port}/")
        place = page.locator(f'[data-facility="{facility.id}"]')
        expect(place).to_have_attribute("data-state", "unknown")
        expect(page.locator("[data-incident]")).to_have_count(0)

        program.report(facility, made.low * 1.6)
        card = page.locator("[data-incident]")
        expect(card).to_have_count(1, timeout=LIVE_MS)
        expect(place).to_have_attribute("data-state", "firing", timeout=LIVE_MS)
        phone = page.locator(f'[data-phone="{duty.id}"]')
        expect(phone).to_contain_text("回1收到", timeout=LIVE_MS)
        expect(card).to_contain_text(duty.name)
        assert duty.phone not in page.content()

        card.locator("[data-ack]").click()
        expect(card).to_have_count(0, timeout=LIVE_MS)
        expect(page.locator("[data-handled]")).to_contain_text(duty.name)
        answered = program.incident(facility, "acknowledged")
        assert answered["acknowledged_by"] == duty.id
        assert answered["timeline"][-1]["channel"] == "page"

        program.report(facility, made.low * 0.5)
        expect(page.locator("[data-recovered]")).to_have_count(1, timeout=LIVE_MS)
        expect(place).to_have_attribute("data-state", "normal", timeout=LIVE_MS)


def test_the_commands_speak_to_the_program(
    site: tuple[Site, Facility, Person], tmp_path: Path
) -> None:
    """incidents, ack, on-call, why and audit, with the officer's token from the environment."""
    made, facility, duty = site
    with Program(made, tmp_path) as program:
        program.report(facility, made.low * 1.6)
        until(lambda: program.incident(facility, "open")["timeline"][-1]["kind"] == "accepted")
        incident = program.incident(facility)
        notification = incident["timeline"][-1]["notification"]

        assert incident["id"] in said(made, "incidents")
        assert facility.id in said(made, "incidents", "--json")
        assert duty.id in said(made, "on-call", "--territory", made.city)
        assert duty.id in said(made, "on-call", "--at", "2026-02-01T08:00+08:00")
        assert duty.id in said(made, "ack", incident["id"], "--person", duty.id)
        assert duty.id in said(made, "why", notification)
        assert facility.id in said(made, "why", incident["id"])
        assert "acknowledged" in said(made, "audit", "export", incident["id"])
        assert "ok" in said(made, "audit", "verify", token=made.operator_token)


def said(site: Site, *arguments: str, token: str | None = None) -> str:
    """What a command prints; it has to succeed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("YUJING_")} | {
        "YUJING_URL": f"http://127.0.0.1:{site.http_port}",
        "YUJING_TOKEN": token or site.officer_token,
    }
    done = subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
