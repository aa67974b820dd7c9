"""Telling: takes the steps an incident owes, and ends what it owes no longer."""

from typing import Literal

from msgspec.structs import replace

from services.notify.core import owed
from services.notify.core.attempt import TOLD
from services.notify.core.flapping import calmed
from services.notify.core.incident import Incident
from services.notify.core.notice import first_ways, next_way, notice
from services.notify.core.responsible import Told, responsible
from services.notify.desk.unit import Row
from services.notify.work import Work, snapshot_of

NEXT_WAY_FAILURES = 3


def start(work: Work, incident: Incident, received_us: int | None = None) -> Incident:
    """Step 1 at once: it opened, rose or reopened. Under a silence, at its end."""
    incident = replace(incident, step=0, step_us=work.now)
    if owed.is_silent(incident, work.now):
        work.unit.put(incident)
        return incident
    return take(work, incident, "step", None, received_us)


def run_due(work: Work, incident: Incident) -> Incident:
    """The one step or repeat that is due, if any."""
    what = owed.owed_at(incident, work.gap_us, work.now)
    if what == "calm":
        return _calm(work, incident)
    return incident if what is None else take(work, incident, what, None, None)


def _calm(work: Work, incident: Incident) -> Incident:
    """Flapping is over: one recovery, as of an ordinary incident."""
    incident = calmed(incident, work.now)
    work.unit.put(incident)
    work.unit.write(incident.id, work.now, "resolved", reason="nothing fired for calm")
    recover(work, incident)
    return incident


def tell_again(work: Work, incident: Incident) -> None:
    """
    It is flapping from now on: who was told before hears it once, by the ways he was told.

    Whom step 1 has just told of it is left out.
    """
    rows = [row for row in work.unit.notices(incident.id) if row["kind"] == "alert"]
    told = {row["person"] for row in rows if row["generation"] == incident.generation}
    for row in rows:
        if row["accepted_us"] is None or row["person"] in told:
            continue
        if row["person"] in work.configuration.people:
            way = (row["contact"], row["channel"])
            each = notice("alert", incident.id, incident.generation, 1, 0, row["person"], way)
            work.queue(each, snapshot_of(incident))


def take(
    work: Work,
    incident: Incident,
    what: Literal["step", "round"],
    why: str | None,
    received_us: int | None,
) -> Incident:
    """Advance the incident, tell its people; `put`s and returns it."""
    incident = owed.advance(incident, what, work.now)
    call = owed.call(incident)
    work.unit.put(incident)
    people, orphans = responsible(
        call.targets, call.by, incident.territory, incident.policy.catch_all,
        work.house, work.now,
    )  # fmt: skip
    if what == "step":
        kind = "catch_all" if call.is_catch_all else "step"
        reason = why or (None if call.is_catch_all else f"step {call.step}")
        work.unit.write(incident.id, work.now, kind, reason=reason, detail={"step": call.step})
    for orphan in orphans:
        work.counts.orphan()
        work.unit.write(
            incident.id, work.now, "orphan",
            reason=f"nobody holds {orphan.role} for {orphan.territory} or above",
        )  # fmt: skip
    reached = [_tell(work, incident, each, call.step, call.round, received_us) for each in people]
    if not any(reached):
        # Nobody to tell or no way to any of them: do not wait for an answer that cannot come.
        incident = replace(incident, step_now=True)
        work.unit.put(incident)
    return incident


def _tell(
    work: Work, incident: Incident, told: Told, step: int, round_: int, received_us: int | None
) -> bool:
    """One message by each way he has; False when he has none at all."""
    person = work.configuration.people[told.person]
    ways = first_ways(person, told.by)
    if not ways and (other := next_way(person, set())) is not None:
        ways = [other]
    for way in ways:
        _end_older(work, incident.id, told.person, way[0])
        each = notice("alert", incident.id, incident.generation, step, round_, told.person, way)
        work.queue(each, snapshot_of(incident), received_us=received_us)
    return bool(ways)


