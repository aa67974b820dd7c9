"""What rules tell over HTTP: transitions in order, facilities and alerts as they stand."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.rules.store import RulesStore
from services.rules.worker import RulesWorker
from shared.access import Gate, Principal
from shared.http.problems import problem
from shared.model.configuration import Configuration
from shared.model.transition import transition_id, transition_object

MOST = 1_000


def routes(
    worker: RulesWorker, store: RulesStore, gate: Gate, configuration: Configuration
) -> list[Route]:
    api = RulesApi(worker, store, gate, configuration)
    return [
        Route("/v1/transitions", api.transitions),
        Route("/v1/facilities", api.facilities),
        Route("/v1/alerts", api.alerts),
    ]


class RulesApi:
    def __init__(
        self, worker: RulesWorker, store: RulesStore, gate: Gate, configuration: Configuration
    ) -> None:
        self._worker, self._store, self._gate = worker, store, gate
        self._configuration = configuration
        self._zone = configuration.site.zone

    def _reader(self, request: Request) -> Principal | Response:
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
        principal = self._reader(request)
        if isinstance(principal, Response):
            return principal
        try:
            after = int(request.query_params.get("after", "0"))
            limit = int(request.query_params.get("limit", "100"))
        except ValueError:
            return problem(400, "bad-number", "after and limit are whole numbers")
        if limit < 1 or after < 0:
            return problem(400, "bad-number", "limit is at least 1, after at least 0")
        found = await asyncio.to_thread(self._store.read, after, min(limit, MOST))
        shown = [
            {"id": transition_id(t, self._zone), "seq": seq} | transition_object(t, self._zone)
            for seq, t in found
            if self._sees(principal, t.facility)
        ]
        return _json({"transitions": shown, "next": found[-1][0] if found else after})

    async def facilities(self, request: Request) -> Response:
        principal = self._reader(request)
        if isinstance(principal, Response):
            return principal
        found = await asyncio.to_thread(self._worker.facilities)
        return _json({"facilities": [f for f in found if principal.sees(f["territory"])]})

    async def alerts(self, request: Request) -> Response:
        principal = self._reader(request)
        if isinstance(principal, Response):
            return principal
        wanted = {key: request.query_params.get(key) for key in ("facility", "rule", "state")}
        found = await asyncio.to_thread(self._worker.alerts)
        shown: list[dict[str, Any]] = [
            msgspec.to_builtins(alert)
            for alert in found
            if self._sees(principal, alert.facility)
            and wanted["facility"] in (None, alert.facility)
            and wanted["rule"] in (None, alert.rule)
            and (alert.state == wanted["state"] if wanted["state"] else alert.state != "normal")
        ]
        return _json({"alerts": shown})


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
