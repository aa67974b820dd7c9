"""A hospital whose history may be amended, from YAML to what its people are told, on one log."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.notify.amendments_feed import take_next
from services.rules.amender import Amender
from services.rules.api import RulesApi
from services.rules.episodes_api import EpisodesApi
from services.rules.history_store import HistoryStore
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.access import Gate
from shared.config.load import load
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS
from shared.model.configuration import decode_bundle, encode_bundle
from shared.model.instants import Instant, Interval
from shared.model.report import WITHDRAWN, Activate, Record, Report, Tick, encode_envelope
from shared.observe.metrics import Metrics
from tests.scenario.house import START, House
from tests.scenario.test_conditions import BASIS, FILES

MINUTE = 60_000_000
ACCESS = (
    "access:\n"
    '  - {id: wuhan, kind: officer, token: wwwwwwwwwwwwwwwwwwww, territory: "420100"}\n'
    '  - {id: xiantao, kind: officer, token: xxxxxxxxxxxxxxxxxxxx, territory: "429004"}\n'
    "  - {id: ops, kind: operator, token: oooooooooooooooooooo}\n"
)
PEOPLE = '  - {id: chen, name: 陈长, territory: "420100", contacts: [{id: chen-sms, channel: sms, address: "13900000002"}]}\n'
POLICIES = "policies:\n  - {id: all, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}, {notify: [{role: leader}], by: [sms], wait: 15m}]}\n"
COD = 'condition: {threshold: {indicator: w01018, interval: realtime, unit: mg/L}}, levels: [{severity: orange, raise: "> 60", clear: "<= 54"}]'


class HistoryHouse:
    """Minutes count from START. Nothing is told to people before `tell`."""

    def __init__(
        self, folder: Path, rule: str = COD, keep: str = "history: {keep: 7d}", **changed: str
    ) -> None:
        rules = f"rules:\n  - {{id: cod, title: {{zh: 化学需氧量}}, {rule}, {BASIS}}}\n"
        territories = FILES["territories"] + '  - {id: "429004", name: 仙桃市}\n'
        files = {**FILES, "rules": rules, "access": ACCESS, "territories": territories}
        files["site"] += f"{keep}\n"
        files["people"] = files["people"] + PEOPLE
        files["rosters"] = files["rosters"].replace("[li]}}", "[li]}, leader: {people: [chen]}}")
        files["policies"] = POLICIES
        files |= changed
        for name, content in files.items():
            (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
        self.folder, self.configuration = folder, load(folder, {})
        self.log, self.bundles = MemoryLog(), MemoryBundles()
        name, body = encode_bundle(self.configuration.bundle())
        self.bundles.put(name, body)
        self.metrics = Metrics(CollectorRegistry())
        self.store = RulesStore(folder / "rules.db")
        self.worker = RulesWorker(self.log, self.bundles, self.store, self.metrics)
        self.open_history()
        self.people = House(self.configuration)
        self.append(Activate(name))
        self.tick(0)

    def open_history(self) -> None:
        self.history = HistoryStore(self.folder / "history.db")
        self.amender = self.new_amender()

    def new_amender(self) -> Amender:
        assert self.configuration.history_keep_us is not None
        return Amender(
            self.log,
            lambda name: decode_bundle(self.bundles.get(name)),
            self.history,
            self.configuration.history_keep_us,
            self.metrics,
        )

    def restart(self) -> None:
        """The amender dies and comes back from its file."""
        self.amender = self.new_amender()

    def append(self, *records: Record) -> None:
        self.log.append(REPORTS, [("", encode_envelope(list(records)))])

    def tick(self, minute: float) -> None:
        """Log time, and everything that is in the log is judged."""
        at = Instant(START + round(minute * MINUTE))
        self.people.clock.advance(max(at - self.people.now, 0))
        self.append(Tick(at))
        self.judge()

    def judge(self) -> None:
        while self.worker.pump():
            pass
        while self.amender.pump():
            pass

    def report(
        self, minute: float, value: float, *, flag: str = "N", revision: int | None = None
    ) -> Report:
        at = Instant(START + round(minute * MINUTE))
        return Report(
            "ww", "ww", "realtime", at, ("w01018",), (value,), (flag,), at, "http",
            f"r{minute:g}", revision,
        )  # fmt: skip

    def say(
        self, minute: float, station: str, value: float, *, code: str = "w01018",
        interval: Interval = "minute", flag: str = "N", revision: int | None = None, facility: str = "ww",
    ) -> None:  # fmt: skip
        """A reading of any station, into the log; whoever ticks judges it."""
        at = Instant(START + round(minute * MINUTE))
        self.append(
            Report(
                facility, station, interval, at, (code,), (value,), (flag,), at, "http",
                f"{station}-{code}-{minute:g}-{revision or 0}", revision,
            )
        )  # fmt: skip

    def read(self, *readings: tuple[float, float], tick: bool = True) -> None:
        """(minute, value), each followed by its tick: they come in their turn."""
        for minute, value in readings:
            self.append(self.report(minute, value))
            if tick:
                self.tick(minute)

    def withdraw(self, minute: float) -> None:
        self.append(self.report(minute, 0.0, flag=WITHDRAWN))

    def tell(self) -> None:
        """Notify takes what rules have said, then what was amended; everything owed is sent."""
        items = self.store.read(self.people.notify.after_seq(), 1000)
        self.people.take(*items)
        assert self.amend() is not None
        self.people.send()

    def amend(self) -> bool | None:
        taken = take_next(self.people.notify, self.history, self.worker.decided, self.people.clock)
        self.people.send()
        return taken

    def message(self, who: str = "li") -> str:
        return self.people.phone(who).expect().text

    # -- what is said --------------------------------------------------------------------------

    def get(self, path: str, token: str = "o" * 20, **query: str) -> httpx.Response:
        gate = Gate(self.configuration)
        api = RulesApi(self.worker, self.store, gate, self.configuration)
        keep_us = self.configuration.history_keep_us or 0
        routes = EpisodesApi(api, self.store, self.history, self.bundles, keep_us).routes()
        app = Starlette(routes=routes)

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                headers = {"Authorization": f"Bearer {token}"}
                return await client.get(path, params=query, headers=headers)

        return asyncio.run(ask())

    def episodes(self) -> list[str]:
        """`state HH:MM-HH:MM value | said HH:MM-HH:MM …`, newest first."""
        return [self._words(each) for each in self.get("/v1/episodes").json()["episodes"]]

    def _words(self, one: dict[str, Any]) -> str:
        said = " ".join(_times(each) for each in one["said"]) or "nothing"
        return f"{one['state']} {_times(one)} {one['value']:g} | said {said}"

    def amendments(self) -> list[str]:
        """`kind why value`."""
        found = self.get("/v1/amendments").json()["amendments"]
        return [f"{one['kind']} {one['cause']['why']} {one['cause']['value']}" for one in found]

    def everything(self) -> bytes:
        return msgspec.json.encode(self.get("/v1/amendments").json()["amendments"])


def _times(one: dict[str, Any]) -> str:
    end = one["ended_at"][11:16] if one["ended_at"] else ""
    return f"{one['episode'][11:16]}-{end}"
