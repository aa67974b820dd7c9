"""A derived condition from YAML to the text on the phone of the person on duty."""

from collections.abc import Callable
from math import sin
from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from tests.scenario.house import START, House

HOUR = 3_600_000_000
DAY = 24 * HOUR
FILES = {
    "site": 'version: 1\nsite: {name: 湖北示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n',
    "facilities": "facilities:\n  - {id: ww, name: 武汉示例医院, short_name: 武汉医院, territory: '420100', kind: hospital_wastewater}\n",
    "people": 'people:\n  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: "13900000001"}]}\n',
    "rosters": 'rosters:\n  - {id: wuhan, territory: "420100", roles: {duty_officer: {people: [li]}}}\n',
    "policies": "policies:\n  - {id: all, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n",
    "channels": "channels:\n  - {id: sms, kind: local, signature: 预警}\n",
}
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
Text = Callable[..., str]


@pytest.fixture
def text(tmp_path: Path) -> Text:
    """What arrives of one rule after hourly readings of COD, the last of them at noon."""

    def write(
        title: str, rule: str, hours: list[float], flags: str = "", ticks: tuple[int, ...] = ()
    ) -> str:
        rules = f"rules:\n  - {{id: r, title: {{zh: {title}}}, {rule}, {BASIS}}}\n"
        for name, content in {**FILES, "rules": rules}.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        configuration = load(tmp_path, {})
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        engine = Engine({name: bundle}.__getitem__)
        engine.deaf_never = True
        engine.apply([Activate(name)])
        house = House(configuration)
        said = []
        for n, value in enumerate(hours):
            at = Instant(START - (len(hours) - 1 - n) * HOUR)
            flag = (flags[n],) if flags else None
            report = Report("ww", "ww", "hour", at, ("w01018",), (value,), flag, at, "http")
            said += engine.apply([report])
        said += engine.apply([Tick(Instant(at)) for at in ticks])
        house.take(*enumerate(said, 1))
        sent = house.phone("li").expect().text
        house.no_other_messages()
        return sent

    return write


def test_the_mean_of_eight_hours(text: Text) -> None:
    """Seven of its eight hours are enough; since the start of the window."""
    rule = (
        "condition: {average: {indicator: w01018, interval: hour, over: 8h, unit: mg/L}}, "
        'levels: [{severity: orange, raise: "> 60"}]'
    )
    sent = text("八小时均值", rule, [55.0] * 4 + [70.0] * 4)
    assert sent.startswith("【预警】武汉医院：八小时均值61.43mg/L（限>60），04:00起"), sent


def test_a_rise(text: Text) -> None:
    rule = (
        "condition: {rate: {indicator: w01018, interval: hour, per: 1h, unit: mg/L}}, "
        'levels: [{severity: orange, raise: ">= 20"}]'
    )
    sent = text("需氧量上升", rule, [40.0, 42.0, 75.0])
    assert sent.startswith("【预警】武汉医院：需氧量上升33mg/L/h（限≥20），12:00起"), sent


def test_a_jump(text: Text) -> None:
    rule = (
        "condition: {jump: {indicator: w01018, interval: hour}}, "
        'levels: [{severity: orange, raise: "> 30"}]'
    )
    sent = text("需氧量突变", rule, [80.0, 45.0])
    assert sent.startswith("【预警】武汉医院：需氧量突变35mg/L（限>30），12:00起"), sent


def test_a_value_that_stands(text: Text) -> None:
    rule = (
        "condition: {flatline: {indicator: w01018, interval: hour, within: 0, over: 4h}}, "
        "levels: [{severity: orange}]"
    )
    sent = text("数值不变", rule, [50.0, 33.3, 33.3, 33.3, 33.3, 33.3])
    assert sent.startswith("【预警】武汉医院：数值不变4h（限≥4），12:00起"), sent


def test_three_of_six(text: Text) -> None:
    rule = (
        'condition: {count: {indicator: w01018, interval: hour, of: "> 60", within: 6}}, '
        'levels: [{severity: orange, raise: ">= 3"}]'
    )
    sent = text("六小时超标次数", rule, [50.0, 70.0, 50.0, 70.0, 50.0, 70.0])
    assert sent.startswith("【预警】武汉医院：六小时超标次数3（限≥3），12:00起"), sent


def test_maintenance_that_takes_too_long(text: Text) -> None:
    """What mutes the limit is told itself; a fault in between does not hide it."""
    rule = (
        "condition: {flagged: {indicator: w01018, interval: hour, flags: [M, C, F, D, B], over: 4h}}, "
        "levels: [{severity: orange}]"
    )
    sent = text("维护停运时长", rule, [200.0] * 7, "NNMMDDM")
    assert sent.startswith("【预警】武汉医院：维护停运时长4h（限≥4），12:00起"), sent


def test_a_plan_that_was_not_kept(text: Text) -> None:
    """Two samples of three yesterday; told in the first hour of today."""
    rule = (
        "condition: {compliance: {indicator: w01018, interval: hour, at_least: 3, per: day, grace: 0s}}, "
        'levels: [{severity: orange, raise: "< 100"}]'
    )
    midnight = START // DAY * DAY + DAY - 8 * HOUR
    sent = text("采样频次完成率", rule, [50.0, 55.0], ticks=(midnight - DAY, midnight))
    assert sent.startswith("【预警】武汉医院：采样频次完成率66.67%（限<100）"), sent


def test_values_that_heap_under_the_limit_are_a_suspicion(text: Text) -> None:
    """What is said is a doubt and what to do about it, not a finding."""
    rule = (
        "condition: {discipline: {indicator: w01018, interval: hour, of: heaping, within: 24, limit: 60}}, "
        'levels: [{severity: orange, raise: ">= 80"}]'
    )
    sent = text("疑似贴近限值扎堆占比", rule, [59.0] * 18 + [55.0] * 2 + [40.0] * 4)
    assert sent.startswith("【预警】武汉医院：疑似贴近限值扎堆占比90%（限≥80）"), sent
    assert "请核实处置" in sent, sent


def test_days_until_saturation(text: Text) -> None:
    """At the trend of the last twelve hours."""
    rule = (
        "condition: {time_to_limit: {indicator: w01018, interval: hour, limit: 60, over: 12h, shown_in: h}}, "
        'levels: [{severity: orange, raise: "<= 6"}]'
    )
    sent = text("预计达限值时间", rule, [40.0 + n for n in range(15)])
    assert sent.startswith("【预警】武汉医院：预计达限值时间6h（限≤6），12:00起"), sent


def test_a_peak_that_is_not_usual_at_this_hour(text: Text) -> None:
    rule = (
        "condition: {deviation: {indicator: w01018, interval: hour, over: 1h}}, "
        'levels: [{severity: orange, raise: "> 2"}]'
    )
    usual = [50 + 20 * (n % 24 < 6) + sin(n * n) for n in range(10 * 24)]
    sent = text("偏离常态", rule, [*usual[: -24 + 13], 70.0])
    assert sent.startswith("【预警】武汉医院：偏离常态"), sent
    assert "（限>2），12:00起" in sent, sent


def test_a_day_that_drifted(text: Text) -> None:
    rule = (
        "condition: {drift: {indicator: w01018, interval: hour}}, "
        'levels: [{severity: orange, raise: "> 1.25"}], keep_firing_for: 1d'
    )
    calm = [50 + 5 * sin(n / 24 * 6.2832) + sin(n * n) for n in range(240)]
    sent = text("日均漂移", rule, [*calm, *[58.0 + sin(n * n) for n in range(22)]])
    assert sent.startswith("【预警】武汉医院：日均漂移"), sent
