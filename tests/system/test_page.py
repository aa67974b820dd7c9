"""The page in a real browser: on a phone and a desk, live, one tap, and honest when cut off."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from shared.testing.served import served
from tests.conftest import BROWSERS
from tests.unit.notify_api.desk_house import NOW, OFFICER, DeskHouse, paper_link
from tests.unit.notify_api.night import at, busy_night, states, text_at

pytestmark = [pytest.mark.system, pytest.mark.needs("chromium")]

LIVE_MS = 3_000
"""Contract §4: changes appear within 3 s."""
SIZES = {"phone": (390, 844), "desk": (1280, 800)}


@pytest.fixture(scope="module")
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
def night() -> Iterator[tuple[DeskHouse, str]]:
    house = DeskHouse(demo=True, states=states)
    busy_night(house)
    with served(house.app) as url:
        yield house, url


def opened(browser: Browser, size: str = "phone", **more: Any) -> tuple[Page, list[str]]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        timezone_id="America/New_York",
        **more,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_stands_on_the_page(
    browser: Browser, night: tuple[DeskHouse, str], size: str, scheme: str, tmp_path: Path
) -> None:
    """No sideways scrolling, no complaint of the browser, nothing fetched from elsewhere."""
    _, url = night
    page, complaints = opened(browser, size, color_scheme=scheme)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(url)
    first = page.locator("[data-incident]").first
    expect(first).to_have_attribute("data-incident", "i-red")
    expect(first.locator(".countdown")).to_contain_text("03:12")
    expect(first).to_contain_text("李值")
    expect(first).to_contain_text("未送到")
    expect(page.locator("[data-phone=li]")).to_contain_text("回1收到 T7")
    expect(page.locator('[data-facility="510100-ww-02"]')).to_have_attribute(
        "data-state", "unknown"
    )
    expect(page.locator("#clock")).to_have_text("2026-03-10 03:12:05")
    expect(page.locator("#link")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
    button = first.locator("[data-ack]").bounding_box()
    assert button is not None
    assert button["height"] >= 48
    assert complaints == []
    assert [one for one in fetched if not one.startswith(url)] == []
    page.screenshot(
        path=Path(os.environ.get("YUJING_SHOTS", tmp_path)) / f"page-{size}-{scheme}.png",
        full_page=True,
    )


def test_one_tap_acknowledges(browser: Browser, night: tuple[DeskHouse, str]) -> None:
    """Without dialog, for the preselected person, and the card moves in front of his eyes."""
    house, url = night
    page, complaints = opened(browser)
    page.goto(url)
    page.click("[data-incident=i-red] [data-ack]")
    expect(page.locator("[data-handled=i-red]")).to_contain_text("陈带", timeout=LIVE_MS)
    expect(page.locator("[data-incident=i-red]")).to_have_count(0)
    assert house.desk.acks == [("i-red", "chen", "page", "access demo")]
    assert complaints == []


def test_changes_appear_by_themselves(browser: Browser, night: tuple[DeskHouse, str]) -> None:
    """A new incident, its recovery and the count in the title, each within three seconds."""
    house, url = night
    page, _ = opened(browser)
    page.goto(url)
    expect(page).to_have_title(re.compile(r"\(2\) "))
    house.desk.write("i-new", "510100-ww-02", NOW, next_step_at=text_at(1))
    expect(page.locator("[data-incident]").first).to_have_attribute(
        "data-incident", "i-new", timeout=LIVE_MS
    )
    expect(page).to_have_title(re.compile(r"\(3\) "))
    house.desk.resolve("i-new", at(2))
    expect(page.locator("[data-recovered=i-new]")).to_be_visible(timeout=LIVE_MS)
    expect(page.locator("[data-incident=i-new]")).to_have_count(0)


def test_what_the_officer_is_doing_survives_a_redraw(
    browser: Browser, night: tuple[DeskHouse, str]
) -> None:
    """His choice of person and the opened history stay while the board changes around them."""
    house, url = night
    page, _ = opened(browser)
    page.goto(url)
    page.select_option("[data-incident=i-red] select", "li")
    page.click("[data-incident=i-red] summary")
    house.desk.write("i-new", "510100-ww-02", NOW, next_step_at=text_at(1))
    house.desk.papers["i-red"]["severity"] = "orange"
    expect(page.locator("[data-incident=i-new]")).to_be_visible(timeout=LIVE_MS)
    expect(page.locator("[data-incident=i-red].severity-orange")).to_be_visible()
    assert page.input_value("[data-incident=i-red] select") == "li"
    assert page.locator("[data-incident=i-red] details").get_attribute("open") is not None
    page.click("[data-incident=i-red] [data-ack]")
    expect(page.locator("[data-handled=i-red]")).to_be_visible(timeout=LIVE_MS)
    assert house.desk.acks[-1][1] == "li"


def test_a_page_that_is_cut_off_says_so(browser: Browser, night: tuple[DeskHouse, str]) -> None:
    """Yesterday's calm must not look like now; the button says that it did not work."""
    _, url = night
    page, _ = opened(browser)
    page.goto(url)
    expect(page.locator("#link")).to_be_visible()
    page.context.set_offline(True)
    page.click("[data-incident=i-red] [data-ack]")
    expect(page.locator("#problem")).to_contain_text("没有确认")
    expect(page.locator("#stale")).to_be_visible(timeout=10_000)
    expect(page.locator("#link")).to_be_hidden()
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_hidden(timeout=10_000)


