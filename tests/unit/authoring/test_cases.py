"""Cases of rules: what passes, what fails with which words, and what is no case at all."""

import io
from pathlib import Path
from textwrap import indent
from typing import Any
from xml.etree import ElementTree

import pytest

from services.authoring.run_cases import run

HEAD = """\
facilities:
  - {id: f1, kind: hospital_wastewater, capacity: [{from: 2020-01-01, t_per_day: 50}]}
rules:
  - id: cod
    condition: {threshold: {indicator: w01018, interval: realtime, unit: mg/L}}
    levels: [{severity: yellow, raise: "> 60", clear: "<= 54"}, {severity: orange, raise: "> 100"}]
    for: 2m
  - id: load
    condition: {ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}
    levels: [{severity: blue, raise: ">= 80"}]
  - id: late
    condition: {missing: {indicator: mw.disposed_t, interval: day, due: "10:00", grace: 30m}}
    levels: [{severity: yellow}]
tests:
  - name: trial
"""


class Trial:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.junit = folder / "junit.xml"
        self.out, self.err = io.StringIO(), io.StringIO()

    def __call__(self, case: str, head: str = HEAD) -> int:
        path = self.folder / "case.yaml"
        path.write_text(head + indent(case, "    "), encoding="utf-8")
        return run([path], self.junit, {}, self.out, self.err)

    @property
    def said(self) -> str:
        return self.out.getvalue()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


COD = """\
input_series: [{series: w01018, values: "50 61x3 55 120 50x3"}]
"""


def test_alerts_stand_as_expected_at_each_time(trial: Trial) -> None:
    """Pending, then firing, then higher, then gone."""
    case = COD + """\
alert_rule_test:
  - {eval_time: 0, exp_alerts: []}
  - {eval_time: 1m, rule: cod, exp_alerts: [{state: pending, severity: yellow, value: 61}]}
  - {eval_time: 3m, alertname: cod, exp_alerts: [{exp_labels: {severity: yellow}, limit: "> 60"}]}
  - {eval_time: 6m, rule: cod, exp_alerts: [{severity: orange, value: 120, limit: "> 100", facility: f1, station: f1}]}
  - {eval_time: 1h30m}
"""  # fmt: skip
    assert trial(case) == 0, trial.said
    assert "1 passed, 0 failed" in trial.said


def test_a_failure_says_what_was_expected_what_happened_and_which_reading(trial: Trial) -> None:
    """The words lead to the slip without a debugger."""
    case = COD + """\
alert_rule_test:
  - {eval_time: 6m, rule: cod, exp_alerts: [{severity: yellow, value: 61, facility: f1}]}
"""  # fmt: skip
    assert trial(case) == 1
    assert "at 6m (2026-01-01T00:06:00+08:00) of rule cod" in trial.said
    assert "expected  firing yellow f1/*/*/* value 61" in trial.said
    assert "happened  firing orange cod f1/f1/w01018/realtime value 120" in trial.said
    assert "severity: expected yellow, happened orange" in trial.said
    assert "reading   2026-01-01T00:06:00+08:00 w01018 = 120 mg/L (input_series[0] value 7" in trial.said  # fmt: skip
    failure = ElementTree.parse(trial.junit).find(".//failure")
    assert failure is not None and "severity: expected yellow" in (failure.text or "")


def test_an_alert_too_much_and_one_too_few_are_both_named(trial: Trial) -> None:
    case = (
        COD
        + """\
alert_rule_test:
  - {eval_time: 0, exp_alerts: [{rule: cod}]}
  - {eval_time: 4m, exp_alerts: []}
"""
    )
    assert trial(case) == 1
    assert "happened  nothing like it stands" in trial.said
    assert "w01018 = 50 mg/L" in trial.said
    assert "expected  nothing\n  happened  firing yellow cod" in trial.said


def test_transitions_are_the_full_list(trial: Trial) -> None:
    case = (
        COD
        + """\
transitions:
  - {state: pending, at: 1m}
  - {state: firing, cause: raised, at: 3m}
  - {state: firing, cause: rose, severity: orange, at: 2026-01-01T00:06:00+08:00}
  - {state: resolved, at: 7m, step: 4, episode: 1m}
"""
    )
    assert trial(case) == 0, trial.said


def test_a_list_that_differs_is_shown_side_by_side(trial: Trial) -> None:
    """What agrees stands between what does not."""
    case = (
        COD
        + """\
transitions:
  - {state: pending, at: 1m}
  - {state: firing, cause: rose}
  - {state: firing, cause: fell}
  - {state: resolved, at: 7m}
"""
    )
    assert trial(case) == 1
    kept = [line[:4] for line in trial.said.splitlines() if line.startswith("    ")]
    assert len(kept) >= 3
    assert "  + firing raised yellow" in trial.said
    assert "  - firing fell" in trial.said


def test_readings_of_one_instant_are_one_report(trial: Trial) -> None:
    """A ratio sees both of its components, and a day is judged when it is over."""
    case = """\
start: 2026-01-01
interval: 1d
only: [load]
input_series:
  - {series: 'mw.disposed_t{facility="f1",interval="day"}', values: "30 45"}
  - {series: 'mw.capacity_t{facility="f1",interval="day"}', values: "50 50"}
alert_rule_test:
  - {eval_time: 1d, exp_alerts: []}
  - {eval_time: 2d, exp_alerts: [{rule: load, value: 90, unit: "%"}]}
"""
    assert trial(case.replace("2026-01-01", "2026-01-01T00:00:00+08:00")) == 0, trial.said


