"""Silence: somebody asked not to be told of something known until an instant, and said why.

```
incident  ─opened──────────────────────resolved─        nobody was told, the timeline says why
incident  ─opened────────────────│step 1 ─ step 2 ─     still firing at the end: told then
silence      ████████████████████│until
```
An incident is silent while a silence covers each of its firing alerts; the first that is not
covered ends that.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from services.notify.core.incident import Alert, Incident
from services.notify.core.ledger import GENESIS, canonical
from shared.model.instants import Instant
from shared.model.severity import Severity

SILENCE_FORMAT = 2
"""Of an incident that was silenced: an older program would tell of it before its time."""


class Silence(msgspec.Struct, frozen=True):
    """A facility, or a territory and those below; all its rules, or these."""

    id: str
    facility: str | None
    territory: str | None
    rules: tuple[str, ...]
    reason: str
    person: str
    from_us: Instant
    until_us: Instant
    up_to: Severity | None = None
    """What is worse is told as ever; None: all severities are covered."""
    planned: bool = False
    """It was made before it begins: then each step that is due looks for it."""
    ended_by: str = ""
    """Who ended it before its time."""
    head: str = GENESIS
    entries: int = 0
    """They close its chain in the ledger, which has its id where others have an incident's."""

    def state_at(self, now: Instant) -> "SilenceState":
        if now < self.from_us:
            return "planned"
        return "running" if now < self.until_us else "ended"


SilenceState = Literal["planned", "running", "ended"]


class Hid(msgspec.Struct, frozen=True):
    """One incident that a silence kept quiet, and how it stands."""

    incident: str
    facility: str
    severity: Severity
    """The worst that was not told."""
    rules: tuple[str, ...]
    since_us: Instant
    times: int
    """How often it would have been told anew: it opened, rose, or was released."""
    state: str
    resolved_us: Instant | None


def silence_id(
    facility: str | None, territory: str | None, rules: tuple[str, ...],
    reason: str, person: str, until_us: int, up_to: Severity | None = None,
    planned_us: int | None = None,
) -> str:  # fmt: skip
    """Said twice is said once."""
    facts = [facility, territory, sorted(rules), reason, person, until_us]
    more = [] if up_to is None else [up_to.value]
    more += [] if planned_us is None else [str(planned_us)]
    said = canonical([*facts, *more])
    return "s" + hashlib.sha256(said.encode()).hexdigest()[:11]


def covers(silence: Silence, alert: Alert) -> bool:
    """Is this alert among what was announced? Where it is, `silent_by` asks."""
    if silence.rules and alert.rule not in silence.rules:
        return False
    return silence.up_to is None or alert.severity.rank <= silence.up_to.rank


def silent_by(
    silences: Iterable[Silence], incident: Incident, lineage: list[str], now: Instant
) -> Silence | None:
    """The silence that ends first of those needed to cover all alerts; None: it may be told."""
    here = [
        each
        for each in silences
        if each.from_us <= now < each.until_us
        and each.facility in (None, incident.facility)
        and (each.territory is None or each.territory in lineage)
    ]
    alerts = incident.alerts or incident.last_alerts
    longest = [
        max(
            (each for each in here if covers(each, alert)),
            key=lambda each: (each.until_us, each.id),
            default=None,
        )
        for alert in alerts
    ]
    covered = [each for each in longest if each is not None]
    if not covered or len(covered) < len(longest):
        return None
    return min(covered, key=lambda each: (each.until_us, each.id))
