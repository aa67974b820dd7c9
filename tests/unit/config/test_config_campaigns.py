"""Campaigns as they are read: editions, pauses, dated policies, and each error at its line."""

import pytest

from shared.model.campaign import state_of, without
from shared.model.instants import parse_instant
from shared.model.rule import Missing, Range
from tests.unit.config.conftest import Directory

CAMPAIGN = """\
campaigns:
  - id: spring
    title: {zh: 春季行动, en: Spring}
    from: 2027-03-01
    to: "2027-04-01T08:00"
    territories: ["430000"]
    rules:
      - {rule: load, levels: [{severity: red, raise: ">= 60"}], for: 0s}
      - {rule: silent, every: 1m}
      - {rule: band, condition: {range: {indicator: residual_chlorine, interval: realtime, unit: mg/L, low: 7, high: 10}}}
    policies:
      - {id: command, match: {rule: load}, steps: [{notify: [{person: song}], by: [mail], wait: 5m}], catch_all: {notify: [{person: song}], by: [mail], every: 1h}}
    basis: {standard: 省行动方案, edition: "2027", clause: 三}
"""
SECOND = """\
  - id: other
    title: {zh: 另一行动}
    from: 2027-03-31
    to: 2027-05-01
    territories: [TERRITORY]
    rules: [{rule: load, for: 1m}]
    basis: {standard: 市方案, edition: "2027", clause: 一}
"""


@pytest.fixture
def written(directory: Directory) -> Directory:
    directory.write("campaigns.yaml", CAMPAIGN)
    return directory


def test_a_campaign_makes_an_edition_of_each_rule_and_pauses_the_rule(written: Directory) -> None:
    """What it does not say stays as it is."""
    c = written.load()
    zone = c.site.zone
    begin = parse_instant("2027-03-01T00:00:00", zone)
    end = parse_instant("2027-04-01T08:00:00", zone)
    made, base = c.rules["load@spring"], c.rules["load"]
    assert (made.campaign, made.base, made.applies.within) == ("spring", "load", ("430000",))
    assert (made.basis.valid_from_us, made.basis.valid_to_us) == (begin, end)
    assert (made.basis.standard, made.basis.clause) == ("省行动方案", "三")
    assert (made.for_us, made.keep_firing_for_us) == (0, base.keep_firing_for_us)
    assert [level.severity.value for level in made.levels] == ["red"]
    assert made.title_zh == "处置负荷（春季行动）"
    assert [(p.campaign, p.from_us, p.to_us) for p in base.pauses] == [("spring", begin, end)]
    silent, band = c.rules["silent@spring"].condition, c.rules["band@spring"].condition
    assert isinstance(silent, Missing)
    assert silent.every_us == 60_000_000
    assert silent.grace_us == 120_000_000
    assert isinstance(band, Range)
    assert band.low == 7


def test_its_policies_come_first_in_its_territories_while_it_runs(written: Directory) -> None:
    c = written.load()
    command = c.policies[0]
    assert (command.id, command.campaign) == ("command", "spring")
    assert command.match is not None
    assert command.match.territory == ("430000",)
    assert command.match.rule == ("load", "load@spring")
    campaign = c.campaigns["spring"]
    instants = (campaign.from_us - 1, campaign.from_us, campaign.to_us - 1, campaign.to_us)
    assert [command.counts_at(at) for at in instants] == [False, True, True, False]
    assert [state_of(campaign, at) for at in instants] == ["planned", "running", "running", "ended"]


def test_without_it_the_site_is_as_it_was(written: Directory) -> None:
    """So is what the engine is a function of, to the byte."""
    with_it = written.load()
    (written.root / "campaigns.yaml").unlink()
    plain = written.load()
    assert without(with_it, "spring").bundle() == plain.bundle()
    assert plain.bundle().format == 1
    assert with_it.bundle().format == 2


