"""A past incident: how it stood at an instant, told by its ledger alone."""

import json

import msgspec

from services.notify.core.incident import Incident, IncidentState
from services.notify.core.ledger import Entry
from services.notify.core.policy import policy_for
from shared.model.instants import Instant
from shared.model.people import CatchAll, Policy, Step
from shared.model.severity import Severity

CAUSES = ("opened", "rose", "reopened")


class PastIncident(msgspec.Struct):
    """`step` as in Incident: 0 before the first, one above the last is the catch-all."""

    id: str
    facility: str
    territory: str
    state: IncidentState
    severity: Severity
    policy: Policy
    since_us: Instant
    """When it opened, rose or reopened last: telling began anew."""
    step: int = 0
    step_us: dict[int, Instant] = {}
    """When each step since then was taken."""
    acknowledged_by: str | None = None
    acknowledged_us: Instant | None = None
    orphans: list[str] = []
    muted: list[Entry] = []
    """Changes of which nobody was told, with the reason: it flaps, or another rule hides them."""
    entries: list[Entry] = []
    """Since then, up to the instant."""

    def call(self, step: int) -> Step | CatchAll | None:
        """What step `step` of the policy says; the one above the last is the catch-all."""
        steps = self.policy.steps
        if 1 <= step <= len(steps):
            return steps[step - 1]
        return self.policy.catch_all if step == len(steps) + 1 else None

    @property
    def last(self) -> int:
        return len(self.policy.steps) + (self.policy.catch_all is not None)

    def begins_us(self, step: int) -> Instant | None:
        """When a step that was not taken by then would have begun, if nobody acknowledged."""
        at = self.step_us.get(self.step, self.since_us)
        for number in range(self.step, step):
            call = self.call(number)
            at = Instant(at + (call.wait_us if isinstance(call, Step) else 0))
        return at if step > self.step else None


def stood(
    incident: Incident, chain: list[Entry], kind: str | None, lineage: list[str], at: Instant
) -> PastIncident | None:
    """The incident at `at`; None when it had not opened. `kind` is the facility's."""
    past: PastIncident | None = None
    for entry in chain:
        if entry.at_us > at:
            break
        detail = json.loads(entry.detail)
        if entry.kind in CAUSES:
            past = PastIncident(
                incident.id, incident.facility, incident.territory, "open",
                Severity(detail["severity"]), _policy(incident, entry, kind, lineage),
                entry.at_us,
            )  # fmt: skip
        if past is None:
            continue
        if entry.kind == "step" and detail.get("step") == 1 and past.step:
            past = _released(incident, past, entry.at_us, kind, lineage)
        past.entries.append(entry)
        if entry.kind in ("step", "catch_all"):
            past.step = int(detail.get("step", past.step + 1))
            past.step_us[past.step] = entry.at_us
        elif entry.kind == "orphan" and entry.reason:
            past.orphans.append(entry.reason)
        elif entry.kind == "withheld" and entry.notification is None:
            past.muted.append(entry)
        elif entry.kind == "acknowledged":
            past.state = "acknowledged"
            past.acknowledged_by, past.acknowledged_us = entry.person, entry.at_us
        elif entry.kind == "resolved":
            past.state = "resolved"
        if entry.kind in ("joined", "fell", "withheld") and "severity" in detail:
            past.severity = Severity(detail["severity"])
    return past


def _released(
    incident: Incident, past: PastIncident, at: Instant, kind: str | None, lineage: list[str]
) -> PastIncident:
    """Step 1 once more: what a source hid is told as a new cause, now that the source is over."""
    joined = [each for each in past.entries if each.kind == "joined" and each.at_us == at]
    policy = _policy(incident, joined[0], kind, lineage) if joined else past.policy
    return PastIncident(
        incident.id, incident.facility, incident.territory, "open", past.severity, policy, at,
        entries=joined,
    )  # fmt: skip


def _policy(incident: Incident, entry: Entry, kind: str | None, lineage: list[str]) -> Policy:
    """The policy that a cause began with: named by the ledger, or found anew for a rise."""
    told, named = (entry.reason or ""), ", policy "
    if named in told:
        rest = told.partition(named)[2]
        for policy in incident.policies:
            if rest == policy.id or rest.startswith(f"{policy.id}, "):
                return policy
    words = told.replace(",", " ").split()
    if len(words) >= 2 and words[1] in {each.value for each in Severity}:
        found = policy_for(
            incident.policies, Severity(words[1]), words[0], kind, lambda: lineage, entry.at_us
        )
        if found is not None and (found.steps or found.catch_all):
            return found
    return incident.policy