def test_without_script_it_reads_and_answers(
    browser: Browser, night: tuple[DeskHouse, str]
) -> None:
    """The document is complete, and the button is a form."""
    house, url = night
    page, _ = opened(browser, java_script_enabled=False)
    page.goto(url)
    expect(page.locator("[data-facility]")).to_have_count(3)
    page.click("[data-incident=i-blue] [data-ack]")
    expect(page.locator("[data-handled=i-blue]")).to_be_visible()
    assert house.desk.acks == [("i-blue", "yu", "page", "access demo")]


def test_the_token_is_typed_once(browser: Browser) -> None:
    """A wrong one is refused in words; the right one stays over a reload, out of the address."""
    house = DeskHouse(states=states)
    busy_night(house)
    with served(house.app) as url:
        page, _ = opened(browser)
        page.goto(url)
        page.fill("[name=token]", "wrong")
        page.click("button")
        expect(page.locator("[role=alert]")).to_contain_text("令牌不对")
        page.fill("[name=token]", OFFICER)
        page.click("button")
        expect(page.locator("[data-incident=i-red]")).to_be_visible()
        expect(page.locator("[data-incident=i-blue]")).to_have_count(0)
        page.reload()
        expect(page.locator("[data-incident=i-red]")).to_be_visible()
        assert OFFICER not in page.url
        page.click("text=退出")
        expect(page.locator("[name=token]")).to_be_visible()


def test_the_link_of_a_mail_has_one_big_button(
    browser: Browser, night: tuple[DeskHouse, str]
) -> None:
    """Opening it changes nothing; pressing it answers for the one it was sent to."""
    house, url = night
    page, complaints = opened(browser)
    page.goto(f"{url}/a/{paper_link('i-red', 'li')}")
    expect(page.locator("h1")).to_have_text("蓉城示例传染病医院污水站")
    assert house.desk.acks == []
    page.click("button")
    expect(page.locator("[role=status]")).to_contain_text("李值")
    assert house.desk.acks == [("i-red", "li", "link", "")]
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_silence_is_planned_and_ended_without_script(browser: Browser, size: str) -> None:
    """From the card of a facility to the form, to the list, to its end; nothing is cut off."""
    house = DeskHouse(states=states)
    busy_night(house)
    house.desk.now = NOW
    with served(house.app) as url:
        page, _ = opened(browser, size, java_script_enabled=False)
        page.goto(url)
        page.fill("[name=token]", OFFICER)
        page.click("button")
        page.locator("[data-incident=i-red] a", has_text="静默此设施").click()
        expect(page.locator("#place")).to_have_value("蓉城示例传染病医院污水站 510100-ww-01")
        expect(page.locator("#up_to")).to_have_value("orange")
        page.fill("#reason", "停炉检修，已报备")
        page.select_option("#person", "li")
        page.click("text=开始静默")
        card = page.locator("[data-silence]")
        expect(card).to_contain_text("比橙色更严重的照常通知")
        expect(card).to_contain_text("没有压下任何预警")
        body = page.locator("body").bounding_box()
        assert body is not None
        assert body["width"] == SIZES[size][0]
        page.goto(url)
        expect(page.locator("#open")).to_contain_text("1 项静默中，最早 07:12 结束")
        page.click("text=1 项静默中")
        card.locator("select").select_option("li")
        page.click("text=现在结束")
        expect(card).to_contain_text("李值 提前结束")
