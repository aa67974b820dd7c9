"""Why did this report change nothing? Also a mean, a count or a baseline says what it held then."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from services.rules.past import SECONDS, Past
from services.rules.report_api import ReportWhy
from services.rules.report_why import question_of, rules_of
from services.rules.why_api import routes
from shared.access import Gate
from shared.log.port import REPORTS, Position
from shared.model.configuration import decode_bundle
from shared.model.report import decode_envelope
from shared.model.transition import Transition
from tests.scenario.why_house import BASIS, OPS, WhyHouse

RULES = (
    "  - {id: mean, title: {zh: 均值}, condition: {average: {indicator: w01018, interval: minute, "
    'over: 1h, unit: mg/L}}, levels: [{severity: yellow, raise: "> 8"}], BASIS}\n'
    "  - {id: often, title: {zh: 多次}, condition: {count: {indicator: w01018, interval: minute, "
    'of: "> 8", within: 5, unit: mg/L}}, levels: [{severity: yellow, raise: ">= 3"}], BASIS}\n'
    "  - {id: odd, title: {zh: 反常}, condition: {deviation: {indicator: w01018, interval: minute, "
    'over: reading, season: none}}, levels: [{severity: yellow, raise: "> 1.2"}], BASIS}\n'
).replace("BASIS", BASIS)
Make = Callable[[str], WhyHouse]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda rules: WhyHouse(tmp_path, rules)


class Nothing:
    """Nobody was told of anything."""

    def by_report(self, facility: str, report: str) -> list[Transition]:
        return []


def forty_minutes(house: WhyHouse) -> None:
    for minute in range(40):
        house.tick(f"03:{minute:02d}:30")
        house.read(
            f"03:{minute:02d}", 9.0 if minute % 2 else 7.0, interval="minute",
            received=f"03:{minute:02d}:40", id_=f"r{minute}",
        )  # fmt: skip
    house.tick("03:41", "05:00")


def test_what_each_derived_condition_held_right_after_it(make: Make) -> None:
    """Of the report of 03:09: ten minutes of the hour, two of the last five, a baseline of ten."""
    house = make(RULES)
    forty_minutes(house)
    (report,) = [
        record
        for entry in house.log.read(REPORTS, 0, Position(0)).entries
        for record in decode_envelope(entry.value)
        if getattr(record, "id", "") == "r9"
    ]
    stand = house.past.stand(question_of(report), report)
    said = {each["rule"]: each for each in rules_of(stand.engine.book, report, house.past)}
    mean = said["mean"]
    assert (mean["derived"]["slots"], mean["derived"]["expected"]) == (10, 60)
    assert (mean["stage"], mean["state"]) == ("window", "unknown")
    assert said["often"]["derived"] | {"newest": None} == {
        "seen": 5, "holding": 3, "of": 5, "test": "> 8", "newest": None,
    }  # fmt: skip
    assert said["often"]["state"] == "firing"
    band = said["odd"]["derived"]["band"]
    assert band["values"] == 10
    assert 7.0 <= band["low"] < 7.1 and 8.9 < band["high"] <= 9.0
    assert said["odd"]["stage"] == "window"


def ask(house: WhyHouse, name: str, token: str = OPS, **query: str) -> httpx.Response:
    """As a worker of rules in a cluster answers."""
    gate = Gate(house.configuration)
    past = Past(
        house.log, lambda name: decode_bundle(house.bundles.get(name)), lambda: None,
        lambda: house.spent, keeps_all=False,
    )  # fmt: skip

    def monotonic() -> float:
        house.spent += house.each_look
        return house.spent

    report = ReportWhy(
        house.log, past, Nothing(), gate, house.configuration, lambda _: 0, monotonic
    )
    app = Starlette(routes=[*routes(past, gate, house.configuration), *report.routes()])

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.get(f"/v1/why/{name}", params=query, headers=headers)

    return asyncio.run(get())


def test_a_cluster_knows_a_report_that_caused_nothing(make: Make) -> None:
    """By its facility; `at` is enough of a hint, a wrong one finds nothing."""
    house = make(RULES)
    forty_minutes(house)
    answer: dict[str, Any] = ask(house, "r9", facility="ww").json()
    assert (answer["is"], answer["reason"]) == ("report", "it changed no episode")
    assert answer["observed_at"] == "2026-03-02T03:09:00+08:00"
    assert {each["rule"] for each in answer["rules"]} == {"mean", "often", "odd"}
    near, far = "2026-03-02T03:30:00+08:00", "2026-03-02T01:00:00+08:00"
    assert ask(house, "r9", facility="ww", at=near).json()["report"] == "r9"
    assert ask(house, "r9", facility="ww", at=far).status_code == 404


def test_who_may_ask_for_a_report(make: Make) -> None:
    house = make(RULES)
    forty_minutes(house)
    for token, status in {"w": 200, "x": 404, "u": 403, "?": 401}.items():
        assert ask(house, "r9", token * 20, facility="ww").status_code == status
    assert ask(house, "r9", facility="other").status_code == 404
    assert ask(house, "r99", facility="ww").status_code == 404
    assert ask(house, "r9", facility="ww", at="noon").status_code == 400
    house.each_look = SECONDS * 2
    response = ask(house, "r9", facility="ww")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/slow-down")
