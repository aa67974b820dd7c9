"""A small province for the page and its API: one officer, one operator, two cities."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from services.notify.api.app import notify_routes
from services.notify.port import NotifyPort, ReceiptStatus
from shared.clock import VirtualClock
from shared.model.configuration import Access, Configuration, Indicator, Site, Timing
from shared.model.facility import Facility, Station, Territory
from shared.model.instants import Instant, from_datetime
from shared.model.people import Channel, Contact, Person, Policy, Roster
from shared.model.rule import Applies, Basis, Comparison, Level, Rule, Threshold
from shared.model.severity import Severity
from tests.unit.notify_api.paper_desk import PaperDesk

NOW = from_datetime(datetime(2026, 3, 9, 19, 12, 5, tzinfo=UTC))
"""03:12:05 in Shanghai: when pages are read."""
OFFICER, OPERATOR, UPSTREAM = "officer-token-71", "operator-token-52", "upstream-token-33"
NUMBER = "13900000001"


def province(language: Any = "zh-CN") -> Configuration:
    def facility(id_: str, name: str, territory: str) -> Facility:
        return Facility(id_, name, name[:6], territory, "hospital_wastewater")

    facilities = [
        facility("510100-ww-01", "蓉城示例传染病医院污水站", "510100"),
        facility("510100-ww-02", "锦江示例二院污水站", "510100"),
        facility("510200-mw-01", "渝北示例医废处置中心", "510200"),
    ]
    people = [
        Person("li", "李值", "值班员", "510100", (Contact("li-sms", "sms", NUMBER),)),
        Person("chen", "陈带", "带班领导", "510100", (Contact("chen-sms", "sms", "13900000002"),)),
        Person("wu", "吴省", "值班员", "510000", (Contact("wu-mail", "mail", "wu@example.org"),)),
        Person("yu", "余渝", "值班员", "510200", (Contact("yu-sms", "sms", "13900000004"),)),
    ]
    rule = Rule(
        id="cod-day", title_zh="化学需氧量日均", title_en="Daily COD", action_zh="查加药与曝气",
        action_en=None, applies=Applies(kind="hospital_wastewater"),
        condition=Threshold("w01018", "day", "mg/L"),
        levels=(Level(Severity.ORANGE, Comparison(">", 60.0, "> 60")),), for_us=0,
        keep_firing_for_us=0, unknown="hold",
        basis=Basis("GB 18466-2005", "2005", "table 1", Instant(0)),
    )  # fmt: skip
    return Configuration(
        site=Site("蜀地示例", "Asia/Shanghai", language, "http://127.0.0.1:8620", "k" * 40),
        timing=Timing(),
        territories={
            "510000": Territory("510000", "蜀省", None),
            "510100": Territory("510100", "蓉市", "510000"),
            "510200": Territory("510200", "渝市", "510000"),
        },
        access=(
            Access("rong-desk", "officer", OFFICER, territory="510100"),
            Access("ops", "operator", OPERATOR),
            Access("hospital", "upstream", UPSTREAM, facilities=("510100-*",)),
        ),
        facilities={f.id: f for f in facilities},
        stations={f.id: Station(f.id, f.id) for f in facilities},
        people={p.id: p for p in people},
        rosters={"510100": Roster("r1", "510100", fixed={"duty_officer": ("li",)})},
        policies=(Policy("rest", None, ()),),
        channels={
            "sms": Channel("sms", "kannel", callbacks_from=("127.0.0.1", "10.7.0.0/16")),
            "mail": Channel("mail", "smtp", host="127.0.0.1", port=25),
        },
        rules={rule.id: rule},
        indicators={"w01018": Indicator("w01018", "化学需氧量", "mg/L")},
    )


def paper_link(incident: str, person: str) -> str:
    """A token as a signed one would be: nobody can guess it from the ids."""
    return hashlib.sha256(f"{incident}/{person}".encode()).hexdigest()


class DeskHouse:
    """The routes of notify over a desk on paper, called in process, on a clock that stands."""

    def __init__(
        self,
        *,
        language: Any = "zh-CN",
        demo: bool = False,
        states: Callable[[], list[dict[str, Any]]] | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self.configuration = province(language)
        self.clock = VirtualClock(NOW)
        self.desk = PaperDesk(self.configuration)
        port: NotifyPort = self.desk
        self.wall_looks = 0.0
        self.wall = 1_773_000_000.0
        self.app = Starlette(
            routes=notify_routes(
                port, self.configuration, self.clock,
                read_link=self._read_link, read_status=_status, facility_states=states,
                demo=demo, wall=lambda: self.wall, monotonic=monotonic or self._always_later,
            )
        )  # fmt: skip

    def _always_later(self) -> float:
        """Every look is a new one."""
        self.wall_looks += 10.0
        return self.wall_looks

    def _read_link(self, token: str) -> tuple[str, str] | None:
        for incident in self.desk.papers:
            for person in self.configuration.people:
                if token == paper_link(incident, person):
                    return incident, person
        return None

    def client(
        self, token: str | None = None, *, peer: str = "127.0.0.1", host: str = "127.0.0.1:8620"
    ) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self.app, client=(peer, 40_000))
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


def _status(bits: int) -> ReceiptStatus:
    return "delivered" if bits & 1 else "failed"
