"""A hospital configured in YAML, its log, and the question why, as the program answers it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from services.rules import why_api
from services.rules.past import Past
from shared.access import Gate
from shared.config.load import load
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS
from shared.model.configuration import decode_bundle, encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Record, Report, Tick, encode_envelope

MINUTE = 60_000_000
FILES = {
    "site": 'version: 1\nsite: {name: 湖北示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n  - {id: "429004", name: 仙桃市}\n',
    "access": 'access:\n  - {id: wuhan, kind: officer, token: wwwwwwwwwwwwwwwwwwww, territory: "420100"}\n  - {id: xiantao, kind: officer, token: xxxxxxxxxxxxxxxxxxxx, territory: "429004"}\n  - {id: ops, kind: operator, token: oooooooooooooooooooo}\n  - {id: up, kind: upstream, token: uuuuuuuuuuuuuuuuuuuu, facilities: ["*"]}\n',
    "facilities": "facilities:\n  - {id: ww, name: 武汉示例医院, short_name: 武汉医院, territory: '420100', kind: hospital_wastewater}\n  - {id: other, name: 另一家, short_name: 另一家, territory: '429004', kind: hospital_wastewater}\nstations:\n  - {id: ww-a, facility: ww, point: contact_tank}\n  - {id: other-a, facility: other, point: contact_tank}\n",
}
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
OPS = "o" * 20


class WhyHouse:
    """Times are `HH:MM` (or `HH:MM:SS`) of 2026-03-02 in Shanghai."""

    def __init__(self, folder: Path, rules: str) -> None:
        for name, content in {**FILES, "rules": "rules:\n" + rules}.items():
            (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
        self.configuration = load(folder, {})
        self.zone = self.configuration.site.zone
        self.log, self.bundles = MemoryLog(), MemoryBundles()
        name, body = encode_bundle(self.configuration.bundle())
        self.bundles.put(name, body)
        self.spent, self.each_look = 0.0, 0.0
        self.past = Past(
            self.log, lambda name: decode_bundle(self.bundles.get(name)), lambda: name,
            self._monotonic,
        )  # fmt: skip
        self.bundle = name
        self.append(Activate(name))

    def _monotonic(self) -> float:
        self.spent += self.each_look
        return self.spent

    def time(self, text: str) -> Instant:
        return parse_instant(text if "T" in text else f"2026-03-02T{text}+08:00", self.zone)

    def append(self, *records: Record) -> None:
        self.log.append(REPORTS, [("", encode_envelope(list(records)))])

    def tick(self, *times: str) -> None:
        self.append(*(Tick(self.time(text)) for text in times))

    def listen(self, start: str, minutes: int) -> None:
        """A tick every minute."""
        begin = self.time(start)
        self.append(*(Tick(Instant(begin + n * MINUTE)) for n in range(minutes + 1)))

    def read(
        self, observed: str, value: float, flag: str = "N", *, received: str | None = None,
        indicator: str = "w01018", facility: str = "ww", interval: Any = "realtime",
        id_: str = "",
    ) -> Report:  # fmt: skip
        flags = None if flag == "N" else (flag,)
        report = Report(
            facility, f"{facility}-a", interval, self.time(observed), (indicator,), (value,), flags,
            self.time(received or observed), "http", id_,
        )  # fmt: skip
        self.append(report)
        return report

    @property
    def app(self) -> Starlette:
        gate = Gate(self.configuration)
        return Starlette(routes=[*why_api.routes(self.past, gate, self.configuration)])

    def get(self, token: str = OPS, **query: str) -> httpx.Response:
        app = self.app

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                return await client.get("/v1/why/series", params=query, headers=headers)

        return asyncio.run(ask())

    def why(self, at: str, indicator: str = "w01018", **more: str) -> dict[str, Any]:
        """The answer to an operator."""
        asked = {"facility": "ww", "indicator": indicator, "at": f"2026-03-02T{at}+08:00"} | more
        response = self.get(**asked)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def rule(self, name: str, at: str, **more: str) -> dict[str, Any]:
        """What one rule that looked says."""
        found = {each["rule"]: each for each in self.why(at, **more)["rules"]}
        return dict(found[name])
