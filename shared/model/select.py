"""Which rule applies to which station, and which policy to which alert. Pure look-ups."""

from fnmatch import fnmatchcase

from shared.model.configuration import Configuration, lineage
from shared.model.facility import Facility, Station, Territory
from shared.model.people import Policy
from shared.model.rule import Applies, Group, Missing, Rule
from shared.model.severity import Severity
from shared.model.timed import Compliance


def applies_to(
    applies: Applies, facility: Facility, station: Station, territories: dict[str, Territory]
) -> bool:
    """All that is given must match; a territory includes those below it."""
    if applies.kind is not None and applies.kind != facility.kind:
        return False
    if applies.facility is not None and not fnmatchcase(facility.id, applies.facility):
        return False
    if applies.point is not None and applies.point != station.point:
        return False
    if any(facility.attributes.get(key) != value for key, value in applies.attributes.items()):
        return False
    if applies.territory is None and not applies.within:
        return True
    above = lineage(facility.territory, territories)
    if applies.within and not any(code in above for code in applies.within):
        return False
    return applies.territory is None or applies.territory in above


def judges_territories(rule: Rule) -> bool:
    """Does a rule that applies to a territory's roll-up judge it? It must name a kind, and must
    not ask what a roll-up never is: silent, several stations, sampled by a plan.
    """
    return rule.applies.kind is not None and not isinstance(
        rule.condition, Missing | Group | Compliance
    )


def policy_for(
    configuration: Configuration,
    facility: Facility,
    rule: str,
    severity: Severity,
    at_us: int | None = None,
) -> Policy | None:
    """The first policy that matches; None when that one tells nobody (no steps, no catch-all).

    Without an instant those of campaigns are not asked.
    """
    above = lineage(facility.territory, configuration.territories)
    for policy in configuration.policies:
        match = policy.match
        if policy.campaign is not None and (at_us is None or not policy.counts_at(at_us)):
            continue
        if match is not None and (
            (match.severity and severity not in match.severity)
            or (match.kind and facility.kind not in match.kind)
            or (match.rule and rule not in match.rule)
            or (match.territory and not any(code in above for code in match.territory))
        ):
            continue
        return policy if policy.steps or policy.catch_all else None
    return None
