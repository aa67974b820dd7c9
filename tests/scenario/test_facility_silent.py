"""The silence of a facility is one message, and hides the silences of its series."""

from pathlib import Path

from services.rules.core.engine import Engine
from shared.config.load import check, load
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import Transition
from tests.scenario.campaign_site import FILES
from tests.scenario.house import House

MINUTE = 60_000_000
STATIONS = [f"plant-{number}" for number in range(10)]
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
RULES = f"""rules:
  - id: plant-silent
    title: {{zh: 全站失联}}
    action: {{zh: 核实通讯}}
    applies: {{kind: sewage_plant}}
    condition: {{silent: {{every: 5m, grace: 5m}}}}
    levels: [{{severity: orange}}]
    {BASIS}
  - id: series-silent
    title: {{zh: 化学需氧量缺数}}
    applies: {{kind: sewage_plant}}
    condition: {{missing: {{indicator: w01018, interval: realtime, every: 5m, grace: GRACE}}}}
    levels: [{{severity: yellow}}]
    {BASIS}
"""
PLACES = (
    'facilities:\n  - {id: plant, name: 示例污水厂, short_name: 污水厂, territory: "420100", '
    "kind: sewage_plant}\nstations:\n"
    + "".join(f"  - {{id: {name}, facility: plant}}\n" for name in STATIONS)
)
POLICIES = (
    "policies:\n  - {id: all, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 60m}]}\n"
)


def write(folder: Path, grace: str = "10m") -> Path:
    files = {
        **{name: FILES[name] for name in ("site", "territories", "people", "rosters", "channels")},
        "rules": RULES.replace("GRACE", grace), "facilities": PLACES, "policies": POLICIES,
    }  # fmt: skip
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


class Plant:
    """Ten stations, rules and notify; every minute has its tick."""

    def __init__(self, configuration: Configuration) -> None:
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        self.engine = Engine({name: bundle}.__getitem__)
        self.engine.deaf_never = True
        self.house = House(configuration)
        self.start = parse_instant("2026-02-03T12:00:00+08:00", configuration.site.zone)
        self.minute, self.said = 0, list[Transition]()
        self.feed(Activate(name), Tick(self.start))

    def feed(self, *records: Record) -> list[str]:
        new = self.engine.apply(records)
        self.house.take(*enumerate(new, len(self.said) + 1))
        self.said += new
        return [f"{t.rule} {t.station} {t.state}" for t in new]

    def wait(self, minutes: int) -> list[str]:
        heard = []
        for _ in range(minutes):
            self.minute += 1
            heard += self.feed(Tick(Instant(self.start + self.minute * MINUTE)))
        return heard

    def speak(self, *stations: str) -> list[str]:
        at = Instant(self.start + self.minute * MINUTE)
        return self.feed(
            *(
                Report("plant", name, "realtime", at, ("w01018",), (20.0,), None, at, "http")
                for name in stations
            )
        )


def test_ten_series_fall_silent_and_one_message_is_sent(tmp_path: Path) -> None:
    """One message; when one series returns, the nine that are missing are one more."""
    plant = Plant(load(write(tmp_path), {}))
    for _ in range(3):
        assert plant.speak(*STATIONS) == []
        plant.wait(4)
    assert plant.wait(5) == []
    assert plant.wait(1) == ["plant-silent plant firing"]
    text = plant.house.phone("li").expect("污水厂：全站失联无数据").text
    assert "等" not in text
    assert plant.wait(5) == [f"series-silent {name} firing" for name in STATIONS]
    plant.house.no_other_messages()
    incident = plant.house.incident("plant")
    assert len(incident["inhibited"]) == 10
    assert [alert["rule"] for alert in incident["alerts"]] == ["plant-silent"]

    plant.wait(30)
    assert plant.speak("plant-3") == ["series-silent plant-3 resolved"]
    assert plant.wait(4) == []
    plant.house.no_other_messages()
    assert plant.wait(1) == ["plant-silent plant resolved"]
    plant.house.phone("li").expect("化学需氧量缺数等9项")
    plant.house.no_other_messages()
    plant.speak(*STATIONS)
    plant.house.phone("li").expect("恢复")
    plant.house.no_other_messages()
    incident = plant.house.incident("plant")
    assert incident["state"] == "resolved"


def test_when_all_return_nobody_hears_of_single_series(tmp_path: Path) -> None:
    """They come back one after the other; the recovery of the facility is the only message."""
    plant = Plant(load(write(tmp_path), {}))
    plant.speak(*STATIONS)
    plant.wait(30)
    plant.house.phone("li").expect("全站失联")
    for name in STATIONS[:5]:
        assert plant.speak(name) == [f"series-silent {name} resolved"]
    plant.wait(4)
    plant.speak(*STATIONS)
    plant.house.no_other_messages()
    assert plant.wait(1) == ["plant-silent plant resolved"]
    plant.house.phone("li").expect("恢复", "全站失联")
    plant.house.no_other_messages()
    assert plant.house.incident("plant")["state"] == "resolved"


def test_a_campaign_asks_for_a_quicker_watch(tmp_path: Path) -> None:
    """Two minutes instead of ten while it runs; what it hides it hides then, too."""
    (write(tmp_path) / "campaigns.yaml").write_text(
        "campaigns:\n  - id: war\n    title: {zh: 战时}\n    from: 2026-02-03\n    to: 2026-02-04\n"
        '    territories: ["420000"]\n    rules: [{rule: plant-silent, every: 1m, grace: 1m}]\n'
        '    basis: {standard: 令, edition: "2026", clause: 一}\n',
        encoding="utf-8",
    )
    plant = Plant(load(tmp_path, {}))
    plant.speak(*STATIONS)
    assert plant.wait(1) == []
    assert plant.wait(1) == ["plant-silent@war plant firing"]
    plant.house.phone("li").expect("全站失联（战时）")
    plant.wait(20)
    plant.house.no_other_messages()
    assert plant.speak("plant-3") == ["series-silent plant-3 resolved"]
    assert plant.wait(1) == ["plant-silent@war plant resolved"]


def test_a_rule_that_is_quicker_than_the_facility_is_said(tmp_path: Path) -> None:
    """What is told first cannot be hidden afterwards."""
    configuration, findings = check(write(tmp_path, grace="5m"), {})
    assert configuration is not None
    said = [str(each) for each in findings if "counts as silent" in str(each)]
    assert said == [
        "rules.yaml:6: warning: rule series-silent is missing no later than the facility counts as silent, "
        "so it is told first; give this one a shorter every or grace, or that a longer"
    ]


def test_what_cannot_be_is_said_with_its_line(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "rules.yaml"
    text = path.read_text(encoding="utf-8").replace("grace: 5m}", "grace: 5m, settle: 11m}")
    text = text.replace(
        "    levels: [{severity: orange}]", '    levels: [{severity: orange, raise: "> 1"}]'
    )
    path.write_text(text.replace("kind: sewage_plant", "kind: territory", 1), encoding="utf-8")
    _, findings = check(tmp_path, {})
    said = "\n".join(map(str, findings))
    for words in (
        "rules.yaml:6: settle is longer than every and grace",
        "rules.yaml:7: a silent level has no raise; delete it",
        "rules.yaml:5: a territory says nothing itself",
    ):
        assert words in said
