"""Roll-ups: what members say of one slot becomes what their territory says of it.

A member is a station, or a lower territory that is rolled up itself. Every member sends exactly
one contribution per slot that counts, known or unknown, so a territory never waits for a clock.
"""

from datetime import time
from typing import Literal

import msgspec

from shared.model.facility import NATION
from shared.model.instants import Instant, Interval

Together = Literal["sum", "mean"]
TerritoryLevel = Literal["county", "city", "province", "nation"]
LEVELS: tuple[TerritoryLevel, ...] = ("county", "city", "province", "nation")
MOST_NAMED = 20
"""Unknown members that a contribution names; all of them are counted."""


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A territory of a roll-up with its members, each directly below it."""

    territory: str
    stations: tuple[str, ...]
    territories: tuple[str, ...]
    leaves: int
    """Stations below it, however deep: the n of k of n."""


class Rollup(msgspec.Struct, frozen=True):
    """Which readings are added up for which territories, and until when they are waited for."""

    id: str
    interval: Interval
    indicators: dict[str, Together]
    due: time | None
    """Of the day after the slot; None: at its end."""
    grace_us: int
    complete: float
    """The share of its stations that must be known, or a territory is unknown."""
    nodes: tuple[Node, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.indicators)


class Contribution(msgspec.Struct, frozen=True, array_like=True, tag="c", gc=False):
    """What one member says of one slot to the territory above it; final, and the slots rise.

    `values` are sums over the member's known stations; empty when none of them is known.
    """

    territory: str
    rollup: str
    member: str
    interval: Interval
    slot_us: Instant
    indicators: tuple[str, ...]
    values: tuple[float, ...]
    over: tuple[bool, ...]
    """Which values are lower bounds (flag T)."""
    known: int
    """How many stations stand in the values."""
    unknown: tuple[str, ...]
    """Stations that do not, at most MOST_NAMED of them."""
    received_us: Instant


class Members(msgspec.Struct, frozen=True):
    """Who stands in a territory's value: k of n, and stations that do not (MOST_NAMED)."""

    known: int
    of: int
    unknown: tuple[str, ...] = ()

    def as_object(self) -> dict[str, int | list[str]]:
        """As transitions and facilities show it."""
        return {"known": self.known, "of": self.of, "unknown": list(self.unknown)}


def station_of(territory: str, rollup: str) -> str:
    """The station under which a territory's roll-up is judged and shown."""
    return f"{territory}-{rollup}"


def level_of(territory: str) -> TerritoryLevel:
    """By its code; one that is no six digits counts as a county."""
    if territory == NATION:
        return "nation"
    if territory.endswith("0000"):
        return "province"
    return "city" if territory.endswith("00") else "county"
