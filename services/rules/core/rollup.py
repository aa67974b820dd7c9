"""Roll-ups of one share of the configuration, resolved once: who is whose member, and slots.

    station --contribution--> its territory --contribution--> the territory above it

A station may live in one partition and its territory in another; a share knows the stations and
territories that are its own. Of each slot every member contributes once, its slots rise, and
none is left out but where a later one says that it was unknown. So what a territory says is a
function of what its members contributed, in whatever order that arrives.
"""

from collections.abc import Container
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.clock import LogClock
from shared.model.instants import (
    INTERVAL_US,
    Instant,
    Interval,
    local_day,
    local_instant,
    window_end,
    window_start,
)
from shared.model.rollup import Node, Rollup, station_of

NEVER = -(1 << 62)
AHEAD = 2
"""Windows ahead of log time that a slot may begin; a device further ahead has a wrong clock, and
taking its word would make every slot until then unknown."""


class Member(msgspec.Struct, array_like=True, tag="m"):
    """A station's part: by roll-up, the newest slot of which it has contributed."""

    upto_us: dict[str, int] = {}


class Plan:
    """One roll-up as this share sees it."""

    def __init__(self, rollup: Rollup, own: Container[str]) -> None:
        self.rollup, self.id, self.interval = rollup, rollup.id, rollup.interval
        self.columns = rollup.columns
        self.above: dict[str, str] = {}
        """Own stations and own territories, and the territory each contributes to."""
        self.stations: list[str] = []
        self.nodes: dict[str, Node] = {}
        """Own territories."""
        self.members: dict[str, frozenset[str]] = {}
        for node in rollup.nodes:
            for station in node.stations:
                if station in own:
                    self.stations.append(station)
                    self.above[station] = node.territory
            for territory in node.territories:
                if station_of(territory, self.id) in own:
                    self.above[territory] = node.territory
            if station_of(node.territory, self.id) in own:
                self.nodes[node.territory] = node
                self.members[node.territory] = frozenset((*node.stations, *node.territories))
        self.stations.sort()

    # -- slots -------------------------------------------------------------------------------

    def slot(self, at_us: int, zone: ZoneInfo) -> Instant:
        return window_start(at_us, self.interval, zone)

    def after(self, slot_us: int, zone: ZoneInfo) -> Instant:
        return window_end(slot_us, self.interval, zone)

    def before(self, slot_us: int, zone: ZoneInfo) -> Instant:
        return window_start(slot_us - 1, self.interval, zone)

    def due(self, slot_us: int, zone: ZoneInfo) -> Instant:
        """When the readings of a slot should be there: at its end, or the first `due` after it."""
        at = self.rollup.due
        if at is None:
            return self.after(slot_us, zone)
        day = date.fromordinal(local_day(slot_us, zone).toordinal()) + timedelta(days=1)
        return local_instant(day, at, zone)

    def closes(self, slot_us: int, clock: LogClock, zone: ZoneInfo) -> int:
        """The first tick after this instant finds members unknown that have not contributed."""
        return clock.listened_until(self.due(slot_us, zone), self.rollup.grace_us)

    def open_slot(self, clock: LogClock, zone: ZoneInfo) -> Instant:
        """The first slot that is not closed by now."""
        assert clock.now_us is not None
        slot = self.slot(clock.now_us, zone)
        while self.closes(slot, clock, zone) >= clock.now_us:
            slot = self.before(slot, zone)
        return self.after(slot, zone)

    def first_slot(self, now_us: int, zone: ZoneInfo) -> Instant:
        """The first slot that counts for who is a member from now on: it is not yet due."""
        slot = self.slot(now_us, zone)
        while self.due(slot, zone) >= now_us:
            slot = self.before(slot, zone)
        return self.after(slot, zone)

    def is_too_far(self, slot_us: int, now_us: int) -> bool:
        return slot_us > now_us + AHEAD * INTERVAL_US[self.interval]


class Plans:
    """All roll-ups of a share."""

    def __init__(self, rollups: tuple[Rollup, ...], own: Container[str]) -> None:
        self.by_id = {rollup.id: Plan(rollup, own) for rollup in rollups}
        self.of_station: dict[tuple[str, str], list[Plan]] = {}
        self.rolled: dict[str, Interval] = {}
        """Stations of own territories: only contributions speak for them."""
        for plan in self.by_id.values():
            for station in plan.stations:
                self.of_station.setdefault((station, plan.interval), []).append(plan)
            for territory in plan.nodes:
                self.rolled[station_of(territory, plan.id)] = plan.interval
        self.next_us: int | None = None
        """A tick after this instant has slots to close; None: not yet looked."""
        self.open: dict[str, Instant] = {}
        """By roll-up: the first slot that is not closed."""


def plans_of(rollups: tuple[Rollup, ...], own: Container[str]) -> Plans | None:
    """None where nothing is rolled up: then nobody pays for it."""
    return Plans(rollups, own) if rollups else None
