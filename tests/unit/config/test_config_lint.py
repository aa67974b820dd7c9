"""Lint names what is right but hardly meant, and stops nothing."""

import pytest


def test_a_directory_without_oddities_is_silent(directory):
    """Warnings that are always there are read by nobody."""
    assert directory.warnings() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "warning"),
    [
        ("site.yaml", "deaf_after: 45s", "deaf_after: 1s", "site.yaml:3: warning: deaf_after is shorter than tick"),
        ("channels.yaml", "orange: 2", "orange: 7", "channels.yaml:2: warning: the reserves together are more than per_day"),
        ("rosters.yaml", "shift_leader:", "other_leader:", "rosters.yaml:1: warning: nobody holds shift_leader for 430100 or above"),
        ("rules.yaml", "{kind: hospital_wastewater, point: contact_tank}", "{point: outfall}", "rules.yaml:14: warning: rule band applies to no station"),
        ("people.yaml", "id: tang-sms, channel: sms", "id: tang-screen, channel: screen", "people.yaml:3: warning: tang has no contact on a channel that a policy uses"),
        ("people.yaml", "people:\n", 'people:\n  - {id: idle, name: 闲, territory: "430000"}\n', "people.yaml:2: warning: idle stands in no roster and no policy"),
        ("policies.yaml", "  - {id: rest", "  - {id: late, match: {severity: red, kind: medical_waste}}\n  - {id: rest", "policies.yaml:11: warning: policy late is never reached; urgent takes all it matches"),
        ("policies.yaml", "    catch_all: {notify: [{person: song}], by: [mail], every: 2h}\n", "", "policies.yaml:2: warning: policy urgent has no catch_all"),
        ("policies.yaml", "kind: medical_waste}", "kind: incinerator}", "rules.yaml:3: warning: no policy tells anybody of rule load"),
        ("rules.yaml", "of: mw.disposed_t", "of: w01018", "rules.yaml:7: warning: a ratio of different units (mg/L, t)"),
        ("rules.yaml", '{severity: blue, raise: ">= 80", clear: "< 75"}', '{severity: blue, raise: ">= 100", clear: "< 95"}', "rules.yaml:8: warning: blue raises where orange does"),
    ],
)  # fmt: skip
def test_an_oddity_is_named_at_its_line_and_does_not_stop(directory, file, old, new, warning):
    """`yujing check` says it; `serve` starts."""
    directory.replace(file, old, new)
    assert any(said.startswith(warning) for said in directory.warnings()), directory.warnings()
    assert directory.errors() == []


def test_a_file_that_nobody_reads_is_named(directory):
    """`rule.yaml` beside `rules.yaml` is a slip of the pen."""
    directory.write("rule.yaml", "rules: []\n")
    (warning,) = directory.warnings()
    assert warning.startswith("rule.yaml:1: warning: this file is not read; known are site,")


def test_a_site_without_policies_says_that_nobody_is_told(directory):
    """It may be meant, for a trial."""
    (directory.root / "policies.yaml").unlink()
    assert "policies.yaml:1: warning: there is no policy; nobody is told of anything" in (
        directory.warnings()
    )
