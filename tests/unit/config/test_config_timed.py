"""Conditions about time and discipline in YAML: what they mean, and what is said of the others."""

import pytest

from shared.model.comparison import Comparison
from shared.model.timed import Companion, Compliance, Discipline, Flagged, TimeToClear, TimeToLimit

HOUR = 3_600_000_000
DAY = 24 * HOUR
TAIL = (
    'levels: [{severity: yellow, raise: "<= 3"}], '
    "basis: {standard: s, edition: '1', clause: c, valid_from: 2020-01-01}"
)
RULE = f"applies: {{kind: hospital_wastewater}}, condition: {{CONDITION}}, {TAIL}"
COD = "indicator: w01018, interval: hour"
LOAD = "indicator: mw.disposed_t, interval: day"


def built(directory, condition):
    directory.write(
        "rules.yaml", f"rules:\n  - {{id: tested, condition: {{{condition}}}, {TAIL}}}\n"
    )
    return directory.load().rules["tested"].condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (
            "time_to_clear: {backlog: mw.backlog_t, intake: mw.generated_t, interval: day}",
            TimeToClear("mw.backlog_t", "mw.generated_t", "mw.capacity_t", "day", 28 * DAY),
        ),
        (
            f"discipline: {{{COD}, of: late, within: 24, allowed: 2h}}",
            Discipline("w01018", "hour", "late", 24, 2 * HOUR),
        ),
        (
            f"discipline: {{{COD}, of: gaps, within: 168}}",
            Discipline("w01018", "hour", "gaps", 168, every_us=HOUR),
        ),
        (
            f"discipline: {{{COD}, of: marks, within: 24}}",
            Discipline("w01018", "hour", "marks", 24, flags=("M", "C")),
        ),
        (
            f"discipline: {{{COD}, of: heaping, within: 24, limit: 60, below: 2.5%, unit: mg/L}}",
            Discipline("w01018", "hour", "heaping", 24, limit=60.0, below=2.5, unit="mg/L"),
        ),
        (
            f"compliance: {{{COD}, at_least: 20, per: day}}",
            Compliance("w01018", "hour", 20, "day"),
        ),
        (
            f"compliance: {{{LOAD}, at_least: 1, per: month, apart: 7d, grace: 5d}}",
            Compliance("mw.disposed_t", "day", 1, "month", 7 * DAY, 5 * DAY),
        ),
        (
            f"flagged: {{{COD}, flags: [M, C]}}",
            Flagged("w01018", "hour", ("M", "C")),
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: mw.disposed_t, runs: '> 0'}}}}",
            Flagged(
                "w01018",
                "hour",
                ("F",),
                companion=Companion(
                    "mw.disposed_t", "hour", Comparison(">", 0.0, "> 0"), DAY // 12, "t", "t"
                ),
            ),
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: w01018, interval: minute, unit: g/L, "
            "runs: '> 0', point: inlet, max_age: 5m, despite: [F]}}",
            Flagged(
                "w01018",
                "hour",
                ("F",),
                companion=Companion(
                    "w01018",
                    "minute",
                    Comparison(">", 0.0, "> 0"),
                    DAY // 288,
                    "mg/L",
                    "g/L",
                    point="inlet",
                    despite=("F",),
                ),
            ),
        ),
        (
            f"discipline: {{{COD}, of: edits, within: 24, unit: g/L, undoes: '> 0.06'}}",
            Discipline(
                "w01018", "hour", "edits", 24, unit="g/L", undoes=Comparison(">", 0.06, "> 0.06")
            ),
        ),
        (
            f"time_to_limit: {{{COD}, limit: 60, over: 1d}}",
            TimeToLimit("w01018", "hour", 60.0, DAY, 4 * DAY),
        ),
        (
            f"time_to_limit: {{{LOAD}, limit: capacity, over: 7d, horizon: 60d, judge: early}}",
            TimeToLimit("mw.disposed_t", "day", None, 7 * DAY, 60 * DAY, judge="early", unit="t"),
        ),
        (
            "time_to_limit: {indicator: mw.backlog_t, interval: day, limit: 0, towards: down, "
            "over: 7d, least: 5, shown_in: h}",
            TimeToLimit("mw.backlog_t", "day", 0.0, 7 * DAY, 28 * DAY, 5, "down", shown_in="h"),
        ),
    ],
)
def test_what_is_written_is_what_is_judged(directory, text, condition):
    """Defaults are those of docs/conditions."""
    assert built(directory, text) == condition


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            "time_to_clear: {backlog: mw.backlog_t, intake: mw.backlog_t, interval: day}",
            "backlog, intake and capacity are three different indicators; give each its own",
        ),
        (
            "time_to_clear: {backlog: mw.backlog_t, intake: w01018, interval: day}",
            "they are in mg/L and t; a time needs one unit",
        ),
        (
            "time_to_clear: {backlog: mw.backlog_t, intake: mw.generated_t, interval: hour}",
            "interval is 'hour'",
        ),
        (f"discipline: {{{COD}, of: late, within: 24}}", "allowed is missing"),
        (f"discipline: {{{COD}, of: late, within: 9, allowed: 1h}}", "within is "),
        (
            f"discipline: {{{COD}, of: marks, within: 24, allowed: 1h}}",
            "allowed goes with of: late, not with marks; delete it",
        ),
        (f"discipline: {{{COD}, of: heaping, within: 24}}", "limit is missing or not above 0"),
        (
            f"discipline: {{{COD}, of: heaping, within: 24, limit: 60, below: 60%}}",
            "give a share such as 5%",
        ),
        (
            "discipline: {indicator: w01018, interval: realtime, of: gaps, within: 24}",
            "every is missing; gaps of realtime readings say how often to expect one",
        ),
        (
            "discipline: {indicator: mw.disposed_t, interval: day, of: gaps, within: 24, every: 1h}",
            "readings a day apart have slots of a day; delete every",
        ),
        (f"compliance: {{{COD}, at_least: 0, per: day}}", "at_least is "),
        (f"compliance: {{{COD}, at_least: 1, per: year}}", "per is "),
        (f"compliance: {{{COD}, at_least: 1, per: day, grace: 40d}}", "grace is "),
        (
            f"compliance: {{{COD}, at_least: 25, per: day}}",
            "25 readings so far apart do not fit in a day; require fewer",
        ),
        (
            f"compliance: {{{COD}, at_least: 8, per: week, apart: 1d}}",
            "8 readings so far apart do not fit in a week; require fewer",
        ),
        (f"flagged: {{{COD}, flags: []}}", "flags: give at least 1 item"),
        (f"flagged: {{{COD}, flags: [M, M]}}", "a flag stands twice; keep one"),
        (f"flagged: {{{COD}, flags: [T]}}", "flags"),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: w01018, runs: '> 1'}}}}",
            "it is the series of the rule itself",
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: nothing, runs: '> 1'}}}}",
            "indicator 'nothing' is not known",
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: mw.disposed_t, unit: °C, runs: '> 1'}}}}",
            "unit '°C' cannot be compared with mw.disposed_t, in 't'",
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: mw.disposed_t, runs: '> 1', station: x}}}}",
            "station 'x' does not exist",
        ),
        (
            f"flagged: {{{COD}, flags: [F], while: {{indicator: mw.disposed_t, runs: '> 1', station: 430105-ww-03-a, "
            "point: y}}",
            "give station or point, not both",
        ),
        (f"time_to_limit: {{{COD}, limit: 60, over: 0s}}", "over is "),
        (f"time_to_limit: {{{COD}, limit: 60, over: 400d}}", "over is "),
        (
            f"time_to_limit: {{{COD}, limit: full, over: 1d}}",
            "limit is 'full': give a number, or capacity",
        ),
        (
            f"time_to_limit: {{{COD}, limit: capacity, over: 1d}}",
            "a capacity is in t per day, w01018 in 'mg/L'; give a number",
        ),
        (
            "time_to_limit: {indicator: mw.disposed_t, interval: hour, limit: capacity, over: 1d}",
            "a capacity is per day; give interval: day, or a number",
        ),
        (
            f"time_to_limit: {{{COD}, limit: 60, over: 3h, shown_in: min}}",
            "4 readings of interval hour do not fit; give a longer one",
        ),
        (
            f"time_to_limit: {{{COD}, limit: 60, over: 12h, horizon: 3d}}",
            "'<= 3' would always hold: no longer time is said than the horizon of 3 d",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_its_line(only, condition, said):
    text = only(RULE.replace("CONDITION", condition))
    assert text.startswith("rules.yaml:2: "), text
    assert said in text, text


@pytest.mark.parametrize(("title", "warns"), [("迟报", True), ("疑似迟报", False)])
def test_a_suspicion_that_is_worded_as_a_finding_is_a_warning(directory, title, warns):
    directory.write(
        "rules.yaml",
        f"rules:\n  - {{id: tested, title: {{zh: {title}}}, condition: "
        f"{{discipline: {{{COD}, of: marks, within: 24}}}}, {TAIL}}}\n",
    )
    text = "rules.yaml:2: warning: a share of readings is a suspicion, not a finding"
    assert any(told.startswith(text) for told in directory.warnings()) == warns
