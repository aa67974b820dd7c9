"""Rules, stations and territories that are never there together are found before they are needed."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.gaps import uncovered, unused
from shared.model.rule import Comparison
from tests.unit.config.test_config_never import rule

COD = "indicator: w01018, interval: hour, unit: mg/L"
AMMONIA = "indicator: w21003, interval: day, unit: mg/L, by: w01010"


def about(directory, condition, levels, applies="{kind: hospital_wastewater}", more=""):
    directory.write("rules.yaml", rule(condition, levels, applies) + more)
    assert directory.errors() == []
    return [each for each in directory.warnings() if "rule tested" in each or "limit" in each]


@pytest.mark.parametrize(
    ("condition", "level", "line", "said"),
    [
        (f"{{across: {{{COD}, of: mean, complete: 3}}}}", "> 60", 4, "asks for 3 known stations"),
        (f"{{across: {{{COD}, of: count, than: '> 60'}}}}", ">= 9", 5, "it takes >= 9"),
    ],
)
def test_more_stations_than_any_facility_has(directory, condition, level, line, said):
    """A count of k that no facility can reach, and a completeness that it never has."""
    (found,) = about(directory, condition, f'[{{severity: red, raise: "{level}"}}]')
    assert found.startswith(f"rules.yaml:{line}: warning: ")
    assert said in found


def test_as_many_stations_as_there_are_is_enough(directory):
    for condition, level in (
        (f"{{across: {{{COD}, of: mean, complete: 1}}}}", "> 60"),
        (f"{{across: {{{COD}, of: count, than: '> 60'}}}}", ">= 1"),
    ):
        found = about(directory, condition, f'[{{severity: red, raise: "{level}"}}]')
        assert not any("never" in each for each in found)


def test_neighbours_that_nobody_has(directory):
    """A facility of two stations has one neighbour for each; of a pack it is said once."""
    levels = '[{severity: blue, raise: "> 40"}]'
    (found,) = about(directory, f"{{beside: {{{COD}}}}}", levels)
    assert found.startswith("rules.yaml:4: warning: rule tested can never fire: it sets a station ")
    lone = "facilities:\n  - {id: air, name: 站, territory: '430105', kind: air_station}\n"
    files = (directory.root / "facilities.yaml").read_text(encoding="utf-8")
    directory.write("facilities.yaml", files.replace("facilities:\n", lone, 1))
    directory.write("rules.yaml", "packs: [air-anomalies]\n")
    assert directory.errors() == []
    said = [each for each in directory.warnings() if "never fire" in each]
    assert len(said) == 1
    assert "nor any of pack air-anomalies that compares" in said[0]


def test_a_composite_of_rules_that_judge_elsewhere(directory):
    """Its rules are named; where they do judge, nothing is said."""
    other = (
        "  - {id: other, applies: {kind: KIND}, condition: {threshold: {indicator: w01018, "
        'interval: day, unit: mg/L}}, levels: [{severity: blue, raise: "> 60"}], basis: {standard: '
        'product default, edition: "1", clause: "-", valid_from: 2020-01-01}}\n'
    )
    for kind, count in (("medical_waste", 1), ("hospital_wastewater", 0)):
        found = about(
            directory, "{composite: {all: [other]}}", "[{severity: red}]",
            more=other.replace("KIND", kind),
        )  # fmt: skip
        said = [each for each in found if "of its rules" in each]
        assert len(said) == count
        assert all("(other at none)" in each for each in said)


def test_a_roll_up_of_other_slots(directory):
    """A rule by the hour over what is added up by the day."""
    directory.write(
        "rollups.yaml",
        "rollups: [{id: ww, applies: {kind: hospital_wastewater}, interval: day, mean: [w01018]}]\n",
    )
    for interval, count in (("hour", 1), ("day", 0)):
        condition = f"{{threshold: {{indicator: w01018, interval: {interval}, unit: mg/L}}}}"
        found = about(
            directory, condition, '[{severity: red, raise: "> 60"}]', "{kind: territory}"
        )  # fmt: skip
        said = [each for each in found if "roll-up ww makes day values" in each]
        assert len(said) == count


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (("> 12", "< 12"), "where w01010 is 12:"),
        (("> 12",), "where w01010 is 12:"),
        (("> 12", "<= 10"), "where w01010 is 12:"),
        (("> 10", "> 12", "<= 10"), "the limit for '> 12' is never taken"),
        (("> 12", "<= 12"), None),
    ],
)
def test_limits_with_a_gap_or_out_of_order(directory, limits, said):
    items = ", ".join(f'{{when: "{when}", limit: {n + 5}}}' for n, when in enumerate(limits))
    condition = f"{{limited: {{{AMMONIA}, limits: [{items}]}}}}"
    found = about(directory, condition, '[{severity: red, raise: "> 100"}]')
    about_limits = [each for each in found if "limit" in each]
    assert len(about_limits) == (said is not None)
    assert said is None or said in about_limits[0]


@given(st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">="]), st.integers(-3, 3)), max_size=4))
def test_gaps_are_those_that_trying_every_value_finds(tests):
    """Against values on and between all limits."""
    built = [Comparison(op, float(limit), f"{op} {limit}") for op, limit in tests]
    values = [whole + part for whole, part in product(range(-5, 6), (0.0, 0.5))]
    first = [next((n for n, t in enumerate(built) if t.holds(v)), None) for v in values]
    assert set(unused(built)) == set(range(len(built))) - {n for n in first if n is not None}
    if built:
        assert (uncovered(built) is not None) == (None in first)
