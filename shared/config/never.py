"""Never: rules that are right and can never fire, or fire and reach nobody. Warnings only.

Four causes: a limit beyond every possible value, no station, nobody who sends the indicator,
nobody who would be told. Each is said at the line that would have to change.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import msgspec

from shared.config.assembly import Parts
from shared.config.bounds import Bounds, bounds_of_condition
from shared.config.never_meets import Meetings
from shared.config.nodes import Document, Finding, KeyPath
from shared.model.configuration import Configuration, lineage
from shared.model.facility import Facility, Station
from shared.model.people import CatchAll, Policy, Step, Target
from shared.model.rollup import station_of
from shared.model.rule import (
    Balance,
    Comparison,
    Composite,
    Index,
    Joint,
    Range,
    Ratio,
    Rule,
    Silent,
    number_text,
)
from shared.model.select import applies_to, judges_territories, policy_for

Place = tuple[Document, KeyPath]


class Outlet(msgspec.Struct, frozen=True):
    """One outlet for all that are alike. `posts`: somebody may report for it by HTTP."""

    facility: Facility
    station: Station
    posts: bool
    rolled: frozenset[str] | None = None
    """Of a territory: the indicators that are rolled up for it, and nothing else is."""


class Applied(msgspec.Struct, frozen=True):
    """A rule, where it is written, and the outlets it judges."""

    rule: Rule
    document: Document
    path: KeyPath
    is_own: bool
    """False: it stands in a pack, and `path` is where that is switched on."""
    outlets: tuple[Outlet, ...]

    def finding(self, text: str, *keys: str | int) -> Finding:
        path = (*self.path, *keys) if self.is_own else self.path
        return Finding(self.document.file, self.document.line(path), text, True)


def never(c: Configuration, parts: Parts) -> Iterator[Finding]:
    """Everything that would keep a rule silent for ever."""
    applied, meetings = [*_applied(c, parts)], Meetings(c)
    for each in applied:
        yield from _impossible(each, c)
        if each.outlets:
            yield from _unsent(each)
            yield from _unheard(each, c)
            yield from (each.finding(text, *keys) for text, keys in meetings.said(each.rule))
    yield from _idle_packs(applied)


def _applied(c: Configuration, parts: Parts) -> Iterator[Applied]:
    rolled = {
        station_of(node.territory, rollup.id): frozenset(rollup.columns)
        for rollup in c.rollups
        for node in rollup.nodes
    }
    everyone = [
        Outlet(
            c.facilities[s.facility], s, s.hj212 is None or _has_token(c, s.facility),
            rolled.get(s.id),
        )
        for s in c.stations.values()
    ]  # fmt: skip
    # 50,000 outlets are a few hundred kinds of outlet; only a pattern of ids tells them apart.
    alike: dict[object, Outlet] = {}
    for each in everyone:
        f, s = each.facility, each.station
        codes = tuple(sorted((code, m.indicator) for code, m in s.codes.items()))
        alike.setdefault(
            (f.kind, f.territory, s.point, *sorted(f.attributes.items()), codes, each.posts), each
        )
    for rule, (document, path), is_own in _written(c, parts):
        among = alike.values() if rule.applies.facility is None else everyone
        outlets = tuple(
            each
            for each in among
            if applies_to(rule.applies, each.facility, each.station, c.territories)
            and (each.rolled is None or judges_territories(rule))
        )
        yield Applied(rule, document, path, is_own, outlets)


def _written(c: Configuration, parts: Parts) -> Iterator[tuple[Rule, Place, bool]]:
    packs: dict[str, Place] = {}
    for document, model in parts["rules"]:
        for place, name in enumerate(model.packs):
            packs.setdefault(name, (document, ("packs", place)))
        for place, entry in enumerate(model.rules):
            if entry.id in c.rules:
                yield c.rules[entry.id], (document, ("rules", place)), True
    for document, model in parts["campaigns"]:
        for number, campaign in enumerate(model.campaigns):
            for place, entry in enumerate(campaign.rules):
                edition = c.rules.get(f"{entry.rule}@{campaign.id}")
                if edition is not None:
                    yield edition, (document, ("campaigns", number, "rules", place)), True
    for rule in c.rules.values():
        if rule.pack in packs:
            yield rule, packs[rule.pack], False


# -- a limit beyond every value ----------------------------------------------------------------


def _impossible(each: Applied, c: Configuration) -> Iterator[Finding]:
    condition, name = each.rule.condition, each.rule.id
    bounds = bounds_of_condition(condition, c.indicators)
    if bounds is None:
        return
    if isinstance(condition, Range):
        if condition.low <= bounds.low and condition.high >= bounds.high:
            text = (
                f"rule {name} can never fire: every value of {condition.indicator} lies inside "
                f"{number_text(condition.low)} to {number_text(condition.high)}; {bounds.why}"
            )
            yield each.finding(text, "condition", "range", "low")
        return
    for level in each.rule.levels:
        if level.raises is not None and _never_holds(level.raises, bounds):
            text = (
                f"rule {name} can never reach {level.severity.value}: no value is "
                f"{level.raises.text}; {bounds.why}"
            )
            yield each.finding(text, "levels", *_place_of(each, level.severity.value), "raise")


def _never_holds(test: Comparison, bounds: Bounds) -> bool:
    if test.op[0] == ">":
        return test.limit > bounds.high or (test.limit == bounds.high and test.op == ">")
    return test.limit < bounds.low or (test.limit == bounds.low and test.op == "<")


def _place_of(each: Applied, severity: str) -> tuple[int, ...]:
    """The level's place in the file, where levels may stand in any order."""
    items = each.document.value
    try:
        for key in (*each.path, "levels"):
            items = items[key]
        return next((n,) for n, item in enumerate(items) if item.get("severity") == severity)
    except (KeyError, IndexError, TypeError, AttributeError, StopIteration):
        return ()


