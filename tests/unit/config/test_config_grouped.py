"""Conditions on several stations in YAML: what they mean, and what is said when they cannot."""

import pytest

from shared.model.beside import Beside
from shared.model.rule import Across, Balance, Comparison, Composite, Level
from shared.model.severity import Severity

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
TAIL = (
    'levels: [{severity: yellow, raise: "> 1"}], '
    "basis: {standard: s, edition: '1', clause: c, valid_from: 2020-01-01}"
)
COD = "indicator: w01018, interval: hour"


def rules(condition):
    return f"rules:\n  - {{id: tested, condition: {{{condition}}}, {TAIL}}}\n"


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (f"across: {{{COD}, of: mean}}", Across("w01018", "hour", "mean", None, 0.75, HOUR)),
        (
            "across: {indicator: w01018, interval: minute, of: sum, unit: ug/L, complete: 1}",
            Across("w01018", "minute", "sum", None, 1.0, 5 * MINUTE, "µg/L"),
        ),
        (
            f'across: {{{COD}, of: count, than: "> 60", complete: 3, grace: 0s}}',
            Across("w01018", "hour", "count", Comparison(">", 60.0, "> 60"), 3.0, 0),
        ),
        (
            "balance: {in: mw.collected_t, out: [mw.disposed_t], interval: day, unit: '%'}",
            Balance(("mw.collected_t",), ("mw.disposed_t",), "day", 24 * HOUR, "%"),
        ),
        (
            f"beside: {{{COD}}}",
            Beside("w01018", "hour", "share", 24, 28 * DAY, grace_us=HOUR),
        ),
        (
            f"beside: {{{COD}, of: difference, least: 3, side: high, grace: 30m}}",
            Beside("w01018", "hour", "difference", 1, 42 * DAY, 0.0, 3, "high", 30 * MINUTE),
        ),
        (
            "beside: {indicator: w01018, interval: minute, over: 1h, memory: 14d, floor: 5, unit: ug/L}",
            Beside(
                "w01018", "minute", "share", 60, 14 * DAY, 5.0, grace_us=5 * MINUTE, unit="µg/L"
            ),
        ),
    ],
)
def test_what_is_written_is_what_is_judged(directory, text, condition):
    """Defaults are those of docs/conditions/across.md."""
    directory.write("rules.yaml", rules(text))
    assert directory.load().rules["tested"].condition == condition


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            "across: {indicator: w01018, interval: realtime, of: mean}",
            "across compares its members slot by slot, and realtime readings have no slots",
        ),
        (f"across: {{{COD}, of: median}}", "of is "),
        (f"across: {{{COD}, of: share}}", "than is missing; a share is of the members that hold"),
        (f'across: {{{COD}, of: sum, than: "> 1"}}', "than goes with of: share or count, not"),
        (f"across: {{{COD}, of: sum, complete: 2.5}}", "complete 2.5 is neither a part of the"),
        (f"across: {{{COD}, of: sum, complete: 0}}", "complete is "),
        (f"across: {{{COD}, of: sum, grace: 9d}}", "a grace of more than 200 slots keeps too many"),
        (f"across: {{{COD}, of: sum, unit: t}}", "unit 't' cannot be compared with w01018"),
        ("across: {indicator: nonsense, interval: hour, of: sum}", "'nonsense' is not known"),
        (
            "beside: {indicator: w01018, interval: realtime}",
            "beside compares its members slot by slot, and realtime readings have no slots",
        ),
        (f"beside: {{{COD}, over: 90m}}", "over is the mean of whole slots, at most 240 of them"),
        (f"beside: {{{COD}, over: 11d}}", "over is the mean of whole slots, at most 240 of them"),
        (f"beside: {{{COD}, memory: 3d}}", "what share is usual is the middle of 7 to 60 days"),
        (f"beside: {{{COD}, of: difference, over: 2h}}", "over goes with of: share; a difference"),
        (f"beside: {{{COD}, least: 1}}", "least is "),
        (
            "balance: {in: mw.collected_t, out: mw.collected_t, interval: day}",
            "mw.collected_t stands twice",
        ),
        (
            "balance: {in: mw.collected_t, out: w01018, interval: day}",
            "w01018 in 'mg/L' cannot be set against mw.collected_t, which is in 't'",
        ),
        ("balance: {in: [], out: w01018, interval: day}", "in: give at least 1 item"),
        (
            "balance: {in: mw.collected_t, out: mw.stored_t, interval: realtime}",
            "balance compares its members slot by slot",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_its_line(only, condition, said):
    """What, which one, what was seen, what to do."""
    text = only(f"condition: {{{condition}}}, {TAIL}")
    assert text.startswith("rules.yaml:2: "), text
    assert said in text, text


def test_a_station_with_the_id_of_another_facility_is_refused(directory):
    """Its series and that of the rule would be one."""
    directory.write(
        "facilities.yaml",
        "facilities:\n"
        '  - {id: one, name: 一, territory: "430100", kind: hospital_wastewater}\n'
        '  - {id: two, name: 二, territory: "430100", kind: hospital_wastewater}\n'
        "stations:\n"
        "  - {id: one-a, facility: one}\n"
        "  - {id: one, facility: two}\n",
    )
    directory.write("rules.yaml", rules(f"across: {{{COD}, of: mean}}"))
    assert any(
        error.startswith("facilities.yaml:6: ") and "has the id of another facility" in error
        for error in directory.errors()
    )


BASIS = "basis: {standard: s, edition: '1', clause: c, valid_from: 2020-01-01}"


def several(**conditions):
    """Rules by id, each with one level; those of composites have no raise."""
    lines = ["rules:"]
    for name, condition in conditions.items():
        raises = "" if "composite" in condition else ', raise: "> 60"'
        lines.append(
            f"  - {{id: {name}, condition: {{{condition}}}, "
            f"levels: [{{severity: yellow{raises}}}], {BASIS}}}"
        )
    return "\n".join(lines) + "\n"


COD_RULE = f"threshold: {{{COD}}}"


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        ("any: [one, two]", ">= 1"),
        ("all: [one, two]", ">= 2"),
        ("at_least: 2, rules: [one, two]", ">= 2"),
    ],
)
def test_the_level_of_a_composite_says_itself_how_many(directory, condition, needed):
    directory.write(
        "rules.yaml",
        several(one=COD_RULE, two=COD_RULE, both=f"composite: {{{condition}}}"),
    )
    built = directory.load().rules["both"]
    assert built.condition == Composite(("one", "two"))
    assert built.levels == (Level(Severity.YELLOW, Comparison(">=", float(needed[3:]), needed)),)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"both": "composite: {any: [nobody]}"}, "rules.yaml:2: rule 'nobody' does not exist"),
        (
            {"one": COD_RULE, "both": "composite: {all: [one, one]}"},
            "rules.yaml:3: rule 'one' stands twice",
        ),
        (
            {"one": COD_RULE, "both": "composite: {at_least: 2, rules: [one]}"},
            "rules.yaml:3: at_least 2 of 1 rules can never be",
        ),
        (
            {"one": COD_RULE, "both": "composite: {any: [one], all: [one]}"},
            "give exactly one of any, all, rules",
        ),
        (
            {"one": COD_RULE, "both": "composite: {rules: [one]}"},
            "rules.yaml:3: raise is missing for yellow",
        ),
        ({"me": "composite: {any: [me]}"}, "rules.yaml:2: it counts itself: me -> me"),
        (
            {
                "a": "composite: {any: [b]}",
                "b": "composite: {any: [c]}",
                "c": "composite: {any: [a]}",
            },
            "rules.yaml:2: it counts itself: a -> b -> c -> a",
        ),
    ],
)
def test_a_composite_that_cannot_be_is_refused(directory, rules, said):
    directory.write("rules.yaml", several(**rules))
    assert any(said in error for error in directory.errors()), directory.errors()


def test_a_composite_is_never_unknown(directory):
    """So there is nothing that `unknown: alert` could stand for."""
    text = several(one=COD_RULE, both="composite: {any: [one]}")
    directory.write(
        "rules.yaml",
        text[: text.rindex("levels")] + "unknown: alert, " + text[text.rindex("levels") :],
    )
    (error,) = directory.errors()
    assert "rules.yaml:3: a composite is never unknown: delete unknown" in error
