"""Silences over HTTP: who asks not to be told of what, until when, and why."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.notify.api.incidents import LONGEST_BODY, TooLong, bounded_body, desk_away
from services.notify.api.who import Denied, Who
from services.notify.core.silence import Silence, silence_id
from services.notify.port import NotifyPort
from shared.access import Principal
from shared.clock import Clock
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.model.configuration import Configuration
from shared.model.instants import Instant, instant_text, parse_instant

T = TypeVar("T")
LONGEST_REASON = 200
LONGEST_US = 30 * 86_400_000_000
"""A silence of more than a month is a rule to be changed."""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facility: str | None = None
    territory: str | None = None
    rule: tuple[str, ...] = ()


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match: Match
    reason: str
    until: str
    person: str


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    person: str


class SilencesApi:
    """An officer silences his own territory, an operator any."""

    def __init__(
        self, desk: NotifyPort, configuration: Configuration, clock: Clock, who: Who
    ) -> None:
        self._desk, self._c, self._clock, self._who = desk, configuration, clock, who

    def routes(self) -> list[Route]:
        return [
            Route("/v1/silences", self.many, methods=["GET"]),
            Route("/v1/silences", self.begin, methods=["POST"]),
            Route("/v1/silences/{id}/end", self.end, methods=["POST"]),
        ]

    async def many(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        found = await asyncio.to_thread(self._desk.silences, self._clock.now())
        return _json({"silences": [self._shown(e) for e in found if self._sees(principal, e)]})

    async def begin(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        wish = await _read(request, Wish)
        if isinstance(wish, Response):
            return wish
        silence = self._silence(principal, wish)
        if isinstance(silence, Response):
            return silence
        return await self._done(lambda: self._desk.silence(silence), 201)

    async def end(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        order = await _read(request, End)
        if isinstance(order, Response):
            return order
        if order.person not in self._c.people:
            return _unknown_person(order.person)
        id_ = request.path_params["id"]
        found = await asyncio.to_thread(self._desk.silences, self._clock.now())
        if not any(each.id == id_ and self._sees(principal, each) for each in found):
            return problem(404, "not-found", "no silence of this id is in force for you")
        return await self._done(lambda: self._desk.end_silence(id_, order.person), 200)

    async def _done(self, act: Callable[[], Silence | None], status: int) -> Response:
        try:
            made = await asyncio.to_thread(act)
        except Unavailable:
            return desk_away()
        if made is None:
            return problem(422, "too-many", "too many silences are in force, or this one is over")
        return _json(self._shown(made), status)

    def _silence(self, principal: Principal, wish: Wish) -> Silence | Response:
        """The wish, checked; or what is wrong with it."""
        match, now = wish.match, self._clock.now()
        if (match.facility is None) == (match.territory is None):
            return problem(422, "bad-field", "give either facility or territory", pointer="/match")
        if not self._may(principal, match.facility, match.territory):
            return problem(404, "not-found", "there is no such facility or territory for you")
        if wish.person not in self._c.people:
            return _unknown_person(wish.person)
        for rule in match.rule:
            if rule not in self._c.rules:
                said = f"rule {rule[:40]!r} does not exist"
                return problem(422, "bad-field", said, pointer="/match/rule")
        if not 0 < len(wish.reason.strip()) <= LONGEST_REASON:
            said = f"say why, in at most {LONGEST_REASON} characters"
            return problem(422, "bad-field", said, pointer="/reason")
        try:
            until = parse_instant(wish.until, self._c.site.zone)
        except ValueError as error:
            return problem(422, "bad-time", f"until: {error}", pointer="/until")
        if not now < until <= now + LONGEST_US:
            said = "until lies in the past, or more than 30 days ahead"
            return problem(422, "bad-time", said, pointer="/until")
        reason = wish.reason.strip()
        id_ = silence_id(match.facility, match.territory, match.rule, reason, wish.person, until)
        return Silence(
            id_, match.facility, match.territory, match.rule, reason, wish.person, now, until
        )

    def _may(self, principal: Principal, facility: str | None, territory: str | None) -> bool:
        if facility is not None:
            known = self._c.facilities.get(facility)
            return known is not None and principal.sees(known.territory)
        return territory in self._c.territories and principal.sees(str(territory))

    def _sees(self, principal: Principal, silence: Silence) -> bool:
        return principal.visible is None or self._may(
            principal, silence.facility, silence.territory
        )

    def _shown(self, silence: Silence) -> dict[str, Any]:
        def time(at: Instant) -> str:
            return instant_text(at, self._c.site.zone)

        match: dict[str, Any] = {"rule": list(silence.rules)} if silence.rules else {}
        key = "facility" if silence.facility is not None else "territory"
        return {
            "id": silence.id,
            "match": {key: silence.facility or silence.territory, **match},
            "reason": silence.reason,
            "person": silence.person,
            "from": time(silence.from_us),
            "until": time(silence.until_us),
        }


async def _read(request: Request, kind: type[T]) -> T | Response:
    try:
        return msgspec.json.decode(await bounded_body(request, LONGEST_BODY), type=kind)
    except ClientDisconnect:
        return Response(status_code=400)
    except TooLong:
        return problem(413, "too-large", f"the body is over {LONGEST_BODY} bytes")
    except msgspec.ValidationError as error:
        return problem(422, "bad-field", str(error))
    except msgspec.DecodeError as error:
        return problem(400, "bad-json", f"the body is not JSON: {error}")


def _unknown_person(person: str) -> Response:
    said = f"person {person[:40]!r} is not in people.yaml"
    return problem(422, "bad-field", said, pointer="/person")


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
