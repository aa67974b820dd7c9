"""The page of silences: which run, what each hid, a form for a new one, and an end for each."""

import asyncio
import gzip
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.notify.api.forms import SAFE, own_form
from services.notify.api.silence_orders import Match, SilenceOrders, Wish, Wrong, unknown_person
from services.notify.api.silences import ENDED_US
from services.notify.api.who import Denied, Who
from services.notify.core.silence import Silence
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.render import Renderer
from services.notify.pages.silence_view import MOST_IN_SELECT, SilenceForm, SilenceView
from services.notify.port import NotifyPort
from shared.access import Principal
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.configuration import Configuration
from shared.model.instants import Instant, instant_text, parse_instant
from shared.model.severity import Severity

MOST_ENDED = 50
"""Shown; all of seven days are at `/v1/silences?ended=1`."""
HOUR_US = 3_600_000_000
WORTH_PACKING = 4096
"""Bytes; below it gzip costs more than it saves."""


class SilencePage:
    """Works without script; the cookie, the header or demo mode lets in, as on the duty page."""

    def __init__(
        self, desk: NotifyPort, configuration: Configuration, clock: Clock, who: Who,
        renderer: Renderer, t: Any,
    ) -> None:  # fmt: skip
        self._desk, self._c, self._clock, self._who = desk, configuration, clock, who
        self._renderer, self._t = renderer, t
        self._orders, self._view = SilenceOrders(configuration), SilenceView(configuration)

    def routes(self) -> list[Route]:
        return [
            Route("/silences", self.show, methods=["GET"]),
            Route("/silences", self.begin, methods=["POST"]),
            Route("/silences/{id}/end", self.end, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """`?facility=ID` fills the place in."""
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            return self._sign_in()
        wanted = request.query_params.get("facility", "")
        known = self._c.facilities.get(wanted)
        place = f"{known.name} {known.id}" if known and principal.sees(known.territory) else ""
        return await self._page(request, principal, SilenceForm(place=place))

    async def begin(self, request: Request) -> Response:
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            return self._sign_in()
        fields = await own_form(request, self._who, self._renderer, self._t)
        if isinstance(fields, Response):
            return fields
        typed = {name: fields.get(name, "")[:400] for name in SilenceForm.__struct_fields__}
        form = SilenceForm(**typed)
        silence = self._silence(principal, form)
        if isinstance(silence, Wrong):
            return await self._page(request, principal, form, silence.key, silence.status)
        try:
            made = await asyncio.to_thread(self._desk.silence, silence, "page", principal.id)
        except Unavailable:
            return await self._page(request, principal, form, "silence_away", 503)
        if made is None:
            return await self._page(request, principal, form, "silence_full", 422)
        return RedirectResponse(f"/silences#{made.id}", 303, SAFE)

    def _silence(self, principal: Principal, form: SilenceForm) -> Silence | Wrong:
        place = self._view.chosen_place(form.place, principal.sees)
        if place is None:
            return Wrong("silence_no_place", "no such place", "place")
        rule = self._view.chosen_rule(form.rule) if form.rule.strip() else ""
        if rule is None:
            return Wrong("silence_no_rule", "no such rule", "rule")
        if form.up_to not in {each.value for each in Severity}:
            return Wrong("silence_no_level", "no such severity", "up_to")
        now, until = self._clock.now(), form.until.strip()
        if not until:
            hours = form.hours if form.hours.isascii() and form.hours.isdigit() else "0"
            begin = self._begin(form.begin, now)
            until = instant_text(Instant(begin + int(hours[:4]) * HOUR_US), self._c.site.zone)
        wish = Wish(
            Match(*place, (rule,) if rule else ()), form.reason, until,
            self._view.chosen_person(form.person),
            Severity(form.up_to), form.begin.strip() or None,
        )  # fmt: skip
        return self._orders.made(principal, wish, now)

    def _begin(self, text: str, now: Instant) -> Instant:
        """Now where it is not a time: that is refused with the order."""
        try:
            return max(now, parse_instant(text.strip(), self._c.site.zone))
        except ValueError:
            return now

    async def end(self, request: Request) -> Response:
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            return self._sign_in()
        fields = await own_form(request, self._who, self._renderer, self._t)
        if isinstance(fields, Response):
            return fields
        person, id_ = self._view.chosen_person(fields.get("person", "")), request.path_params["id"]
        if not self._orders.knows(person):
            key = unknown_person(person).key
            return await self._page(request, principal, SilenceForm(), key, 422)
        found = await asyncio.to_thread(self._desk.silences, self._clock.now())
        his = [each for each in found if self._orders.may_end(principal, each)]
        ended = None
        if any(each.id == id_ for each in his):
            try:
                ended = await asyncio.to_thread(
                    self._desk.end_silence, id_, person, "page", principal.id
                )
            except Unavailable:
                return await self._page(request, principal, SilenceForm(), "silence_away", 503)
        if ended is None:
            return await self._page(request, principal, SilenceForm(), "silence_over", 404)
        return RedirectResponse(f"/silences#{id_}", 303, SAFE)

    async def _page(
        self, request: Request, principal: Principal, form: SilenceForm,
        key: str | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        html = await asyncio.to_thread(self._drawn, principal, form, key)
        content, headers = html.encode(), SAFE | {"Vary": "Accept-Encoding, Cookie, Authorization"}
        if len(content) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            content = await asyncio.to_thread(gzip.compress, content, 1)
            headers["Content-Encoding"] = "gzip"
        return Response(content, status, headers, media_type="text/html; charset=utf-8")

    def _drawn(self, principal: Principal, form: SilenceForm, key: str | None) -> str:
        now, view = self._clock.now(), self._view
        clock = Clockwork(now, self._c.site.zone, self._c.site.language)
        found = self._orders.seen(principal, self._desk.silences(Instant(now - ENDED_US)))
        running = [each for each in found if each.until_us > now]
        over = [each for each in reversed(found) if each.until_us <= now][:MOST_ENDED]
        hid = self._desk.hid_by([*running, *over])
        running_cards, over_cards = (
            [
                view.card(
                    each, self._orders.his(principal, hid.get(each.id, ())), clock,
                    may_end=self._orders.may_end(principal, each),
                )
                for each in some
            ]
            for some in (running, over)
        )  # fmt: skip
        return self._renderer.html(
            "silences.html",
            running=running_cards, ended=over_cards, form=form, now=clock.of(now),
            problem=None if key is None else self._t[key],
            places=view.places(principal.sees), rules=view.rules(),
            people=view.people(principal.sees), hours=view.hours(),
            levels=view.levels(), most_in_select=MOST_IN_SELECT,
        )  # fmt: skip

    def _sign_in(self) -> Response:
        return HTMLResponse(self._renderer.html("sign_in.html", problem=None), 200, SAFE)
