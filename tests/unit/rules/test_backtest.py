"""Backtest: inputs in order as one log, ticks made where there are none (contract §8.20)."""

import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.rules.backtest import backtest
from services.rules.inputs import read_inputs
from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.config.load import load
from shared.log.memory import MemoryBundles, MemoryLog
from shared.log.port import REPORTS
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import parse_instant
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.transition import transition_object
from shared.observe.metrics import Metrics
from shared.reports.candidate import Candidate
from shared.reports.judge import Judge
from shared.reports.parse import parse_report

SITE = """
version: 1
site: {name: 试, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}
"""
FACILITIES = """
facilities:
  - {id: mw, name: 厂, short_name: 厂, territory: "420100", kind: medical_waste, capacity: [{from: 2020-01-19, t_per_day: 50}]}
"""
TERRITORIES = """
territories:
  - {id: "420000", name: 湖北省}
  - {id: "420100", name: 武汉市}
"""
BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
RULES = f"""
rules:
  - {{id: load, title: {{zh: 负荷, en: Load}}, applies: {{kind: medical_waste}}, condition: {{ratio: {{of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}}}, levels: [{{severity: blue, raise: ">= 80", clear: "< 75"}}, {{severity: orange, raise: ">= 100", clear: "< 95"}}], {BASIS}}}
  - {{id: late, title: {{zh: 迟, en: Late}}, applies: {{kind: medical_waste}}, condition: {{missing: {{indicator: mw.disposed_t, interval: day, due: "10:00", grace: 30m}}}}, levels: [{{severity: yellow}}], {BASIS}}}
  - {{id: cod, title: {{zh: 需氧, en: COD}}, applies: {{kind: medical_waste}}, condition: {{threshold: {{indicator: w01018, interval: realtime, unit: mg/L}}}}, levels: [{{severity: yellow, raise: "> 60", clear: "<= 54"}}], for: 5m, keep_firing_for: 5m, {BASIS}}}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    config = tmp_path / "配置 config"
    config.mkdir()
    for name, text in {
        "site": SITE, "territories": TERRITORIES, "facilities": FACILITIES, "rules": RULES,
    }.items():  # fmt: skip
        (config / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(config, {})


class Trial:
    """Write inputs, run, read what was said and what was skipped."""

    def __init__(self, configuration: Configuration, path: Path) -> None:
        self.configuration, self.path = configuration, path
        self.inputs: list[Path] = []
        self.notes = ""

    def file(self, name: str, text: str) -> "Trial":
        self.inputs.append(self.path / name)
        self.inputs[-1].write_text(text, encoding="utf-8")
        return self

    def lines(self, *items: Any) -> "Trial":
        return self.file(f"{len(self.inputs)}.jsonl", "\n".join(map(json.dumps, items)))

    def run(self) -> list[dict[str, Any]]:
        notes = io.StringIO()
        said = [json.loads(x) for x in backtest(self.configuration, self.inputs, notes)]
        self.notes = notes.getvalue().replace(str(self.path) + "/", "")
        return said


@pytest.fixture
def trial(configuration: Configuration, tmp_path: Path) -> Trial:
    return Trial(configuration, tmp_path)


def waste(day: str, value: float) -> dict[str, Any]:
    return {
        "facility": "mw", "observed_at": f"2020-02-{day}T08:00:00+08:00", "interval": "day",
        "readings": [{"indicator": "mw.disposed_t", "value": value}],
    }  # fmt: skip


def cod(time: str, value: float, flag: str = "N") -> dict[str, Any]:
    return {
        "facility": "mw", "observed_at": f"2020-02-24T{time}+08:00", "interval": "realtime",
        "readings": [{"indicator": "w01018", "value": value, "flag": flag}],
    }  # fmt: skip


def test_the_object_is_the_one_of_the_contract(trial: Trial) -> None:
    """The same as GET /v1/transitions but for id and seq."""
    assert trial.lines(waste("24", 51.6)).run() == [
        {
            "rule": "load", "facility": "mw", "station": "mw", "indicator": "mw.disposed_t",
            "interval": "day", "episode": "2020-02-24T00:00:00+08:00", "step": 1,
            "state": "firing", "severity": "orange", "cause": "raised",
            "at": "2020-02-24T00:00:00+08:00", "value": 103.2, "limit": ">= 100", "unit": "%",
            "basis": {"standard": "产品", "edition": "2026", "clause": "-"},
        }
    ]  # fmt: skip


def test_without_ticks_a_tick_stands_at_the_end_of_each_window(trial: Trial) -> None:
    """The slot of the 25th is missing when the window of the 26th has ended, 14 h after."""
    said = trial.lines(waste("24", 1), waste("26", 1)).run()
    assert [(t["state"], t["cause"], t["at"], t["episode"]) for t in said] == [
        ("firing", "missing", "2020-02-26T10:30:00+08:00", "2020-02-26T10:00:00+08:00"),
        ("resolved", "reported", "2020-02-27T00:00:00+08:00", "2020-02-26T10:00:00+08:00"),
    ]


def test_one_more_tick_at_the_log_time_runs_what_is_due_at_the_end(trial: Trial) -> None:
    said = trial.lines(cod("08:00:00", 70), cod("09:00:00", 10), cod("08:58:00", 1)).run()
    assert [(t["state"], t["at"][11:19]) for t in said] == [
        ("pending", "08:00:00"), ("firing", "08:05:00"),
    ]  # fmt: skip
    late = trial.lines(waste("26", 1)).run()
    assert late[2]["state"] == "resolved"
    assert late[2]["at"] == "2020-02-24T09:05:00+08:00"


def test_own_ticks_are_the_only_ones_and_gaps_are_deafness(trial: Trial) -> None:
    """A week between two ticks is our silence, not the station's."""
    said = trial.lines(
        {"tick": "2020-02-24T11:00:00+08:00"}, {"tick": "2020-03-01T11:00:00+08:00"}, waste("24", 1)
    ).run()
    assert said == []


