"""A suspicion, from the shipped pack to the phone: by the usual policy to nobody, or once if asked."""

from pathlib import Path

import pytest

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from shared.model.transition import Transition
from tests.scenario.house import START, House
from tests.scenario.test_stations_told import FILES

HOUR, DAYS, LOW_FROM = 3_600_000_000, 14, 24
FOUR = ("dong", "xi", "nan", "bei")
CITY = {
    "facilities": "facilities:\n  - {id: air, name: 武汉示例空气网, short_name: 武汉空气网, territory: '420100', kind: air_station}\n"
    "stations:\n" + "".join(f"  - {{id: {name}, facility: air}}\n" for name in FOUR),
    "rules": "packs: [air-anomalies]\n",
}
USUAL = "yellow, orange, red"


def of_a_fortnight(folder: Path, severities: str) -> tuple[House, list[Transition]]:
    """Smog that comes and goes over all of them; in the last day one inlet lets a fifth through."""
    policy = (
        f"policies:\n  - {{id: first, match: {{severity: [{severities}]}}, steps: "
        "[{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n  - {id: rest, steps: []}\n"
    )
    for name, content in {**FILES, **CITY, "policies": policy}.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    configuration = load(folder, {})
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    engine.deaf_never = True
    said = engine.apply([Activate(name)])
    last = DAYS * 24 - 1
    for number in range(last + 1):
        at = Instant(START - (last - number) * HOUR)
        said += engine.apply([Tick(at)])
        for place, station in enumerate(FOUR):
            value = 30.0 + 80 * (number // 6 % 3) + number % 5 + place / 5
            if station == "bei" and number > last - LOW_FROM:
                value /= 5
            report = Report("air", station, "hour", at, ("a34004",), (value,), None, at, "http")
            said += engine.apply([report])
    house = House(configuration)
    house.take(*enumerate(said, 1))
    return house, said


def test_the_usual_policy_wakes_nobody_for_a_suspicion(tmp_path: Path) -> None:
    """It is blue: it stands on the page, for the morning."""
    house, said = of_a_fortnight(tmp_path, USUAL)
    assert {(t.station, t.severity.value) for t in said if t.state == "firing"} == {("bei", "blue")}
    house.no_other_messages()


@pytest.mark.parametrize("severities", [f"blue, {USUAL}"])
def test_who_asks_for_blue_is_told_once_that_it_may_be_so(tmp_path: Path, severities: str) -> None:
    """疑似, what to verify, and no verdict; what joins it at the same severity tells nobody."""
    house, said = of_a_fortnight(tmp_path, severities)
    assert len({t.rule for t in said if t.state == "firing"}) > 1
    sent = house.phone("li").expect().text
    assert "疑似" in sent, sent
    assert "核实" in sent, sent
    assert "超标" not in sent, sent
    house.no_other_messages()
