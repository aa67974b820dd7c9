"""`GET /v1/why/person`: why a person had, or had not, a message at an instant."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notify.api.incidents import offset_repaired
from services.notify.api.who import Denied, Who
from services.notify.port import NotifyPort
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.http.query_route import QueryRoute
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant


class PersonWhyApi:
    """An officer asks about people of his territory and below; another person does not exist."""

    def __init__(self, desk: NotifyPort, configuration: Configuration, who: Who) -> None:
        self._desk, self._configuration, self._who = desk, configuration, who

    def routes(self) -> list[Route]:
        return [QueryRoute("/v1/why/person", self.get, methods=["GET"])]

    async def get(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        given = request.query_params
        known = self._configuration.people.get(given.get("person", ""))
        if known is None or not principal.sees(known.territory):
            return problem(404, "not-found", "there is no such person for you; give person=ID")
        try:
            at = parse_instant(offset_repaired(given.get("at", "")), self._configuration.site.zone)
        except ValueError as error:
            return problem(400, "bad-time", f"at: {error}")
        try:
            found = await asyncio.to_thread(self._desk.why_person, known.id, at, principal.sees)
        except Unavailable as error:
            return problem(503, "log-away", str(error), {"Retry-After": "5"})
        return Response(msgspec.json.encode(found), media_type="application/json")
