"""Incidents, acknowledgements, duty, why and the ledger over HTTP."""

from typing import Any

import pytest

from shared.model.instants import Instant
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.desk_house import NOW, OFFICER, OPERATOR, UPSTREAM, DeskHouse, paper_link

MINE, OTHERS = "510100-ww-01", "510200-mw-01"


@pytest.fixture
def house(desk_house: DeskHouse) -> DeskHouse:
    desk_house.desk.write("i-mine", MINE, NOW)
    desk_house.desk.write("i-other", OTHERS, NOW)
    return desk_house


@pytest.mark.parametrize(
    "path",
    ["/v1/incidents", "/v1/incidents/i-mine", "/v1/duty", "/v1/why/i-mine", "/v1/audit",
     "/v1/audit/i-mine"],
)  # fmt: skip
def test_json_is_for_the_header_alone(house: DeskHouse, go: Go, path: str) -> None:
    """No token is 401, an upstream is 403, and a token in the URL is no token."""

    async def look() -> list[int]:
        async with house.client() as nobody, house.client(UPSTREAM) as upstream:
            answers = [
                await nobody.get(path),
                await nobody.get(path, params={"token": OPERATOR}),
                await upstream.get(path),
            ]
            assert answers[0].headers["www-authenticate"] == "Bearer"
            assert answers[0].headers["content-type"] == "application/problem+json"
            return [answer.status_code for answer in answers]

    assert go(look()) == [401, 401, 403]


def test_an_officer_sees_and_answers_his_territory_only(house: DeskHouse, go: Go) -> None:
    """What lies elsewhere is not there: 404, and never 403."""

    async def look() -> tuple[list[str], list[int]]:
        async with house.client(OFFICER) as officer:
            listed = (await officer.get("/v1/incidents")).json()["incidents"]
            codes = [
                (await officer.get("/v1/incidents/i-mine")).status_code,
                (await officer.get("/v1/incidents/i-other")).status_code,
                (
                    await officer.post(
                        "/v1/incidents/i-other/acknowledgements", json={"person": "yu"}
                    )
                ).status_code,
            ]
            return [one["id"] for one in listed], codes

    assert go(look()) == (["i-mine"], [200, 404, 404])
    assert house.desk.acks == []


def test_lists_filter_by_state_and_facility(house: DeskHouse, go: Go) -> None:
    """The newest stands first; an unknown state is a problem and not an empty list."""

    async def look() -> list[Any]:
        async with house.client(OPERATOR) as ops:
            everything = (await ops.get("/v1/incidents")).json()["incidents"]
            one = (await ops.get("/v1/incidents", params={"facility": MINE})).json()["incidents"]
            none = (await ops.get("/v1/incidents?state=resolved")).json()["incidents"]
            wrong = await ops.get("/v1/incidents?state=closed")
            return [[i["id"] for i in everything], [i["id"] for i in one], none, wrong.status_code]

    assert go(look()) == [["i-other", "i-mine"], ["i-mine"], [], 400]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b'{"person": "li", "note": "on my way"}', 200, None),
        (b'{"person": "nobody"}', 422, "/problems/bad-field"),
        (b'{"note": "who?"}', 422, "/problems/bad-field"),
        (b'{"person": 7}', 422, "/problems/bad-field"),
        (b'{"person": "li", "why": 1}', 422, "/problems/bad-field"),
        (b'["li"]', 422, "/problems/bad-field"),
        (b"person=li", 400, "/problems/bad-json"),
        (b"", 400, "/problems/bad-json"),
        (b'{"person": "' + b"l" * 70_000 + b'"}', 413, "/problems/too-large"),
    ],
)
def test_an_acknowledgement_says_who(
    house: DeskHouse, go: Go, body: bytes, status: int, kind: str | None
) -> None:
    """A body that names no known person is refused with what was wrong."""

    async def send() -> Any:
        async with house.client(OFFICER) as officer:
            return await officer.post("/v1/incidents/i-mine/acknowledgements", content=body)

    answer = go(send())
    assert answer.status_code == status
    assert answer.json().get("type") == kind
    assert len(house.desk.acks) == (1 if status == 200 else 0)


