"""Nobody is told of what somebody has announced, and what outlasts the announcement is told."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from services.notify.api.app import notify_routes
from services.notify.port import Refusal
from shared.model.configuration import Access
from shared.model.instants import instant_text, parse_duration
from tests.scenario.desks import Houses
from tests.scenario.house import House, configuration

OFFICER, OPERATOR = "officer-token-71", "operator-token-52"


class Office:
    """The house with its HTTP door."""

    def __init__(self, houses: Houses) -> None:
        access = (
            Access("wuhan", "officer", OFFICER, territory="420100"),
            Access("ops", "operator", OPERATOR),
        )
        self.house: House = houses(configuration(access=access))

    def ask(self, path: str, body: Any = None, token: str = OPERATOR) -> httpx.Response:
        house = self.house
        app = Starlette(
            routes=notify_routes(
                house.notify, house.configuration, house.clock,
                read_link=lambda _: None, read_status=lambda _: "delivered",
            )
        )  # fmt: skip

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers=headers
            ) as client:
                return await (client.get(path) if body is None else client.post(path, json=body))

        return asyncio.run(go())

    def until(self, later: str) -> str:
        text = instant_text(
            self.house.now + parse_duration(later), self.house.configuration.site.zone
        )
        assert text is not None
        return text

    def silence(self, later: str = "4h", token: str = OPERATOR, **match: Any) -> httpx.Response:
        body = {
            "match": match or {"facility": "420100-f1"}, "reason": "停炉检修",
            "until": self.until(later), "person": "chen",
        }  # fmt: skip
        return self.ask("/v1/silences", body, token)


@pytest.fixture
def office(houses: Houses) -> Office:
    return Office(houses)


def test_what_still_fires_at_the_end_is_told_then(office: Office) -> None:
    """Announced until four o'clock; at four it still burns."""
    house = office.house
    assert office.silence().status_code == 201
    house.fire(severity="yellow")
    house.fast_forward("1h")
    house.fire(severity="red", cause="rose")
    house.restart()
    house.fast_forward("2h")
    house.no_other_messages()
    shown = house.incident()
    assert (shown["state"], shown["step"]) == ("open", 0)
    assert shown["silenced_until"] == shown["next_step_at"] == "2026-02-03T16:00:00+08:00"
    withheld = [each["reason"] for each in shown["timeline"] if each["kind"] == "withheld"]
    assert withheld == ["silenced by chen until 2026-02-03T16:00:00+08:00: 停炉检修"] * 2
    why = house.notify.why_person("li", house.now, lambda _: True)
    assert "静默（chen 设至 2026-02-03T16:00:00+08:00：停炉检修）" in str(why)
    house.fast_forward("1h")
    house.phone("li").expect("化学需氧量")
    house.fast_forward("16m")
    assert house.phone("chen").expect()
    assert "silenced_until" not in house.incident()
    assert house.notify.audit_verify() == []


def test_what_recovered_meanwhile_is_told_to_nobody(office: Office) -> None:
    house = office.house
    office.silence(territory="420000")
    house.fire()
    house.fast_forward("1h")
    house.clear()
    house.fast_forward("1d")
    house.no_other_messages()
    assert house.incident()["state"] == "resolved"


def test_another_rule_at_the_same_place_is_told_at_once(office: Office) -> None:
    """A silence covers what was announced, not what nobody expected."""
    house = office.house
    office.silence(facility="420100-f1", rule=["cod"])
    house.fire("cod", "orange")
    house.fire("cod", "orange", "420100-f2")
    assert house.phone("li").expect().message.facts.facility == "420100-f2"
    house.no_other_messages()
    house.fire("ammonia", "yellow")
    house.tick()
    assert house.phone("li").expect().message.facts.facility == "420100-f1"
    assert "silenced_until" not in house.incident()


