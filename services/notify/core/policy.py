"""Policy: which one an alert falls under. The first that matches wins."""

from collections.abc import Callable

from shared.model.facility import Facility
from shared.model.people import Policy, PolicyMatch
from shared.model.severity import Severity


def tells(policy: Policy | None) -> bool:
    """Whether anybody would ever be told: it has steps or a catch-all."""
    return policy is not None and (bool(policy.steps) or policy.catch_all is not None)


def policy_for(
    policies: tuple[Policy, ...],
    severity: Severity,
    rule: str,
    kind: str | None,
    lineage: Callable[[], list[str]],
    at_us: int | None = None,
) -> Policy | None:
    """The first policy that matches; `lineage` gives the facility's territories, own first.

    Those of a campaign are asked for what changed while it ran: by the instant of the
    transition, as its editions of rules judge by that of the reading.
    """
    for policy in policies:
        if policy.campaign is not None and (at_us is None or not policy.counts_at(at_us)):
            continue
        if policy.match is None or _matches(policy.match, severity, rule, kind, lineage):
            return policy
    return None


def relevant(
    policies: tuple[Policy, ...], facility: Facility | None, lineage: list[str]
) -> tuple[Policy, ...]:
    """Those that could ever match at this facility: what an incident keeps from its opening."""
    if facility is None:
        return policies
    return tuple(p for p in policies if p.match is None or _fits(p.match, facility.kind, lineage))


def _fits(match: PolicyMatch, kind: str, lineage: list[str]) -> bool:
    if match.kind and kind not in match.kind:
        return False
    return not match.territory or any(code in match.territory for code in lineage)


def _matches(
    match: PolicyMatch,
    severity: Severity,
    rule: str,
    kind: str | None,
    lineage: Callable[[], list[str]],
) -> bool:
    if match.severity and severity not in match.severity:
        return False
    if match.kind and kind not in match.kind:
        return False
    if match.rule and rule not in match.rule:
        return False
    return not match.territory or any(code in match.territory for code in lineage())
