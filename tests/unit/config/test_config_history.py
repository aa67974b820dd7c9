"""`history` in site.yaml: how far back, what is wrong, and what is too short to be meant."""

import pytest

DAY_US = 86_400_000_000
UNUSUAL = """\
  - {id: unusual, applies: {kind: hospital_wastewater}, condition: {deviation: {indicator: w01018, interval: hour, over: reading, season: none, memory: 60d}}, levels: [{severity: blue, raise: ">= 1.25"}], basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}}
"""


def test_days_of_history_are_read_and_absent_means_none(directory):
    assert directory.load().history_keep_us is None
    directory.replace("site.yaml", "timing:", "history: {keep: 30d}\ntiming:")
    assert directory.load().history_keep_us == 30 * DAY_US
    assert directory.warnings() == []


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ("{keep: 0s}", "site.yaml:3:"),
        ("{keep: 30}", "site.yaml:3:"),
        ("{days: 30d}", "site.yaml:3:"),
        ("{}", "site.yaml:3:"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(directory, history, words):
    directory.replace("site.yaml", "timing:", f"history: {history}\ntiming:")
    assert directory.errors()
    assert all(each.startswith(words) for each in directory.errors())


def test_rule_that_remembers_longer_than_is_kept_is_named(directory):
    """Its history would be made from less than it needs, and look empty."""
    directory.replace("site.yaml", "timing:", "history: {keep: 30d}\ntiming:")
    directory.replace("rules.yaml", "rules:\n", f"rules:\n{UNUSUAL}")
    assert directory.errors() == []
    (warning,) = directory.warnings()
    assert "rule unusual remembers 60 days and history keeps 30" in warning
    assert warning.startswith("rules.yaml:")
