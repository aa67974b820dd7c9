"""Responsible: the people a step's targets mean at this moment, climbing the territories."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from services.notify.core.roster import Holders, holders
from shared.model.configuration import lineage
from shared.model.facility import Territory
from shared.model.instants import Instant
from shared.model.people import CatchAll, Person, Roster, Target


class House(msgspec.Struct, frozen=True):
    """What looking up people needs, as configured now."""

    territories: dict[str, Territory]
    rosters: dict[str, Roster]
    people: dict[str, Person]
    zone: ZoneInfo


class Told(msgspec.Struct, frozen=True):
    """One person to tell, the channels to use together, and why he."""

    person: str
    by: tuple[str, ...]
    why: str


class Orphan(msgspec.Struct, frozen=True):
    """A role that nobody holds, up to the root."""

    role: str
    territory: str


def role_holders(
    role: str, start: list[str], house: House, at: Instant
) -> tuple[str, Holders] | None:
    """The first territory of `start` (own first, then upwards) with a holder, and them."""
    for code in start:
        roster = house.rosters.get(code)
        if roster is None:
            continue
        found = holders(roster, role, at, house.zone)
        if isinstance(found, Holders):
            return code, found
    return None


def responsible(
    targets: tuple[Target, ...],
    by: tuple[str, ...],
    territory: str,
    catch_all: CatchAll | None,
    house: House,
    at: Instant,
) -> tuple[list[Told], list[Orphan]]:
    """
    Whom to tell, each once, in the order of the targets, and the roles that nobody holds.

    For a role without a holder the catch-all is told instead, by its own ways.
    """
    told: dict[str, Told] = {}
    orphans: list[Orphan] = []
    for target in targets:
        found = _people(target, territory, house, at)
        if found is None:
            assert target.role is not None
            orphans.append(Orphan(target.role, target.territory or territory))
            continue
        people, why = found
        for person in people:
            _add(told, Told(person, by, why), house.people)
    if orphans and catch_all is not None:
        for target in catch_all.notify:
            found = _people(target, territory, house, at)
            for person in found[0] if found else ():
                _add(told, Told(person, catch_all.by, "nobody holds the role"), house.people)
    return list(told.values()), orphans


def _people(
    target: Target, territory: str, house: House, at: Instant
) -> tuple[tuple[str, ...], str] | None:
    if target.person is not None:
        return (target.person,), "named by the policy"
    assert target.role is not None
    start = lineage(territory, house.territories)
    if target.territory == "parent":
        start = start[1:]
    elif target.territory is not None:
        start = lineage(target.territory, house.territories)
    found = role_holders(target.role, start, house, at)
    if found is None:
        return None
    code, held = found
    return held.people, f"{target.role} of {code} ({held.why})"


def _add(told: dict[str, Told], each: Told, people: Mapping[str, Person]) -> None:
    if each.person not in people:
        return
    known = told.get(each.person)
    if known is None:
        told[each.person] = each
        return
    more = tuple(way for way in each.by if way not in known.by)
    told[each.person] = Told(known.person, (*known.by, *more), known.why)
