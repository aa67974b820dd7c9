"""Ingest in memory, driven without threads of its own making where a test can see them."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.ingest import api
from services.ingest.seen import Seen
from services.ingest.writer import Writer
from shared.access import Gate
from shared.clock import VirtualClock
from shared.http.basics import basic_routes, problem_handlers
from shared.log.port import REPORTS, Position
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Access, Configuration, Indicator, Site, Timing
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import parse_instant
from shared.model.report import Record, Report, decode_envelope
from shared.observe.metrics import Metrics
from shared.reports.judge import Judge

ZONE = ZoneInfo("Asia/Shanghai")
NOON = parse_instant("2026-03-01T12:00:00+08:00", ZONE)
UPSTREAM, OFFICER, OPERATOR = "up-" + "u" * 29, "of-" + "o" * 29, "op-" + "p" * 29


def configuration() -> Configuration:
    """Two facilities of one upstream (one with two stations), one of nobody."""
    facilities = [
        Facility("420100-mw-01", "甲", "甲", "420100", "medical_waste"),
        Facility("420100-ww-01", "乙", "乙", "420100", "hospital_wastewater"),
        Facility("429004-ww-01", "丙", "丙", "429004", "hospital_wastewater"),
    ]
    stations = [
        Station("420100-mw-01", "420100-mw-01"),
        Station("ww-a", "420100-ww-01"),
        Station("ww-b", "420100-ww-01"),
        Station("xt-a", "429004-ww-01"),
    ]
    territories = [
        Territory("000000", "全国", None),
        Territory("420000", "湖北省", "000000"),
        Territory("420100", "武汉市", "420000"),
        Territory("429004", "仙桃市", "420000"),
    ]
    indicators = [
        Indicator("mw.disposed_t", "处置量", "t"),
        Indicator("mw.stored_t", "贮存量", "t"),
        Indicator("w01018", "化学需氧量", "mg/L"),
        Indicator("a34004", "PM2.5", "µg/m³"),
        Indicator("w01001", "pH", "1"),
    ]
    return Configuration(
        site=Site("test", "Asia/Shanghai", "zh-CN", "http://127.0.0.1:8620", "s" * 32),
        timing=Timing(),
        territories={one.id: one for one in territories},
        access=(
            Access("platform", "upstream", UPSTREAM, ("420100-*",)),
            Access("desk", "officer", OFFICER, (), "420000"),
            Access("ops", "operator", OPERATOR),
        ),
        facilities={one.id: one for one in facilities},
        stations={one.id: one for one in stations},
        people={},
        rosters={},
        policies=(),
        channels={},
        rules={},
        indicators={one.code: one for one in indicators},
    )


def report(
    value: Any = 41.2, at: Any = "2026-03-01T08:00:00+08:00", **changes: Any
) -> dict[str, Any]:
    """A good report of the first facility, unless changed."""
    return {
        "facility": "420100-mw-01",
        "observed_at": at,
        "interval": "day",
        "readings": [{"indicator": "mw.disposed_t", "value": value}],
    } | changes


class House:
    """One ingest on a directory; `post` speaks HTTP to it."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock(NOON)
        self.configuration = configuration()
        self.metrics = Metrics(CollectorRegistry())
        self.log = SqliteLog(directory / "log.db")
        self.seen = Seen(directory / "ingest.db", self.log)
        self.writer = Writer(
            log_=self.log,
            seen=self.seen,
            judge=Judge(self.configuration),
            clock=self.clock,
            metrics=self.metrics,
        )
        self.writer.start()
        self.serve(self.configuration)

    def serve(self, served: Configuration) -> None:
        """Make the routes, for this configuration."""
        self.app = Starlette(
            routes=[
                *api.routes(
                    self.writer,
                    Gate(served),
                    served,
                    self.log,
                    self.metrics,
                ),
                *basic_routes(
                    self.metrics.registry,
                    lambda: None if self.writer.healthy else "the log cannot be written",
                    lambda: None,
                ),
            ],
            exception_handlers=problem_handlers(),
        )

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
                return await client.request(method, path, **more)

        return asyncio.run(one())

    def post(
        self,
        body: Any,
        *,
        token: str | None = UPSTREAM,
        kind: str = "application/json",
        path: str = "/v1/reports",
        packed: bool = False,
        **headers: str,
    ) -> httpx.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": kind} | {k.replace("_", "-"): v for k, v in headers.items()}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        if packed:
            data = gzip.compress(data)
            given["content-encoding"] = "gzip"
        return self.ask("POST", path, content=data, headers=given)

    def records(self) -> list[Record]:
        found = self.log.read(REPORTS, 0, Position(0), 100_000).entries
        return [record for entry in found for record in decode_envelope(entry.value)]

    def reports(self) -> list[Report]:
        return [record for record in self.records() if isinstance(record, Report)]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def close(self) -> None:
        self.writer.close()
        self.seen.close()
        self.log.close()


@contextmanager
def opened(directory: Path) -> Iterator[House]:
    house = House(directory)
    try:
        yield house
    finally:
        house.close()