def test_csv_rows_of_one_time_and_station_are_one_report(trial: Trial) -> None:
    """Columns in any order, empty is absent, one instant however it is written."""
    said = trial.file(
        "x.csv",
        "\ufeffvalue,indicator,facility,station,interval,observed_at,flag,unit\n"
        "60000,mw.disposed_t,mw,,day,2020-02-24T08:00:00+08:00,,kg\n"
        "100,mw.capacity_t,mw,,day,2020-02-24T00:00:00Z,S,\n"
        "\n"
        "90,mw.disposed_t,mw,mw,day,2020-02-25,,\n"
        "90,mw.disposed_t,mw,mw,day,2020-02-25T00:00,,\n",
    ).run()
    assert [(t["value"], t["severity"]) for t in said] == [(180, "orange")]
    assert trial.notes == (
        "x.csv:5: bad-time: observed_at: '2020-02-25' is not an RFC 3339 time such as "
        "2026-02-01T08:00:00+08:00\n"
    )


def test_what_ingest_would_refuse_is_named_by_its_line_and_skipped(trial: Trial) -> None:
    trial.file(
        "a.csv",
        "observed_at,facility,indicator,interval,value\n"
        "2020-02-24T00:00:00+08:00,mw,mw.disposed_t,day,1\n"
        "2020-02-24T00:00:00+08:00,mw,mw.capacity_t,day,fifty\n"
        "2020-02-24T00:00:00+08:00,mw,mw.stored_t,day,nan\n"
        "2020-02-25T00:00:00+08:00,nobody,mw.disposed_t,day,1\n"
        "2020-02-25T00:00:00+08:00,mw,mw.disposed_t,day,1,2\n"
        "2020-02-26T00:00:00+08:00,mw,mw.disposed_t,day,60\n",
    ).file("b.jsonl", '{"facility": \n\n{"tick": "soon"}\n[1]\n')
    said = trial.run()
    assert [t["at"][:10] for t in said] == ["2020-02-26"]
    assert [line.split(": ")[:2] for line in trial.notes.splitlines()] == [
        ["a.csv:3", "bad-number"], ["a.csv:6", "bad-field"], ["a.csv:5", "unknown-facility"],
        ["b.jsonl:1", "bad-json"], ["b.jsonl:3", "bad-time"], ["b.jsonl:4", "bad-field"],
    ]  # fmt: skip


