"""The question why of a person, over HTTP and in a terminal: who may ask, and how it reads."""

import json
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from services.notify.api.person_why import PersonWhyApi
from services.notify.api.who import Who
from services.why_ask import run_person
from shared.model.configuration import Access
from shared.testing.served import served
from tests.scenario.house import House, configuration

WUHAN, XIANTAO, OPS, UP = (letter * 20 for letter in "wxou")
AT = "2026-02-03T12:03:00+08:00"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """One incident of 12:00, looked back at from 12:20."""
    access = (
        Access("wuhan", "officer", WUHAN, (), "420100"),
        Access("xiantao", "officer", XIANTAO, (), "429004"),
        Access("ops", "operator", OPS),
        Access("up", "upstream", UP, ("*",)),
    )
    house = House(configuration(access=access))
    house.fire()
    house.fast_forward("20m")
    who = Who(house.configuration, lambda: 0.0)
    with served(
        Starlette(routes=PersonWhyApi(house.notify, house.configuration, who).routes())
    ) as at:
        yield at


def status(url: str, token: str, **query: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{url}/v1/why/person", params=query, headers=headers).status_code


def test_an_officer_asks_about_his_own_people_only(url: str) -> None:
    for token, expected in {WUHAN: 200, OPS: 200, XIANTAO: 404, UP: 403, "": 401}.items():
        assert status(url, token, person="chen", at=AT) == expected
    assert status(url, OPS, person="nobody", at=AT) == 404
    assert status(url, OPS, person="chen", at="at noon") == 400
    assert status(url, OPS, person="chen") == 400


def test_the_terminal_says_why_in_chinese(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_person(url, WUHAN, "chen", AT) == 0
    shown = capsys.readouterr().out
    assert "还没有轮到：第 2 级才通知他" in shown
    assert "在岗 420100 shift_leader" in shown
    assert "1390000" not in shown and "@" not in shown
    assert run_person(url, WUHAN, "zhang", AT) == 0
    shown = capsys.readouterr().out
    assert "[不在岗] 420100 duty_officer：当时是 li" in shown
    assert run_person(url, WUHAN, "chen", AT, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["incidents"][0]["stage"] == "not-his-step"
    assert run_person(url, XIANTAO, "chen", AT) == 1
