"""The published schema of case files: what an editor completes is what the program takes."""

from services.authoring.expected import KNOWN, STATES
from shared.config.inline import KEYS, inline
from shared.config.nodes import Document
from shared.config.schemas import cases


def test_an_expectation_has_the_keys_that_are_compared() -> None:
    case = cases()["$defs"]["CaseModel"]["properties"]
    expected = case["transitions"]["anyOf"][0]["items"]
    assert set(expected["properties"]) == {*KNOWN, "exp_labels"}
    assert expected["properties"]["state"]["enum"] == list(STATES)


def test_a_whole_configuration_may_stand_in_it_but_not_beside_config() -> None:
    schema = cases()
    assert set(schema["properties"]) == {*KEYS, "config", "evaluation_interval", "tests"}
    assert schema["oneOf"][0] == {"required": ["config"]}


def test_what_the_schema_lets_a_case_leave_out_has_a_default() -> None:
    """A facility with what is required, a rule without its basis, and no site."""
    known = cases()["$defs"]
    assert known["FacilityModel"]["required"] == ["id", "kind"]
    assert known["RuleModel"]["required"] == ["id", "condition", "levels"]
    condition = {"threshold": {"indicator": "w01018", "interval": "day"}}
    levels = [{"severity": "blue", "raise": "> 1"}]
    value = {
        "facilities": [{"id": "f", "kind": "sewage_plant"}],
        "rules": [{"id": "cod", "condition": condition, "levels": levels}],
    }
    configuration, findings = inline(Document("case.yaml", value, {(): 1}))
    assert configuration is not None, findings