def test_acknowledging_twice_is_as_once_and_after_recovery_is_a_conflict(
    house: DeskHouse, go: Go
) -> None:
    """200 with the incident, 200 again, then 409."""

    async def send() -> list[Any]:
        async with house.client(OFFICER) as officer:
            url = "/v1/incidents/i-mine/acknowledgements"
            first = await officer.post(url, json={"person": "li"})
            second = await officer.post(url, json={"person": "chen"})
            house.desk.resolve("i-mine", NOW)
            third = await officer.post(url, json={"person": "li"})
            return [
                (first.status_code, first.json()["acknowledged_by"]),
                (second.status_code, second.json()["acknowledged_by"]),
                (third.status_code, third.json()["type"]),
            ]

    assert go(send()) == [(200, "li"), (200, "li"), (409, "/problems/resolved")]


def test_duty_is_asked_for_an_instant(house: DeskHouse, go: Go) -> None:
    """Times are RFC 3339, a plus that became a blank is mended, and others' territories are not."""

    async def look() -> list[Any]:
        async with house.client(OFFICER) as officer:
            at = "2026-03-10T08:00:00+08:00"
            now = (await officer.get("/v1/duty?territory=510100")).json()
            escaped = (await officer.get("/v1/duty", params={"at": at})).json()
            plain = (await officer.get(f"/v1/duty?at={at}")).json()
            wrong = await officer.get("/v1/duty?at=tomorrow")
            foreign = await officer.get("/v1/duty?territory=510200")
            return [now["duty"], escaped == plain, wrong.json()["type"], foreign.status_code]

    assert go(look()) == [
        [{"territory": "510100", "role": "duty_officer", "person": "li",
          "at": "2026-03-10T03:12:05+08:00"}],
        True,
        "/problems/bad-time",
        404,
    ]  # fmt: skip


def test_why_hides_what_is_elsewhere(house: DeskHouse, go: Go) -> None:
    """An explanation is as private as the incident it explains."""
    house.desk.reasons = {
        "n1": {"id": "n1", "facility": MINE},
        "n2": {"id": "n2", "territory": "510200"},
        "n3": {"id": "n3"},
    }

    async def look(token: str) -> list[int]:
        async with house.client(token) as client:
            return [(await client.get(f"/v1/why/{id_}")).status_code for id_ in ("n1", "n2", "n3")]

    assert go(look(OFFICER)) == [200, 404, 404]
    assert go(look(OPERATOR)) == [200, 200, 200]


def test_the_whole_ledger_is_the_operators(house: DeskHouse, go: Go) -> None:
    """Officers export what is theirs; the check of all chains is an operator's."""
    house.desk.broken = ["i-other: entry 3 does not follow from entry 2"]

    async def look() -> list[Any]:
        async with house.client(OFFICER) as officer, house.client(OPERATOR) as ops:
            return [
                (await officer.get("/v1/audit")).status_code,
                (await officer.get("/v1/audit/i-mine")).json()["ledger"][0]["kind"],
                (await officer.get("/v1/audit/i-other")).status_code,
                (await ops.get("/v1/audit")).json(),
            ]

    assert go(look()) == [
        403, "opened", 404, {"audit": house.desk.broken, "intact": False},
    ]  # fmt: skip


def test_a_link_acknowledges_by_post_only(house: DeskHouse, go: Go) -> None:
    """Mail scanners may look as often as they like; one press without a body answers."""
    url = f"/a/{paper_link('i-mine', 'li')}"

    async def press() -> list[Any]:
        async with house.client() as scanner:
            looks = [(await scanner.get(url)).status_code for _ in range(3)]
            looks.append((await scanner.head(url)).status_code)
            silent = list(house.desk.acks)
            page = (await scanner.get(url)).text
            done = await scanner.post(url)
            return [looks, silent, 'method="post"' in page, done.status_code, "李值" in done.text]

    assert go(press()) == [[200, 200, 200, 200], [], True, 200, True]
    assert house.desk.acks == [("i-mine", "li", "link", "")]


def test_a_link_ends_a_day_after_recovery(house: DeskHouse, go: Go) -> None:
    """Until then it shows what is so now; then, and for any other token, 404."""
    url = f"/a/{paper_link('i-mine', 'li')}"
    house.desk.resolve("i-mine", Instant(NOW))

    async def press() -> list[int]:
        async with house.client() as client:
            codes = [(await client.post(url)).status_code]
            house.clock.advance(86_400_000_000 - 1)
            codes.append((await client.get(url)).status_code)
            house.clock.advance(1)
            codes.append((await client.get(url)).status_code)
            codes.append((await client.post(url)).status_code)
            codes.append((await client.get(url[:-1] + "x")).status_code)
            codes.append((await client.post("/a/li")).status_code)
            return codes

    assert go(press()) == [200, 200, 404, 404, 404, 404]
    assert house.desk.acks == []
