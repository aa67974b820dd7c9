"""`/a/TOKEN`: the signed link of a mail. Looking shows what is so now; only POST acknowledges.

Mail scanners and previews fetch every address of a mail, some with HEAD; none of them presses a
button. The token is the authority: no cookie, no session, no Origin is asked for.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.notify.api.forms import SAFE
from services.notify.api.incidents import desk_away
from services.notify.pages.board import BoardMaker
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.render import Renderer
from services.notify.port import NotifyPort
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.configuration import Configuration

LinkReader = Callable[[str], tuple[str, str] | None]
"""TOKEN -> (incident, person), or None when it is not genuine."""


class LinkPage:
    def __init__(
        self,
        desk: NotifyPort,
        configuration: Configuration,
        clock: Clock,
        renderer: Renderer,
        words: Mapping[str, str],
        read_link: LinkReader,
    ) -> None:
        self._desk, self._configuration, self._clock = desk, configuration, clock
        self._renderer, self._t, self._read_link = renderer, words, read_link
        self._maker = BoardMaker(configuration)

    def routes(self) -> list[Route]:
        return [Route("/a/{token}", self.link, methods=["GET", "HEAD", "POST"])]

    async def link(self, request: Request) -> Response:
        named = self._read_link(request.path_params["token"])
        if named is None:
            return self._gone()
        incident, person = named
        now = self._clock.now()
        if not await asyncio.to_thread(self._desk.link_alive, incident, now):
            return self._gone()
        if request.method == "POST":
            try:
                # A refusal (recovered meanwhile, person left) shows in what is drawn below.
                await asyncio.to_thread(self._desk.acknowledge, incident, person, "link", "", now)
            except Unavailable:
                return desk_away()
        found = await asyncio.to_thread(self._desk.incident, incident)
        return self._gone() if found is None else self._shown(found, person)

    def _shown(self, incident: dict[str, Any], person: str) -> Response:
        site = self._configuration.site
        clockwork = Clockwork(self._clock.now(), site.zone, site.language)
        card = self._maker.card(incident, clockwork)
        html = self._renderer.html("link.html", card=card, person=self._maker.name(person))
        return HTMLResponse(html, 200, SAFE)

    def _gone(self) -> Response:
        html = self._renderer.html(
            "notice.html", problem=self._t["not_found"], hint=self._t["not_found_hint"]
        )
        return HTMLResponse(html, 404, SAFE)
