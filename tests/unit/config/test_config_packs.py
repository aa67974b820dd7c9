"""The shipped packs: they load, their numbers are those of the standards, editions do not overlap."""

from zoneinfo import ZoneInfo

import pytest

from shared.config.load import PACKS
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant
from shared.model.rule import Range, Rule, Threshold

NAMES = (
    "mw-load",
    "mw-flow",
    "mw-forecast",
    "sewage-discipline",
    "furnace-discipline",
    "gb18918-2002",
    "gb39707-2020",
    "gb18484-2020",
    "gb18485-2014",
    "gb3838-2002",
    "gb3838-2002-source",
    "gb5749-2022",
    "gb18466-2005",
    "gb3095-2012",
    "gb3095-2012-early",
    "gb3095-2026",
    "hj633-2012",
    "hj633-2026",
    "heavy-pollution-2017",
    "heavy-pollution-2024",
    "source-toxicity",
    "air-anomalies",
)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def packed(directory) -> Configuration:
    directory.write("rules.yaml", f"packs: [{', '.join(NAMES)}]\n")
    return directory.load()


def in_force(c: Configuration, prefix: str, moment: str) -> dict[str, Rule]:
    at = parse_instant(moment, ZONE)
    return {
        name.removeprefix(prefix): rule
        for name, rule in c.rules.items()
        if rule.basis.valid_from_us <= at
        and (rule.basis.valid_to_us is None or at < rule.basis.valid_to_us)
        and name.startswith(prefix)
    }


def raises(rule: Rule) -> list[str]:
    return [level.raises.text for level in rule.levels if level.raises]


def test_the_shipped_packs_are_these():
    """A pack that is renamed breaks every directory that names it."""
    assert {path.stem for path in PACKS.glob("*.yaml")} == set(NAMES)


def test_every_pack_rule_has_words_for_an_official_and_a_source(packed):
    """Title in Chinese, standard, edition, clause, and whether the number was read there."""
    for rule in packed.rules.values():
        assert rule.pack in NAMES
        assert rule.title_zh != rule.id
        assert all((rule.basis.standard, rule.basis.edition, rule.basis.clause))
        assert rule.basis.status in ("verified", "product default")
        assert len(rule.action_zh or "") <= 12


def test_medical_waste_loads_cut_where_they_say(packed):
    """80/90/100/110 % of capacity disposed; 90/100/120/150 % demanded."""
    official, demand = packed.rules["mw-official-load"], packed.rules["mw-demand-load"]
    assert raises(official) == [">= 80", ">= 90", ">= 100", ">= 110"]
    assert raises(demand) == [">= 90", ">= 100", ">= 120", ">= 150"]
    assert official.basis.status == demand.basis.status == "product default"


def test_residual_chlorine_has_two_points_with_two_rules(packed):
    """What disinfects in the tank poisons the river at the outfall (GB 18466 tables 1 and 2)."""
    bands = {
        tuple(rule.applies.attributes.values()): (rule.condition.low, rule.condition.high)
        for rule in packed.rules.values()
        if isinstance(rule.condition, Range) and rule.applies.point == "contact_tank"
    }
    assert bands == {
        ("infectious",): (6.5, 10),
        ("general", "direct"): (3, 10),
        ("general", "pretreatment"): (2, 8),
    }
    outfall = [r for r in packed.rules.values() if r.applies.point == "outfall"]
    assert [raises(rule) for rule in outfall] == [["> 0.5"], ["> 0.5"]]
    assert all(rule.applies.attributes["discharge"] == "direct" for rule in outfall)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("gb18466-t1-w01018", "> 60"),
        ("gb18466-t2-w01018", "> 60"),
        ("gb18466-t2p-w01018", "> 250"),
        ("gb18466-t1-w02003", "> 100"),
        ("gb18466-t2-w02003", "> 500"),
        ("gb18466-t2p-w02003", "> 5000"),
        ("gb18466-t1-w21003", "> 15"),
    ],
)
def test_hospital_wastewater_limits_are_those_of_the_tables(packed, rule, limit):
    """Daily means of infectious, direct and pre-treated discharge."""
    assert raises(packed.rules[rule]) == [limit]
    assert packed.rules[rule].condition.interval == "day"


@pytest.mark.parametrize(
    ("moment", "prefix", "so2_class_2"),
    [
        ("2026-02-28T23:59:59", "gb3095-2012-", "> 500"),
        ("2026-03-01T00:00:00", "gb3095-2026-", "> 500"),
        ("2030-12-31T23:59:59", "gb3095-2026-", "> 500"),
        ("2031-01-01T00:00:00", "gb3095-2031-", "> 150"),
    ],
)
def test_one_edition_of_the_air_limits_is_in_force_at_any_time(packed, moment, prefix, so2_class_2):
    """The date of the reading decides, not the day it is judged."""
    rules = in_force(packed, "gb3095-", moment)
    assert len(rules) == 20
    assert all(f"gb3095-{name}".startswith(prefix) for name in rules)
    mine = in_force(packed, prefix, moment)
    assert raises(mine["c2-a21026-1h"]) == [so2_class_2]
    assert raises(mine["c1-a05024-1h"]) == ["> 160"]
    assert raises(mine["c2-a05024-1h"]) == ["> 200"]
    assert raises(mine["c1-a21005-1h"]) == ["> 10"]


def test_particles_have_no_hourly_limit(packed):
    """Neither edition has one; an hourly alarm would be an invention."""
    named = {
        rule.condition.indicator
        for rule in packed.rules.values()
        if rule.applies.kind == "air_station"
        if isinstance(rule.condition, Threshold) and rule.condition.interval == "hour"
    }
    assert named == {"a21026", "a21004", "a21005", "a05024"}


def test_a_rule_of_ones_own_may_not_bear_the_id_of_a_pack_rule(directory):
    """Which of the two counts would be a guess."""
    directory.replace("rules.yaml", "{id: cod,", "{id: mw-demand-load,")
    (error,) = directory.errors()
    assert error.startswith("rules.yaml:13: rule 'mw-demand-load' is one of pack mw-load")
