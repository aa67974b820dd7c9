"""Roster: who holds a role at an instant, and who is responsible when nobody does.

Every instant has an answer: people, or none, and then the territory above is asked, up to the
root. An override wins over rotation and fixed people.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from shared.model.configuration import lineage
from shared.model.facility import Territory
from shared.model.instants import Instant, local_instant, to_datetime
from shared.model.people import Person, Roster, Rotation, Target

DAY_US = 86_400_000_000


class Directory(msgspec.Struct, frozen=True):
    """What responsibility is a function of, besides the instant."""

    territories: Mapping[str, Territory]
    rosters: Mapping[str, Roster]
    people: Mapping[str, Person]
    zone: ZoneInfo


def on_rotation(rotation: Rotation, at_us: int, zone: ZoneInfo) -> str | None:
    """Whose turn it is; None before the first handover. Days are counted on the site's clocks."""
    first = local_instant(rotation.first, rotation.handover, zone)
    if at_us < first:
        return None
    if rotation.every_us % DAY_US == 0:
        local = to_datetime(Instant(at_us), zone)
        day = local.date()
        if at_us < local_instant(day, rotation.handover, zone):
            day -= timedelta(days=1)
        turn = (day - rotation.first).days // (rotation.every_us // DAY_US)
    else:
        turn = (at_us - first) // rotation.every_us
    return rotation.people[turn % len(rotation.people)]


def next_handover(rotation: Rotation, at_us: int, zone: ZoneInfo) -> datetime | None:
    """When the turn after `at_us` begins; for people who read rosters."""
    first = local_instant(rotation.first, rotation.handover, zone)
    if at_us < first:
        return to_datetime(first, zone)
    turns = (at_us - first) // rotation.every_us + 1
    return to_datetime(Instant(first + turns * rotation.every_us), zone)


def holders(roster: Roster, role: str, at_us: int, zone: ZoneInfo) -> tuple[str, ...]:
    """Who holds a role by one roster at an instant; empty when nobody does."""
    for override in roster.overrides:
        if override.role == role and override.from_us <= at_us < override.to_us:
            return (override.person,)
    if role in roster.rotations:
        person = on_rotation(roster.rotations[role], at_us, zone)
        return () if person is None else (person,)
    return roster.fixed.get(role, ())


def responsible(
    directory: Directory, role: str, territory: str | None, at_us: int
) -> tuple[tuple[str, ...], str | None]:
    """(people, the territory that named them), climbing from `territory`; none: an orphan."""
    if territory is None:
        return (), None
    for code in lineage(territory, dict(directory.territories)):
        roster = directory.rosters.get(code)
        if roster is not None:
            people = holders(roster, role, at_us, directory.zone)
            if people:
                return people, code
    return (), None


def resolve(directory: Directory, target: Target, territory: str, at_us: int) -> tuple[str, ...]:
    """The people a target means for a facility in `territory`; none: an orphan."""
    if target.person is not None:
        return (target.person,) if target.person in directory.people else ()
    start: str | None = territory
    if target.territory == "parent":
        known = directory.territories.get(territory)
        start = known.parent if known else None
    elif target.territory is not None:
        start = target.territory
    assert target.role is not None
    return responsible(directory, target.role, start, at_us)[0]
