"""The promises of the architecture (docs/architecture.md), checked on a world that has come to rest."""

from collections import Counter
from typing import Any

from services.rules.core.engine import Engine
from shared.log.port import DEAD_LETTERS, REPORTS, Position
from shared.model.configuration import decode_bundle
from shared.model.instants import parse_instant
from shared.model.report import Report, decode_envelope
from shared.model.select import policy_for
from shared.model.transition import Transition, transition_id
from tests.endtoend import desk
from tests.endtoend.world import MINUTE, World

LADDER_US = 20 * MINUTE
"""Longer than all steps of the site's policies together (15 min)."""


class Broken(AssertionError):
    """A promise does not hold; the message names it and shows what was seen."""


def check(world: World) -> None:
    """Every promise that a single run can break.

    Raises:
        Broken: the first that does not hold.

    """
    transitions = [t for _, t in world.store.read(0, 1_000_000)]
    incidents = desk.incidents(world)
    judged(world)
    replayed(world, transitions)
    told_or_muted(world, transitions, incidents)
    told_once(world)
    quiet_after_acknowledgement(incidents)
    unknown_is_no_recovery(transitions)
    recovered_once(world, incidents)
    refused_are_kept(world)
    no_address(world, incidents)


def judged(world: World) -> None:
    """1: a report that was acknowledged to its sender is in the log, and the rules have read on."""
    logged = Counter(
        (record.facility, record.observed_us, record.values, record.flags)
        for entry in world.log.read(REPORTS, 0, Position(0), 1_000_000).entries
        for record in decode_envelope(entry.value)
        if isinstance(record, Report)
    )
    for candidate in world.accepted:
        reading = candidate.readings[0]
        flags = None if reading.flag == "N" else (reading.flag,)
        key = (candidate.facility, candidate.observed_us, (reading.value,), flags)
        if not logged[key]:
            raise Broken(f"1: acknowledged and not in the log: {key}")
        logged[key] -= 1
    if world.rules.position < world.log.end(REPORTS, 0):
        raise Broken("1: the rules have not read to the end of the log")


def replayed(world: World, transitions: list[Transition]) -> None:
    """6, 7: the same log gives the same transitions, whatever crashed while they were made."""
    engine = Engine(lambda name: decode_bundle(world.bundles.get(name)))
    again: list[Transition] = []
    for entry in world.log.read(REPORTS, 0, Position(0), 1_000_000).entries:
        again += engine.apply(decode_envelope(entry.value))
    if again != transitions:
        raise Broken(f"7: a replay gives {len(again)} transitions, live gave {len(transitions)}")


def told_or_muted(
    world: World, transitions: list[Transition], incidents: list[dict[str, Any]]
) -> None:
    """2: every firing that has a policy is in an incident, and every incident told somebody."""
    zone = world.configuration.site.zone
    known = {ref for one in incidents for ref in desk.transitions_of(world, one)}
    for t in transitions:
        facility = world.configuration.facilities[t.facility]
        if (
            t.state != "firing"
            or policy_for(world.configuration, facility, t.rule, t.severity) is None
        ):
            continue
        if t.cause in ("raised", "missing") and transition_id(t, zone) not in known:
            raise Broken(f"2: {t.rule} of {t.facility} fired and is in no incident")
    for one in incidents:
        kinds = Counter(entry["kind"] for entry in one["timeline"])
        reached = kinds["accepted"] or kinds["delivered"]
        muted = any(
            (entry["kind"], entry["reason"]) in (("withheld", "budget"), ("failed", "no"))
            for entry in one["timeline"]
        )
        if one["state"] == "open" and not reached and not muted:
            raise Broken(f"2: incident {one['id']} is open and nobody was told: {dict(kinds)}")
        begun = [e["at"] for e in one["timeline"] if e["kind"] in ("opened", "rose", "reopened")]
        waited_us = world.now() - parse_instant(begun[-1], zone)
        if one["state"] == "open" and not kinds["catch_all"] and waited_us > LADDER_US:
            raise Broken(f"2: incident {one['id']} is unanswered and never reached the catch-all")
        for entry in one["timeline"]:
            if entry["kind"] == "withheld" and not entry["reason"]:
                raise Broken(f"2: withheld without a reason in {one['id']}")


def told_once(world: World) -> None:
    """3: nothing arrives twice but one marked resend."""
    plain = Counter(t.notification for t in world.took() if not t.marked)
    marked = Counter(t.notification for t in world.took() if t.marked)
    for counts, word in ((plain, "unmarked"), (marked, "marked")):
        for name, count in counts.items():
            if count > 1:
                raise Broken(f"3: {name} arrived {count} times {word}")


def quiet_after_acknowledgement(incidents: list[dict[str, Any]]) -> None:
    """4: after an acknowledgement nothing of the incident is queued until it rises or reopens."""
    for one in incidents:
        quiet = False
        for entry in one["timeline"]:
            if entry["kind"] == "acknowledged":
                quiet = True
            elif entry["kind"] in ("rose", "reopened", "resolved"):
                quiet = False
            elif quiet and entry["kind"] in ("step", "catch_all", "repeated"):
                raise Broken(f"4: {entry['kind']} after the acknowledgement of {one['id']}")


def unknown_is_no_recovery(transitions: list[Transition]) -> None:
    """5: only a known value below every level clears."""
    for t in transitions:
        if t.cause == "cleared" and t.value is None:
            raise Broken(f"5: {t.rule} of {t.facility} cleared without a value")


def recovered_once(world: World, incidents: list[dict[str, Any]]) -> None:
    """10: recovery goes to those who were told, once for each time it resolved."""
    resolved = {
        one["id"]: sum(e["kind"] == "resolved" for e in one["timeline"]) for one in incidents
    }
    told = {(t.incident, t.person, t.contact) for t in world.took() if t.kind == "alert"}
    got = Counter(
        (t.incident, t.person, t.contact)
        for t in world.took()
        if t.kind == "recovery" and not t.marked
    )
    for key, count in got.items():
        if key not in told:
            raise Broken(f"10: {key[1]} was told of a recovery and never of {key[0]}")
        if count > resolved[key[0]]:
            raise Broken(f"10: {key[1]} was told {count} times that {key[0]} recovered")


def refused_are_kept(world: World) -> None:
    """11: what was refused is kept as a dead letter."""
    kept = len(world.log.read(DEAD_LETTERS, 0, Position(0), 1_000_000).entries)
    if kept != world.refused:
        raise Broken(f"11: {world.refused} refused, {kept} dead letters")


def no_address(world: World, incidents: list[dict[str, Any]]) -> None:
    """12: no number and no address in the log, the ledger or the transitions."""
    seen = repr(incidents)
    for topic in (REPORTS, DEAD_LETTERS):
        for entry in world.log.read(topic, 0, Position(0), 1_000_000).entries:
            seen += repr(entry)
    for person in world.configuration.people.values():
        for contact in person.contacts:
            if contact.address in seen:
                raise Broken(f"12: an address of {person.id} is written down")