def test_a_policy_that_names_a_rule_means_its_editions(written: Directory) -> None:
    written.replace(
        "policies.yaml", "severity: [yellow, orange, red], kind:", "rule: [load], kind:"
    )
    urgent = next(p for p in written.load().policies if p.id == "urgent")
    assert urgent.match is not None
    assert urgent.match.rule == ("load", "load@spring")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to: "2027-04-01T08:00"', "to: 2027-03-01", "to (2027-03-01) is not after from ("),
        ("from: 2027-03-01", "from: soon", "from: 'soon' is neither a date nor a time"),
        ('territories: ["430000"]', 'territories: ["990000"]', "territory '990000' does not exist"),
        ("rule: silent,", "rule: quiet,", "rule 'quiet' does not exist; add it or correct it"),
        ("rule: silent, every: 1m", "rule: cod, every: 1m", "every goes with a missing rule"),
        ("rule: silent, every: 1m", "rule: silent, for: 1m", "a missing rule has no for; use grace"),
        ("rule: silent, every: 1m", "rule: load, for: 1m", "by this campaign itself; let one end"),
        ("interval: realtime, unit", "interval: hour, unit", "looks at another series"),
        ("rule: band, condition: {range:", "rule: cod, condition: {range:", "is a threshold rule"),
        ("{id: command,", "{id: water,", "policy 'water' exists already; give another id"),
        ("match: {rule: load}", 'match: {territory: "000000"}', "lies outside this campaign"),
        ('[{severity: red, raise: ">= 60"}]', '[{severity: red, raise: ">= 60", clear: "> 50"}]', "can hold for one value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_line(
    written: Directory, old: str, new: str, said: str
) -> None:
    line = written.replace("campaigns.yaml", old, new)
    errors = written.errors()
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"campaigns.yaml:{line}: "), errors
    assert said in errors[0]


@pytest.mark.parametrize("territory", ["000000", "430000", "430105"])
def test_two_campaigns_never_judge_one_series(written: Directory, territory: str) -> None:
    """Above, beside and below: their territories meet."""
    text = CAMPAIGN + SECOND.replace("TERRITORY", f'"{territory}"')
    written.write("campaigns.yaml", text)
    (error,) = written.errors()
    line = text[: text.index("rule: load, for: 1m")].count("\n") + 1
    assert error.startswith(f"campaigns.yaml:{line}: rule 'load' is changed in "), error
    assert "at the same time by campaign 'spring'" in error


def test_one_after_the_other_is_allowed(written: Directory) -> None:
    text = CAMPAIGN + SECOND.replace("TERRITORY", '"430000"').replace("2027-03-31", "2027-04-02")
    written.write("campaigns.yaml", text)
    c = written.load()
    assert [pause.campaign for pause in c.rules["load"].pauses] == ["spring", "other"]


def test_a_rule_that_is_not_in_force_then_is_an_error(written: Directory) -> None:
    """The rule cod ends in 2030."""
    text = CAMPAIGN.replace("2027-", "2031-").replace(
        "{rule: silent, every: 1m}", '{rule: cod, levels: [{severity: red, raise: "> 1"}]}'
    )
    written.write("campaigns.yaml", text)
    (error,) = written.errors()
    assert "rule 'cod' is not in force while this campaign runs" in error


def test_lint_says_where_a_campaign_reaches_nobody(written: Directory) -> None:
    """Warnings of editions and policies stand in campaigns.yaml."""
    before = set(written.warnings())
    written.replace(
        "campaigns.yaml", ", catch_all: {notify: [{person: song}], by: [mail], every: 1h}", ""
    )
    written.write(
        "campaigns.yaml",
        (written.root / "campaigns.yaml").read_text().replace('["430000"]', '["439004"]'),
    )
    more = sorted(set(written.warnings()) - before)
    assert any("rule load@spring applies to no station" in each for each in more), more
    assert any("policy command has no catch_all" in each for each in more), more
    assert all(each.startswith("campaigns.yaml:") for each in more), more
