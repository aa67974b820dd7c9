"""`GET /v1/why/ID?facility=F` of a worker in a cluster: a report, also one that caused nothing.

One process has an index of the reports that their senders named; a cluster has none that every
service can read, so the partition of the facility is looked through, the newest report of the
name counts. `at`, about when it came in, makes that a matter of an hour of the log.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.rules.core.explain import explain
from services.rules.episodes_api import amendment_object
from services.rules.log_time import first_place, place_at, records
from services.rules.past import SECONDS, STEP, Past
from services.rules.report_why import SaidOf, led_to, overlay, question_of, shown
from services.rules.why_api import Wrong, gate_of, time_of
from shared.access import Gate
from shared.errors import SlowDown, Unavailable
from shared.http.problems import problem
from shared.http.query_route import QueryRoute
from shared.log.port import REPORTS, Log, Position
from shared.model.amendment import Amendment
from shared.model.configuration import Configuration
from shared.model.report import Report, Tick

AROUND_US = 3_600_000_000


class Amended(Protocol):
    """Who keeps what was amended; None where nothing is."""

    def by_report(self, facilities: Sequence[str], report: str) -> list[Amendment]: ...


def find(
    log: Log, partition: int, facility: str, name: str, at_us: int | None,
    monotonic: Callable[[], float], seconds: float = SECONDS,
) -> Report | None:  # fmt: skip
    """The newest report of a facility with this id; with `at_us`, of an hour before and after.

    Raises:
        SlowDown: the partition is too long for the time; give `at`.
        Unavailable: the log cannot be read now.

    """
    deadline = monotonic() + seconds
    place = first_place(log, partition)
    if place is None:
        return None
    if at_us is not None:
        place = place_at(log, partition, place, log.end(REPORTS, partition), at_us - AROUND_US)
    until_us = None if at_us is None else at_us + AROUND_US
    found: Report | None = None
    while (batch := log.read(REPORTS, partition, place, STEP)).entries:
        for entry in batch.entries:
            for record in records(entry.value):
                if isinstance(record, Report):
                    if record.id == name and record.facility == facility:
                        found = record
                elif until_us is not None and isinstance(record, Tick) and record.at_us > until_us:
                    return found
        place = Position(batch.next)
        if monotonic() > deadline:
            raise SlowDown("the log is too long to look through; give at=, about when it came in")
    return found


class ReportWhy:
    """Any worker answers for any facility."""

    def __init__(
        self, log: Log, past: Past, said: SaidOf, gate: Gate, configuration: Configuration,
        partition_of: Callable[[str], int], monotonic: Callable[[], float],
        amended: Amended | None = None,
    ) -> None:  # fmt: skip
        self._log, self._past, self._said, self._gate = log, past, said, gate
        self._configuration, self._partition_of = configuration, partition_of
        self._monotonic, self._amended = monotonic, amended

    def routes(self) -> list[Route]:
        return [QueryRoute("/v1/why/{id:path}", self.get, methods=["GET"])]

    async def get(self, request: Request) -> Response:
        given = request.query_params
        facility = gate_of(request, self._gate, self._configuration)
        if isinstance(facility, Response):
            return facility
        try:
            at_us = time_of(given["at"], self._configuration) if given.get("at") else None
        except Wrong as wrong:
            return problem(400, wrong.name, wrong.detail)
        name = request.path_params["id"]
        try:
            found = await asyncio.to_thread(self._answer, facility, name, at_us)
        except SlowDown as error:
            return problem(503, "slow-down", str(error), {"Retry-After": "15"})
        except Unavailable as error:
            return problem(503, "log-away", str(error), {"Retry-After": "5"})
        if found is None:
            return problem(
                404, "not-found", f"the log holds no report {name[:80]!r} of facility {facility}"
            )
        return Response(msgspec.json.encode(found), media_type="application/json")

    def _answer(self, facility: str, name: str, at_us: int | None) -> dict[str, Any] | None:
        partition = self._partition_of(facility)
        with self._past.turn():
            report = find(self._log, partition, facility, name, at_us, self._monotonic)
        if report is None:
            return None
        stand = self._past.stand(question_of(report), report)
        book, zone = stand.engine.book, self._configuration.site.zone
        rules = [] if book is None else explain(book, report)
        overlay(rules, stand, report)
        answer: dict[str, Any] = {"id": name, "is": "report"} | shown(report, zone)
        answer |= {"rules": rules, "led_to": led_to(self._said, report, zone)}
        if self._amended is not None:
            own = self._amended.by_report([facility], name)
            answer["amended"] = [amendment_object(each, zone) for each in own]
        if not answer["led_to"] and not answer.get("amended"):
            answer["reason"] = "it changed no episode"
        return answer
