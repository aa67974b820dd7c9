"""Notice: the identity of what is told. Derived, so deciding twice is deciding once."""

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import msgspec

from shared.model.people import Person

NoticeKind = Literal["alert", "recovery", "reply", "handover", "amendment"]


class Notice(msgspec.Struct, frozen=True):
    """One message owed to one person by one way (a contact of his)."""

    id: str
    kind: NoticeKind
    incident: str
    generation: int
    step: int
    round: int
    person: str
    contact: str
    channel: str


def notice_id(
    incident: str, kind: str, generation: int, step: int, round_: int, person: str, contact: str
) -> str:
    """A hash of (incident, cause, step, round, person, way): 24 hex digits, fit for a URL."""
    identity: list[str | int] = [incident, kind, generation, step, round_, person, contact]
    return _hash("notice", identity)[:24]


def incident_id(facility: str, transition: str) -> str:
    """A hash of the facility and the transition that opened it; short enough to be read out."""
    return "i" + _hash("incident", [facility, transition])[:11]


def notice(
    kind: NoticeKind,
    incident: str,
    generation: int,
    step: int,
    round_: int,
    person: str,
    way: tuple[str, str],
) -> Notice:
    """`way` is (contact id, channel id)."""
    return Notice(
        id=notice_id(incident, kind, generation, step, round_, person, way[0]),
        kind=kind,
        incident=incident,
        generation=generation,
        step=step,
        round=round_,
        person=person,
        contact=way[0],
        channel=way[1],
    )


def first_ways(person: Person, by: tuple[str, ...]) -> list[tuple[str, str]]:
    """(contact, channel) for each channel of `by` that he has: his first contact there."""
    ways: list[tuple[str, str]] = []
    for channel in by:
        for contact in person.contacts:
            if contact.channel == channel:
                ways.append((contact.id, channel))
                break
    return ways


def next_way(person: Person, tried: set[str]) -> tuple[str, str] | None:
    """His first contact, in the order of people.yaml, that has not been tried."""
    for contact in person.contacts:
        if contact.id not in tried:
            return contact.id, contact.channel
    return None


def _hash(kind: str, identity: Sequence[str | int]) -> str:
    text = json.dumps([kind, *identity], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
