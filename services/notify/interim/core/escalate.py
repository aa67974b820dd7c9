"""Escalate: what an incident owes to whom now, step by step (contract §9.2, §9.3, §9.5, §9.6).

Pure: (incident, now, directory) in, entries and notices out; the incident is changed in place.
"""

from collections.abc import Callable

import msgspec

from services.notify.interim.core import ticket
from services.notify.interim.core.incident import Effects, Entry, Incident, Notice, notice_id
from services.notify.interim.core.roster import Directory, resolve
from shared.model.people import CatchAll, Contact, Person, Step, Target


class Scene:
    """What a decision about one incident may look at."""

    def __init__(
        self,
        directory: Directory,
        now_us: int,
        min_gap_us: int,
        late_us: int,
        taken: Callable[[str], set[str]],
    ) -> None:
        self.directory, self.now_us = directory, now_us
        self.min_gap_us = min_gap_us
        self.late_us = late_us
        """Up to this late a timer still counts from when it was due; later, from now."""
        self.taken = taken
        """The tickets of a person's other open incidents."""


def begin_ladder(incident: Incident, scene: Scene) -> Effects:
    """A new cause (opened, rose, reopened): from step 1, and everybody counts anew."""
    incident.cause += 1
    incident.step = 0
    incident.rounds = []
    incident.tellings = {}
    incident.next_step_us = scene.now_us
    return start_step(incident, scene, scene.now_us)


def run_due(incident: Incident, scene: Scene) -> Effects:
    """What is due by now: late repeats are one repeat, and at most one step is taken."""
    effects = Effects([], [])
    if incident.state != "open":
        return effects
    late = [(at, number) for at, number in incident.rounds if at <= scene.now_us]
    due = incident.next_step_us
    step_is_due = due is not None and due <= scene.now_us
    if late:
        incident.rounds = [pair for pair in incident.rounds if pair[0] > scene.now_us]
        if not step_is_due:
            effects.add(_round(incident, scene, late[-1][1]))
    if step_is_due and not _too_soon(incident, scene):
        assert due is not None
        start = due if scene.now_us - due <= scene.late_us else scene.now_us
        effects.add(start_step(incident, scene, start))
    return effects


def start_step(incident: Incident, scene: Scene, start_us: int) -> Effects:
    """Take the next step; it counts from `start_us`."""
    steps, catch_all = incident.policy.steps, incident.policy.catch_all
    incident.last_step_us = scene.now_us
    incident.rounds = []
    if incident.step < len(steps):
        incident.step += 1
        step = steps[incident.step - 1]
        incident.next_step_us = start_us + step.wait_us
        if incident.step == len(steps) and catch_all is None:
            incident.next_step_us = None
        if step.repeat is not None:
            incident.rounds = [
                (start_us + number * step.repeat.every_us, number)
                for number in range(1, step.repeat.times + 1)
            ]
        effects = Effects([_entry("step", scene.now_us, f"step {incident.step}")], [])
        effects.add(_round(incident, scene, 0))
        return effects
    if catch_all is None:
        incident.next_step_us = None
        return Effects([], [])
    number = 0 if incident.step == len(steps) else incident.catch_all_rounds
    incident.step = len(steps) + 1
    incident.next_step_us = start_us + catch_all.every_us
    effects = Effects([_entry("catch_all", scene.now_us, f"round {number}")], [])
    effects.add(_round(incident, scene, number))
    return effects


def _round(incident: Incident, scene: Scene, number: int) -> Effects:
    """Tell everybody of the present step once."""
    effects = Effects([], [])
    steps, catch_all = incident.policy.steps, incident.policy.catch_all
    if incident.step > len(steps):
        assert catch_all is not None
        incident.catch_all_rounds = number + 1
    people = people_of(incident, scene, effects)
    reached = False
    for person, by in people:
        notices = _ways(incident, scene, person, by, number)
        if notices:
            reached = True
            incident.tellings[person.id] = incident.tellings.get(person.id, 0) + 1
            effects.notices += [
                msgspec.structs.replace(notice, nth=incident.tellings[person.id])
                for notice in notices
            ]
    if not reached:
        hurry(incident, scene)
    return effects


