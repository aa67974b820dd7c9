"""Roster: who holds a role at an instant, in one territory, or why nobody does."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, from_datetime, to_datetime
from shared.model.people import Roster, Rotation

DAY_US = 86_400_000_000


class Vacant(msgspec.Struct, frozen=True):
    reason: str


class Holders(msgspec.Struct, frozen=True):
    """Never empty. Several people hold a role together when it has no rotation."""

    people: tuple[str, ...]
    why: str


def holders(roster: Roster, role: str, at: Instant, zone: ZoneInfo) -> Holders | Vacant:
    """Who holds `role` at `at`: an override wins (the later in the file), then the rotation."""
    for override in reversed(roster.overrides):
        if override.role == role and override.from_us <= at < override.to_us:
            return Holders((override.person,), f"roster {roster.id}, override")
    if (rotation := roster.rotations.get(role)) is not None:
        return _on_turn(roster, rotation, at, zone)
    if people := roster.fixed.get(role):
        return Holders(people, f"roster {roster.id}")
    return Vacant(f"roster {roster.id} has no {role}")


def _on_turn(roster: Roster, rotation: Rotation, at: Instant, zone: ZoneInfo) -> Holders | Vacant:
    if not rotation.people:
        return Vacant(f"roster {roster.id}: the rotation names nobody")
    turns = turns_since(rotation, at, zone)
    if turns < 0:
        return Vacant(f"roster {roster.id}: the rotation begins on {rotation.first.isoformat()}")
    return Holders((rotation.people[turns % len(rotation.people)],), f"roster {roster.id}")


def turns_since(rotation: Rotation, at: Instant, zone: ZoneInfo) -> int:
    """
    Handovers since the first, which is number 0; negative before it.

    A turn of whole days changes at the same wall-clock time all year, also where clocks change;
    any other turn is counted in elapsed time.
    """
    begin = datetime.combine(rotation.first, rotation.handover, zone)
    if rotation.every_us % DAY_US:
        return (at - from_datetime(begin)) // rotation.every_us
    local = to_datetime(at, zone)
    day = local.date()
    if at < from_datetime(datetime.combine(day, rotation.handover, zone)):
        day -= timedelta(days=1)
    return (day - rotation.first).days // (rotation.every_us // DAY_US)
