"""`GET /v1/why/series`: which rules looked at a series at an instant, and what each of them said."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.rules.judged_again import By, Question
from services.rules.past import Past
from services.rules.series_why import answer
from shared.access import Gate
from shared.errors import SlowDown, Unavailable
from shared.http.problems import problem
from shared.http.query_route import QueryRoute
from shared.model.configuration import Configuration
from shared.model.instants import INTERVALS, parse_instant
from shared.reports.candidate import Reason

WAYS: dict[str, By | None] = {"": None, "log": "log", "observed": "observed"}


class Wrong(Exception):
    """Something in the query cannot be understood."""

    def __init__(self, name: Reason, detail: str) -> None:
        super().__init__(detail)
        self.name, self.detail = name, detail


def routes(past: Past, gate: Gate, configuration: Configuration) -> list[Route]:
    asked = SeriesWhy(past, gate, configuration)
    return [QueryRoute("/v1/why/series", asked.get, methods=["GET"])]


class SeriesWhy:
    def __init__(self, past: Past, gate: Gate, configuration: Configuration) -> None:
        self._past, self._gate, self._configuration = past, gate, configuration

    async def get(self, request: Request) -> Response:
        given = request.query_params
        facility = gate_of(request, self._gate, self._configuration)
        if isinstance(facility, Response):
            return facility
        try:
            asked = self._question(given, facility)
        except Wrong as wrong:
            return problem(400, wrong.name, wrong.detail)
        try:
            found = await asyncio.to_thread(self._found, asked)
        except SlowDown as error:
            return problem(503, "slow-down", str(error), {"Retry-After": "15"})
        except Unavailable as error:
            return problem(503, "log-away", str(error), {"Retry-After": "5"})
        return Response(msgspec.json.encode(found), media_type="application/json")

    def _found(self, asked: Question) -> dict[str, Any]:
        return answer(self._past.stand(asked), asked, self._configuration)

    def _question(self, given: Any, facility: str) -> Question:
        """What is asked.

        Raises:
            Wrong: something in the query.

        """
        station = given.get("station") or only_station(self._configuration, facility)
        if not station:
            raise Wrong("unknown-station", "this facility has several; give station=ID")
        indicator = given.get("indicator", "")
        if indicator not in self._configuration.indicators:
            raise Wrong("unknown-indicator", f"indicator {indicator[:40]!r} is not known")
        interval = given.get("interval") or "realtime"
        if interval not in INTERVALS:
            raise Wrong("bad-field", f"interval {interval[:40]!r}: {' '.join(INTERVALS)}")
        if given.get("by", "") not in WAYS:
            raise Wrong("bad-field", "by is log or observed")
        return Question(
            facility, station, indicator, interval,
            at_us=time_of(given.get("at", ""), self._configuration),
            by=WAYS[given.get("by", "")],
        )  # fmt: skip


def gate_of(request: Request, gate: Gate, configuration: Configuration) -> str | Response:
    """The facility of the query, or why this asker is told nothing about it."""
    principal = gate.request(request)
    if principal is None:
        return problem(
            401, "unauthorized", "give the token as Authorization: Bearer TOKEN",
            {"WWW-Authenticate": "Bearer"},
        )  # fmt: skip
    if principal.kind == "upstream":
        return problem(403, "forbidden", "a token of an officer or operator is needed")
    facility = configuration.facilities.get(request.query_params.get("facility", ""))
    if facility is None or not principal.sees(facility.territory):
        return problem(404, "not-found", "there is no such facility for you; give facility=ID")
    return facility.id


def only_station(configuration: Configuration, facility: str) -> str | None:
    stations = configuration.stations_of(facility)
    return stations[0].id if len(stations) == 1 else None


def time_of(text: str, configuration: Configuration) -> int:
    """An instant of the query; a `+08:00` that was not escaped arrives as a blank."""
    head, blank, tail = text.rpartition(" ")
    repaired = f"{head}+{tail}" if blank and "T" in head and ":" in head else text
    try:
        return parse_instant(repaired, configuration.site.zone)
    except ValueError as error:
        raise Wrong("bad-time", f"at: {error}; give at=TIME") from error