def test_what_is_not_sent_is_missed_in_time(trial: Trial) -> None:
    case = """\
interval: 1h
only: [late]
until: 3d
transitions:
  - {rule: late, state: firing, cause: missing, at: 10h30m, value: null}
"""
    assert trial(case) == 0, trial.said


def test_of_several_facilities_each_series_says_which(trial: Trial) -> None:
    """With one it may be left out; with two it is asked for."""
    head = HEAD.replace("rules:\n", "  - {id: f2, kind: sewage_plant}\nrules:\n", 1)
    named = """\
only: [cod]
input_series: [{series: 'w01018{facility="f2"}', values: "70x5"}]
transitions: [{state: pending, facility: f2}, {state: firing, facility: f2, at: 2m}]
"""
    assert trial(named, head) == 0, trial.said
    assert trial(named.replace('{facility="f2"}', ""), head) == 1
    assert "say which facility" in trial.said


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+08:00"])
def test_the_edge_of_the_calendar_is_refused(trial: Trial, time: str) -> None:
    report = f"{{facility: f1, observed_at: {time}, interval: day, readings: [{{indicator: w01018, value: 1}}]}}"
    assert trial(f"reports: [{report}]\ntransitions: []\n") == 1
    assert "years 1900 to 9000" in trial.said or "bad-time" in trial.said
    assert trial(f"alert_rule_test: [{{eval_time: {time}}}]\n") == 2


def test_stale_is_unknown_and_clears_nothing(trial: Trial) -> None:
    case = """\
input_series: [{series: w01018, values: "70x3 stale _x5"}]
alert_rule_test: [{eval_time: 9m, exp_alerts: [{rule: cod, value: 70}]}]
"""
    assert trial(case) == 0, trial.said


def test_reports_rows_and_files_are_inputs_too(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "observed_at,facility,interval,indicator,value,unit\n"
        "2026-01-01T00:04:00+08:00,f1,realtime,w01018,0.07,g/L\n"
    )
    case = """\
reports:
  - {facility: f1, observed_at: 2026-01-01T00:00:00+08:00, interval: realtime, readings: [{indicator: w01018, value: 10}]}
  - {facility: f1, observed_at: 2026-01-01T00:01:00+08:00, arrives: 5m, interval: realtime, readings: [{indicator: w01018, value: 90}]}
csv: |
  observed_at,facility,interval,indicator,value
  2026-01-01T00:03:00+08:00,f1,realtime,w01018,65
inputs: [rows.csv]
transitions:
  - {state: pending, at: 3m, value: 65}
  - {state: firing, at: 5m, value: 70}
"""
    assert trial(case) == 0, trial.said


def test_what_ingest_would_refuse_fails_the_case(trial: Trial) -> None:
    case = """\
input_series: [{series: 'w01018{unit="t"}', values: "1"}, {series: nosuch, values: "_ 1"}, {series: w01018, values: "1+"}]
csv: |
  observed_at,facility,interval,indicator,value
  yesterday,f1,realtime,w01018,65
transitions: []
"""  # fmt: skip
    assert trial(case) == 1
    for words in ("unknown-unit", "unknown-indicator", "'1+' is no value", "bad-time"):
        assert words in trial.said


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("transitions: []\nalert_rule_tests: []", "17: unknown key 'alert_rule_tests'"),
        ("start: noon\ntransitions: []", "start: 'noon' is not an RFC 3339 time"),
        ("alert_rule_test: [{eval_time: soon}]", "eval_time: 'soon' is"),
        ("alert_rule_test: [{eval_time: 1m, rule: none}]", "rule 'none' does not exist"),
        ("transitions: [{stat: firing}]", "unknown key 'stat'"),
        ("transitions: [{state: fired}]", "give one of pending, firing"),
        ("transitions: [{value: soon}]", "value is 'soon'; give a number"),
        ("transitions: [{station: [a]}]", "station is ['a']; give text"),
        ("input_series: []", "expects nothing"),
    ],
)
def test_a_wrong_file_is_said_with_its_line(trial: Trial, case: str, words: str) -> None:
    assert trial(case) == 2
    assert words in trial.err.getvalue()
    assert "case.yaml:1" in trial.err.getvalue()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("tests:\n  - name: x\n", "there are no rules"),
        (HEAD.replace("mg/L", "t"), "case.yaml:5:"),
        ("config: nowhere\n" + HEAD, "config and facilities both stand here"),
        ("config: nowhere\ntests:\n  - name: x\n", "no such directory"),
        ("[1]\n", "case.yaml:"),
    ],
)
def test_rules_that_are_wrong_are_said_with_their_line(trial: Trial, head: str, words: str) -> None:
    assert trial("transitions: []", head) == 2
    assert words in trial.err.getvalue()


def test_a_configuration_directory_needs_no_secrets(trial: Trial) -> None:
    """A build server does not know the gateway's password."""
    story = Path("deploy/examples/story/config").resolve()
    head = f"config: {story}\ntests:\n  - name: x\n"
    assert trial("transitions: []", head) == 0, trial.said + trial.err.getvalue()


def test_the_shipped_examples_pass() -> None:
    files = sorted(Path("deploy/examples/rules").glob("*.yaml"))
    out = io.StringIO()
    assert files
    assert run(files, None, {}, out, out) == 0, out.getvalue()


def test_a_slip_in_the_interval_does_not_fill_the_memory(trial: Trial) -> None:
    case: Any = COD + "interval: 1ms\nuntil: 10d\ntransitions: []\n"
    assert trial(case) == 1
    assert "steps of `interval`" in trial.said
