"""Derived conditions in YAML: what they mean, and what is said when they cannot mean anything."""

import pytest

from shared.model.rule import Average, Comparison, Count, Deviation, Drift, Flatline, Jump, Rate

MINUTE, HOUR = 60_000_000, 3_600_000_000
TAIL = (
    'levels: [{severity: yellow, raise: "> 1"}], '
    "basis: {standard: s, edition: '1', clause: c, valid_from: 2020-01-01}"
)
RULE = f"applies: {{kind: hospital_wastewater}}, condition: {{CONDITION}}, {TAIL}"
COD = "indicator: w01018, interval: hour"


def built(directory, condition, tail=TAIL):
    directory.write(
        "rules.yaml", f"rules:\n  - {{id: tested, condition: {{{condition}}}, {tail}}}\n"
    )
    return directory.load().rules["tested"]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (f"average: {{{COD}, over: 8h}}", Average("w01018", "hour", "8h", HOUR, 0.75, HOUR)),
        (
            "average: {indicator: w01018, interval: realtime, over: day, every: 10m, complete: 1, grace: 0s, unit: ug/L}",
            Average("w01018", "realtime", "day", 10 * MINUTE, 1.0, 0, "µg/L"),
        ),
        (
            "average: {indicator: w01018, interval: minute, over: 5m}",
            Average("w01018", "minute", "5m", MINUTE, 0.75, 5 * MINUTE),
        ),
        (f"rate: {{{COD}}}", Rate("w01018", "hour", HOUR, "h")),
        (
            f"rate: {{{COD}, per: 10m, max_gap: 3h}}",
            Rate("w01018", "hour", 10 * MINUTE, "10m", 3 * HOUR),
        ),
        (f"jump: {{{COD}, unit: mg/L}}", Jump("w01018", "hour", None, "mg/L")),
        (f"jump: {{{COD}, memory: 21d}}", Jump("w01018", "hour", None, None, 504 * HOUR)),
        (f"deviation: {{{COD}}}", Deviation("w01018", "hour", "3h", "auto", 504 * HOUR)),
        (
            f"deviation: {{{COD}, over: reading, season: none, memory: 7d, side: low}}",
            Deviation("w01018", "hour", "reading", "none", 168 * HOUR, "low"),
        ),
        (f"drift: {{{COD}}}", Drift("w01018", "hour", 1008 * HOUR)),
        (
            f"flatline: {{{COD}, within: 0.01, shown_in: min}}",
            Flatline("w01018", "hour", 0.01, "min"),
        ),
        (
            f'count: {{{COD}, of: "> 60", within: 6}}',
            Count("w01018", "hour", Comparison(">", 60.0, "> 60"), 6),
        ),
    ],
)
def test_what_is_written_is_what_is_judged(directory, text, condition):
    """Defaults are those of docs/conditions."""
    assert built(directory, text).condition == condition


def test_over_is_the_one_level_of_a_flatline(directory):
    """So that the common case needs no second number."""
    tail = TAIL.replace(', raise: "> 1"', "")
    rule = built(directory, f"flatline: {{{COD}, within: 0, over: 90m}}", tail)
    assert rule.levels[0].raises == Comparison(">=", 1.5, ">= 1.5")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (f"average: {{{COD}, over: 9h}}", "over is "),
        (
            "average: {indicator: w01018, interval: realtime, over: 1h}",
            "every is missing; an average of realtime readings says how often to expect one",
        ),
        (
            f"average: {{{COD}, over: 1h}}",
            "readings this far apart are no average over 1h; use threshold",
        ),
        (
            "average: {indicator: w01018, interval: day, over: day}",
            "readings this far apart are no average over day; use threshold",
        ),
        (
            "average: {indicator: w01018, interval: minute, over: 8h, every: 7m}",
            "every does not divide 1h, by which this window moves; give one such as 1m",
        ),
        (f"average: {{{COD}, over: 8h, complete: 75}}", "complete is "),
        ("rate: {indicator: nonsense, interval: hour}", "indicator 'nonsense' is not known"),
        (f"rate: {{{COD}, unit: mg/m3}}", "unit 'mg/m3' cannot be compared with w01018"),
        (f"rate: {{{COD}, per: 0h}}", "per 0h is no time; give one such as 1h"),
        (f"jump: {{{COD}, max_gap: 0s}}", "max_gap is "),
        (f"flatline: {{{COD}, within: -1}}", "within is "),
        (f'count: {{{COD}, of: "60", within: 3}}', "of is "),
        (f'count: {{{COD}, of: "> 60", within: 61}}', "within is "),
        (
            f"deviation: {{{COD}, over: reading}}",
            "season auto goes with the means of over: 1h or 3h; give season: none",
        ),
        (
            "deviation: {indicator: w01018, interval: day}",
            "readings a day apart have no means of hours; give over: reading, season: none",
        ),
        (f"deviation: {{{COD}, memory: 0s}}", "memory is "),
        ("drift: {indicator: w01018, interval: day}", "interval day has nothing to take a mean of"),
        (
            f"jump: {{{COD}}}, rate: {{{COD}}}",
            "give exactly one of threshold, range, ratio, missing, average, rate, jump",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_its_line(only, condition, said):
    text = only(RULE.replace("CONDITION", condition))
    assert text.startswith("rules.yaml:2: "), text
    assert said in text, text


@pytest.mark.parametrize(
    ("condition", "raises", "said"),
    [
        (
            f'count: {{{COD}, of: "> 60", within: 6}}',
            "> 6",
            "'> 6' can never hold: the value is never below 0 nor above 6",
        ),
        (f"jump: {{{COD}}}", "<= -20", "'<= -20' can never hold: the value is never below 0"),
        (f"deviation: {{{COD}}}", "< -1.2", "'< -1.2' can never hold: the value is never below 0"),
        (f"deviation: {{{COD}, side: high}}", "< -1.2", None),
        (f"rate: {{{COD}}}", "<= -20", None),
        (f'count: {{{COD}, of: "> 60", within: 6}}', ">= 6", None),
    ],
)
def test_a_level_that_no_value_reaches_is_a_warning(directory, condition, raises, said):
    """A rule that can never fire looks like one that never had to."""
    tail = TAIL.replace("> 1", raises)
    directory.write(
        "rules.yaml",
        f"rules:\n  - {{id: tested, applies: {{kind: hospital_wastewater}}, condition: {{{condition}}}, {tail}}}\n",
    )
    told = [text for text in directory.warnings() if "can never hold" in text]
    assert told == ([f"rules.yaml:2: warning: {said}"] if said else [])
