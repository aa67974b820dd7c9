"""By a person: acknowledging and handing over, within one unit of work."""

import msgspec

from services.notify.core import incident as fold
from services.notify.core.incident import Incident
from services.notify.core.owed import due
from services.notify.port import Refusal
from services.notify.telling import end_for_acknowledgement, take
from services.notify.work import Work


def acknowledge(work: Work, incident: Incident, person: str, channel: str, note: str) -> None:
    if incident.state != "open":
        return
    work.unit.put(fold.acknowledged(incident, person, work.now))
    work.unit.write(
        incident.id, work.now, "acknowledged",
        person=person, channel=channel, reason=note or None,
    )  # fmt: skip
    end_for_acknowledgement(work, incident.id)


def hand_over(work: Work, incident: Incident, person: str) -> None:
    if incident.state != "open":
        return
    work.unit.write(incident.id, work.now, "handed_over", person=person)
    ready = msgspec.structs.replace(incident, step_now=True)
    owed = due(ready, work.gap_us)
    if owed is None or owed.what != "step":
        return
    if owed.at_us <= work.now:
        take(work, ready, "step", f"step {ready.step + 1}, handed over by {person}", None)
    else:
        work.unit.put(ready)


def refusal(work: Work, incident: Incident | None, person: str) -> Refusal | None:
    if incident is None:
        return Refusal("not-found", "there is no incident of this id")
    if person not in work.configuration.people:
        return Refusal("unknown-person", f"person {person!r} is not in people.yaml")
    if incident.state == "resolved":
        return Refusal("resolved", f"incident {incident.id} is resolved already")
    return None
