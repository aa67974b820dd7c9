"""The page: one document, two fragments it asks for again, one button.

The document is complete without script. The fragments are the same templates, so there is one
way to draw an incident; an unchanged one is answered 304, without being drawn.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.notify.api.forms import SAFE, own_form
from services.notify.api.glance import Glance
from services.notify.api.incidents import desk_away, refusal_problem
from services.notify.api.silence_orders import SilenceOrders
from services.notify.api.who import DEMO, Denied, Who
from services.notify.core.silence import Silence
from services.notify.pages.board import BoardMaker, last_resolved
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.facilities import FacilityStates, facility_rows
from services.notify.pages.render import Renderer, etag, static_files
from services.notify.port import ChannelText, NotifyPort, Refusal
from services.notify.session import COOKIE, LIFE_S
from shared.access import Principal
from shared.clock import Clock
from shared.errors import Unavailable, YujingError
from shared.model.configuration import Configuration
from shared.model.instants import Instant

FULL_CARDS = 30
"""Cards with history and a choice of person; in a storm the rest are short, with their button."""
RESOLVED_S = 10.0
"""How long the list of what recovered lately is kept while nothing is seen to recover."""
WORTH_PACKING = 4096
"""Bytes; below it gzip costs more than it saves."""


class Scene(msgspec.Struct, frozen=True):
    """The desk as one reader may see it, and a digest that changes when it does."""

    incidents: list[dict[str, Any]]
    phones: list[ChannelText]
    silences: list[Silence]
    digest: bytes


class View:
    """What one access entry sees, looked at once for all its open pages."""

    def __init__(
        self, desk: NotifyPort, principal: Principal, monotonic: Callable[[], float],
        silences: Callable[[Principal], list[Silence]],
    ) -> None:  # fmt: skip
        self._desk, self.principal, self._silences = desk, principal, silences
        self._unresolved: set[str] = set()
        self._monotonic = monotonic
        self._resolved: list[dict[str, Any]] = []
        self._resolved_until = float("-inf")
        self.scene = Glance(self._look, monotonic)
        self.board: tuple[str, bytes] = ("", b"")
        self.places: tuple[str, bytes] = ("", b"")

    def _look(self) -> Scene:
        sees = self.principal.sees
        incidents = [
            *self._desk.incidents("open", None, sees),
            *self._desk.incidents("acknowledged", None, sees),
        ]
        names = {str(incident["id"]) for incident in incidents}
        # There may be a thousand resolved ones. They change when one leaves the others, or while
        # nobody looked.
        if self._unresolved - names or self._monotonic() >= self._resolved_until:
            self._resolved_until = self._monotonic() + RESOLVED_S
            self._resolved = last_resolved(self._desk.incidents("resolved", None, sees))
        self._unresolved = names
        incidents += [one for one in self._resolved if one["id"] not in names]
        phones = self._desk.phones(sees)
        silences = self._silences(self.principal)
        content = msgspec.msgpack.encode((incidents, phones, silences))
        return Scene(incidents, phones, silences, hashlib.sha256(content).digest())


class Page:
    """Routes for people. `states` asks rules for facilities; None where it cannot be asked."""

    def __init__(
        self,
        desk: NotifyPort,
        configuration: Configuration,
        clock: Clock,
        who: Who,
        renderer: Renderer,
        words: Any,
        states: FacilityStates | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._desk, self._configuration, self._clock = desk, configuration, clock
        self._who, self._renderer, self._t, self._states = who, renderer, words, states
        self._maker = BoardMaker(configuration)
        self._orders = SilenceOrders(configuration)
        self._monotonic = monotonic
        self._states_now = Glance(self._ask_states, monotonic)
        self._views: dict[Principal, View] = {}
        self._files = static_files()

    def routes(self) -> list[Route]:
        return [
            Route("/", self.document, methods=["GET"]),
            Route("/session", self.sign_in, methods=["POST"]),
            Route("/session/end", self.sign_out, methods=["POST"]),
            Route("/page/board", self.board, methods=["GET"]),
            Route("/page/facilities", self.facilities, methods=["GET"]),
            Route("/page/acknowledge", self.acknowledge, methods=["POST"]),
            Route("/page/{name}", self.file, methods=["GET"]),
        ]

    async def document(self, request: Request) -> Response:
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            if "authorization" in request.headers:
                return principal.response()
            return self._html("sign_in.html", problem=None)
        return await self._document(principal)

    async def _document(self, principal: Principal, problem: str | None = None) -> Response:
        """The frame around both fragments, with their tags, so that script need not ask again."""
        now, view = self._clock.now(), self._view(principal)
        board_tag, board = await asyncio.to_thread(self._drawn_board, view, now)
        places_tag, places = await asyncio.to_thread(self._drawn_places, view, now)
        return self._html(
            "page.html",
            board=Markup(board.decode()),  # noqa: S704  our own template drew and escaped it
            board_tag=board_tag,
            places=Markup(places.decode()),  # noqa: S704
            places_tag=places_tag,
            now=self._clockwork(now).of(now),
            speed=self._speed(),
            signed_in=principal is not DEMO,
            problem=problem,
        )

    async def board(self, request: Request) -> Response:
        return await self._fragment(request, self._drawn_board)

    async def facilities(self, request: Request) -> Response:
        return await self._fragment(request, self._drawn_places)

    def _drawn_board(self, view: "View", now: Instant) -> tuple[str, bytes]:
        """(tag, HTML); drawn only when what it shows has changed."""
        scene = view.scene.get()
        clockwork = self._clockwork(now)
        tag = etag(scene.digest + str(clockwork.today).encode())
        if view.board[0] != tag:
            board = self._maker.board(scene.incidents, scene.phones, clockwork, scene.silences)
            view.board = (
                tag,
                self._renderer.html("board.html", board=board, full=FULL_CARDS).encode(),
            )
        return view.board

    def _drawn_places(self, view: "View", now: Instant) -> tuple[str, bytes]:
        states = self._states_now.get()
        sees = view.principal.sees
        rows = facility_rows(self._configuration, states or (), sees, self._clockwork(now))
        away = states is None
        tag = etag(msgspec.msgpack.encode((rows, away)))
        if view.places[0] != tag:
            html = self._renderer.html("facilities.html", rows=rows, away=away)
            view.places = (tag, html.encode())
        return view.places

    async def acknowledge(self, request: Request) -> Response:
        """One tap: with script the answer is JSON, without it the page itself."""
        principal = self._who.person(request)
        wants_json = "application/json" in request.headers.get("accept", "")
        if isinstance(principal, Denied):
            return principal.response() if wants_json else self._html("sign_in.html", problem=None)
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        incident = form.get("incident", "")
        territory = await asyncio.to_thread(self._desk.incident_territory, incident)
        result: dict[str, Any] | Refusal = Refusal("not-found", self._t["refused_not_found"])
        if territory is not None and principal.sees(territory):
            try:
                result = await asyncio.to_thread(
                    self._desk.acknowledge,
                    incident,
                    form.get("person", ""),
                    "page",
                    f"access {principal.id}",
                    self._clock.now(),
                )
            except Unavailable:
                return (
                    desk_away() if wants_json else await self._document(principal, self._t["away"])
                )
        self._forget()
        if not isinstance(result, Refusal):
            return _json(result) if wants_json else RedirectResponse("/", 303)
        said = self._refusal(result)
        if wants_json:
            return refusal_problem(Refusal(result.reason, said))
        return await self._document(principal, said)

    def _refusal(self, refusal: Refusal) -> str:
        return str(
            self._t[
                {
                    "not-found": "refused_not_found",
                    "resolved": "refused_resolved",
                    "unknown-person": "refused_person",
                }[refusal.reason]
            ]
        )

    async def sign_in(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        principal = self._who.by_token(form.get("token", ""))
        if isinstance(principal, Denied):
            said = self._t["wrong_token" if principal.status == 401 else "upstream_token"]
            return self._html("sign_in.html", principal.status, problem=said)
        answer = RedirectResponse("/", 303, SAFE)
        answer.set_cookie(
            COOKIE,
            self._who.session(principal),
            max_age=LIFE_S,
            httponly=True,
            samesite="strict",
            secure=self._configuration.site.base_url.startswith("https:"),
            path="/",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        answer = RedirectResponse("/", 303, SAFE)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    async def file(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            return self._html(
                "notice.html", 404, problem=self._t["not_found"], hint=self._t["not_found_hint"]
            )
        content, media, tag = found
        headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media, headers=headers)

    async def _form(self, request: Request) -> dict[str, str] | Response:
        return await own_form(request, self._who, self._renderer, self._t)

    def _view(self, principal: Principal) -> "View":
        """What pages of one access entry share; there are as many as entries."""
        view = self._views.get(principal)
        if view is None:
            view = self._views.setdefault(
                principal, View(self._desk, principal, self._monotonic, self._silences)
            )
        return view

    def _silences(self, principal: Principal) -> list[Silence]:
        now = self._clock.now()
        running = [each for each in self._desk.silences(now) if each.from_us <= now]
        return self._orders.seen(principal, running)

    def _forget(self) -> None:
        """Who answered sees at once what has become of it."""
        for view in list(self._views.values()):
            view.scene.forget()

    def _ask_states(self) -> Sequence[Mapping[str, Any]] | None:
        """None: rules cannot be asked now."""
        if self._states is None:
            return None
        try:
            return self._states()
        except YujingError:
            return None

    def _clockwork(self, now: Instant) -> Clockwork:
        site = self._configuration.site
        return Clockwork(now, site.zone, site.language)

    def _speed(self) -> float:
        """Program seconds a second; only a scenario clock has another than 1."""
        return float(getattr(self._clock, "speed", 1.0))

    async def _fragment(
        self, request: Request, draw: "Callable[[View, Instant], tuple[str, bytes]]"
    ) -> Response:
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            return principal.response()
        now = self._clock.now()
        tag, content = await asyncio.to_thread(draw, self._view(principal), now)
        headers = SAFE | {
            "ETag": tag,
            "Yujing-Now": str(now // 1000),
            "Yujing-Speed": repr(self._speed()),
            "Vary": "Accept-Encoding, Cookie, Authorization",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if len(content) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            content = await asyncio.to_thread(gzip.compress, content, 1)
            headers["Content-Encoding"] = "gzip"
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    def _html(self, template: str, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(self._renderer.html(template, **values), status, SAFE)


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers=SAFE)