def test_duplicates_change_nothing(trial: Trial) -> None:
    items = [waste("24", 51), waste("25", 30), cod("08:00:00", 70), cod("08:06:00", 20)]
    once = trial.lines(*items).run()
    again = Trial(trial.configuration, trial.path).lines(*[i for i in items for _ in "ab"]).run()
    assert once == again
    assert len(once) > 2


@pytest.mark.parametrize("seed", range(5))
def test_live_equals_backtest_byte_for_byte(trial: Trial, tmp_path: Path, seed: int) -> None:
    """The log that ingest would write, in random entries, through the worker."""
    random = Random(seed)
    items: list[dict[str, Any]] = []
    minute = 0
    for _ in range(150):
        minute += random.choice([0, 1, 1, 3])
        clock = f"{8 + minute // 60:02}:{minute % 60:02}:00"
        if random.random() < 0.5:
            items.append({"tick": f"2020-02-24T{clock}+08:00"})
        else:
            items.append(cod(clock, random.choice([10, 55, 61, 70]), random.choice("NNNNNTD")))
    expected = list(backtest(trial.configuration, trial.lines(*items).inputs, io.StringIO()))
    assert len(expected) > 3

    bundle = trial.configuration.bundle()
    name, body = encode_bundle(bundle)
    log, bundles, zone = MemoryLog(), MemoryBundles(), trial.configuration.site.zone
    bundles.put(name, body)
    rest: list[Record] = [Activate(name)]
    for item in items:
        if "tick" in item:
            rest.append(Tick(parse_instant(item["tick"], zone)))
        else:
            candidate = parse_report(item, zone)
            assert isinstance(candidate, Candidate)
            report = Judge(trial.configuration).judge(candidate, None)
            assert isinstance(report, Report)
            rest.append(report)
    while rest:
        size = random.randint(1, 9)
        log.append(REPORTS, [("", encode_envelope(rest[:size]))])
        rest = rest[size:]
    store = RulesStore(tmp_path / "rules.db")
    worker = RulesWorker(log, bundles, store, Metrics(CollectorRegistry()))
    while worker.pump():
        pass
    live = [json.dumps(transition_object(t, zone)) for _, t in store.read(0, 1000)]
    assert [json.loads(x) for x in live] == [json.loads(x) for x in expected]
    store.close()


def test_csv_corrects_and_withdraws_as_json_does(
    configuration: Configuration, tmp_path: Path
) -> None:
    """Columns `revision` and `withdrawn`; another saying of a window is a report of its own."""
    csv, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    csv.write_text(
        "observed_at,facility,interval,indicator,value,revision,withdrawn\n"
        "2020-02-24T00:00:00+08:00,mw,day,mw.disposed_t,120,,\n"
        "2020-02-24T00:00:00+08:00,mw,day,mw.disposed_t,12,1,\n"
        "2020-02-24T00:00:00+08:00,mw,day,mw.disposed_t,,2,是\n"
        "2020-02-24T00:00:00+08:00,mw,day,mw.disposed_t,12,3,no\n"
        "2020-02-25T00:00:00+08:00,mw,day,mw.disposed_t,12,0.5,\n"
        "2020-02-26T00:00:00+08:00,mw,day,mw.disposed_t,12,,perhaps\n",
        encoding="utf-8",
    )
    said = [
        waste("24", 120), waste("24", 12) | {"revision": 1},
        waste("24", 12) | {"revision": 2, "withdrawn": True}, waste("24", 12) | {"revision": 3},
    ]  # fmt: skip
    lines.write_text("\n".join(json.dumps(each) for each in said), encoding="utf-8")
    *reports, fraction, mark = read_inputs([csv], configuration)
    assert reports == list(read_inputs([lines], configuration))
    assert [str(each)[len(str(csv)) :].split(" is ")[0] for each in (fraction, mark)] == [
        ":6: bad-field: revision", ":7: bad-field: withdrawn",
    ]  # fmt: skip
