"""Explain: what a report's values mean to each rule, with the reason of every no."""

from services.rules.core.book import Book
from services.rules.core.explain import explain
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator
from shared.model.facility import Facility, Station
from shared.model.instants import Instant
from shared.model.report import Report
from shared.model.rule import Applies, Basis, Comparison, Level, Missing, Rule, Threshold
from shared.model.severity import Severity


def _rule(name: str, condition: Threshold | Missing, valid_from: int = 0) -> Rule:
    raises = Comparison(">", 60.0, "> 60") if isinstance(condition, Threshold) else None
    return Rule(
        id=name, title_zh=name, title_en=name, action_zh=None, action_en=None, applies=Applies(),
        condition=condition, levels=(Level(Severity.RED, raises),), for_us=0,
        keep_firing_for_us=0, unknown="hold", basis=Basis("s", "e", "c", Instant(valid_from)),
    )  # fmt: skip


def _book() -> Book:
    cod = Threshold("w01018", "day", "mg/L")
    return Book(
        Bundle(
            format=BUNDLE_FORMAT, timezone="Asia/Shanghai", deaf_after_us=1, territories=(),
            facilities=(Facility("f", "f", "f", "000000", "sewage_plant"),),
            stations=(Station("s", "f"),),
            indicators=(Indicator("w01018", "化学需氧量", "mg/L"), Indicator("w21003", "氨氮", "mg/L")),
            rules=(
                _rule("cod", cod),
                _rule("later", cod, valid_from=4_000_000_000_000_000),
                _rule("nh3", Threshold("w21003", "day")),
                _rule("silent", Missing("w01018", "day", every_us=1)),
            ),
        )
    )  # fmt: skip


def _said(value: float, flag: str | None = None) -> dict[str, str]:
    flags = None if flag is None else (flag,)
    report = Report("f", "s", "day", Instant(0), ("w01018",), (value,), flags, Instant(0), "http")
    return {each["rule"]: each["reason"] for each in explain(_book(), report)}


def test_every_rule_that_looks_says_what_it_saw() -> None:
    """Also those that do not apply then, and why."""
    said = _said(72.0)

    assert said["cod"] == "72 mg/L raises red (> 60)"
    assert "not in force" in said["later"]
    assert said["nh3"] == "this indicator is not in the report"
    assert "nothing is missing" in said["silent"]


def test_a_value_that_is_no_evidence_is_called_so() -> None:
    """Below every level and unknown are different answers."""
    assert _said(10.0)["cod"] == "10 mg/L is below every level"
    assert _said(72.0, "D")["cod"] == "flag D: 72 mg/L is no evidence, unknown"
