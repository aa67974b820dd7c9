"""Roll-ups in the configuration: whose member is whose, and what is wrong at which line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.config.load import ConfigErrors, check, load
from shared.model.configuration import Configuration
from shared.model.rollup import Node

FILES = {
    "site": 'version: 1\nsite: {name: 试, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n  - {id: "420106", name: 武昌区}\n  - {id: "429004", name: 仙桃市, parent: "420000"}\n',
    "facilities": """\
facilities:
  - {id: p, name: 省厂, territory: "420000", kind: medical_waste}
  - {id: w, name: 武昌厂, territory: "420106", kind: medical_waste}
  - {id: x, name: 仙桃厂, territory: "429004", kind: medical_waste}
  - {id: h, name: 医院, territory: "420106", kind: hospital_wastewater}
stations:
  - {id: w-a, facility: w, point: gate}
  - {id: w-b, facility: w}
""",
}
Loaded = Callable[..., Configuration]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    def read(rollups: str, **changed: str) -> Configuration:
        for name, text in {**FILES, "rollups": f"rollups:\n{rollups}", **changed}.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load(tmp_path, {})

    return read


def errors(loaded: Loaded, rollups: str, **changed: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        loaded(rollups, **changed)
    return str(caught.value).splitlines()


def test_every_territory_with_members_is_a_facility(loaded: Loaded) -> None:
    """Stations stand under their own territory; territories under the next one above."""
    c = loaded("  - {id: mw, applies: {kind: medical_waste}, interval: day, sum: mw.disposed_t}\n")
    (rollup,) = c.rollups
    assert rollup.nodes == (
        Node("000000", (), ("420000",), 4),
        Node("420000", ("p",), ("420100", "429004"), 4),
        Node("420100", (), ("420106",), 2),
        Node("420106", ("w-a", "w-b"), (), 2),
        Node("429004", ("x",), (), 1),
    )
    made = c.facilities["420106"]
    assert (made.name, made.kind, made.territory) == ("武昌区", "territory", "420106")
    assert c.stations["420106-mw"].facility == "420106"
    assert c.stations["420106-mw"].point == "mw"


def test_levels_that_are_left_out_are_skipped(loaded: Loaded) -> None:
    """A parent that is not the prefix counts: Xiantao is right below its province."""
    c = loaded(
        "  - {id: mw, applies: {kind: medical_waste, territory: '420000'}, interval: hour, "
        "mean: mw.disposed_t, levels: [county, province]}\n"
    )
    assert c.rollups[0].nodes == (
        Node("420000", ("p",), ("420106", "429004"), 4),
        Node("420106", ("w-a", "w-b"), (), 2),
        Node("429004", ("x",), (), 1),
    )


def test_what_is_wrong_is_said_at_its_line(loaded: Loaded) -> None:
    found = errors(
        loaded,
        """\
  - id: a
    applies: {kind: territory}
    interval: hour
    due: "10:00"
  - id: b
    interval: day
    sum: [nope, mw.disposed_t]
    mean: [mw.disposed_t]
  - id: c
    applies: {kind: air_station, territory: "110000"}
    interval: day
    sum: mw.disposed_t
  - id: d
    interval: realtime
    sum: mw.disposed_t
  - id: e
    interval: day
    complete: 0
    sum: mw.disposed_t
""",
    )
    assert [line.split(": ")[0] + ": " + line.split(": ", 1)[1][:38] for line in found] == [
        "rollups.yaml:2: roll-up 'a' adds up nothing; give sum ",
        "rollups.yaml:3: roll-up 'a' has no members; correct ap",
        "rollups.yaml:3: the members of a roll-up are stations;",
        "rollups.yaml:5: due goes with interval day, not with h",
        "rollups.yaml:8: indicator 'nope' is not known; give an",
        "rollups.yaml:9: indicator 'mw.disposed_t' stands twice",
        "rollups.yaml:11: roll-up 'c' has no members; correct ap",
        "rollups.yaml:11: territory '110000' does not exist; add",
        "rollups.yaml:15: interval is 'realtime': give 'minute',",
        "rollups.yaml:19: complete is '0': give more than 0",
    ]


def test_a_facility_with_the_code_of_a_territory_is_in_the_way(loaded: Loaded) -> None:
    places = FILES["facilities"].replace("id: x,", 'id: "429004",')
    (found,) = errors(
        loaded,
        "  - {id: mw, applies: {kind: medical_waste}, interval: day, sum: mw.disposed_t}\n",
        facilities=places,
    )
    assert found.startswith(
        "rollups.yaml:2: a facility '429004' exists, and roll-up 'mw' makes one"
    )


BASIS = 'basis: {standard: 产品, edition: "2026", clause: "-", valid_from: 2020-01-01}'
LEVELS = 'levels: [{severity: red, raise: "> 1"}]'


def test_a_rule_that_never_judges_a_territory_is_found(loaded: Loaded, tmp_path: Path) -> None:
    """What is not rolled up cannot fire; a roll-up is never silent."""
    rules = f"""\
rules:
  - {{id: good, applies: {{kind: territory}}, condition: {{threshold: {{indicator: mw.disposed_t, interval: day}}}}, {LEVELS}, {BASIS}}}
  - {{id: other, applies: {{kind: territory}}, condition: {{threshold: {{indicator: mw.stored_t, interval: day}}}}, {LEVELS}, {BASIS}}}
  - {{id: silent, applies: {{kind: territory}}, condition: {{missing: {{indicator: mw.disposed_t, interval: day}}}}, levels: [{{severity: red}}], {BASIS}}}
"""
    loaded(
        "  - {id: mw, applies: {kind: medical_waste}, interval: day, sum: mw.disposed_t}\n",
        rules=rules,
    )
    found = [str(f) for f in check(tmp_path, {})[1] if str(f).startswith("rules.yaml")]
    assert found == [
        "rules.yaml:3: warning: rule other can never fire: mw.stored_t is not rolled up for "
        "000000 …: add it to roll-up mw",
        "rules.yaml:4: warning: rule silent applies to no station; what is rolled up is never silent, sampled, or "
        "several stations; use another condition",
    ]
