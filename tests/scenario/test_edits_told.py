"""Exceedances that are changed afterwards: from YAML to what the duty officer reads."""

from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from shared.config.load import check, load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Report
from tests.scenario.campaign_site import FILES
from tests.scenario.house import House

HOUR = 3_600_000_000
RULE = """rules:
  - id: cod-edited
    title: {zh: 疑似超标数据事后改低}
    applies: {kind: sewage_plant}
    condition: {discipline: {indicator: w01018, interval: hour, unit: mg/L, of: edits, within: 20, undoes: "> 50"}}
    levels: [{severity: yellow, raise: ">= 10", clear: "< 5"}]
    basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}
"""
OTHERS = {
    "facilities": 'facilities:\n  - {id: plant, name: 示例污水厂, short_name: 污水厂, territory: "420100", kind: sewage_plant}\n',
    "policies": "policies:\n  - {id: all, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 60m}]}\n",
}


def write(folder: Path, rule: str = RULE) -> Path:
    files = {name: FILES[name] for name in ("site", "territories", "people", "rosters", "channels")}
    for name, content in {**files, **OTHERS, "rules": rule}.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


def test_two_exceedances_of_a_day_are_changed_and_somebody_is_asked_to_verify(
    tmp_path: Path,
) -> None:
    """A suspicion with its share; corrections upwards and of what was below raise none."""
    configuration = load(write(tmp_path), {})
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine, house = Engine({name: bundle}.__getitem__), House(configuration)
    begin = parse_instant("2026-02-02T12:00:00+08:00", configuration.site.zone)
    said: list[str] = []

    def hour(number: int, value: float) -> None:
        at = Instant(begin + number * HOUR)
        report = Report("plant", "plant", "hour", at, ("w01018",), (value,), None, at, "http")
        new = engine.apply([report])
        house.take(*enumerate(new, len(said) + 1))
        said.extend(f"{t.rule} {t.state}" for t in new)

    engine.apply([Activate(name)])
    for number in range(20):
        hour(number, 62 if number in (4, 11) else 30)
    hour(5, 33)
    hour(11, 70)
    hour(11, 48)
    assert said == []
    hour(4, 45)
    assert said == ["cod-edited firing"]
    text = house.phone("li").expect("疑似超标数据事后改低10%（限≥10）").text
    assert "请核实处置" in text
    house.no_other_messages()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (', undoes: "> 50"', ", limit: 50", "limit goes with of: heaping, not with edits; delete it"),
        ("of: edits", "of: marks", "undoes goes with of: edits, not with marks; delete it"),
        ("疑似", "", "a share of readings is a suspicion, not a finding; say 疑似 in its title"),
        ('"> 50"', '"50"', "undoes"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    _, findings = check(write(tmp_path, RULE.replace(old, new)), {})
    assert any(words in str(each) and str(each).startswith("rules.yaml:") for each in findings)
