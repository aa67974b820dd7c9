"""A territory's side of a roll-up: when every member has spoken of a slot, it is judged.

Judged in the order of slots, each once. What holds against a share of its stations that is too
small is *unknown*: never a sum of those that happened to report. Timers of its rules run with
its slots, not with ticks, so nothing depends on what came first.
"""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from services.rules.core.cell import Cell
from services.rules.core.rollup import Member, Plan, Plans
from shared.model import numbers
from shared.model.instants import Instant
from shared.model.report import Report
from shared.model.rollup import MOST_NAMED, Contribution, Members, Node, station_of

if TYPE_CHECKING:
    from services.rules.core.engine import Engine

INCOMPLETE = "incomplete"
"""Flag of a territory's value of which too many members are unknown; no evidence."""
LISTENER = "rollup"
MOST_SLOTS = 1000
"""Slots held back for a member that is behind; beyond, what it has not said is unknown. About
100 bytes per member and slot: a territory of 100 members then holds 10 MB."""


class Seen(msgspec.Struct, array_like=True):
    """The newest slot that was judged, and how complete it was."""

    slot_us: int
    known: int
    of: int
    unknown: tuple[str, ...]


class Territory(msgspec.Struct, array_like=True, tag="t"):
    """What a territory holds of its members."""

    heard_us: dict[str, int] = {}
    """By member: the newest slot it contributed."""
    held: dict[int, dict[str, Contribution]] = {}
    """By slot that is not judged yet."""
    next_us: int | None = None
    """The slot to be judged next; None before the first."""
    waits_for: int | None = None
    """How many members have not yet spoken of it; None: to be counted."""
    newest: Seen | None = None


def take(engine: "Engine", plans: Plans, said: Contribution) -> None:
    """One contribution. One that was there before, or of nobody's member, changes nothing."""
    plan = plans.by_id.get(said.rollup)
    members = plan.members.get(said.territory) if plan is not None else None
    if plan is None or members is None or said.member not in members:
        return
    if said.indicators != plan.columns or said.interval != plan.interval:
        return  # of a roll-up of that name as it was configured before
    cell = _cell(engine, plan, said.territory)
    territory = cell.roll
    assert isinstance(territory, Territory)
    before = territory.heard_us.get(said.member)
    if before is not None and said.slot_us <= before:
        return
    engine.dirty.add((cell.station, cell.interval))
    territory.heard_us[said.member] = said.slot_us
    slot = territory.next_us
    if slot is None or said.slot_us >= slot:
        territory.held.setdefault(said.slot_us, {})[said.member] = said
    if territory.waits_for is not None:
        was_behind = before is None or (slot is not None and before < slot)
        if was_behind and (slot is None or said.slot_us >= slot):
            territory.waits_for -= 1
    settle(engine, plan, cell, plan.nodes[said.territory])


def settle(engine: "Engine", plan: Plan, cell: Cell, node: Node) -> None:
    """Judge every slot of which all members have spoken."""
    territory = cell.roll
    assert isinstance(territory, Territory)
    while territory.held:
        if territory.waits_for is None:
            territory.waits_for = _count_behind(territory, plan.members[node.territory])
        if territory.waits_for > 0 and len(territory.held) <= MOST_SLOTS:
            return
        slot = territory.next_us if territory.next_us is not None else min(territory.held)
        _judge(engine, plan, cell, node, Instant(slot))
        territory.next_us = plan.after(slot, engine.zone)
        territory.waits_for = None


def _count_behind(territory: Territory, members: frozenset[str]) -> int:
    slot, heard = territory.next_us, territory.heard_us
    return sum(
        1
        for member in members
        if member not in heard or (slot is not None and heard[member] < slot)
    )


def _judge(engine: "Engine", plan: Plan, cell: Cell, node: Node, slot: Instant) -> None:
    territory = cell.roll
    assert isinstance(territory, Territory)
    said = territory.held.pop(slot, {})
    parts = [said[name] for name in sorted(said) if said[name].known]
    known = sum(part.known for part in parts)
    unknown = tuple(sorted(_unknown(node, said)))[:MOST_NAMED]
    territory.newest = Seen(slot, known, node.leaves, unknown)
    sums = [
        numbers.rounded(numbers.add([numbers.exact(part.values[n]) for part in parts]))
        for n in range(len(plan.columns))
    ]
    over = tuple(any(part.over[n] for part in parts) for n in range(len(plan.columns)))
    received = max((p.received_us for p in parts), default=plan.due(slot, engine.zone))
    values = [
        numbers.rounded(numbers.divide(numbers.exact(total), Decimal(known)))
        if known and how == "mean"
        else total
        for total, how in zip(sums, plan.rollup.indicators.values(), strict=True)
    ]
    complete = known > 0 and known >= Fraction(repr(plan.rollup.complete)) * node.leaves
    flags = tuple("T" if one else "N" for one in over)
    engine.judge(
        Report(
            node.territory, cell.station, plan.interval, slot, plan.columns, tuple(values),
            (None if not any(over) else flags) if complete else (INCOMPLETE,) * len(values),
            received, LISTENER,
        )
    )  # fmt: skip
    above = plan.above.get(node.territory)
    if above is not None:
        engine.contribute(
            Contribution(
                above, plan.id, node.territory, plan.interval, slot, plan.columns,
                tuple(sums) if known else (), over if known else (), known, unknown, received,
            )
        )  # fmt: skip


def _unknown(node: Node, said: dict[str, Contribution]) -> list[str]:
    found = [station for station in node.stations if station not in said or not said[station].known]
    for territory in node.territories:
        found += said[territory].unknown if territory in said else (territory,)
    return found


def _cell(engine: "Engine", plan: Plan, territory: str) -> Cell:
    key = (station_of(territory, plan.id), plan.interval)
    cell = engine.cell(key)
    if cell is None:
        cell = engine.new_cell(*key)
    if not isinstance(cell.roll, Territory):
        cell.roll = Territory({}, {})
    return cell


def members(cell: Cell) -> Members | None:
    """Who stands in the newest value of a territory; None of any other cell."""
    if not isinstance(cell.roll, Territory) or cell.roll.newest is None:
        return None
    newest = cell.roll.newest
    return Members(newest.known, newest.of, newest.unknown)


def adopt(engine: "Engine", plans: Plans | None) -> None:
    """At an activation: forget roll-ups and members that are gone; what waited for them goes on."""
    for key, cell in list(engine.cells.items()):
        if isinstance(cell.roll, Member):
            wanted = plans.of_station.get(key, []) if plans is not None else []
            ids = {plan.id for plan in wanted}
            kept = {k: v for k, v in cell.roll.upto_us.items() if k in ids}
            cell.roll = Member(kept) if kept else None
            engine.dirty.add(key)
        elif isinstance(cell.roll, Territory):
            if plans is None or plans.rolled.get(cell.station) != cell.interval:
                cell.roll = None
                engine.push_all(cell)  # its timers run with ticks from now on
            engine.dirty.add(key)
    if plans is None:
        return
    for plan in plans.by_id.values():
        for territory, node in plan.nodes.items():
            found = engine.cells.get((station_of(territory, plan.id), plan.interval))
            if found is None or not isinstance(found.roll, Territory):
                continue
            members = plan.members[territory]
            found.roll.heard_us = {k: v for k, v in found.roll.heard_us.items() if k in members}
            for said in found.roll.held.values():
                for name in list(said):
                    if name not in members or said[name].indicators != plan.columns:
                        del said[name]
            found.roll.waits_for = None
            settle(engine, plan, found, node)
