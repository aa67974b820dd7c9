"""History units: which readings are judged again together when one of them is amended. Pure.

cell      (facility, station, interval)   rules that look at one station and interval
facility  (facility, "", "")              rules that look at several stations, or at other rules
roll-up   ("", roll-up, "")               rules on the territories that it adds up

A unit is a set of cells and the part of the configuration that is a function of them. What comes
too late for a slot that was judged without it is late for a facility or a roll-up, even if it is
newer than all that its own station has shown; `place` of an arrival says so for each kind.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import msgspec

from services.rules.core import history
from services.rules.core.across import due_of
from services.rules.core.book import Book
from services.rules.core.cell_history import (
    DELAYED,
    LATE,
    LATE_FOR_FACILITY,
    LATE_FOR_ROLLUP,
    Key,
)
from services.rules.core.clock import LogClock
from services.rules.core.memory import Slot
from shared.model.beside import Beside
from shared.model.configuration import Bundle
from shared.model.instants import Instant
from shared.model.rule import Across, Balance, Composite, Rule
from shared.model.select import judges_territories
from shared.model.timed import Flagged


class Looks(NamedTuple):
    """Who looks at a cell."""

    cell: bool
    waits: bool
    """A rule of the cell has a timer or a memory."""
    grace_us: int | None
    """Of the least patient rule on several stations of its facility; None: there is none."""
    facility: bool
    """A rule on several stations, or one that counts a rule of this cell."""
    rollups: tuple[str, ...]

    @property
    def anybody(self) -> bool:
        return self.cell or self.facility or bool(self.rollups)


NOBODY = Looks(False, False, None, False, ())


class Unit(NamedTuple):
    """Judged together; of what the engine says, the alerts that it `owns` are its history."""

    key: Key
    cells: tuple[Key, ...]
    part: Bundle
    owns: Callable[[history.Alert], bool]


class Places(NamedTuple):
    """Places of arrivals that are late, and that are in their turn but long after it."""

    late: int
    delayed: int


def places(key: Key) -> Places:
    """What that is for a unit."""
    if not key[0]:
        return Places(LATE | LATE_FOR_ROLLUP, 0)
    return Places(LATE | LATE_FOR_FACILITY if not key[1] else LATE, DELAYED)


class Units:
    """Of one configuration."""

    def __init__(self, bundle: Bundle, book: Book) -> None:
        self._bundle, self._book = bundle, book
        self._rules = {rule.id: rule for rule in bundle.rules}
        self.grouped = _with_group_history(bundle, book)
        self.looks = cache(self._looks)
        self.of_rollup = cache(self._of_rollup)

    # -- who looks -----------------------------------------------------------------------------

    def _looks(self, key: Key) -> Looks:
        facility, station, interval = key
        place = self._book.stations.get(station)
        if place is None or place.facility != facility:
            return NOBODY
        own = self._book.rules_of(station)
        cell = [
            judging
            for judging in own
            if judging.interval == interval and history.has_history(judging.rule.condition)
        ]
        graces = [
            judging.rule.condition.grace_us
            for judging in own
            if judging.rule.id in self.grouped
            and judging.interval == interval
            and isinstance(judging.rule.condition, Slotted)
        ]
        beside = [j for j in own if j.rule.id in self.grouped and _has_companion(j.rule)]
        counted = self._counted(facility)
        looked = bool(graces or beside) or any(judging.rule.id in counted for judging in cell)
        waits = any(any(one.delays) or one.derive is not None for one in (*cell, *beside))
        plans = self._book.rollups
        rolled = plans.of_station.get((station, interval), []) if plans else []
        return Looks(
            bool(cell), waits, min(graces, default=None), looked, tuple(plan.id for plan in rolled)
        )

    def _counted(self, facility: str) -> set[str]:
        """Rules that a composite of the facility counts, however deep."""
        return {
            name
            for judging in self._book.grouped(facility)
            if judging.rule.id in self.grouped and isinstance(judging.rule.condition, Composite)
            for name in _below(judging.rule, self._rules, self._book)
        }

    # -- units ---------------------------------------------------------------------------------

    def of_cell(self, key: Key) -> Unit:
        return Unit(
            key, (key,), history.of_facility(self._bundle, key[0]),
            lambda alert: (alert[1], alert[2], alert[4]) == key,
        )  # fmt: skip

    def of_facility(self, facility: str, cells: Iterable[Key]) -> Unit:
        """`cells`: those there are of the facility."""
        own = {
            judging.rule.id
            for station in self._book.stations_of(facility)
            for judging in self._book.rules_of(station)
            if judging.rule.id in self.grouped
        }
        wanted = {
            *own,
            *(name for rule in own for name in _below(self._rules[rule], self._rules, self._book)),
        }
        part = msgspec.structs.replace(
            history.of_facility(self._bundle, facility),
            rules=tuple(rule for rule in self._bundle.rules if rule.id in wanted),
        )
        return Unit(
            (facility, "", ""), tuple(sorted(key for key in cells if self.looks(key).facility)),
            part,
            lambda alert: alert[1] == facility and alert[0] in own,
        )  # fmt: skip

    def _of_rollup(self, name: str) -> Unit:
        (rollup,) = [each for each in self._bundle.rollups if each.id == name]
        territories = {node.territory for node in rollup.nodes}
        members = {station for node in rollup.nodes for station in node.stations}
        homes = {each.facility for each in self._bundle.stations if each.id in members}
        part = msgspec.structs.replace(
            self._bundle,
            facilities=tuple(
                each for each in self._bundle.facilities if each.id in homes | territories
            ),
            stations=tuple(
                each
                for each in self._bundle.stations
                if each.id in members or each.facility in territories
            ),
            rules=tuple(
                rule
                for rule in self._bundle.rules
                if judges_territories(rule) and history.has_history(rule.condition)
            ),
            rollups=(rollup,),
        )
        cells = sorted(
            (each.facility, each.id, rollup.interval)
            for each in self._bundle.stations
            if each.id in members
        )
        return Unit(
            ("", name, ""), tuple(cells), part,
            lambda alert: alert[1] in territories and alert[4] == rollup.interval,
        )  # fmt: skip

    def has_rollup(self, name: str) -> bool:
        return any(each.id == name for each in self._bundle.rollups)

    # -- who comes too late --------------------------------------------------------------------

    def is_closed(self, name: str, slot_us: int, clock: LogClock) -> bool:
        """Has the roll-up counted a slot without those that have not spoken of it?"""
        plans = self._book.rollups
        if plans is None or clock.now_us is None:
            return False
        return plans.by_id[name].closes(slot_us, clock, self._book.zone) < clock.now_us

    def is_judged(
        self, slot_us: int, interval: str, grace_us: int, heard_us: int, clock: LogClock
    ) -> bool:
        """Has a rule on several stations judged a slot as it stood?"""
        slot = Slot(Instant(slot_us), heard_us, {})
        due_us = due_of(slot, clock, interval, grace_us, self._book.zone)
        return clock.now_us is not None and due_us <= clock.now_us


Slotted = Across | Balance | Beside
"""Judged slot by slot over the stations of a facility."""


def _has_companion(rule: Rule) -> bool:
    return isinstance(rule.condition, Flagged) and rule.condition.companion is not None


def _with_group_history(bundle: Bundle, book: Book) -> frozenset[str]:
    """Rules on several stations that are functions of readings alone.

    One that counts a rule about arrival (`missing`, `silent`, …) has no other history than that.
    """
    rules = {rule.id: rule for rule in bundle.rules}
    of_readings = {
        rule.id
        for rule in bundle.rules
        if isinstance(rule.condition, Slotted) or _has_companion(rule)
    }
    parts = of_readings | {
        rule.id
        for rule in bundle.rules
        if isinstance(rule.condition, Composite) or history.has_history(rule.condition)
    }
    return frozenset(of_readings) | {
        rule.id
        for rule in bundle.rules
        if isinstance(rule.condition, Composite) and _below(rule, rules, book) <= parts
    }


def _below(rule: Rule, rules: dict[str, Rule], book: Book) -> set[str]:
    """What a composite counts, however deep; nothing for any other rule."""
    found: set[str] = set()
    waiting = [rule]
    while waiting:
        condition = waiting.pop().condition
        if isinstance(condition, Composite):
            new = book.counted(frozenset(condition.rules)) - found
            found |= new
            waiting += [rules[name] for name in new]
    return found