# -- nobody sends it ---------------------------------------------------------------------------


def _unsent(each: Applied) -> Iterator[Finding]:
    """Stations that speak HJ 212 only send what a code of theirs means."""
    wanted = _indicators(each.rule)
    for indicator in sorted(wanted):
        if any(_may_send(outlet, indicator) for outlet in each.outlets):
            continue
        first = each.outlets[0]
        if first.rolled is not None:
            text = (
                f"rule {each.rule.id} can never fire: {indicator} is not rolled up for "
                f"{first.facility.id} …: add it to roll-up {first.station.point}"
            )
            yield each.finding(text, "condition")
            continue
        text = (
            f"rule {each.rule.id} can never fire: nobody sends {indicator}; its stations "
            f"({each.outlets[0].station.id} …) speak HJ 212 only, and no code of theirs means it: "
            "add it under codes"
        )
        yield each.finding(text, "condition")


def _indicators(rule: Rule) -> set[str]:
    condition = rule.condition
    if isinstance(condition, Ratio):
        return {name for name in condition.of if name != "mw.backlog_t"}
    if isinstance(condition, Index):
        return {condition.lead}  # without the others it is a lower bound, which may fire
    if isinstance(condition, Joint):
        return set(condition.parts)
    if isinstance(condition, Composite | Silent):
        return set()
    if isinstance(condition, Balance):
        return {*condition.ins, *condition.outs}
    indicator = getattr(condition, "indicator", None)
    return {indicator} if isinstance(indicator, str) else set()


def _may_send(outlet: Outlet, indicator: str) -> bool:
    """By HTTP whoever holds a token for it; by HJ 212 the codes of the standard and its own."""
    if outlet.rolled is not None:
        return indicator in outlet.rolled
    if outlet.posts:
        return True
    codes = outlet.station.codes
    if any(meaning.indicator == indicator for meaning in codes.values()):
        return True
    return _is_code(indicator) and indicator not in codes


def _is_code(indicator: str) -> bool:
    """A code of HJ 212 rather than a name that a pack or a site gave: w01018, a34004, Leq."""
    return "." not in indicator and "_" not in indicator


def _has_token(c: Configuration, facility: str) -> bool:
    return any(
        access.kind == "upstream" and any(fnmatchcase(facility, p) for p in access.facilities)
        for access in c.access
    )


# -- nobody would be told ----------------------------------------------------------------------


def _unheard(each: Applied, c: Configuration) -> Iterator[Finding]:
    """A policy would speak, but to roles that nobody holds, and it has no catch-all."""
    seen: set[tuple[str, str]] = set()
    for facility in (outlet.facility for outlet in each.outlets):
        if (facility.kind, facility.territory) in seen:
            continue
        seen.add((facility.kind, facility.territory))
        for level in each.rule.levels:
            policy = policy_for(c, facility, each.rule.id, level.severity, each.rule.judges_from_us)
            if policy is None or _reaches_anybody(policy, facility, c):
                continue
            text = (
                f"rule {each.rule.id} reaches nobody when {level.severity.value} at "
                f"{facility.id}: policy {policy.id} names no role that somebody with a contact "
                f"holds for {facility.territory} or above; fill the roster or add a catch_all"
            )
            yield each.finding(text, "levels", *_place_of(each, level.severity.value))
            return


def _reaches_anybody(policy: Policy, facility: Facility, c: Configuration) -> bool:
    parts: list[Step | CatchAll] = [*policy.steps]
    if policy.catch_all is not None:
        parts.append(policy.catch_all)
    return any(_reaches(target, facility, c) for part in parts for target in part.notify)


def _reaches(target: Target, facility: Facility, c: Configuration) -> bool:
    if target.person is not None:
        return _can_be_told(target.person, c)
    assert target.role is not None
    above = lineage(facility.territory, c.territories)
    if target.territory == "parent":
        above = above[1:]
    elif target.territory is not None:
        above = lineage(target.territory, c.territories)
    for code in above:
        roster = c.rosters.get(code)
        if roster is None:
            continue
        rotation = roster.rotations.get(target.role)
        holders = set(roster.fixed.get(target.role, ())) | set(rotation.people if rotation else ())
        holders |= {each.person for each in roster.overrides if each.role == target.role}
        if any(_can_be_told(person, c) for person in holders):
            return True
    return False


def _can_be_told(person: str, c: Configuration) -> bool:
    """Any contact will do: when the ways of a step are none of his, his others are tried."""
    return person in c.people and bool(c.people[person].contacts)


# -- packs -------------------------------------------------------------------------------------


def _idle_packs(applied: list[Applied]) -> Iterator[Finding]:
    """A pack is switched on for nothing."""
    packs: dict[str, list[Applied]] = {}
    for each in applied:
        if not each.is_own and each.rule.pack is not None:
            packs.setdefault(each.rule.pack, []).append(each)
    for name, members in packs.items():
        if not any(each.outlets for each in members):
            text = f"no rule of pack {name} applies to a station; switch it off or correct kinds"
            yield members[0].finding(text)
