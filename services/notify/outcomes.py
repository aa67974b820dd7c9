"""Outcomes: what an attempt's answer, a lost answer or a receipt makes of a notice."""

from sqlalchemy import update

from services.notify.amending import amend_one
from services.notify.core.attempt import After, after_retry, after_unknown
from services.notify.desk import tables as t
from services.notify.desk.put import put
from services.notify.desk.unit import Row
from services.notify.port import Accepted, Outcome, ReceiptStatus, Refused, Retry, Unknown
from services.notify.telling import end_other_ways, recover_one, try_next_way
from services.notify.work import Work

FAILURES_TOLD = 3
"""Failures that pass are written into the timeline up to this one; a dead gateway is one fact."""
NEWS_US = 86_400_000_000
"""A recovery or an answer that could not be sent for a day is no news any more."""
GOOD: tuple[str, ...] = ("delivered", "under_way")


def record(work: Work, row: Row, outcome: Outcome) -> None:
    """The answer of the attempt under way. `row` is as the desk has it now."""
    match outcome:
        case Accepted(reference, text):
            if row["state"] == "sending":
                accepted(work, row, text, reference)
            elif text and row["text"] is None:
                remember_text(work, row, text)
        case _ if row["state"] != "sending":
            return  # a receipt was quicker and knows better
        case Refused(reason):
            _did_not_count(work, row)
            failed(work, row, reason)
        case Retry(reason, after_us):
            _did_not_count(work, row)
            _retry(work, row, reason, after_us)
        case Unknown(reason):
            lost(work, row, reason)


def accepted(work: Work, row: Row, text: str, reference: str) -> None:
    """A provider has it: he counts as told."""
    work.unit.change(
        row["id"], state="accepted", accepted_us=work.now, ended_us=work.now, due_us=None
    )
    work.counts.notification(row["channel"], "accepted")
    work.say("accepted", row, None, {"text": text, "reference": reference} if text else None)
    if text:
        remember_text(work, row, text)
    if row["received_us"] is not None:
        work.counts.report_to_gateway(max(work.now - row["received_us"], 0) / 1e6)
    if row["kind"] != "alert":
        return
    end_other_ways(work, row)
    incident = work.unit.incident(row["incident"])
    if incident is None:
        return
    amend_one(work, incident, row)
    if incident.state == "resolved":
        recover_one(work, incident, row)


def remember_text(work: Work, row: Row, text: str) -> None:
    """The last text on this person's phone."""
    work.unit.change(row["id"], text=text)
    work.unit.persons.hold((row["person"],))  # before his phone's row: others hold them so
    key = {"person": row["person"], "channel": row["channel"]}
    values = {
        "at_us": work.now, "incident": row["incident"], "notification": row["id"], "text": text,
    }  # fmt: skip
    put(work.unit.connection, t.phones, key, values)


def failed(work: Work, row: Row, reason: str) -> None:
    """Never again by this contact; the next way at once."""
    work.unit.change(row["id"], state="failed", reason=reason, due_us=None, ended_us=work.now)
    work.counts.notification(row["channel"], "failed")
    work.say("failed", row, reason)
    try_next_way(work, {**row, "state": "failed"})


def lost(work: Work, row: Row, reason: str) -> None:
    """Written, and no answer: it may have arrived."""
    work.counts.notification(row["channel"], "unknown")
    work.say("unknown", row, reason)
    hold = work.configuration.timing.unknown_hold_us
    after = after_unknown(bool(row["resend"]), row["receipt"] in GOOD, hold, work.now)
    match after:
        case After("accepted"):
            accepted(work, row, "", "")
        case After("failed"):
            failed(work, row, f"unknown twice: {reason}")
        case _:
            work.unit.change(row["id"], state="unknown", due_us=after.due_us, reason=reason)


def is_over(work: Work, row: Row) -> bool:
    """No receipt has come in the time it was given."""
    return row["state"] == "unknown" and row["due_us"] is not None and row["due_us"] <= work.now


def hold_is_over(work: Work, row: Row) -> None:
    """No receipt came: once more, marked, if it is still owed."""
    incident = work.unit.incident(row["incident"]) if row["incident"] else None
    if row["kind"] == "alert" and incident is not None and incident.state == "acknowledged":
        work.unit.change(row["id"], due_us=None)
        return
    work.unit.change(row["id"], state="retry", resend=1, due_us=work.now)


def receipt(work: Work, row: Row, status: ReceiptStatus) -> None:
    """
    Later proof. Repeated and late receipts change nothing more than the first.

    `delivered` wins over everything but itself; a failure after acceptance tries the next way.
    """
    if row["receipt"] == "delivered" or (row["receipt"] == "failed" and status != "delivered"):
        return
    if status in GOOD:
        work.unit.change(row["id"], receipt=status)
        is_waiting = row["state"] in ("unknown", "failed") or (
            row["state"] == "retry" and row["resend"]
        )
        if status == "delivered" and row["state"] == "sending":
            is_waiting = True
        if is_waiting and row["accepted_us"] is None and row["attempts"]:
            accepted(work, row, "", "")
        if status == "delivered":
            work.unit.change(row["id"], state="delivered")
            work.counts.notification(row["channel"], "delivered")
            work.say("delivered", row)
        return
    if row["attempts"] and row["state"] in ("accepted", "sending", "unknown", "retry"):
        work.unit.change(row["id"], receipt="failed")
        reason = "refused by the operator" if status == "refused" else "not delivered"
        failed(work, row, reason)


def _retry(work: Work, row: Row, reason: str, wish_us: int | None) -> None:
    failures = row["failures"] + 1
    after = after_retry(failures, wish_us, work.now)
    work.unit.change(
        row["id"], state="retry", failures=failures, due_us=after.due_us, reason=reason
    )
    work.counts.notification(row["channel"], "failed")
    if failures <= FAILURES_TOLD:
        work.say("failed", row, reason)
    row = {**row, "state": "retry", "failures": failures}
    if (ended := _is_owed_no_longer(work, row)) is not None:
        work.withhold(row, ended)
    elif after.try_next_way:
        try_next_way(work, row)


def _is_owed_no_longer(work: Work, row: Row) -> str | None:
    """Why another try would be out of place; None while it is owed."""
    incident = work.unit.incident(row["incident"]) if row["incident"] else None
    if row["kind"] != "alert" and work.now - row["queued_us"] > NEWS_US:
        return "too late"
    if incident is None:
        return None
    if row["kind"] == "alert":
        if incident.state == "acknowledged":
            return "acknowledged"
        if incident.state == "resolved" and not row["resend"]:
            return "resolved"
        if row["generation"] != incident.generation and not row["resend"]:
            return "superseded"
    if row["kind"] == "recovery" and incident.state != "resolved":
        return "superseded"
    return None


def _did_not_count(work: Work, row: Row) -> None:
    """It surely did not go out, so no budget is used."""
    key = (t.attempts.c.notification == row["id"]) & (t.attempts.c.n == row["attempts"])
    work.unit.connection.execute(update(t.attempts).where(key).values(counts=0))
