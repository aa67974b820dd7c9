"""Silences over HTTP: who asks not to be told of what, until when, why, and what that hid."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.notify.api.incidents import LONGEST_BODY, TooLong, bounded_body, desk_away
from services.notify.api.silence_orders import SilenceOrders, Wish, Wrong, unknown_person
from services.notify.api.who import Denied, Who
from services.notify.core.silence import Hid, Silence
from services.notify.port import NotifyPort
from shared.access import Principal
from shared.clock import Clock
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.model.configuration import Configuration
from shared.model.instants import Instant, instant_text

T = TypeVar("T")
ENDED_US = 7 * 86_400_000_000
"""How long one that ended is listed; `/v1/silences/ID` finds it as long."""
MOST_HID = 200
"""Incidents named in one answer; `hid_count` says how many there are."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    person: str


class SilencesApi:
    """An officer silences his own territory, an operator any."""

    def __init__(
        self, desk: NotifyPort, configuration: Configuration, clock: Clock, who: Who
    ) -> None:
        self._desk, self._clock, self._who = desk, clock, who
        self._zone = configuration.site.zone
        self._orders = SilenceOrders(configuration)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/silences", self.many, methods=["GET"]),
            Route("/v1/silences", self.begin, methods=["POST"]),
            Route("/v1/silences/{id}", self.one, methods=["GET"]),
            Route("/v1/silences/{id}/end", self.end, methods=["POST"]),
        ]

    async def many(self, request: Request) -> Response:
        """Those in force; with `ended=1` also those that ended within seven days."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        back = ENDED_US if request.query_params.get("ended") in ("1", "true") else 0
        found = await self._found(principal, back)
        hid = await asyncio.to_thread(self._desk.hid_by, found)
        his = {id_: self._orders.his(principal, each) for id_, each in hid.items()}
        return _json({"silences": [self._shown(each, his.get(each.id, ())) for each in found]})

    async def one(self, request: Request) -> Response:
        """One silence with every incident it hid, and its own ledger."""
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        id_ = request.path_params["id"]
        for each in await self._found(principal, ENDED_US):
            if each.id == id_:
                ledger = await asyncio.to_thread(self._desk.audit_export, id_)
                return _json(await self._whole(principal, each) | {"ledger": ledger or []})
        return problem(404, "not-found", "no silence of this id for you in the last seven days")

    async def begin(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        wish = await _read(request, Wish)
        if isinstance(wish, Response):
            return wish
        silence = self._orders.made(principal, wish, self._clock.now())
        if isinstance(silence, Wrong):
            return _wrong(silence)
        return await self._done(
            principal, lambda: self._desk.silence(silence, "api", principal.id), 201
        )

    async def end(self, request: Request) -> Response:
        principal = self._who.reader(request)
        if isinstance(principal, Denied):
            return principal.response()
        order = await _read(request, End)
        if isinstance(order, Response):
            return order
        if not self._orders.knows(order.person):
            return _wrong(unknown_person(order.person))
        id_ = request.path_params["id"]
        found = [each for each in await self._found(principal, 0) if each.id == id_]
        if not found or not self._orders.may_end(principal, found[0]):
            return problem(404, "not-found", "no silence of this id is in force for you")
        return await self._done(
            principal,
            lambda: self._desk.end_silence(id_, order.person, "api", principal.id),
            200,
        )

    async def _found(self, principal: Principal, back_us: int) -> list[Silence]:
        since = Instant(self._clock.now() - back_us)
        found = await asyncio.to_thread(self._desk.silences, since)
        return self._orders.seen(principal, found)

    async def _done(
        self, principal: Principal, act: Callable[[], Silence | None], status: int
    ) -> Response:
        try:
            made = await asyncio.to_thread(act)
        except Unavailable:
            return desk_away()
        if made is None:
            return problem(422, "too-many", "too many silences are in force, or this one is over")
        return _json(await self._whole(principal, made), status)

    async def _whole(self, principal: Principal, silence: Silence) -> dict[str, Any]:
        found = await asyncio.to_thread(self._desk.hid_by, [silence])
        hid = self._orders.his(principal, found.get(silence.id, []))
        return self._shown(silence, hid) | {"hid": [self._hid(each) for each in hid[:MOST_HID]]}

    def _shown(self, silence: Silence, hid: Sequence[Hid]) -> dict[str, Any]:
        match: dict[str, Any] = {"rule": list(silence.rules)} if silence.rules else {}
        key = "facility" if silence.facility is not None else "territory"
        shown = {
            "id": silence.id,
            "match": {key: silence.facility or silence.territory, **match},
            "reason": silence.reason,
            "person": silence.person,
            "from": self._time(silence.from_us),
            "until": self._time(silence.until_us),
            "state": silence.state_at(self._clock.now()),
            "hid_count": len(hid),
        }
        if silence.up_to is not None:
            shown["up_to"] = silence.up_to.value
        if silence.ended_by:
            shown["ended_by"] = silence.ended_by
        return shown

    def _hid(self, hid: Hid) -> dict[str, Any]:
        return {
            "incident": hid.incident, "facility": hid.facility, "severity": hid.severity.value,
            "rules": list(hid.rules), "since": self._time(hid.since_us), "times": hid.times,
            "state": hid.state,
            "resolved_at": None if hid.resolved_us is None else self._time(hid.resolved_us),
        }  # fmt: skip

    def _time(self, at: int) -> str:
        return instant_text(at, self._zone)


def _wrong(wrong: Wrong) -> Response:
    return problem(wrong.status, wrong.problem, wrong.said, pointer=wrong.pointer)


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


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
