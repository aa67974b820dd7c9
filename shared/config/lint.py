"""Lint: a configuration that is right, but probably not what was meant. Warnings only.

Lines are those of the ids, which the caller can find; a configuration has no lines any more.
"""

from collections.abc import Iterator

import msgspec

from shared.config.lint_history import too_short
from shared.config.lint_packs import unasked
from shared.config.lint_unamended import unamended
from shared.model.configuration import Configuration, lineage
from shared.model.people import CatchAll, Policy, Step
from shared.model.rule import ReportTo, Rule
from shared.model.select import applies_to, judges_territories, policy_for


class Remark(msgspec.Struct, frozen=True):
    """A warning about the item `id` of the list `key`; without id about the list."""

    key: str
    id: str | None
    text: str


def lint(c: Configuration) -> Iterator[Remark]:
    """Everything odd, by part."""
    yield from _roles(c)
    yield from _rules(c)
    yield from (Remark("facilities", facility, text) for facility, text in unasked(c))
    yield from (Remark("rules", rule, text) for rule, text in too_short(c))
    yield from (Remark("rules", rule, text) for rule, text in unamended(c))
    yield from _policies(c)
    yield from _people(c)


def _roles(c: Configuration) -> Iterator[Remark]:
    """A role that nobody holds, from the territory of a facility up to the root."""
    wanted = {t.role for p in c.policies for s in p.steps for t in s.notify if t.role}
    for territory in sorted({f.territory for f in c.facilities.values()}):
        above = [c.rosters[code] for code in lineage(territory, c.territories) if code in c.rosters]
        for role in sorted(wanted):
            if not any(role in roster.rotations or roster.fixed.get(role) for roster in above):
                text = f"nobody holds {role} for {territory} or above; the catch-all will be told"
                yield Remark("rosters", None, text)


def _rules(c: Configuration) -> Iterator[Remark]:
    """Rules without a station, and rules that nobody is told of."""
    everyone = [(c.facilities[station.facility], station) for station in c.stations.values()]
    # 50,000 outlets are a few hundred kinds of outlet; only a pattern of ids tells them apart.
    alike = {
        (f.kind, f.territory, s.point, *sorted(f.attributes.items())): (f, s) for f, s in everyone
    }
    rolled = c.rolled_stations()
    for rule in c.rules.values():
        outlets = alike.values() if rule.applies.facility is None else everyone
        facilities = {
            (f.kind, f.territory): f.id
            for f, s in outlets
            if applies_to(rule.applies, f, s, c.territories)
            and (s.id not in rolled or judges_territories(rule))
        }.values()
        if not facilities:
            if rule.pack is None:
                key, where = ("campaigns", rule.campaign) if rule.campaign else ("rules", rule.id)
                text = f"rule {rule.id} applies to no station; {_how_to_apply(c, rule)}"
                yield Remark(key, where, text)
            continue
        if c.policies and not any(
            policy_for(c, c.facilities[facility], rule.id, level.severity, rule.judges_from_us)
            for facility in facilities
            for level in rule.levels
        ):
            levels = ", ".join(level.severity.value for level in rule.levels)
            text = (
                f"no policy tells anybody of rule {rule.id}: none with steps matches its "
                f"{levels}; add one, or leave it so if nobody is to be told"
            )
            if rule.campaign is not None:
                yield Remark("campaigns", rule.campaign, text)
            elif rule.pack is None:
                yield Remark("rules", rule.id, text)
            else:
                yield Remark("policies", None, text)


def _how_to_apply(c: Configuration, rule: Rule) -> str:
    if rule.applies.kind == "territory" and not c.rollups:
        return "a territory has values only from a roll-up: add one to rollups.yaml"
    if rule.applies.kind == "territory" and not judges_territories(rule):
        return (
            "what is rolled up is never silent, sampled, or several stations; use another condition"
        )
    return "correct applies, or add the facility and station it is meant for"


def _policies(c: Configuration) -> Iterator[Remark]:
    if not c.policies:
        yield Remark("policies", None, "there is no policy; nobody is told of anything")
    for number, policy in enumerate(c.policies):
        for earlier in c.policies[:number]:
            if earlier.campaign not in (None, policy.campaign):
                continue
            if _takes_all_of(earlier, policy):
                text = f"policy {policy.id} is never reached; {earlier.id} takes all it matches"
                yield Remark(*_of(policy), text)
                break
        if policy.steps and policy.catch_all is None:
            text = f"policy {policy.id} has no catch_all; after its last step nobody is told"
            yield Remark(*_of(policy), text)


def _of(policy: Policy) -> tuple[str, str]:
    return ("campaigns", policy.campaign) if policy.campaign else ("policies", policy.id)


def _takes_all_of(earlier: Policy, later: Policy) -> bool:
    """Each condition of the earlier one is absent, or the later one asks for a part of it."""
    if earlier.match is None:
        return True
    if later.match is None:
        return earlier.match == type(earlier.match)()
    pairs = zip(
        msgspec.structs.astuple(earlier.match), msgspec.structs.astuple(later.match), strict=True
    )
    return all(not wide or (narrow and set(narrow) <= set(wide)) for wide, narrow in pairs)


def _people(c: Configuration) -> Iterator[Remark]:
    """People who cannot be told, and people who never are."""
    told: list[Step | CatchAll | ReportTo] = [
        step for policy in c.policies for step in policy.steps
    ]
    told += [each.report_to for each in c.campaigns.values() if each.report_to is not None]
    told += [policy.catch_all for policy in c.policies if policy.catch_all]
    ways = {channel for step in told for channel in step.by}
    named = {target.person for step in told for target in step.notify}
    for roster in c.rosters.values():
        named |= {name for rotation in roster.rotations.values() for name in rotation.people}
        named |= {name for names in roster.fixed.values() for name in names}
        named |= {override.person for override in roster.overrides}
    for person in c.people.values():
        if person.id not in named:
            text = f"{person.id} stands in no roster and no policy, and is never told"
            yield Remark("people", person.id, text)
        elif not person.contacts:
            yield Remark("people", person.id, f"{person.id} has no contact and cannot be told")
        elif ways and not ways & {contact.channel for contact in person.contacts}:
            text = f"{person.id} has no contact on a channel that a policy uses"
            yield Remark("people", person.id, text)
