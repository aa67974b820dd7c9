"""A rule that can never fire, or reaches nobody, is found before it is needed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.bounds import bounds_of
from shared.config.catalogue import shipped
from shared.model.configuration import Indicator

BASIS = 'basis: {standard: product default, edition: "1", clause: "-", valid_from: 2020-01-01}'


def rule(condition: str, levels: str, applies: str = "{kind: hospital_wastewater}") -> str:
    """Line 3 is the id, 4 the condition, 5 the levels."""
    return (
        f"rules:\n  -\n    id: tested\n    condition: {condition}\n    levels: {levels}\n"
        f"    applies: {applies}\n    {BASIS}\n"
    )


def threshold(indicator: str, unit: str, interval: str = "hour") -> str:
    return f"{{threshold: {{indicator: {indicator}, interval: {interval}, unit: {unit}}}}}"


@pytest.mark.parametrize(
    ("condition", "level", "why"),
    [
        (threshold("w01018", "mg/L"), "< 0", "no concentration is negative"),
        (threshold("w01018", "g/L"), "> 1000", "a litre of water weighs"),
        (threshold("w01018", "ug/L"), ">= 2000000000", "a litre of water weighs"),
        (threshold("w01001", '"1"'), "> 14", "pH lies between 0 and 14"),
        (threshold("a34004", "mg/m³"), "> 2000000", "a cubic metre of air weighs"),
        (threshold("a01002", '"%"'), "> 100", "humidity"),
        (threshold("w01010", "°C"), "< -300", "nothing is colder"),
        ("{ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: '%'}}", "< 0", "none of its parts"),
        ("{average: {indicator: w01018, interval: hour, over: 8h, unit: g/L}}", "> 1000", "a litre of water weighs"),
        ("{count: {indicator: w01018, interval: hour, of: '> 60', within: 3}}", ">= 4", "it counts among 3 readings"),
        ("{jump: {indicator: w01018, interval: hour}}", "< 0", "the size of a jump"),
        ("{flatline: {indicator: w01018, interval: hour, within: 0.1}}", "< 0", "no time is negative"),
    ],
)  # fmt: skip
def test_a_limit_beyond_every_value_is_named(directory, condition, level, why):
    """At the line of the level, with the reason, and only as a warning."""
    directory.write("rules.yaml", rule(condition, f'[{{severity: red, raise: "{level}"}}]'))
    (said,) = [each for each in directory.warnings() if "never reach red" in each]
    assert said.startswith(
        f"rules.yaml:5: warning: rule tested can never reach red: no value is {level}"
    )
    assert why in said
    assert directory.errors() == []


@pytest.mark.parametrize(
    ("condition", "level"),
    [
        (threshold("w01018", "mg/L"), "<= 0"),
        (threshold("w01018", "mg/L"), "> 60"),
        (threshold("w01001", '"1"'), ">= 14"),
        (threshold("w01010", "°C"), "< -20"),
        (threshold("a01013", "kPa"), "< -2"),
        ("{ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: '%'}}", "> 400"),
        ("{count: {indicator: w01018, interval: hour, of: '> 60', within: 3}}", ">= 3"),
        ("{rate: {indicator: w01018, interval: hour, per: 1h}}", "< -5"),
    ],
)
def test_a_limit_that_can_be_reached_is_not(directory, condition, level):
    directory.write("rules.yaml", rule(condition, f'[{{severity: red, raise: "{level}"}}]'))
    assert not any("never reach" in each for each in directory.warnings())


def test_of_two_levels_the_wrong_one_is_named(directory):
    """Levels may stand in any order."""
    levels = '\n      - {severity: red, raise: "> 15"}\n      - {severity: yellow, raise: "> 9"}'
    directory.write("rules.yaml", rule(threshold("w01001", '"1"'), levels))
    (said,) = [each for each in directory.warnings() if "never" in each]
    assert said.startswith("rules.yaml:6: ")


def test_a_band_as_wide_as_the_world_is_named(directory):
    condition = "{range: {indicator: w01001, interval: hour, low: 0, high: 14}}"
    directory.write("rules.yaml", rule(condition, "[{severity: red}]"))
    (said,) = [each for each in directory.warnings() if "never fire" in each]
    assert said.startswith("rules.yaml:4: ")
    assert "inside 0 to 14" in said


CHLORINE = rule(
    "{missing: {indicator: residual_chlorine, interval: realtime, every: 5m}}",
    "[{severity: yellow}]",
).replace("rules:", "packs: [gb18466-2005]\nrules:")


def test_an_indicator_that_no_code_means_is_named(directory):
    """The station speaks HJ 212 alone, and calls its chlorine w19011."""
    directory.replace("access.yaml", '["430100-*"]', '["430100-mw-*"]')
    directory.write("rules.yaml", CHLORINE)
    assert not any("nobody sends" in each for each in directory.warnings())
    directory.replace("facilities.yaml", "    codes: {w19011: {indicator: residual_chlorine, unit: mg/L}}\n", "")  # fmt: skip
    said = [each for each in directory.warnings() if "rule tested can never fire" in each]
    assert said[0].startswith("rules.yaml:5: ")
    assert "nobody sends residual_chlorine; its stations (430105-ww-03-a …) speak HJ 212" in said[0]


def test_whoever_holds_a_token_may_send_anything(directory):
    directory.replace("access.yaml", '["430100-*"]', '["430105-*"]')
    directory.replace("facilities.yaml", "    codes: {w19011: {indicator: residual_chlorine, unit: mg/L}}\n", "")  # fmt: skip
    directory.write("rules.yaml", CHLORINE)
    assert not any("nobody sends" in each for each in directory.warnings())


COD = rule(threshold("w01018", "mg/L"), '[{severity: red, raise: "> 60"}]')


def without_holders(directory) -> None:
    directory.write("rosters.yaml", "rosters: []\n")
    directory.write("rules.yaml", COD)


def test_a_rule_that_reaches_nobody_is_named(directory):
    """Nobody holds the role up to the root, and nothing catches what falls through."""
    without_holders(directory)
    directory.replace("policies.yaml", ", catch_all: {notify: [{role: duty_officer}], by: [mail], every: 1d}", "")  # fmt: skip
    said = [each for each in directory.warnings() if "reaches nobody" in each]
    assert said[0].startswith("rules.yaml:5: warning: rule tested reaches nobody when red at 430105-ww-03: policy water")  # fmt: skip


@pytest.mark.parametrize(
    "mend",
    [
        lambda d: d.replace("policies.yaml", "catch_all: {notify: [{role: duty_officer}]", "catch_all: {notify: [{person: song}]"),
        lambda d: d.write("rosters.yaml", 'rosters: [{id: top, territory: "430000", roles: {duty_officer: {people: [song]}}}]\n'),
    ],
)  # fmt: skip
def test_a_catch_all_or_a_holder_above_is_enough(directory, mend: Callable[..., object]) -> None:
    without_holders(directory)
    mend(directory)
    assert not any("reaches nobody" in each for each in directory.warnings())


def test_a_policy_that_tells_nobody_on_purpose_is_no_slip(directory):
    """`rest` with no steps is how blue is kept quiet."""
    directory.write("rules.yaml", COD)
    directory.write("policies.yaml", "policies: [{id: rest, steps: []}]\n")
    assert not any("reaches nobody" in each for each in directory.warnings())


def test_a_pack_without_a_station_is_named_where_it_is_switched_on(directory):
    directory.replace("rules.yaml", "packs: [mw-load]", "packs:\n  - mw-load\n  - gb3095-2012")
    (said,) = directory.warnings()
    assert said == (
        "rules.yaml:3: warning: no rule of pack gb3095-2012 applies to a station; "
        "switch it off or correct kinds"
    )


@given(st.sampled_from(sorted(shipped())))
def test_bounds_are_in_order_and_say_why(code: str) -> None:
    bounds = bounds_of(shipped()[code])
    assert bounds is None or (bounds.low < bounds.high and bounds.why)


def test_of_an_unknown_unit_nothing_is_claimed() -> None:
    assert bounds_of(Indicator("x", "某", "dB")) is None
