"""Report: one file that says which alerts, on which basis, and who would have been told."""

import io
import json
import re
from html import unescape
from pathlib import Path

import pytest

from services.authoring.absent import with_stand_ins
from services.authoring.run_report import run
from services.rules.backtest import backtest
from shared.config.load import load
from shared.errors import InputError
from shared.model.configuration import Configuration
from tests.unit.authoring.trial_site import FILES, write_hours, write_site

F1 = "20 20 70 120 40 20 52 _ _ 20 20 20"
RATIO = """
  - id: load
    title: {zh: 处置负荷, en: Load}
    applies: {kind: medical_waste}
    condition: {ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}
    levels: [{severity: red, raise: ">= 100"}]
    basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}
"""
PLANT = """
  - {id: mw, name: <b>处置厂</b>, short_name: <b>厂</b>, territory: "420100", kind: medical_waste, capacity: [{from: 2020-01-01, t_per_day: 50}]}
"""


class Trial:
    def __init__(self, folder: Path, **changed: str) -> None:
        self.folder = folder
        self.configuration: Configuration = load(
            write_site(folder / "config", **changed), with_stand_ins({})
        )
        self.lines, self.err = io.BytesIO(), io.StringIO()

    def html(self, hours: Path, ack: str = "10m") -> str:
        report = self.folder / "report.html"
        assert run(self.configuration, [hours], report, ack, self.lines, self.err) == 0
        return report.read_text(encoding="utf-8")


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    return write_hours(tmp_path / "hours.csv", f1=F1, f2="20 " * 12)


def text_of(html: str) -> str:
    bare = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(bare))


def test_the_report_says_what_happened_and_who_was_told(tmp_path: Path, hours: Path) -> None:
    """An alert with its basis, its worst value, and the first message with its time."""
    shown = text_of(Trial(tmp_path).html(hours))
    for words in (
        "规则回测报告", "需氧量高", "第一医院", "橙色", "120 mg/L", "限值 > 100",
        "GB 18466-2005 table 1", "02-03 03:00 李值 sms", "2026-02-03 02:00", "10分钟被确认",
    ):  # fmt: skip
        assert words in shown, words
    assert "built-in" not in shown
    assert "None" not in shown


def test_the_page_needs_nothing_else(tmp_path: Path, hours: Path) -> None:
    """No script, no address, nothing to fetch: it opens from a stick."""
    html = Trial(tmp_path).html(hours)
    assert not re.search(r"<script|<link|<img|<iframe|url\(|src=|@import|https?://", html)
    assert "default-src 'none'" in html


def test_no_telephone_number_stands_in_it(tmp_path: Path, hours: Path) -> None:
    html = Trial(tmp_path).html(hours, "never")
    assert "13900000002" not in html
    assert "c@example.org" not in html


def test_transitions_are_those_of_a_plain_backtest(tmp_path: Path, hours: Path) -> None:
    """`--report` adds a page and changes no line."""
    trial = Trial(tmp_path)
    trial.html(hours)
    plain = [line + b"\n" for line in backtest(trial.configuration, [hours], io.StringIO())]
    assert trial.lines.getvalue() == b"".join(plain)
    assert json.loads(plain[0])["state"] == "firing"


def test_quiet_series_are_folded_away(tmp_path: Path, hours: Path) -> None:
    html = Trial(tmp_path).html(hours)
    loud, _, quiet = html.partition('<details class="quiet-series">')
    assert 'aria-label="第一医院' in loud
    assert 'aria-label="第二医院' in quiet


def test_a_ratio_has_a_chart_in_its_own_unit(tmp_path: Path) -> None:
    """Nobody sends a load; it is drawn as it was judged. Names of others are escaped."""
    rows = tmp_path / "days.csv"
    rows.write_text(
        "observed_at,facility,interval,indicator,value\n"
        + "".join(
            f"2026-02-{d:02}T00:00:00+08:00,mw,day,mw.disposed_t,{30 + d}\n" for d in range(1, 28)
        ),
        encoding="utf-8",
    )
    changed = {
        "facilities": FILES["facilities"] + PLANT,
        "rules": FILES["rules"] + RATIO,
    }
    html = Trial(tmp_path, **changed).html(rows)
    assert "日报按当日结束" in html
    assert '处置负荷 <span class="unit">%</span>' in html
    assert "&gt;= 100 红" in html
    assert "<b>厂" not in html
    assert "产品默认，非法定限值" in html


AVERAGE = """
  - id: cod-8h
    title: {zh: 需氧量八小时均值, en: COD over 8 h}
    condition: {average: {indicator: w01018, interval: hour, over: 8h, unit: µg/L}}
    levels: [{severity: yellow, raise: "> 40000", clear: "<= 35000"}]
    basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}
  - id: cod-rate
    title: {zh: 需氧量上升, en: COD rising}
    condition: {rate: {indicator: w01018, interval: hour, per: 1h, unit: mg/L}}
    levels: [{severity: yellow, raise: "> 45"}]
    basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}
"""


def test_what_a_rule_computes_is_drawn_beside_the_readings(tmp_path: Path) -> None:
    """A mean over 8 hours and a rise per hour, each in its own unit with its own limits."""
    hours = write_hours(tmp_path / "hours.csv", f1="20 30 40 50 50 50 50 50 50 50 55 105 20 20 20")
    trial = Trial(tmp_path, rules=FILES["rules"] + AVERAGE)
    html = trial.html(hours)
    for name, unit, limit in (
        ("需氧量八小时均值", "µg/L", "&gt; 40000 黄"),
        ("需氧量上升", "mg/L/h", "&gt; 45 黄"),
    ):
        assert f'{name} <span class="unit">{unit}</span>' in html
        assert limit in html
    fired = [json.loads(line)["rule"] for line in trial.lines.getvalue().splitlines()]
    assert {"cod", "cod-8h", "cod-rate"} <= set(fired)


def test_an_english_site_reads_english(tmp_path: Path, hours: Path) -> None:
    site = FILES["site"].replace("zh-CN", "en")
    shown = text_of(Trial(tmp_path, site=site).html(hours, "never"))
    for words in ("Backtest of rules", "COD high", "nobody ever acknowledges", "orange"):
        assert words in shown


def test_nothing_at_all_is_a_report_too(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("observed_at,facility,interval,indicator,value\n")
    shown = text_of(Trial(tmp_path).html(empty))
    assert "没有预警。" in shown
    assert "没有人会收到消息。" in shown


def test_what_was_skipped_is_shown(tmp_path: Path, hours: Path) -> None:
    hours.write_text(hours.read_text() + "2026-02-03T09:00:00+08:00,nowhere,hour,w01018,1\n")
    trial = Trial(tmp_path)
    assert "unknown-facility" in trial.html(hours)
    assert "unknown-facility" in trial.err.getvalue()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    out = tmp_path / "r.html"
    assert run(trial.configuration, [tmp_path / "no.csv"], out, "10m", trial.lines, trial.err) == 1
    assert "no.csv: no such file" in trial.err.getvalue()
    with pytest.raises(InputError, match="ack-after"):
        run(trial.configuration, [], out, "x", trial.lines, trial.err)
