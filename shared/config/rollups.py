"""Roll-ups: which stations are whose members, and a facility for every territory that has some."""

from collections.abc import Sequence
from itertools import pairwise

from shared.config.assembly import Assembly, Item
from shared.config.measured import known_indicator
from shared.config.schema.rollups import RollupModel
from shared.model.configuration import lineage
from shared.model.facility import Facility, Station, Territory
from shared.model.rollup import Node, Rollup, TerritoryLevel, Together, level_of, station_of
from shared.model.rule import Applies
from shared.model.select import applies_to


def rollups(
    a: Assembly, territories: dict[str, Territory], facilities: dict[str, Facility],
    stations: dict[str, Station],
) -> tuple[Rollup, ...]:  # fmt: skip
    """Every roll-up. The territories' facilities and stations are added to those given."""
    own_facilities, own_stations = dict(facilities), dict(stations)
    built = []
    for item in a.unique("roll-up", a.items("rollups")).values():
        model: RollupModel = item.model
        indicators = _indicators(a, item)
        if model.due is not None and model.interval != "day":
            a.fail(item, f"due goes with interval day, not with {model.interval}; delete it", "due")
        if model.applies.kind == "territory":
            text = "the members of a roll-up are stations; territories above them follow by levels"
            a.fail(item, text, "applies", "kind")
        if model.applies.territory is not None:
            a.known(item, "territory", model.applies.territory, territories, "applies", "territory")
        applies = Applies(
            model.applies.kind, model.applies.territory, model.applies.facility,
            model.applies.point, dict(model.applies.attributes),
        )  # fmt: skip
        nodes = nodes_of(applies, model.levels, territories, own_facilities, own_stations)
        unsure = a.left.lists | a.left.ids.keys()
        if not nodes and not unsure & {"territories", "facilities", "stations"}:
            a.fail(
                item, f"roll-up {model.id!r} has no members; correct applies or levels", "applies"
            )
        for node in nodes:
            _add(a, item, node, territories, (facilities, stations), (own_facilities, own_stations))
        built.append(
            Rollup(
                model.id, model.interval, indicators, model.due, model.grace, model.complete, nodes
            )
        )
    return tuple(built)


def _indicators(a: Assembly, item: Item) -> dict[str, Together]:
    """In the order of the file, sums first."""
    model: RollupModel = item.model
    found: dict[str, Together] = {}
    for key, names in (("sum", model.sum), ("mean", model.mean)):
        for place, name in enumerate(names):
            known_indicator(a, item, name, key, place)
            if name in found:
                a.fail(item, f"indicator {name!r} stands twice; keep one", key, place)
            found[name] = "sum" if key == "sum" else "mean"
    if not found:
        a.fail(item, f"roll-up {model.id!r} adds up nothing; give sum or mean")
    return found


def nodes_of(
    applies: Applies, levels: Sequence[TerritoryLevel], territories: dict[str, Territory],
    facilities: dict[str, Facility], stations: dict[str, Station],
) -> tuple[Node, ...]:  # fmt: skip
    """Every territory of the wanted levels that has members, with those right below it."""
    below: dict[str, list[str]] = {}
    children: dict[str, set[str]] = {}
    leaves: dict[str, int] = {}
    for station in stations.values():
        facility = facilities.get(station.facility)
        if facility is None or facility.kind == "territory":
            continue
        if not applies_to(applies, facility, station, territories):
            continue
        above = [
            code
            for code in lineage(facility.territory, territories)
            if code in territories and level_of(code) in levels
        ]
        if above:
            below.setdefault(above[0], []).append(station.id)
        for code in above:
            leaves[code] = leaves.get(code, 0) + 1
        for child, parent in pairwise(above):
            children.setdefault(parent, set()).add(child)
    return tuple(
        Node(
            code,
            tuple(sorted(below.get(code, ()))),
            tuple(sorted(children.get(code, ()))),
            leaves[code],
        )
        for code in sorted(leaves)
    )


def _add(
    a: Assembly, item: Item, node: Node, territories: dict[str, Territory],
    made: tuple[dict[str, Facility], dict[str, Station]],
    own: tuple[dict[str, Facility], dict[str, Station]],
) -> None:  # fmt: skip
    code, station = node.territory, station_of(node.territory, item.model.id)
    for what, name, there in (("facility", code, own[0]), ("station", station, own[1])):
        if name in there:
            text = (
                f"a {what} {name!r} exists, and roll-up {item.model.id!r} makes one; rename yours"
            )
            a.fail(item, text, "id")
    name = territories[code].name
    made[0].setdefault(code, Facility(code, name, name, code, "territory"))
    made[1].setdefault(station, Station(station, code, item.model.id))
