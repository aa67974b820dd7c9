"""A campaign from YAML to the phone: other limits and other recipients, for a while, somewhere."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from services.rules.backtest import run
from services.rules.core import state
from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant, instant_text, parse_instant
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import Transition, transition_object
from tests.scenario.campaign_site import write_campaign_site
from tests.scenario.house import House

DAY = 86_400_000_000
SILENT = (
    "  - {id: silent, applies: {facility: wuhan}, "
    "condition: {missing: {indicator: mw.stored_t, interval: hour, every: 4h}}, "
    "levels: [{severity: blue}], "
    'basis: {standard: 产品, edition: "2019", clause: "-", valid_from: 2019-01-01}}\n'
)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load(write_campaign_site(tmp_path / "site"), {})


def at(text: str, configuration: Configuration) -> Instant:
    return parse_instant(f"{text}T00:00:00", configuration.site.zone)


def day(facility: str, moment: Instant, tonnes: float) -> Report:
    return Report(
        facility, facility, "day", moment, ("mw.disposed_t",), (tonnes,), None,
        Instant(moment + DAY), "http",
    )  # fmt: skip


class Site:
    """Rules and notify together: a daily load goes in, texts come out."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration, self.said = configuration, list[Transition]()
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        self.engine = Engine({name: bundle}.__getitem__)
        self.engine.apply([Activate(name)])
        self.house = House(configuration)

    def load(self, facility: str, date: str, percent: float) -> list[str]:
        """The transitions of that day's load, as `rule state severity`; people are told."""
        report = day(facility, at(date, self.configuration), percent / 2)
        new = self.engine.apply([report])
        self.house.take(*enumerate(new, len(self.said) + 1))
        self.said += new
        return [f"{t.rule} {t.state} {t.severity.value}" for t in new]


def test_seventy_percent_is_nothing_then_an_order_then_nothing(
    configuration: Configuration,
) -> None:
    """The same load before, in and after the campaign; who is told is the campaign's, too."""
    site = Site(configuration)
    assert site.load("wuhan", "2020-01-19", 70) == []
    site.house.no_other_messages()

    assert site.load("wuhan", "2020-01-21", 70) == ["load@epidemic-2020 firing orange"]
    text = site.house.phone("wang").expect().text
    assert text.startswith("【预警】武汉医废：负荷（疫情防控）70%（限≥60），1月21日起"), text
    site.house.no_other_messages()
    assert site.said[-1].standard == "环党组〔2020〕6号"

    assert site.load("hunan", "2020-01-21", 70) == []
    assert site.load("wuhan", "2020-04-01", 70) == ["load@epidemic-2020 withdrawn orange"]
    site.house.phone("wang").expect("恢复")
    site.house.no_other_messages()

    assert site.load("wuhan", "2020-04-02", 85) == ["load firing blue"]
    site.house.phone("li").expect("负荷", "85%", "≥80")
    site.house.no_other_messages()


def test_an_alert_that_stands_when_it_begins_is_handed_over(
    configuration: Configuration,
) -> None:
    """The campaign's edition takes over, higher, and nobody is told of a recovery that is none."""
    site = Site(configuration)
    assert site.load("wuhan", "2020-01-19", 85) == ["load firing blue"]
    site.house.phone("li").expect("85%")
    assert site.load("wuhan", "2020-01-20", 85) == [
        "load withdrawn blue",
        "load@epidemic-2020 firing orange",
    ]
    site.house.phone("wang").expect("85%", "≥60")
    site.house.no_other_messages()
    assert site.load("wuhan", "2020-01-21", 40) == ["load@epidemic-2020 resolved orange"]
    for person in ("li", "wang"):
        site.house.phone(person).expect("恢复")
    site.house.no_other_messages()


def test_at_its_end_the_normal_rule_takes_over(configuration: Configuration) -> None:
    """A load that is too high by either is one alert at any time."""
    site = Site(configuration)
    assert site.load("wuhan", "2020-03-31", 85) == ["load@epidemic-2020 firing orange"]
    site.house.phone("wang").expect("85%")
    assert site.load("wuhan", "2020-04-01", 85) == [
        "load firing blue",
        "load@epidemic-2020 withdrawn orange",
    ]
    site.house.no_other_messages()