def _end_older(work: Work, incident: str, person: str, contact: str) -> None:
    """What still tries to say the older thing by the same way is overtaken."""
    for row in work.unit.notices(incident, ("retry",), person):
        if row["contact"] == contact and row["kind"] != "amendment" and not row["resend"]:
            work.withhold(row, "superseded")


def end_for_acknowledgement(work: Work, incident: str) -> None:
    """Nothing more is claimed; what may be in flight still gets its receipt."""
    for row in work.unfinished(incident, "alert"):
        if row["state"] in ("queued", "retry"):
            work.withhold(row, "acknowledged")
        elif row["state"] == "unknown":
            work.unit.change(row["id"], due_us=None)


def end_for_rise(work: Work, incident: str) -> None:
    """A new cause: what failed so far is said anew; what was never tried is still said."""
    for row in work.unit.notices(incident, ("retry",)):
        if row["kind"] != "amendment" and not row["resend"]:
            work.withhold(row, "superseded")


def recover(work: Work, incident: Incident) -> None:
    """It is over: tell those who were told, by the same way, each once."""
    assert incident.state == "resolved"
    for row in work.unit.notices(incident.id, ("retry",)):
        if row["kind"] == "alert" and not row["resend"]:
            work.withhold(row, "resolved")
    for row in work.unit.notices(incident.id):
        if row["kind"] == "alert" and row["accepted_us"] is not None:
            recover_one(work, incident, row)


def recover_one(work: Work, incident: Incident, told: Row) -> None:
    """The recovery for one accepted notice, unless that way had one since."""
    for row in work.unit.notices(incident.id, None, told["person"]):
        if (
            row["kind"] == "recovery"
            and row["contact"] == told["contact"]
            and row["generation"] >= told["generation"]
        ):
            return
    way = (told["contact"], told["channel"])
    each = notice("recovery", incident.id, incident.generation, 0, 0, told["person"], way)
    work.queue(each, snapshot_of(incident))


def try_next_way(work: Work, row: Row) -> None:
    """
    A way failed. When all his ways have, his next contact; when nobody has any, the next step.

    `row` as it is now. Recoveries go by the same way only, answers to where they came from.
    """
    incident = work.unit.incident(row["incident"]) if row["incident"] else None
    if row["kind"] != "alert" or incident is None or incident.state != "open":
        return
    if row["generation"] != incident.generation:
        return
    same_round = [
        each
        for each in work.unit.notices(incident.id)
        if each["kind"] == "alert"
        and (each["generation"], each["step"], each["round"])
        == (row["generation"], row["step"], row["round"])
    ]
    mates = [each for each in same_round if each["person"] == row["person"]]
    if not all(_is_hopeless(each) for each in mates):
        return
    person = work.configuration.people.get(row["person"])
    way = None if person is None else next_way(person, {each["contact"] for each in mates})
    if way is not None:
        each = notice(
            "alert", incident.id, row["generation"], row["step"], row["round"], row["person"], way
        )
        work.queue(each, snapshot_of(incident))
        return
    is_running = row["step"] == incident.step and row["round"] == incident.rounds - 1
    if is_running and all(each["state"] in ("failed", "withheld") for each in same_round):
        work.unit.put(replace(incident, step_now=True))


def end_other_ways(work: Work, row: Row) -> None:
    """He has it now: the ways that kept failing need not go on."""
    for each in work.unit.notices(row["incident"], ("retry",), row["person"]):
        is_mate = (each["generation"], each["step"], each["round"]) == (
            row["generation"],
            row["step"],
            row["round"],
        )
        if is_mate and each["failures"] >= NEXT_WAY_FAILURES and not each["resend"]:
            work.withhold(each, "told by another way")


def _is_hopeless(row: Row) -> bool:
    if row["state"] in ("failed", "withheld"):
        return True
    return bool(row["state"] == "retry" and row["failures"] >= NEXT_WAY_FAILURES)


def is_told(row: Row) -> bool:
    return row["state"] in TOLD or row["accepted_us"] is not None
