"""What the officer on duty reads of an air quality index, and of ammonia in cold water."""

from pathlib import Path

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.report import Activate, Report
from tests.scenario.house import START, House
from tests.scenario.test_conditions import BASIS, FILES


def text_of(folder: Path, title: str, rule: str, kind: str, report: Report) -> str:
    """What arrives of one rule after one report."""
    rules = f"rules:\n  - {{id: r, title: {{zh: {title}}}, {rule}, {BASIS}}}\n"
    files = FILES | {"rules": rules}
    files["facilities"] = files["facilities"].replace("hospital_wastewater", kind)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    configuration = load(folder, {})
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    house = House(configuration)
    house.take(*enumerate(engine.apply([Activate(name), report]), 1))
    sent = house.phone("li").expect().text
    house.no_other_messages()
    return sent


def test_heavy_pollution_by_the_hour(tmp_path: Path) -> None:
    """Six pollutants, one number; the highest of them decides."""
    rule = (
        "condition: {index: {table: hj633-2012-hour, interval: hour}}, "
        'levels: [{severity: orange, raise: "> 200"}]'
    )
    codes = ("a34004", "a34002", "a21026", "a21004", "a21005", "a05024")
    values = (260.0, 300.0, 0.05, 0.09, 3.2, 20.0)
    report = Report("ww", "ww", "hour", START, codes, values, None, START, "http")
    sent = text_of(tmp_path, "小时空气质量指数", rule, "air_station", report)
    assert "小时空气质量指数" in sent
    assert "310" in sent
    assert "200" in sent


def test_ammonia_over_the_limit_of_warm_water(tmp_path: Path) -> None:
    """6 mg/L at 14 °C are 120 % of the 5 mg/L that hold above 12 °C."""
    rule = (
        "condition: {limited: {indicator: w21003, interval: day, unit: mg/L, by: w01010, "
        'limits: [{when: "> 12", limit: 5}, {when: "<= 12", limit: 8}]}}, '
        'levels: [{severity: yellow, raise: "> 100"}]'
    )
    report = Report(
        "ww", "ww", "day", START, ("w21003", "w01010"), (6.0, 14.0), None, START, "http"
    )
    sent = text_of(tmp_path, "氨氮超标", rule, "sewage_plant", report)
    assert "氨氮超标" in sent
    assert "120%" in sent