def test_an_open_incident_stops_climbing_and_goes_on_afterwards(office: Office) -> None:
    house = office.house
    house.fire()
    house.phone("li").expect()
    made = office.silence("2h").json()
    house.fast_forward("1h")
    house.no_other_messages()
    assert office.silence("30m").status_code == 201
    listed = [each["id"] for each in office.ask("/v1/silences").json()["silences"]]
    assert len(listed) == 2
    assert listed[1] == made["id"]
    house.fast_forward("61m")
    house.phone("chen").expect("化学需氧量")
    house.phone("chen", "mail").expect()
    house.no_other_messages()


def test_it_is_ended_before_its_time(office: Office) -> None:
    house = office.house
    made = office.silence("10d").json()
    assert office.silence("10d").json() == made
    house.fire()
    house.no_other_messages()
    ended = office.ask(f"/v1/silences/{made['id']}/end", {"person": "chen"})
    assert ended.status_code == 200
    house.tick()
    house.phone("li").expect()
    assert office.ask("/v1/silences").json() == {"silences": []}
    assert office.ask(f"/v1/silences/{made['id']}/end", {"person": "chen"}).status_code == 404


def test_an_acknowledgement_under_a_silence_is_the_end_of_it(office: Office) -> None:
    house = office.house
    office.silence()
    house.fire()
    assert not isinstance(house.acknowledge("chen"), Refusal)
    house.fast_forward("1d")
    house.no_other_messages()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"match": {}}, 422),
        ({"match": {"facility": "420100-f1", "territory": "420100"}}, 422),
        ({"match": {"facility": "nowhere"}}, 404),
        ({"match": {"facility": "429004-f1"}}, 404),
        ({"match": {"territory": "420000"}}, 404),
        ({"match": {"facility": "420100-f1", "rule": ["gone"]}}, 422),
        ({"match": {"facility": "420100-f1", "colour": "red"}}, 422),
        ({"reason": " "}, 422),
        ({"reason": "久" * 201}, 422),
        ({"until": "2026-02-03T11:59:00+08:00"}, 422),
        ({"until": "2026-03-08T12:00:00+08:00"}, 422),
        ({"until": "soon"}, 422),
        ({"from": "soon"}, 422),
        ({"from": "2026-02-04T12:00:00+08:00"}, 422),
        ({"from": "2026-02-04T11:00:00+08:00"}, 201),
        ({"person": "nobody"}, 422),
        ({}, 201),
    ],
)
def test_what_an_officer_may_silence(houses: Houses, changed: Any, status: int) -> None:
    """His own territory, with a reason, an end and a name."""
    if houses.desks.kind == "postgres":
        return
    body = {
        "match": {"territory": "420100"}, "reason": "检修",
        "until": "2026-02-04T12:00:00+08:00", "person": "chen",
    }  # fmt: skip
    office = Office(houses)
    assert office.ask("/v1/silences", body | changed, OFFICER).status_code == status
    assert len(office.ask("/v1/silences", token=OFFICER).json()["silences"]) == (status == 201)


def test_a_disaster_is_told_whatever_was_announced(office: Office) -> None:
    """Up to orange was announced; red is told at once, and afterwards nothing is hidden."""
    house = office.house
    body = {
        "match": {"facility": "420100-f1"}, "reason": "停炉检修", "until": office.until("4h"),
        "person": "chen", "up_to": "orange",
    }  # fmt: skip
    made = office.ask("/v1/silences", body).json()
    assert made["up_to"] == "orange"
    house.fire(severity="yellow")
    house.fire(severity="orange", cause="rose")
    house.fast_forward("1h")
    house.no_other_messages()
    house.fire(severity="red", cause="rose")
    house.tick()
    house.phone("li").expect("化学需氧量")
    (hid,) = office.ask(f"/v1/silences/{made['id']}").json()["hid"]
    assert (hid["facility"], hid["severity"], hid["times"]) == ("420100-f1", "orange", 2)


