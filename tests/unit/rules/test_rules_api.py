"""What rules tell over HTTP: transitions, facilities, alerts, each to those who may see it (§4)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.rules.api import routes
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.access import Gate
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS
from shared.model.configuration import (
    Access,
    Configuration,
    Indicator,
    Site,
    Timing,
    encode_bundle,
)  # fmt: skip
from shared.model.facility import Facility, Station, Territory
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.rule import Applies, Basis, Comparison, Level, Missing, Rule, Threshold
from shared.model.severity import Severity
from shared.observe.metrics import Metrics

AT = 1_582_473_600_000_000
MINUTE = 60_000_000
TOKENS = {"up": "u" * 20, "desk": "d" * 20, "province": "p" * 20, "ops": "o" * 20}


def configuration() -> Configuration:
    basis = Basis("GB 18466-2005", "2005", "表2", 0)
    cod = Rule(
        "cod", "需氧", "COD", None, None, Applies(), Threshold("w01018", "realtime", "mg/L"),
        (Level(Severity.YELLOW, Comparison(">", 60.0, "> 60")),), 0, 0, "hold", basis,
    )  # fmt: skip
    silent = Rule(
        "silent", "静默", "Silent", None, None, Applies(facility="b"),
        Missing("w01018", "realtime", every_us=5 * MINUTE), (Level(Severity.BLUE),),
        0, 0, "hold", basis,
    )  # fmt: skip
    facilities = [Facility("a", "甲院", "甲", "420100", "hospital_wastewater"),
                  Facility("b", "乙院", "乙", "429004", "hospital_wastewater")]  # fmt: skip
    territories = [Territory("000000", "全国", None), Territory("420000", "湖北", "000000"),
                   Territory("420100", "武汉", "420000"), Territory("429004", "仙桃", "420000")]  # fmt: skip
    return Configuration(
        Site("试", "Asia/Shanghai", "zh-CN", "http://127.0.0.1:1", "k" * 32), Timing(),
        {t.id: t for t in territories},
        (Access("up", "upstream", TOKENS["up"], ("*",)),
         Access("desk", "officer", TOKENS["desk"], (), "420100"),
         Access("province", "officer", TOKENS["province"], (), "420000"),
         Access("ops", "operator", TOKENS["ops"])),
        {f.id: f for f in facilities},
        {"a": Station("a", "a"), "b": Station("b", "b")},
        {}, {}, (), {}, {"cod": cod, "silent": silent},
        {"w01018": Indicator("w01018", "化学需氧量", "mg/L")},
    )  # fmt: skip


class Server:
    def __init__(self, path: Path) -> None:
        self.configuration = configuration()
        name, body = encode_bundle(self.configuration.bundle())
        self.log, bundles = MemoryLog(), MemoryBundles()
        bundles.put(name, body)
        self.store = RulesStore(path / "rules.db")
        self.worker = RulesWorker(self.log, bundles, self.store, Metrics(CollectorRegistry()))
        self.feed(Activate(name))
        gate = Gate(self.configuration)
        self.app = Starlette(routes=routes(self.worker, self.store, gate, self.configuration))

    def feed(self, *records: Record) -> None:
        self.log.append(REPORTS, [("", encode_envelope(list(records)))])
        while self.worker.pump():
            pass

    def read(self, facility: str, minute: int, value: float, flag: str | None = None) -> None:
        flags = None if flag is None else (flag,)
        at = AT + minute * MINUTE
        self.feed(
            Report(facility, facility, "realtime", at, ("w01018",), (value,), flags, at + 1, "http")
        )

    def get(self, url: str, who: str | None = "ops") -> Any:
        headers = {} if who is None else {"Authorization": f"Bearer {TOKENS[who]}"}

        async def ask() -> Any:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://rules") as client:
                return await client.get(url, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("route", ["transitions", "facilities", "alerts"])
def test_a_token_of_an_officer_or_operator_is_needed(server: Server, route: str) -> None:
    refused = server.get(f"/v1/{route}", None)
    assert refused.status_code == 401
    assert "www-authenticate" in refused.headers
    assert refused.json()["type"] == "/problems/unauthorized"
    assert server.get(f"/v1/{route}?token={TOKENS['ops']}", None).status_code == 401
    assert server.get(f"/v1/{route}", "up").status_code == 403


def test_transitions_are_numbered_from_1_and_read_page_by_page(server: Server) -> None:
    for minute in range(10):
        server.read("a", minute, 61 if minute % 2 == 0 else 10)
    first = server.get("/v1/transitions?limit=4").json()
    assert [t["seq"] for t in first["transitions"]] == [1, 2, 3, 4]
    assert first["next"] == 4
    rest = server.get("/v1/transitions?after=4").json()
    assert [t["seq"] for t in rest["transitions"]] == [5, 6, 7, 8, 9, 10]
    assert server.get("/v1/transitions?after=10").json() == {"transitions": [], "next": 10}
    assert len({t["id"] for t in first["transitions"] + rest["transitions"]}) == 10
    assert list(first["transitions"][0]) == [
        "id", "seq", "rule", "facility", "station", "indicator", "interval", "episode", "step",
        "state", "severity", "cause", "at", "value", "limit", "unit", "basis",
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=0", "limit=1.5", "limit=%C2%B2"])
def test_what_is_not_a_number_is_refused(server: Server, query: str) -> None:
    assert server.get(f"/v1/transitions?{query}").status_code == 400


def test_large_numbers_are_only_large(server: Server) -> None:
    """Beyond the end there is nothing; more than 1,000 at once there is not."""
    after = 10**25
    assert server.get(f"/v1/transitions?after={after}&limit={after}").json()["next"] == after


def test_an_officer_sees_own_territory_and_those_below(server: Server) -> None:
    server.read("a", 0, 61)
    server.read("b", 0, 61)
    server.read("b", 1, 10)
    seen = {
        who: [t["facility"] for t in server.get("/v1/transitions", who).json()["transitions"]]
        for who in ("desk", "province", "ops")
    }
    assert seen == {"desk": ["a"], "province": ["a", "b", "b"], "ops": ["a", "b", "b"]}
    assert [f["id"] for f in server.get("/v1/facilities", "desk").json()["facilities"]] == ["a"]
    assert [a["facility"] for a in server.get("/v1/alerts", "desk").json()["alerts"]] == ["a"]


def test_facilities_show_the_newest_judged_reading_and_every_rule(server: Server) -> None:
    """Unknown is visible: never heard, or the newest reading is no evidence."""
    server.read("a", 0, 61)
    server.read("a", 0, 99)
    (a, b) = server.get("/v1/facilities").json()["facilities"]
    assert a == {
        "id": "a", "name": "甲院", "territory": "420100", "kind": "hospital_wastewater",
        "last_heard": "2020-02-24T00:00:00.000001+08:00",
        "series": [
            {
                "station": "a", "indicator": "w01018", "interval": "realtime",
                "observed_at": "2020-02-24T00:00:00+08:00", "value": 61, "unit": "mg/L", "flag": "N",
            }
        ],
        "rules": [
            {
                "rule": "cod", "station": "a", "indicator": "w01018", "interval": "realtime",
                "state": "firing", "severity": "yellow",
            }
        ],
    }  # fmt: skip
    assert (b["last_heard"], b["series"]) == (None, [])
    assert {(r["rule"], r["state"]) for r in b["rules"]} == {
        ("cod", "unknown"), ("silent", "unknown"),
    }  # fmt: skip
    server.read("b", 1, 10)
    server.read("b", 2, 10, "D")
    (_, b) = server.get("/v1/facilities").json()["facilities"]
    assert {(r["rule"], r["state"]) for r in b["rules"]} == {
        ("cod", "unknown"), ("silent", "normal"),
    }  # fmt: skip


def test_alerts_are_what_is_pending_or_firing(server: Server) -> None:
    server.feed(*(Tick(AT + half * MINUTE // 2) for half in range(11)))
    (alert,) = server.get("/v1/alerts").json()["alerts"]
    assert msgspec.json.decode(msgspec.json.encode(alert)) == {
        "rule": "silent", "facility": "b", "station": "b", "indicator": "w01018",
        "interval": "realtime", "state": "firing", "severity": "blue",
        "episode": "2020-02-24T00:05:00+08:00", "value": None, "limit": None, "unit": None,
    }  # fmt: skip
    server.read("a", 0, 61)
    assert len(server.get("/v1/alerts?rule=cod&facility=a&state=firing").json()["alerts"]) == 1
    server.read("a", 1, 10)
    assert server.get("/v1/alerts?facility=a").json()["alerts"] == []
    assert len(server.get("/v1/alerts?facility=a&state=normal").json()["alerts"]) == 1
