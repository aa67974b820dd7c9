"""Rules on several stations, from YAML to the text on the phone: the agreement is told, not the parts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from tests.scenario.house import START, House

HOUR = 3_600_000_000
FILES = {
    "site": 'version: 1\nsite: {name: 湖北示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n',
    "facilities": "facilities:\n  - {id: ww, name: 武汉示例污水厂, short_name: 武汉污水厂, territory: '420100', kind: sewage_plant}\n"
    "stations:\n  - {id: a, facility: ww}\n  - {id: b, facility: ww}\n  - {id: c, facility: ww}\n",
    "people": 'people:\n  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: "13900000001"}]}\n',
    "rosters": 'rosters:\n  - {id: wuhan, territory: "420100", roles: {duty_officer: {people: [li]}}}\n',
    "policies": "policies:\n  - {id: grave, match: {severity: [orange, red]}, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n  - {id: rest, steps: []}\n",
    "channels": "channels:\n  - {id: sms, kind: local, signature: 预警}\n",
}
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
ALONE = (
    "id: alone, title: {zh: 单点超标}, condition: {threshold: {indicator: w01018, "
    'interval: hour}}, levels: [{severity: blue, raise: "> 60"}]'
)
Hour = dict[str, float]
Told = Callable[[list[str], list[Hour]], str | None]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The one text that arrives of some rules after hours of readings, the last of them at noon."""

    def run(rules: list[str], hours: list[Hour]) -> str | None:
        text = "rules:\n" + "".join(f"  - {{{rule}, {BASIS}}}\n" for rule in rules)
        for name, content in {**FILES, "rules": text}.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        configuration = load(tmp_path, {})
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        engine = Engine({name: bundle}.__getitem__)
        engine.deaf_never = True
        engine.apply([Activate(name)])
        house = House(configuration)
        said = []
        for n, values in enumerate(hours):
            at = Instant(START - (len(hours) - 1 - n) * HOUR)
            said += engine.apply([Tick(at)])
            for station, value in values.items():
                report = Report("ww", station, "hour", at, ("w01018",), (value,), None, at, "http")
                said += engine.apply([report])
        house.take(*enumerate(said, 1))
        found = house.phone("li").expect().text if any(t.severity != "blue" for t in said) else None
        house.no_other_messages()
        return found

    return run


AGREE = (
    "id: agree, title: {zh: 同时超标站点}, condition: {across: {indicator: w01018, interval: hour, "
    'of: count, than: "> 60", complete: 0.5}}, levels: [{severity: orange, raise: ">= 2"}]'
)


def test_one_instrument_that_is_wrong_wakes_nobody(told: Told) -> None:
    assert told([ALONE, AGREE], [{"a": 900.0, "b": 40.0, "c": 41.0}]) is None


def test_two_neighbours_that_agree_are_one_text(told: Told) -> None:
    """Of the plant, not of each of its stations."""
    hours = [{"a": 90.0, "b": 40.0, "c": 41.0}, {"a": 90.0, "b": 70.0, "c": 41.0}]
    sent = told([ALONE, AGREE], hours)
    assert sent is not None
    assert sent.startswith("【预警】武汉污水厂：同时超标站点2（限≥2），12:00起"), sent


def test_two_weak_signs_are_one_text(told: Told) -> None:
    """Each is blue, and no policy tells of blue; both together are red."""
    rise = (
        "id: rise, condition: {rate: {indicator: w01018, interval: hour, per: 1h}}, "
        'levels: [{severity: blue, raise: ">= 20"}]'
    )
    both = (
        "id: both, title: {zh: 超标且上升}, condition: {composite: {all: [alone, rise]}}, "
        "levels: [{severity: red}]"
    )
    sent = told([ALONE, rise, both], [{"a": 50.0, "b": 61.0}, {"a": 75.0, "b": 62.0}])
    assert sent is not None
    assert sent.startswith("【预警】武汉污水厂：超标且上升2（限≥2），12:00起"), sent