def test_a_prolonged_campaign_keeps_what_stands(tmp_path: Path) -> None:
    """Neither another end nor another city withdraws an alert; calling it off does."""
    folder = write_campaign_site(tmp_path / "site")
    first = load(folder, {})
    file = folder / "campaigns.yaml"
    text = file.read_text(encoding="utf-8")
    longer = text.replace("to: 2020-04-01", "to: 2020-05-01").replace('["420000"]', '["000000"]')
    file.write_text(longer, encoding="utf-8")
    prolonged = load(folder, {})
    file.unlink()
    called_off = load(folder, {})
    bundles = [each.bundle() for each in (first, prolonged, called_off)]
    names = [encode_bundle(each)[0] for each in bundles]
    engine = Engine(dict(zip(names, bundles, strict=True)).__getitem__)

    def said(*records: Record) -> list[str]:
        return [f"{t.rule} {t.facility} {t.state}" for t in engine.apply(records)]

    first_of_march = at("2020-03-01", first)
    assert said(Activate(names[0]), Tick(first_of_march), day("wuhan", first_of_march, 35)) == [
        "load@epidemic-2020 wuhan firing"
    ]
    assert said(Activate(names[1])) == []
    april = at("2020-04-10", first)
    assert said(day("wuhan", april, 35), day("hunan", april, 35)) == [
        "load@epidemic-2020 hunan firing"
    ]
    assert said(Activate(names[2])) == [
        "load@epidemic-2020 hunan withdrawn",
        "load@epidemic-2020 wuhan withdrawn",
    ]
    assert said(day("wuhan", at("2020-04-11", first), 42.5)) == ["load wuhan firing"]


def test_a_report_is_wanted_more_often_while_it_runs(tmp_path: Path) -> None:
    """Every four hours, and every hour in the campaign; each silence by the one it began under."""
    folder = write_campaign_site(tmp_path / "site")
    for name, old, new in (
        ("rules", "rules:\n", f"rules:\n{SILENT}"),
        ("campaigns", "    rules:\n", "    rules:\n      - {rule: silent, every: 1h}\n"),
    ):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    configuration = load(folder, {})
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    engine.deaf_never = True  # ticks are minutes apart here
    hour = DAY // 24

    def silence(date: str, hours: int) -> list[str]:
        """What is said in so many hours of silence after a reading at midnight."""
        start = at(date, configuration)
        report = Report(
            "wuhan", "wuhan", "hour", start, ("mw.stored_t",), (1.0,), None, start, "http"
        )
        engine.apply([Tick(start), report])
        found = []
        for minute in range(0, hours * 60 + 1, 5):
            now = Instant(start + minute * hour // 60)
            found += [f"{t.rule} {(t.at_us - start) / hour:g}h" for t in engine.apply([Tick(now)])]
        return [each for each in found if each.startswith("silent")]

    engine.apply([Activate(name)])
    assert silence("2020-01-10", 5) == ["silent 4h"]
    assert silence("2020-02-10", 5) == ["silent@epidemic-2020 1h"]
    assert silence("2020-04-10", 5) == ["silent 4h"]


def around_the_boundaries(configuration: Configuration, random: Random) -> Iterator[Record]:
    """Days just before and after both midnights, some late, with ticks between."""
    for first, last in (("2020-01-17", "2020-01-23"), ("2020-03-29", "2020-04-04")):
        moment, end = at(first, configuration), at(last, configuration)
        yield Tick(moment)
        while moment < end:
            for facility in ("wuhan", "hunan"):
                if random.random() < 0.85:
                    yield day(facility, moment, random.choice([20.0, 35.0, 42.5, 55.0]))
            moment = Instant(moment + DAY)
            yield Tick(Instant(moment + random.choice([0, 1, DAY // 2])))


@pytest.mark.parametrize("seed", range(30))
def test_live_is_backtest_across_both_midnights(
    configuration: Configuration, tmp_path: Path, seed: int
) -> None:
    """In one piece, record by record with restarts between, and as a backtest: the same words."""
    records = list(around_the_boundaries(configuration, Random(seed)))
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    zone = configuration.site.zone

    def words(found: list[Transition]) -> list[str]:
        return [json.dumps(transition_object(t, zone), ensure_ascii=False) for t in found]

    whole = Engine({name: bundle}.__getitem__)
    expected = words(whole.apply([Activate(name), *records]))

    engine, single = Engine({name: bundle}.__getitem__), list[Transition]()
    engine.apply([Activate(name)])
    for record in records:
        single += engine.apply([record])
        again = Engine({name: bundle}.__getitem__)
        state.restore(
            again, state.save_head(engine), [state.save_cell(c) for c in engine.cells.values()]
        )
        engine = again
    assert words(single) == expected

    lines = [json.dumps(_line(record, configuration)) for record in records]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run(configuration, [tmp_path / "in.jsonl"], tmp_path / "out.jsonl") == 0
    told = [json.loads(line) for line in io.StringIO((tmp_path / "out.jsonl").read_text())]
    assert told == [json.loads(line) for line in expected]


def _line(record: Record, configuration: Configuration) -> object:
    zone = configuration.site.zone
    if isinstance(record, Tick):
        return {"tick": instant_text(record.at_us, zone)}
    assert isinstance(record, Report)
    readings = [{"indicator": "mw.disposed_t", "value": record.values[0]}]
    observed = instant_text(record.observed_us, zone)
    return {
        "facility": record.facility, "observed_at": observed, "interval": "day",
        "readings": readings,
    }  # fmt: skip
