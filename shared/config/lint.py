"""Lint: a configuration that is right, but probably not what was meant. Warnings only."""

from collections.abc import Iterator

from shared.config.nodes import Finding
from shared.model.configuration import Configuration, lineage
from shared.model.select import applies_to, policy_for


def lint(configuration: Configuration) -> list[Finding]:
    return [*_roles(configuration), *_rules(configuration), *_contacts(configuration)]


def _warn(file: str, text: str) -> Finding:
    return Finding(file, 1, text, warning=True)


def _roles(c: Configuration) -> Iterator[Finding]:
    roles = {t.role for p in c.policies for s in p.steps for t in s.notify if t.role}
    for territory in sorted({f.territory for f in c.facilities.values()}):
        above = [c.rosters[code] for code in lineage(territory, c.territories) if code in c.rosters]
        for role in sorted(roles):
            if not any(role in roster.rotations or roster.fixed.get(role) for roster in above):
                yield _warn(
                    "rosters.yaml",
                    f"nobody holds {role} for {territory} or above it; the catch-all will be told",
                )


def _rules(c: Configuration) -> Iterator[Finding]:
    for rule in c.rules.values():
        hit = False
        for station in c.stations.values():
            facility = c.facilities[station.facility]
            if applies_to(rule.applies, facility, station, c.territories):
                hit = True
                break
        if not hit and rule.pack is None:
            yield _warn("rules.yaml", f"rule {rule.id} applies to no station and can never fire")
        severities = [level.severity for level in rule.levels]
        if hit and all(
            policy_for(c, facility, rule.id, severity) is None
            for facility in c.facilities.values()
            for severity in severities
        ):
            yield _warn("policies.yaml", f"no policy tells anybody about rule {rule.id}")


def _contacts(c: Configuration) -> Iterator[Finding]:
    used = {channel for p in c.policies for s in p.steps for channel in s.by}
    for person in c.people.values():
        if not person.contacts:
            yield _warn("people.yaml", f"{person.id} has no contact and cannot be told")
        elif used and not used & {contact.channel for contact in person.contacts}:
            yield _warn(
                "people.yaml", f"{person.id} has no contact on a channel that a policy uses"
            )
