"""Six plants in two cities: what the province is told, and who is not in it."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from services.notify.wording.mail import MailWording
from services.rules import backtest as recorded
from services.rules.core import view
from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import parse_instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import Transition, transition_object
from tests.scenario.house import House

PLANTS = (
    ("wh-1", "420100", 50), ("wh-2", "420100", 30), ("wh-3", "420100", 20),
    ("xt-1", "429004", 10), ("xt-2", "429004", 10), ("xt-3", "429004", 10),
)  # fmt: skip
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
FILES = {
    "site": 'version: 1\nsite: {name: 湖北示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\ntiming: {deaf_after: 10d}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n  - {id: "429004", name: 仙桃市, parent: "420000"}\n',
    "facilities": "facilities:\n" + "".join(
        f"  - {{id: {name}, name: {name}, territory: '{code}', kind: medical_waste, capacity: [{{from: 2020-01-01, t_per_day: {tonnes}}}]}}\n"
        for name, code, tonnes in PLANTS
    ),
    "rollups": 'rollups:\n  - {id: mw, applies: {kind: medical_waste}, interval: day, sum: [mw.disposed_t, mw.capacity_t], levels: [county, city, province], due: "10:00", grace: 30m, complete: 0.8}\n',
    "rules": f'rules:\n  - {{id: territory-load, title: {{zh: 辖区医废负荷}}, applies: {{kind: territory, territory: "420000"}}, condition: {{ratio: {{of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}}}, levels: [{{severity: orange, raise: ">= 80", clear: "< 75"}}], {BASIS}}}\n',
    "people": 'people:\n  - {id: wu, name: 吴值, territory: "420000", contacts: [{id: wu-sms, channel: sms, address: "13900000001"}]}\n  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: "13900000002"}]}\n',
    "rosters": 'rosters:\n  - {id: hubei, territory: "420000", roles: {duty_officer: {people: [wu]}}}\n  - {id: wuhan, territory: "420100", roles: {duty_officer: {people: [li]}}}\n',
    "policies": "policies:\n  - {id: all, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n",
    "channels": "channels:\n  - {id: sms, kind: local, signature: 预警}\n",
}  # fmt: skip


class Hubei:
    """Times are `D HH:MM` of February 2020."""

    def __init__(self, folder: Path, **changed: str) -> None:
        for name, content in {**FILES, **changed}.items():
            (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
        self.folder = folder
        self.configuration: Configuration = load(folder, {})
        bundle = self.configuration.bundle()
        name, _ = encode_bundle(bundle)
        self.engine = Engine({name: bundle}.__getitem__)
        self.said: list[Transition] = []
        self.lines: list[dict[str, Any]] = []
        self._take(Activate(name))

    def _take(self, *records: Record) -> None:
        self.said += self.engine.apply(records)

    def tick(self, time: str) -> None:
        text = f"2020-02-{time.replace(' ', 'T')}:00+08:00"
        self._take(Tick(parse_instant(text, self.configuration.site.zone)))
        self.lines.append({"tick": text})

    def disposed(self, plant: str, day: str, tonnes: float) -> None:
        text = f"2020-02-{day}T00:00:00+08:00"
        at = parse_instant(text, self.configuration.site.zone)
        self._take(Report(plant, plant, "day", at, ("mw.disposed_t",), (tonnes,), None, at, "http"))
        self.lines.append(
            {"facility": plant, "observed_at": text, "interval": "day",
             "readings": [{"indicator": "mw.disposed_t", "value": tonnes}]}
        )  # fmt: skip

    def seen(self, territory: str) -> dict[str, Any]:
        return next(f for f in view.facilities(self.engine) if f["id"] == territory)

    def backtest(self) -> list[dict[str, Any]]:
        path = self.folder / "log.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines), encoding="utf-8")
        notes = StringIO()
        said = [json.loads(s) for s in recorded.backtest(self.configuration, [path], notes)]
        assert notes.getvalue() == ""
        return said


@pytest.fixture
def hubei(tmp_path: Path) -> Hubei:
    return Hubei(tmp_path)


def five_of_six(hubei: Hubei) -> None:
    """xt-3 never reports; the others dispose of 110 t of their 120 t."""
    hubei.tick("24 09:00")
    hubei.tick("25 00:00")
    for plant, tonnes in (("wh-1", 50.0), ("xt-2", 5.0), ("wh-3", 20.0), ("xt-1", 5.0)):
        hubei.disposed(plant, "24", tonnes)
    hubei.tick("25 09:00")
    hubei.disposed("wh-2", "24", 30.0)
    hubei.tick("25 10:30")
    assert [t.facility for t in hubei.said] == ["420100"]
    hubei.tick("25 10:31")


def test_a_member_that_never_reports_does_not_hide_the_province(hubei: Hubei) -> None:
    """Five of six are known: the load of those five is judged, and the sixth is named."""
    five_of_six(hubei)
    province = [t for t in hubei.said if t.facility == "420000"]
    assert [(t.state, t.value, t.limit) for t in province] == [("firing", 91.6666666667, ">= 80")]
    series = hubei.seen("420000")["series"]
    assert [s["value"] for s in series] == [110.0, 120.0]
    assert series[0]["members"] == {"known": 5, "of": 6, "unknown": ["xt-3"]}


def test_the_duty_officer_of_the_province_is_told(hubei: Hubei) -> None:
    five_of_six(hubei)
    house = House(hubei.configuration)
    house.take(*enumerate(hubei.said, 1))
    sent = house.phone("li").expect().text
    assert sent.startswith("【预警】武汉市：辖区医废负荷100%"), sent
    sent = house.phone("wu").expect().text
    assert sent.startswith("【预警】湖北省：辖区医废负荷91.67%（限≥80），2月24日起"), sent
    house.no_other_messages()


def test_the_transition_and_the_mail_say_who_is_missing(hubei: Hubei) -> None:
    five_of_six(hubei)
    house = House(hubei.configuration)
    house.take(*enumerate(hubei.said, 1))
    (told,) = [s.message.facts for s in house.wire.sent if s.message.person == "wu"]
    mail = MailWording().write(told)
    assert "成员：6 家中已知 5 家，未知：xt-3" in mail.text
    assert "6 家中已知 5 家，未知：xt-3" in mail.html
    (line,) = [said for said in hubei.backtest() if said["facility"] == "420000"]
    assert line["members"] == {"known": 5, "of": 6, "unknown": ["xt-3"]}


def test_a_city_with_too_few_known_is_unknown_not_normal(hubei: Hubei) -> None:
    """Two of three are less than 0.8 of Xiantao, whatever they say; the province has them."""
    five_of_six(hubei)
    city = hubei.seen("429004")
    assert [s["flag"] for s in city["series"]] == ["incomplete", "incomplete"]
    assert [rule["state"] for rule in city["rules"]] == ["unknown"]
    assert city["series"][0]["members"] == {"known": 2, "of": 3, "unknown": ["xt-3"]}


def test_too_few_reports_never_end_an_alarm(hubei: Hubei) -> None:
    """On the next day four of six report little; that is no recovery of the province."""
    five_of_six(hubei)
    hubei.tick("26 00:00")
    for plant in ("wh-1", "wh-2", "xt-1", "xt-2"):
        hubei.disposed(plant, "25", 1.0)
    hubei.tick("26 11:00")
    assert [t.state for t in hubei.said if t.facility == "420000"] == ["firing"]
    hubei.tick("27 00:00")
    for plant, _, _ in PLANTS:
        hubei.disposed(plant, "26", 1.0)
    assert [t.state for t in hubei.said if t.facility == "420000"] == ["firing", "resolved"]


def test_a_backtest_says_the_same(hubei: Hubei) -> None:
    five_of_six(hubei)
    zone = hubei.configuration.site.zone
    assert hubei.backtest() == [
        json.loads(json.dumps(transition_object(t, zone))) for t in hubei.said
    ]


def test_nobody_reports_for_a_territory(hubei: Hubei) -> None:
    """A territory's values come from its members alone."""
    hubei.lines.append(
        {"facility": "420000", "observed_at": "2020-02-24T00:00:00+08:00", "interval": "day",
         "readings": [{"indicator": "mw.disposed_t", "value": 1}]}
    )  # fmt: skip
    with pytest.raises(AssertionError, match="only its members report"):
        hubei.backtest()


def test_the_mail_of_the_province_has_no_word_of_another_language(tmp_path: Path) -> None:
    """Who is missing by his short name, a default called a default, a clause as it is cited."""
    basis = BASIS.replace("产品", "product default").replace('"-"', "table 1")
    hubei = Hubei(
        tmp_path,
        facilities=FILES["facilities"].replace("name: xt-3", "name: 仙桃第三处置中心, short_name: 仙桃三厂"),
        rules=FILES["rules"].replace(BASIS, basis),
    )  # fmt: skip
    five_of_six(hubei)
    house = House(hubei.configuration)
    house.take(*enumerate(hubei.said, 1))
    (told,) = [s.message.facts for s in house.wire.sent if s.message.person == "wu"]
    mail = MailWording().write(told)
    assert "成员：6 家中已知 5 家，未知：仙桃三厂" in mail.text
    assert "依据：产品默认值（不是法定限值） 2026 表 1" in mail.text
    assert not any(word in mail.text for word in ("default", "table", "unknown", "reported"))