def test_what_it_hid_is_listed_when_it_ends(office: Office) -> None:
    """Who made it, by which door, what it kept quiet, who ended it: each provable."""
    house = office.house
    made = office.silence(territory="420100").json()
    house.fire("cod", "orange")
    house.fire("cod", "yellow", "420100-f2")
    house.clear("cod", facility="420100-f2")
    (listed,) = office.ask("/v1/silences", token=OFFICER).json()["silences"]
    assert (listed["state"], listed["hid_count"]) == ("running", 2)
    ended = office.ask(f"/v1/silences/{made['id']}/end", {"person": "li"}, OFFICER).json()
    assert (ended["state"], ended["ended_by"], ended["hid_count"]) == ("ended", "li", 2)
    assert [(each["facility"], each["severity"], each["state"]) for each in ended["hid"]] == [
        ("420100-f1", "orange", "open"), ("420100-f2", "yellow", "resolved"),
    ]  # fmt: skip
    assert office.ask("/v1/silences").json() == {"silences": []}
    (kept,) = office.ask("/v1/silences?ended=1").json()["silences"]
    assert kept["id"] == made["id"]
    ledger = office.ask(f"/v1/silences/{made['id']}").json()["ledger"]
    assert [(each["kind"], each["person"], each["channel"]) for each in ledger] == [
        ("silence_began", "chen", "api"), ("silence_ended", "li", "api"),
    ]  # fmt: skip
    assert house.notify.audit_verify() == []
    # Said again, its chain goes on.
    office.silence(territory="420100")
    assert len(office.ask(f"/v1/audit/{made['id']}").json()["ledger"]) == 3
    assert house.notify.audit_verify() == []


def test_an_officer_sees_what_is_silenced_above_him_and_cannot_end_it(office: Office) -> None:
    """A silence of the province hides his facilities too: he knows, and of his own alone."""
    house = office.house
    made = office.silence(territory="420000").json()
    house.fire("cod", "orange")
    house.fire("cod", "orange", "429004-f1")
    (seen,) = office.ask("/v1/silences", token=OFFICER).json()["silences"]
    assert (seen["id"], seen["hid_count"]) == (made["id"], 1)
    refused = office.ask(f"/v1/silences/{made['id']}/end", {"person": "li"}, OFFICER)
    assert refused.status_code == 404
    assert office.ask("/v1/silences").json()["silences"][0]["hid_count"] == 2


def test_a_planned_silence_begins_when_it_was_said_to(office: Office) -> None:
    """Told until then; from then on the ladder stands still, also after a restart, until its end."""
    house = office.house
    body = {
        "match": {"facility": "420100-f1"}, "reason": "明早检修", "from": office.until("20m"),
        "until": office.until("2h"), "person": "chen",
    }  # fmt: skip
    made = office.ask("/v1/silences", body).json()
    assert made["state"] == "planned"
    house.fire()
    house.phone("li").expect()
    house.fast_forward("16m")
    told = len(house.wire.sent)
    house.restart()
    house.fast_forward("1h")
    assert len(house.wire.sent) == told
    listed = office.ask("/v1/silences").json()["silences"]
    assert [(each["state"], each["hid_count"]) for each in listed] == [("running", 1)]
    shown = house.incident()
    assert shown["silenced_until"] == made["until"]
    house.fast_forward("45m")
    assert len(house.wire.sent) > told
    assert house.notify.audit_verify() == []


def test_a_planned_silence_that_is_called_off_never_was(office: Office) -> None:
    house = office.house
    body = {
        "match": {"facility": "420100-f1"}, "reason": "明早检修", "from": office.until("20m"),
        "until": office.until("2h"), "person": "chen",
    }  # fmt: skip
    made = office.ask("/v1/silences", body).json()
    ended = office.ask(f"/v1/silences/{made['id']}/end", {"person": "chen"}).json()
    assert (ended["state"], ended["from"]) == ("ended", ended["until"])
    house.fast_forward("30m")
    house.fire()
    house.phone("li").expect()
