"""Why, of one report: what each rule made of its values, and what derived conditions held then."""

from collections.abc import Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.book import Book
from services.rules.core.explain import explain
from services.rules.judged_again import Question, Stand
from services.rules.past import Past
from services.rules.series_why import verdict_of
from shared.errors import Unavailable
from shared.model.instants import instant_text
from shared.model.report import Report
from shared.model.transition import Transition, transition_id


class SaidOf(Protocol):
    """Transitions that a report caused."""

    def by_report(self, facility: str, report: str) -> list[Transition]: ...


def rules_of(book: Book | None, report: Report, past: Past) -> list[dict[str, Any]]:
    """Every rule of the station and interval. Where one derives, the log is judged again up to
    this report, for what its window had then; when that cannot be told, it says so.
    """
    if book is None:
        return []
    said = explain(book, report)
    derive = {name for name, judging in book.rules.items() if judging.derive is not None}
    if any(each["rule"] in derive and each["indicator"] in report.indicators for each in said):
        try:
            overlay(said, past.stand(question_of(report), report), report)
        except Unavailable as error:
            for each in said:
                if each["rule"] in derive:
                    each["derived"] = {"note": str(error)}
    return said


def overlay(said: list[dict[str, Any]], stand: Stand, report: Report) -> None:
    """Beside each derived condition: its stage, its window and its state right after the report."""
    book = stand.engine.book
    if book is None:
        return
    for each in said:
        judging = book.rules.get(each["rule"])
        if judging is None or judging.derive is None or judging.indicator not in report.indicators:
            continue
        asked = msgspec.structs.replace(question_of(report), indicator=judging.indicator)
        found = verdict_of(stand.engine, judging, asked)
        each["stage"], each["state"], each["then"] = found.stage, found.state, found.reason
        each["then_en"], each["derived"] = found.reason_en, found.derived or {}
        if not stand.complete:
            each["derived"]["note"] = "the log no longer holds, or is too long for, all before it"


def question_of(report: Report) -> Question:
    """Of the first series of a report, when it had just come in."""
    indicator = report.indicators[0] if report.indicators else ""
    return Question(
        report.facility, report.station, indicator, report.interval, report.received_us, "log"
    )


def led_to(said: SaidOf, report: Report, zone: ZoneInfo) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": transition_id(t, zone), "rule": t.rule, "state": t.state,
            "severity": t.severity.value, "cause": t.cause,
        }
        for t in said.by_report(report.facility, report.id)
    ]  # fmt: skip


def shown(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "report": report.id,
        "facility": report.facility,
        "station": report.station,
        "interval": report.interval,
        "observed_at": instant_text(report.observed_us, zone),
        "received_at": instant_text(report.received_us, zone),
        "listener": report.listener,
        "readings": [
            {"indicator": indicator, "value": report.values[i], "flag": report.flag(i)}
            for i, indicator in enumerate(report.indicators)
        ],
    }
