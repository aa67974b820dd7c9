"""What rules tell over HTTP: transitions in order, facilities and alerts as they stand."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.access import Gate, Principal
from shared.http.problems import problem
from shared.model.configuration import Configuration
from shared.model.instants import instant_text
from shared.model.standing import AlertNow
from shared.model.transition import Transition, transition_id, transition_object

MOST = 1_000
"""Transitions in one answer."""
LARGEST = (1 << 63) - 1
"""What SQLite can count to."""


class Standing(Protocol):
    """How facilities stand now; do not change what is returned."""

    def facilities(self) -> list[dict[str, Any]]: ...

    def alerts(self) -> list[AlertNow]: ...


class Said(Protocol):
    """Transitions by number."""

    def read(
        self, after_seq: int, limit: int, facilities: Sequence[str] | None = None
    ) -> list[tuple[int, Transition]]: ...


def routes(standing: Standing, said: Said, gate: Gate, configuration: Configuration) -> list[Route]:
    api = RulesApi(standing, said, gate, configuration)
    return [
        Route("/v1/transitions", api.transitions),
        Route("/v1/facilities", api.facilities),
        Route("/v1/alerts", api.alerts),
    ]


class RulesApi:
    def __init__(
        self, standing: Standing, said: Said, gate: Gate, configuration: Configuration
    ) -> None:
        self._standing, self._said, self._gate = standing, said, gate
        self._configuration = configuration
        self.zone = configuration.site.zone

    def reader(self, request: Request) -> Principal | Response:
        principal = self._gate.request(request)
        if principal is None:
            return problem(
                401, "unauthorized", "give the token as Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        if principal.kind == "upstream":
            return problem(403, "forbidden", "a token of an officer or operator is needed")
        return principal

    def _sees(self, principal: Principal, facility: str) -> bool:
        known = self._configuration.facilities.get(facility)
        return principal.visible is None or (known is not None and principal.sees(known.territory))

    async def transitions(self, request: Request) -> Response:
        """Of the facilities the reader may see; `seq` numbers all, so an officer finds gaps."""
        principal = self.reader(request)
        if isinstance(principal, Response):
            return principal
        after = whole(request.query_params.get("after", "0"), 0)
        limit = whole(request.query_params.get("limit", "100"), 1)
        if after is None or limit is None:
            return problem(
                400, "bad-number", "after is a whole number from 0, limit one from 1 to 1000"
            )
        found = await asyncio.to_thread(
            self._said.read, min(after, LARGEST), min(limit, MOST), self.facilities_of(principal)
        )
        shown = [
            {"id": transition_id(t, self.zone), "seq": seq} | transition_object(t, self.zone)
            for seq, t in found
        ]
        return answer({"transitions": shown, "next": found[-1][0] if found else after})

    def facilities_of(self, principal: Principal) -> list[str] | None:
        if principal.visible is None:
            return None
        known = self._configuration.facilities.values()
        return [facility.id for facility in known if principal.sees(facility.territory)]

    async def facilities(self, request: Request) -> Response:
        principal = self.reader(request)
        if isinstance(principal, Response):
            return principal
        found = await asyncio.to_thread(self._standing.facilities)
        return answer({"facilities": [f for f in found if principal.sees(f["territory"])]})

    async def alerts(self, request: Request) -> Response:
        """What is pending or firing; `state=normal` or `unknown` shows the rest."""
        principal = self.reader(request)
        if isinstance(principal, Response):
            return principal
        wanted = {key: request.query_params.get(key) for key in ("facility", "rule", "state")}
        states = (wanted["state"],) if wanted["state"] else ("pending", "firing")
        found = await asyncio.to_thread(self._standing.alerts)
        shown = [
            self._alert(alert)
            for alert in found
            if alert.state in states
            and wanted["facility"] in (None, "", alert.facility)
            and wanted["rule"] in (None, "", alert.rule)
            and self._sees(principal, alert.facility)
        ]
        return answer({"alerts": shown})

    def _alert(self, alert: AlertNow) -> dict[str, Any]:
        fields = msgspec.to_builtins(alert)
        started = fields.pop("episode_us")
        fields["episode"] = None if started is None else instant_text(started, self.zone)
        return dict(fields)


def whole(text: str, least: int) -> int | None:
    """A whole number of at most 30 digits, or None."""
    if not text.isascii() or not text.isdigit() or len(text) > 30:
        return None
    number = int(text)
    return number if number >= least else None


def answer(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
