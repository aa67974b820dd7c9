"""Who is let in to the page, for how long, and which forms may act."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.notify.session import COOKIE, LIFE_S
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NOW, OFFICER, OPERATOR, UPSTREAM, DeskHouse


@asynccontextmanager
async def signed_in(house: DeskHouse, token: str = OFFICER) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as client:
        assert (await client.post("/session", data={"token": token})).status_code == 303
        yield client


def test_the_token_is_asked_once_and_kept_in_a_strict_cookie(desk_house: DeskHouse, go: Go) -> None:
    """HttpOnly, SameSite=Strict, a shift long, and the token itself nowhere in it."""
    desk_house.desk.write("i-1", "510100-ww-01", NOW)

    async def enter() -> list[Any]:
        async with desk_house.client() as client:
            asked = await client.get("/")
            answer = await client.post("/session", data={"token": OFFICER})
            page = await client.get("/")
            return [asked.text, answer.headers["set-cookie"], page.text, str(answer.headers)]

    asked, cookie, page, headers = go(enter())
    assert 'action="/session"' in asked
    assert 'name="token"' in asked
    assert "data-incident" not in asked
    assert {"HttpOnly", "SameSite=strict", f"Max-Age={LIFE_S}", "Path=/"} <= set(cookie.split("; "))
    assert OFFICER not in headers
    assert 'data-incident="i-1"' in page


def test_wrong_and_upstream_tokens_stay_outside(desk_house: DeskHouse, go: Go) -> None:
    """401 and 403, in words, with no cookie."""

    async def enter(token: str) -> Any:
        async with desk_house.client() as client:
            return await client.post("/session", data={"token": token})

    for token, status, said in ((OFFICER + "x", 401, "令牌不对"), (UPSTREAM, 403, "上报"),
                                ("", 401, "令牌不对")):  # fmt: skip
        answer = go(enter(token))
        assert (answer.status_code, said in answer.text) == (status, True)
        assert "set-cookie" not in answer.headers


def test_a_session_ends_with_the_shift_and_forged_ones_never_begin(
    desk_house: DeskHouse, go: Go
) -> None:
    """Signed, bounded, and bound to the token as it is configured."""

    async def look() -> list[bool]:
        async with signed_in(desk_house) as client:
            seen = ['id="top"' in (await client.get("/")).text]
            desk_house.wall += LIFE_S - 1
            seen.append('id="top"' in (await client.get("/")).text)
            desk_house.wall += 2
            seen.append('id="top"' in (await client.get("/")).text)
        for forged in ("", "x", "=" * 900, "YS5iLmM=", "\x7f"):
            async with desk_house.client() as client:
                page = await client.get("/", headers={"Cookie": f"{COOKIE}={forged}"})
                seen.append('id="top"' in page.text)
        return seen

    assert go(look()) == [True, True, False, False, False, False, False, False]


def test_the_header_opens_the_page_too(desk_house: DeskHouse, go: Go) -> None:
    """And a wrong header is told so, even beside a good cookie."""

    async def look() -> list[int]:
        async with desk_house.client(OPERATOR) as ops, signed_in(desk_house) as officer:
            wrong = await officer.get("/", headers={"Authorization": "Bearer nonsense"})
            return [(await ops.get("/")).status_code, wrong.status_code]

    assert go(look()) == [200, 401]


@pytest.mark.parametrize(
    ("peer", "host", "headers", "inside"),
    [
        ("127.0.0.1", "127.0.0.1:8620", {}, True),
        ("::1", "[::1]:8620", {}, True),
        ("127.0.0.1", "localhost:8620", {}, True),
        ("192.0.2.9", "127.0.0.1:8620", {}, False),
        ("127.0.0.1", "evil.example", {}, False),
        ("127.0.0.1", "127.0.0.1:8620", {"X-Forwarded-For": "192.0.2.9"}, False),
    ],
)
def test_demo_opens_for_this_machine_only(
    go: Go, peer: str, host: str, headers: dict[str, str], inside: bool
) -> None:
    """Neither a remote browser, nor a name that points here, nor a proxy gets in without token."""

    async def look(house: DeskHouse) -> bool:
        async with house.client(peer=peer, host=host) as client:
            return 'id="top"' in (await client.get("/", headers=headers)).text

    assert go(look(DeskHouse(demo=True))) is inside
    assert go(look(DeskHouse(demo=False))) is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://127.0.0.1:8620", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_other_sites_cannot_press_the_button(go: Go, headers: dict[str, str], status: int) -> None:
    """Also in demo mode, where there is no cookie to withhold."""
    house = DeskHouse(demo=True)
    house.desk.write("i-1", "510100-ww-01", NOW)

    async def press() -> int:
        async with house.client() as client:
            form = {"incident": "i-1", "person": "li"}
            answer = await client.post("/page/acknowledge", data=form, headers=headers)
            return answer.status_code

    assert go(press()) == status
    assert len(house.desk.acks) == (1 if status == 303 else 0)


def test_the_button_answers_for_the_chosen_person(desk_house: DeskHouse, go: Go) -> None:
    """With script JSON, without it the page; foreign incidents stay untouched."""
    desk_house.desk.write("i-1", "510100-ww-01", NOW)
    desk_house.desk.write("i-2", "510200-mw-01", NOW)

    async def press() -> list[Any]:
        async with signed_in(desk_house) as client:

            async def post(incident: str, person: str, accept: str) -> httpx.Response:
                form = {"incident": incident, "person": person}
                return await client.post("/page/acknowledge", data=form, headers={"Accept": accept})

            foreign = await post("i-2", "li", "application/json")
            wrong = await post("i-1", "nobody", "text/html")
            right = await post("i-1", "chen", "application/json")
            return [foreign.status_code, "没有这个人" in wrong.text, right.json()["state"]]

    assert go(press()) == [404, True, "acknowledged"]
    assert desk_house.desk.acks == [("i-1", "chen", "page", "access rong-desk")]


def test_pages_load_nothing_from_elsewhere(desk_house: DeskHouse, go: Go) -> None:
    """One origin, no inline script or style, and a policy that says so."""
    desk_house.desk.write("i-1", "510100-ww-01", NOW)

    async def look() -> list[Any]:
        async with signed_in(desk_house) as client:
            page = await client.get("/")
            files = [(await client.get(f"/page/{name}")) for name in
                     re.findall(r'(?:href|src)="/page/([^"]+)"', page.text)]  # fmt: skip
            again = await client.get(
                "/page/app.js", headers={"If-None-Match": files[-1].headers["etag"]}
            )
            lost = await client.get("/page/other.js")
            return [page, files, again.status_code, lost.status_code]

    page, files, again, lost = go(look())
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r"(?:https?:)?//[a-z]", page.text) == []
    assert re.findall(r"<style|style=|<script>|onclick", page.text) == []
    assert [file.status_code for file in files] == [200, 200, 200]
    assert (again, lost) == (304, 404)


def test_signing_out_ends_it(desk_house: DeskHouse, go: Go) -> None:
    """The next look asks for the token again."""

    async def leave() -> bool:
        async with signed_in(desk_house) as client:
            await client.post("/session/end")
            return 'action="/session"' in (await client.get("/")).text

    assert go(leave()) is True
