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

import msgspec

from services.notify.core.incident import Incident
from services.notify.core.ledger import canonical
from shared.model.instants import Instant

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


def silence_id(
    facility: str | None, territory: str | None, rules: tuple[str, ...],
    reason: str, person: str, until_us: int,
) -> str:  # fmt: skip
    """Said twice is said once."""
    said = canonical([facility, territory, sorted(rules), reason, person, until_us])
    return "s" + hashlib.sha256(said.encode()).hexdigest()[:11]


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
            (each for each in here if not each.rules or alert.rule in each.rules),
            key=lambda each: (each.until_us, each.id),
            default=None,
        )
        for alert in alerts
    ]
    covered = [each for each in longest if each is not None]
    if not covered or len(covered) < len(longest):
        return None
    return min(covered, key=lambda each: (each.until_us, each.id))
