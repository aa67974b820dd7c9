"""`check` names the rules whose episodes a correction leaves, where one might think otherwise."""

import pytest

KEEP = "history: {keep: 30d}\ntiming:"
BASIS = 'basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}'
APPLIES = "applies: {kind: hospital_wastewater}"
COD = "indicator: w01018, interval: hour"
RULES = {
    "limit": f'condition: {{threshold: {{{COD}}}}}, levels: [{{severity: red, raise: "> 60"}}]',
    "gone": f"condition: {{missing: {{{COD}, every: 1h}}}}, levels: [{{severity: red}}]",
    "apart": f"condition: {{beside: {{{COD}, of: difference, floor: 10}}}}, "
    'levels: [{severity: red, raise: "> 40"}]',
}


def counts(*names):
    return f"condition: {{composite: {{any: [{', '.join(names)}]}}}}, levels: [{{severity: red}}]"


def named(directory, rules):
    """The rules that are said to be left, with the reason."""
    text = "".join(
        f"  - {{id: {name}, {APPLIES}, {said}, {BASIS}}}\n" for name, said in rules.items()
    )
    directory.write("rules.yaml", f"rules:\n{text}")
    assert directory.errors() == []
    found = [each for each in directory.warnings() if "does not amend" in each]
    assert all(each.startswith("rules.yaml:") for each in found)
    return [each.partition(" of rule ")[2].partition(";")[0] for each in found]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"both": counts("limit")}, []),
        ({"both": counts("limit", "gone")},
         ["both: it counts gone, which has no amended history"]),
        ({"in": counts("gone"), "out": counts("in", "limit")},
         ["in: it counts gone, which has no amended history",
          "out: it counts gone, which has no amended history"]),
    ],
)  # fmt: skip
def test_composite_that_counts_arrival_is_named(directory, more, expected):
    """Its other parts are amended, so one would think that it is."""
    directory.replace("site.yaml", "timing:", KEEP)
    rules = {"limit": RULES["limit"], "gone": RULES["gone"], **more}
    assert named(directory, rules) == expected


def test_stations_beside_others_are_amended_with_their_facility(directory):
    directory.replace("site.yaml", "timing:", KEEP)
    assert named(directory, RULES | {"both": counts("apart", "limit")}) == []


def test_site_without_history_hears_nothing_of_it(directory):
    assert named(directory, {**RULES, "both": counts("gone")}) == []
