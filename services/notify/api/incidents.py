"""JSON for programs: incidents, acknowledgements, duty, why and the ledger (contract §4).

What lies outside a principal's territory does not exist for it: 404, never 403.
"""

import asyncio
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.notify.api.who import Denied, Who
from services.notify.port import NotifyPort, Refusal
from shared.access import Principal
from shared.clock import Clock
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant

STATES = ("open", "acknowledged", "resolved")
LONGEST_BODY = 64 * 1024
MOST_TEXTS = 1_000
LONGEST_NOTE = 2_000
"""Characters; a note is kept in the ledger for good."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an acknowledgement."""

    person: str
    note: str | None = None


class IncidentsApi:
    """Every route reads the header only; the page has its own routes."""

    def __init__(
        self,
        desk: NotifyPort,
        configuration: Configuration,
        clock: Clock,
        who: Who,
    ) -> None:
        self._desk, self._configuration, self._clock, self._who = desk, configuration, clock, who

    def routes(self) -> list[Route]:
        return [
            Route("/v1/incidents", self.many, methods=["GET"]),
            Route("/v1/incidents/{id}", self.one, methods=["GET"]),
            Route("/v1/incidents/{id}/acknowledgements", self.acknowledge, methods=["POST"]),
            Route("/v1/duty", self.duty, methods=["GET"]),
            Route("/v1/why/{id:path}", self.why, methods=["GET"]),
            Route("/v1/texts", self.texts, methods=["GET"]),
            Route("/v1/audit", self.audit, methods=["GET"]),
            Route("/v1/audit/{id}", self.ledger, methods=["GET"]),
        ]

    async def many(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        state = request.query_params.get("state") or None
        if state is not None and state not in STATES:
            return problem(400, "bad-field", f"state {state[:40]!r}: one of {', '.join(STATES)}")
        facility = request.query_params.get("facility") or None
        found = await asyncio.to_thread(self._desk.incidents, state, facility, principal.sees)
        return _json({"incidents": found})

    async def one(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        incident = request.path_params["id"]
        found = None
        if await self._is_visible(principal, incident):
            found = await asyncio.to_thread(self._desk.incident, incident)
        return _json(found) if found is not None else no_incident()

    async def acknowledge(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        incident = request.path_params["id"]
        if not await self._is_visible(principal, incident):
            return no_incident()
        try:
            order = msgspec.json.decode(await bounded_body(request, LONGEST_BODY), type=Order)
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLong:
            return problem(413, "too-large", f"the body is over {LONGEST_BODY} bytes")
        except msgspec.ValidationError as error:
            return problem(422, "bad-field", f'{error}; send {{"person": …, "note": …}}')
        except msgspec.DecodeError as error:
            return problem(400, "bad-json", f"the body is not JSON: {error}")
        if len(order.note or "") > LONGEST_NOTE:
            return problem(
                422, "bad-field", f"note: at most {LONGEST_NOTE} characters", pointer="/note"
            )
        return await self._acknowledged(incident, order)

    async def _acknowledged(self, incident: str, order: Order) -> Response:
        try:
            result = await asyncio.to_thread(
                self._desk.acknowledge,
                incident,
                order.person,
                "api",
                order.note or "",
                self._clock.now(),
            )
        except Unavailable:
            return desk_away()
        if isinstance(result, Refusal):
            return refusal_problem(result)
        return _json(result)

    async def duty(self, request: Request) -> Response:
        """Who holds which role at an instant; without `at`, now."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        given = request.query_params
        at = self._clock.now()
        if given.get("at"):
            try:
                at = parse_instant(offset_repaired(given["at"]), self._configuration.site.zone)
            except ValueError as error:
                return problem(400, "bad-time", f"at: {error}")
        territory = given.get("territory") or None
        if territory is not None and not (
            territory in self._configuration.territories and principal.sees(territory)
        ):
            return problem(404, "not-found", f"there is no territory {territory[:40]!r} for you")
        found = await asyncio.to_thread(self._desk.duty, territory, given.get("role") or None, at)
        seen = [entry for entry in found if principal.sees(str(entry.get("territory", territory)))]
        return _json({"duty": found if territory is not None else seen})

    async def why(self, request: Request) -> Response:
        """The reasons before and after a report, transition, incident or notification."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        found = await asyncio.to_thread(self._desk.why, request.path_params["id"])
        if found is None or not self._may_know(principal, found):
            return problem(
                404,
                "not-found",
                "no report, transition, incident or notification of this id is known here",
            )
        return _json(found)

    def _may_know(self, principal: Principal, answer: dict[str, Any]) -> bool:
        """An answer names its territory, or the facility it is about."""
        if principal.visible is None:
            return True
        facility = self._configuration.facilities.get(str(answer.get("facility", "")))
        territory = answer.get("territory") or (facility.territory if facility else None)
        return territory is not None and principal.sees(str(territory))

    async def texts(self, request: Request) -> Response:
        """The newest texts that a provider took, newest last; all of them, so for operators."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        if principal.visible is not None:
            return problem(403, "forbidden", "a token of an operator is needed")
        return _json({"texts": await asyncio.to_thread(self._desk.texts, MOST_TEXTS)})

    async def audit(self, request: Request) -> Response:
        """Check every hash chain; the whole ledger is the operator's."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        if principal.visible is not None:
            return problem(403, "forbidden", "the whole ledger is checked by an operator")
        broken = await asyncio.to_thread(self._desk.audit_verify)
        return _json({"audit": broken, "intact": not broken})

    async def ledger(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        incident, entries = request.path_params["id"], None
        # A silence has a chain of its own; for an officer it stands in /v1/silences/ID.
        if principal.visible is None or await self._is_visible(principal, incident):
            entries = await asyncio.to_thread(self._desk.audit_export, incident)
        if entries is None:
            return no_incident()
        return _json({"incident": incident, "ledger": entries})

    async def _is_visible(self, principal: Principal, incident: str) -> bool:
        territory = await asyncio.to_thread(self._desk.incident_territory, incident)
        return territory is not None and principal.sees(territory)


class TooLong(Exception):
    """A body over its bound."""


async def bounded_body(request: Request, most: int) -> bytes:
    """The body, read no further than its bound, whatever Content-Length says."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise TooLong
        pieces.append(piece)
    return b"".join(pieces)


def offset_repaired(text: str) -> str:
    """A `+08:00` that was not escaped arrives as a blank and 08:00."""
    head, blank, tail = text.rpartition(" ")
    return f"{head}+{tail}" if blank and "T" in head and ":" in head else text


def refusal_problem(refusal: Refusal) -> Response:
    if refusal.reason == "not-found":
        return no_incident()
    if refusal.reason == "resolved":
        return problem(409, "resolved", refusal.detail)
    return problem(422, "bad-field", refusal.detail, pointer="/person")


def no_incident() -> Response:
    return problem(404, "not-found", "there is no incident of this id for you")


def desk_away() -> Response:
    return problem(
        503, "log-away", "this cannot be written down now; send it again", {"Retry-After": "5"}
    )


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
