"""A member's side of a roll-up: one contribution per slot, when it is known or when it is too late.

A slot is known as soon as one newer report completes the columns of the roll-up with evidence
(an absent capacity is the configured one, as in a ratio). What comes later changes nothing
here: the history of the territory is made again (core.history_units).
"""

from typing import TYPE_CHECKING

from services.rules.core.cell import Cell
from services.rules.core.ratio import CAPACITY
from services.rules.core.rollup import NEVER, Member, Plan, Plans
from shared.model.instants import Instant
from shared.model.report import EVIDENCE_FLAGS, Report
from shared.model.rollup import Contribution

if TYPE_CHECKING:
    from services.rules.core.engine import Engine


def contribute(engine: "Engine", plans: Plans, cell: Cell, report: Report) -> None:
    """After a report was judged: does it make its slot known to a territory?"""
    member, now_us = cell.roll, engine.clock.now_us
    if not isinstance(member, Member) or now_us is None:
        return
    for plan in plans.of_station[cell.station, cell.interval]:
        slot = report.observed_us
        upto = member.upto_us.get(plan.id)
        if upto is None or slot <= upto or plan.is_too_far(slot, now_us):
            continue
        columns = _columns(engine, plan, cell, slot)
        if columns is None:
            continue
        member.upto_us[plan.id] = slot
        engine.contribute(
            Contribution(
                plan.above[cell.station], plan.id, cell.station, plan.interval, slot,
                plan.columns, tuple(value for value, _ in columns),
                tuple(flag == "T" for _, flag in columns), 1, (), report.received_us,
            )
        )  # fmt: skip


def _columns(
    engine: "Engine", plan: Plan, cell: Cell, slot_us: int
) -> list[tuple[float, str]] | None:
    """Value and flag of every column at the slot; None unless each of them is evidence."""
    assert engine.book is not None
    found = []
    for name in plan.columns:
        series = cell.series.get(name)
        if series is not None and series.newest_us == slot_us:
            value, flag = series.value, series.flag
        elif name == CAPACITY:
            configured = engine.book.capacity(cell.facility, slot_us)
            if configured is None:
                return None
            value, flag = configured, "N"
        else:
            return None
        if flag not in EVIDENCE_FLAGS:
            return None
        found.append((value, flag))
    return found


def close_slots(engine: "Engine", plans: Plans) -> None:
    """A tick: of slots that are over, whoever has not contributed is unknown."""
    zone, now_us = engine.zone, engine.clock.now_us
    assert now_us is not None
    if not plans.open:
        engine.wake_all()  # the first tick of all: who was saved before it has not begun
        begin(engine, plans)
    ends = []
    for plan in plans.by_id.values():
        slot = plans.open[plan.id]
        while (end := plan.closes(slot, engine.clock, zone)) < now_us:
            _close(engine, plan, slot)
            slot = plan.after(slot, zone)
        plans.open[plan.id] = slot
        ends.append(end)
    plans.next_us = min(ends)


def _close(engine: "Engine", plan: Plan, slot_us: Instant) -> None:
    for station in plan.stations:
        cell = engine.cell((station, plan.interval))
        if cell is None or not isinstance(cell.roll, Member):
            continue  # moved to another facility since; its activation comes
        if cell.roll.upto_us.get(plan.id, NEVER) >= slot_us:
            continue
        cell.roll.upto_us[plan.id] = slot_us
        engine.dirty.add((station, plan.interval))
        engine.contribute(
            Contribution(
                plan.above[station], plan.id, station, plan.interval, slot_us, plan.columns,
                (), (), 0, (station,), plan.due(slot_us, engine.zone),
            )
        )  # fmt: skip


def begin(engine: "Engine", plans: Plans) -> None:
    """At an activation, at the first tick, and after a restore: everybody knows where to begin.

    Who is a member already goes on. Before the first tick nobody begins: there is no log time.
    """
    now_us = engine.clock.now_us
    plans.open, plans.next_us = {}, None
    if now_us is None:
        return
    for plan in plans.by_id.values():
        plans.open[plan.id] = plan.open_slot(engine.clock, engine.zone)
        first = plan.first_slot(now_us, engine.zone)
        for station in plan.stations:
            key = (station, plan.interval)
            if key in engine.asleep:
                continue  # it began before it was saved, after the first tick
            cell = engine.cell(key)
            if cell is None:
                cell = engine.new_cell(*key)
            if not isinstance(cell.roll, Member):
                cell.roll = Member({})
            if plan.id not in cell.roll.upto_us:
                cell.quiet = False
                cell.roll.upto_us[plan.id] = plan.before(first, engine.zone)
                engine.dirty.add(key)