def hurry(incident: Incident, scene: Scene) -> None:
    """Nobody can be reached in this step: the next one starts at once (after the step gap)."""
    steps, catch_all = incident.policy.steps, incident.policy.catch_all
    if incident.step < len(steps) or (incident.step == len(steps) and catch_all is not None):
        incident.next_step_us = scene.now_us
        incident.rounds = []


def people_of(
    incident: Incident, scene: Scene, effects: Effects
) -> list[tuple[Person, tuple[str, ...]]]:
    """(person, channels) of the present step; a role nobody holds goes to the catch-all."""
    steps, catch_all = incident.policy.steps, incident.policy.catch_all
    current: Step | CatchAll
    if incident.step <= len(steps):
        current = steps[incident.step - 1]
    else:
        assert catch_all is not None
        current = catch_all
    found: dict[str, tuple[Person, tuple[str, ...]]] = {}
    for target in current.notify:
        names = resolve(scene.directory, target, incident.territory, scene.now_us)
        by = current.by
        if not names:
            effects.entries.append(_entry("orphan", scene.now_us, _called(target)))
            if current is not catch_all and catch_all is not None:
                by = catch_all.by
                names = tuple(
                    name
                    for other in catch_all.notify
                    for name in resolve(scene.directory, other, incident.territory, scene.now_us)
                )
        for name in names:
            person = scene.directory.people.get(name)
            if person is not None:
                found.setdefault(name, (person, by))
    return list(found.values())


def _called(target: Target) -> str:
    if target.person is not None:
        return f"person {target.person}"
    where = f" of {target.territory}" if target.territory else ""
    return f"role {target.role}{where}"


def _ways(
    incident: Incident, scene: Scene, person: Person, by: tuple[str, ...], number: int
) -> list[Notice]:
    """One message by each way in `by`; where every one is bad, the person's next contact."""
    contacts = [c for c in first_contacts(person, by) if c.id not in incident.bad_contacts]
    if not contacts:
        other = next_contact(incident, person, set())
        contacts = [other] if other is not None else []
    return [notice_to(incident, scene, person, contact, number) for contact in contacts]


def first_contacts(person: Person, by: tuple[str, ...]) -> list[Contact]:
    """The person's first contact on each of these channels."""
    found = []
    for channel in by:
        for contact in person.contacts:
            if contact.channel == channel:
                found.append(contact)
                break
    return found


def next_contact(incident: Incident, person: Person, tried: set[str]) -> Contact | None:
    """In the order of people.yaml, the first that is neither bad nor tried."""
    for contact in person.contacts:
        if contact.id not in incident.bad_contacts and contact.id not in tried:
            return contact
    return None


def notice_to(
    incident: Incident, scene: Scene, person: Person, contact: Contact, number: int
) -> Notice:
    if person.id not in incident.tickets:
        incident.tickets[person.id] = ticket.choose(incident.id, person.id, scene.taken(person.id))
    return Notice(
        id=notice_id(
            incident.id, incident.cause, incident.step, number, person.id, contact.id, "alert"
        ),
        incident=incident.id,
        kind="alert",
        cause=incident.cause,
        step=incident.step,
        round=number,
        person=person.id,
        contact=contact.id,
        channel=contact.channel,
        severity=incident.severity,
        nth=max(1, incident.tellings.get(person.id, 1)),
    )


def _too_soon(incident: Incident, scene: Scene) -> bool:
    last = incident.last_step_us
    return last is not None and last <= scene.now_us < last + scene.min_gap_us


def _entry(kind: str, at_us: int, reason: str) -> Entry:
    return Entry(at_us, kind, reason=reason)  # type: ignore[arg-type]  # kinds of the callers
