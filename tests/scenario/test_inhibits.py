"""The silence of a facility hides the silences of its series, and nothing is lost by it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.notify.port import Refusal
from shared.config.load import load
from shared.errors import ConfigError
from shared.model.configuration import Configuration
from shared.model.inhibit import Inhibit
from shared.model.instants import parse_duration
from shared.model.people import Flapping
from tests.scenario.desks import Houses
from tests.scenario.house import DEFAULT_POLICY, REST, House, configuration
from tests.scenario.test_conditions import FILES

HIDES = (Inhibit("line", frozenset({"load"}), frozenset({"cod", "ammonia"})),)


@pytest.fixture
def hidden(houses: Houses) -> House:
    """A house where load, while it fires, hides cod and ammonia."""
    return houses(configuration(inhibits=HIDES))


def reasons(house: House) -> list[str]:
    return [e["reason"] for e in house.incident()["timeline"] if e["kind"] == "withheld"]


def test_what_fires_beside_its_source_is_withheld_and_named(hidden: House) -> None:
    """Red beside its yellow cause rings nobody, and the timeline says which cause."""
    hidden.fire("load", "yellow")
    hidden.phone("li").expect("处置负荷")
    hidden.fire("cod", "red")
    hidden.fire("ammonia", "orange")
    hidden.no_other_messages()
    shown = hidden.incident()
    assert shown["severity"] == "yellow"
    assert [(each["rule"], each["by"]) for each in shown["inhibited"]] == [
        ("cod", "load"), ("ammonia", "load"),
    ]  # fmt: skip
    assert reasons(hidden) == ["inhibited by load, cod red", "inhibited by load, ammonia orange"]
    hidden.clear("cod", "red")
    hidden.clear("ammonia", "orange")
    hidden.clear("load", "yellow")
    hidden.phone("li").expect("恢复", "处置负荷")
    hidden.no_other_messages()
    assert hidden.incident()["state"] == "resolved"
    assert hidden.notify.audit_verify() == []


def test_what_still_fires_when_the_source_ends_is_told_then(hidden: House) -> None:
    """Withheld is not forgotten: the line is back, and the value is still over its limit."""
    hidden.fire("load", "yellow")
    hidden.phone("li").expect()
    hidden.acknowledge()
    hidden.fire("cod", "red")
    hidden.fire("ammonia", "orange")
    hidden.restart()
    hidden.clear("load", "yellow")
    assert "化学需氧量等2项" in hidden.phone("li").expect().text
    shown = hidden.incident()
    assert (shown["state"], shown["severity"]) == ("open", "red")
    assert "inhibited" not in shown
    joined = [e["reason"] for e in shown["timeline"] if e["kind"] == "joined"]
    assert joined[0] == "cod red, no longer inhibited by load"
    hidden.fast_forward("16m")
    assert hidden.phone("chen").expect("化学需氧量")
    hidden.clear("cod", "red")
    hidden.clear("ammonia", "orange")
    assert "恢复" in hidden.phone("li").all()[-1].text
    assert hidden.incident()["state"] == "resolved"


def test_other_places_and_what_was_there_before_are_not_hidden(hidden: House) -> None:
    hidden.fire("cod", "yellow")
    hidden.fire("load", "yellow")
    hidden.fire("cod", "red", "420100-f2")
    assert len(hidden.wire.sent) == 2
    assert [each["rule"] for each in hidden.incident()["alerts"]] == ["cod", "load"]
    assert hidden.kinds("420100-f2").count("withheld") == 0
    # A rise of what is there already is hidden too, and told when the source ends.
    hidden.fire("cod", "red", cause="rose")
    assert len(hidden.wire.sent) == 2
    hidden.clear("load", "yellow")
    assert [each.message.facts.severity for each in hidden.wire.sent[2:]] == ["red"]


def test_a_source_that_nobody_is_told_of_hides_nothing(houses: Houses) -> None:
    """Blue opens no incident here; if it hid the red one, nobody would ever know."""
    house = houses(configuration(inhibits=HIDES))
    house.fire("load", "blue")
    house.fire("cod", "red")
    house.phone("li").expect("化学需氧量")


def test_two_that_hide_each_other_never_hide_both(houses: Houses) -> None:
    both = (
        Inhibit("a", frozenset({"cod"}), frozenset({"load"})),
        Inhibit("b", frozenset({"load"}), frozenset({"cod"})),
    )
    house = houses(configuration(inhibits=both))
    house.fire("cod", "yellow")
    house.fire("load", "red")
    assert len(house.wire.sent) == 1
    house.clear("cod", "yellow")
    assert len(house.wire.sent) == 2


def test_released_while_flapping_is_the_same_state(houses: Houses) -> None:
    setting = Flapping(1, parse_duration("2h"), parse_duration("1h"))
    policy = replace(DEFAULT_POLICY, flapping=setting)
    house = houses(configuration(policies=(policy, REST), inhibits=HIDES))
    house.fire("load", "orange")
    house.clear("load", "orange")
    house.fast_forward("1m")
    house.fire("load", "orange")
    assert not isinstance(house.acknowledge(), Refusal)
    before = len(house.wire.sent)
    house.fire("cod", "orange")
    house.clear("load", "orange")
    assert len(house.wire.sent) == before
    house.fast_forward("1m")
    house.fire("load", "orange")
    house.fire("ammonia", "red")
    house.clear("load", "orange")
    assert len(house.wire.sent) == before + 1


Write = Callable[[str], Configuration]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """A site with two missing rules and these inhibits."""
    basis = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
    due = "levels: [{severity: yellow}], applies: {kind: hospital_wastewater}"
    rules = "rules:\n" + "".join(
        f"  - {{id: {name}, {due}, condition: {{missing: {{indicator: {code}, interval: hour, grace: {grace}}}}}, {basis}}}\n"
        for name, code, grace in (("line", "w00000", "0s"), ("cod", "w01018", "5m"), ("nh", "w21003", "5m"))
    )  # fmt: skip

    def write(inhibits: str) -> Configuration:
        files = {**FILES, "rules": rules, "policies": FILES["policies"] + inhibits}
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        return load(tmp_path, {})

    return write


def test_from_yaml_to_one_message(written: Write, houses: Houses) -> None:
    """A line that dies is one message; without the key it would be one too, but name three."""
    configured = written(
        "inhibits:\n  - {id: line, source: {rule: line}, target: {condition: missing}}\n"
    )
    assert configured.inhibits == (Inhibit("line", frozenset({"line"}), frozenset({"cod", "nh"})),)
    house = houses(configured)
    for name in ("line", "cod", "nh"):
        house.fire(name, "yellow", "ww", cause="missing", value=None)
    assert len(house.wire.sent) == 1
    assert "等" not in house.wire.sent[0].text
    house.clear("cod", "yellow", "ww")
    house.clear("line", "yellow", "ww")
    assert len(house.wire.sent) == 2


@pytest.mark.parametrize(
    ("inhibit", "said"),
    [
        ("{id: a, source: {rule: gone}, target: {rule: cod}}", "rule 'gone' does not exist"),
        ("{id: a, source: {rule: cod}, target: {rule: cod}}", "cannot hide itself"),
        ("{id: a, source: {rule: cod}, target: {condition: gap}}", "condition 'gap' does not exist"),
        ("{id: a, source: {rule: cod}, target: {}}", "give rule, condition or both"),
        ("{id: a, source: {rule: cod}, target: {rule: nh}, equal: city}", "equal"),
    ],
)  # fmt: skip
def test_errors_name_the_line(written: Write, inhibit: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(f"inhibits:\n  - {inhibit}\n")
    assert "policies.yaml:4: " in str(caught.value)
    assert said in str(caught.value)
