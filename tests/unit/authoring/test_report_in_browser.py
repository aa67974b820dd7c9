"""The report in Chromium: by day and night, on a telephone and at a desk; nothing is fetched."""

import io
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from services.authoring.absent import with_stand_ins
from services.authoring.run_report import run
from shared.config.load import load
from tests.conftest import BROWSERS
from tests.unit.authoring.trial_site import write_hours, write_site

pytestmark = [pytest.mark.system, pytest.mark.needs("chromium")]


def test_the_page_fits_every_screen_and_fetches_nothing(tmp_path: Path) -> None:
    """No sideways scrolling, no request, no complaint; the line is drawn inside its box."""
    hours = write_hours(tmp_path / "hours.csv", f1="20 70 120 20 _ 30 " * 8, f2="20 " * 48)
    page = tmp_path / "report.html"
    configuration = load(write_site(tmp_path / "site"), with_stand_ins({}))
    assert run(configuration, [hours], page, "never", io.BytesIO(), io.StringIO()) == 0
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for width, scheme in ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
            tab = chromium.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            said: list[str] = []
            asked: list[str] = []
            tab.on("console", lambda message, said=said: said.append(message.text))
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(page.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert (said, asked) == ([], [page.as_uri()])
            box = tab.locator(".plot svg").first.bounding_box()
            line = tab.locator(".plot svg .line").first.bounding_box()
            assert box is not None and line is not None
            assert box["x"] - 2 <= line["x"] and line["width"] <= box["width"] + 4
            assert line["height"] > 50
            tab.close()
        chromium.close()
