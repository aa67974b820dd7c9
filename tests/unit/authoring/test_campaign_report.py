"""What a campaign made different, and which campaigns there are."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from services.authoring.run_campaigns import run_list, run_report
from shared.config.load import load
from shared.log.port import REPORTS
from shared.log.sqlite import SqliteLog
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Report, Tick, encode_envelope
from tests.scenario.campaign_site import write_campaign_site

DAY = 86_400_000_000
WUHAN = [70, 70, 70, 20, 70, 20, 20]
"""Percent of capacity from 2020-01-18 on: the third day is the campaign's first."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_campaign_site(tmp_path / "site")


def lines(percents: list[int]) -> str:
    return "".join(
        json.dumps(
            {"facility": facility, "observed_at": f"2020-01-{18 + n}", "interval": "day",
             "readings": [{"indicator": "mw.disposed_t", "value": percent / 2}]}
        ).replace(f'"2020-01-{18 + n}"', f'"2020-01-{18 + n}T00:00:00"') + "\n"
        for n, percent in enumerate(percents)
        for facility in ("wuhan", "hunan")
    )  # fmt: skip


def report(site: Path, *inputs: Path, name: str = "epidemic-2020") -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    code = run_report(site, name, list(inputs), "10m", {}, out, err, as_json=True)
    assert code == 0, err.getvalue()
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_alerts_messages_and_nights_by_city(site: Path, tmp_path: Path) -> None:
    """Without it 70 % is nothing; with it two alerts, told at midnight when the day is over."""
    (tmp_path / "days.jsonl").write_text(lines(WUHAN), encoding="utf-8")
    found = report(site, tmp_path / "days.jsonl")
    assert (found["added"], found["gone"], found["severity_changed"]) == (2, 0, 0)
    assert found["cities"] == [
        {"territory": "420100", "name": "武汉市", "added": 2, "gone": 0, "severity_changed": 0,
         "alerts": {"without": 0, "with": 2}, "sms": {"without": 0, "with": 4},
         "night": {"without": 0, "with": 4}}
    ]  # fmt: skip
    assert [(each["person"], each["old"], each["new"]) for each in found["messages"]] == [
        ("wang", 0, 4)
    ]
    assert found["inputs_until"] == "2020-01-25T00:00:00+08:00"


def test_an_alert_of_either_regime_is_one_alert(site: Path, tmp_path: Path) -> None:
    """What the rule would have said, too, counts neither as added nor as gone."""
    (tmp_path / "days.jsonl").write_text(lines([20, 20, 20, 85, 20]), encoding="utf-8")
    found = report(site, tmp_path / "days.jsonl")
    assert (found["added"], found["gone"], found["severity_changed"]) == (0, 0, 1)


def test_the_log_of_a_data_directory_says_the_same(site: Path, tmp_path: Path) -> None:
    c = load(site, {})
    first = parse_instant("2020-01-18T00:00:00", c.site.zone)
    name, _ = encode_bundle(c.bundle())
    data = tmp_path / "data"
    data.mkdir()
    log = SqliteLog(data / "log.db")
    log.append(REPORTS, [("", encode_envelope([Activate(name), Tick(first)]))])
    ticks = []
    for n, percent in enumerate(WUHAN):
        at, end = Instant(first + n * DAY), Instant(first + (n + 1) * DAY)
        reports = [
            Report(f, f, "day", at, ("mw.disposed_t",), (percent / 2,), None, end, "http")
            for f in ("wuhan", "hunan")
        ]
        log.append(REPORTS, [("", encode_envelope([Tick(end), *reports]))])
        ticks.append(end)
    log.append(REPORTS, [("", encode_envelope([Tick(ticks[-1])]))])
    log.close()
    (tmp_path / "days.jsonl").write_text(lines(WUHAN), encoding="utf-8")
    assert report(site, data) == report(site, tmp_path / "days.jsonl")


def test_officials_read_it_in_their_language(site: Path, tmp_path: Path) -> None:
    (tmp_path / "days.jsonl").write_text(lines(WUHAN), encoding="utf-8")
    out = io.StringIO()
    inputs = [tmp_path / "days.jsonl"]
    assert run_report(site, "epidemic-2020", inputs, "never", {}, out, out, as_json=False) == 0
    text = out.getvalue()
    assert "专项行动 epidemic-2020 疫情防控：2020-01-20T00:00:00+08:00 至" in text
    assert "数据到 2020-01-25T00:00:00+08:00 为止，行动尚未结束" in text
    assert "武汉市" in text
    assert "王专员" in text
    assert "合计：报警 +2 −0，级别不同 0，短信 +4，夜间 +4（无人确认）" in text


def test_what_is_not_there_is_named(site: Path, tmp_path: Path) -> None:
    err = io.StringIO()
    assert run_report(site, "autumn", [], "10m", {}, err, err, as_json=False) == 1
    assert "campaign 'autumn' is not in campaigns.yaml; there are epidemic-2020" in err.getvalue()
    absent = [tmp_path / "absent"]
    assert run_report(site, "epidemic-2020", absent, "10m", {}, err, err, as_json=False) == 1
    assert "absent: no such file, and no data directory with a log.db" in err.getvalue()


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2020-01-19T23:59:59", "未开始"),
        ("2020-01-20T00:00:00", "进行中"),
        ("2020-03-31T23:59:59", "进行中"),
        ("2020-04-01T00:00:00", "已结束"),
    ],
)
def test_a_list_says_what_runs(site: Path, at: str, state: str) -> None:
    out = io.StringIO()
    assert run_list(site, at, 0, {}, out) == 0
    assert f"epidemic-2020  疫情防控  {state}" in out.getvalue()
