"""GB 3095 by the day: the limits of three dates, completeness, the midnight of the new edition, units."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.config.pack_site import configured, judged, measured

PLACES = """
facilities:
  - {id: air, name: 空气站, territory: "420100", kind: air_station, attributes: {air_class: 2}}
"""
DAILY = """
code   unit  2012      2026      2031
a21026 µg/m³  50/150    50/150   50/50
a21004 µg/m³  80/80     80/80    50/50
a21005 mg/m³   4/4       4/4      4/4
a34002 µg/m³  50/150    50/120   50/100
a34004 µg/m³  35/75     35/60    25/50
"""
"""Class 1 / class 2, of GB 3095 table 1, typed again from the reading of the standard."""
Hours = list[float | None]
Judge = Callable[..., list[str]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Both editions on one station of class 2; its hours from a moment on; the day rules that fired."""

    def run(start: str, code: str, hours: Hours, unit: str = "µg/m³") -> list[str]:
        config = configured(tmp_path / "config", ("gb3095-2012", "gb3095-2026"), PLACES)
        begin = datetime.fromisoformat(f"{start}:00+08:00")
        reports = []
        for place, value in enumerate(hours):
            at = (begin + timedelta(hours=place)).isoformat()
            report = measured("air", at, "hour", code, value or 0, unit)
            report["readings"][0]["flag"] = "N" if value is not None else "D"
            reports.append(report)
        said, refused = judged(tmp_path, config, reports)
        assert refused == ""
        return [
            f"{t['state']} {t['rule']} {t['at'][:16]} {t['value']:.6g}"
            for t in said
            if t["rule"].endswith(("-day", "-8h"))
        ]

    return run


def test_daily_limits_are_those_of_the_table(directory) -> None:
    """Per code, class and date; a typing mistake in either place shows here."""
    directory.write("rules.yaml", "packs: [gb3095-2012, gb3095-2026]\n")
    rules = directory.load().rules
    seen = 0
    for line in DAILY.strip().splitlines()[1:]:
        code, unit, *columns = line.split()
        for year, column in zip(("2012", "2026", "2031"), columns, strict=True):
            for grade, limit in enumerate(column.split("/"), 1):
                rule = rules[f"gb3095-{year}-c{grade}-{code}-day"]
                assert rule.levels[0].raises.text == f"> {limit}"
                assert (rule.condition.over, rule.condition.unit) == ("day", unit)
                seen += 1
    ozone = {c: r.levels[0].raises.text for c, r in rules.items() if c.endswith("-8h")}
    assert {text for code, text in ozone.items() if "-c1-" in code} == {"> 100"}
    assert {text for code, text in ozone.items() if "-c2-" in code} == {"> 160"}
    assert seen + len(ozone) == len([c for c in rules if not c.endswith("-1h")])


@pytest.mark.parametrize(("heard", "said"), [(20, True), (19, False)])
def test_a_day_needs_twenty_hours(judge: Judge, heard: int, said: bool) -> None:
    """Exactly 20 are enough; with 19 the day is unknown, however bad they were."""
    hours: Hours = [90.0] * heard + [None] * (24 - heard)
    fired = ["firing gb3095-2012-c2-a34004-day 2020-02-24T00:00 90"]
    assert judge("2020-02-24T00:00", "a34004", hours) == (fired if said else [])


@pytest.mark.parametrize(("heard", "said"), [(6, True), (5, False)])
def test_eight_hours_need_six(judge: Judge, heard: int, said: bool) -> None:
    """The window is told as soon as it is over, not at the end of the day."""
    hours: Hours = [None] * (8 - heard) + [170.0] * heard
    fired = ["firing gb3095-2012-c2-a05024-8h 2020-07-24T10:00 170"]
    assert judge("2020-07-24T10:00", "a05024", hours) == (fired if said else [])


def test_the_first_of_march_2026_is_judged_by_its_own_edition(judge: Judge) -> None:
    """65 µg/m³ of PM2.5 is allowed on 28 February and is not on 1 March."""
    assert judge("2026-02-28T00:00", "a34004", [65.0] * 48) == [
        "firing gb3095-2026-c2-a34004-day 2026-03-01T00:00 65"
    ]


def test_an_episode_does_not_outlive_its_edition(judge: Judge) -> None:
    """130 µg/m³ PM10 in 2026 exceeds 120; 160 exceeded 150 the day before: two episodes of two rules."""
    assert judge("2026-02-28T00:00", "a34002", [160.0] * 24 + [130.0] * 24) == [
        "firing gb3095-2012-c2-a34002-day 2026-02-28T00:00 160",
        "withdrawn gb3095-2012-c2-a34002-day 2026-03-01T00:00 160",
        "firing gb3095-2026-c2-a34002-day 2026-03-01T00:00 130",
    ]


def test_the_final_limits_begin_with_2031(judge: Judge) -> None:
    """55 µg/m³ of PM2.5: allowed by the transition limit of 60, not by the final one of 50."""
    assert judge("2030-12-31T00:00", "a34004", [55.0] * 48) == [
        "firing gb3095-2031-c2-a34004-day 2031-01-01T00:00 55"
    ]


@pytest.mark.parametrize(
    ("code", "value", "unit", "shown"),
    [
        ("a21005", 4_100.0, "µg/m³", "4.1"),  # platforms publish CO in µg, the limit is in mg
        ("a21005", 4.1, "mg/m³", "4.1"),
        ("a34004", 90_000.0, "ng/m³", "90"),  # HJ 212-2017 appendix B prints ng for particles
        ("a21026", 0.2, "mg/m³", "200"),  # HJ 212 has SO2 in mg, the limit is in µg
    ],
)
def test_air_units_are_converted(
    judge: Judge, code: str, value: float, unit: str, shown: str
) -> None:
    """A thousandfold alarm, or none at all, is what a unit taken at its word would give."""
    (fired,) = judge("2020-02-24T00:00", code, [value] * 24, unit)
    assert fired == f"firing gb3095-2012-c2-{code}-day 2020-02-24T00:00 {shown}"


def test_air_in_a_unit_of_water_is_refused(judge: Judge) -> None:
    """µg/L is no µg/m³; the report is refused rather than converted."""
    with pytest.raises(AssertionError, match="µg/L"):
        judge("2020-02-24T00:00", "a34004", [90.0], "µg/L")


def test_a_city_that_began_early_has_the_same_limits_until_2016(directory) -> None:
    """The winters of 2013 and 2015 are judged where the edition was applied before 2016."""
    directory.write("rules.yaml", "packs: [gb3095-2012, gb3095-2012-early]\n")
    rules = directory.load().rules
    early = {c: r for c, r in rules.items() if c.startswith("gb3095-2012-early-")}
    for code, rule in early.items():
        late = rules[code.replace("-early", "")]
        assert (rule.condition, rule.levels, rule.applies) == (
            late.condition, late.levels, late.applies,
        )  # fmt: skip
        assert rule.basis.valid_to_us == late.basis.valid_from_us
    assert len(early) == len(rules) / 2
