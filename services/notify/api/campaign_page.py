"""The page of campaigns: what runs where, what it changes, and what it made different."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.notify.api.forms import SAFE
from services.notify.api.who import Denied, Who
from services.notify.pages.campaign_view import CampaignView
from services.notify.pages.clockwork import Clockwork
from services.notify.pages.render import Renderer
from shared.access import Principal
from shared.clock import Clock
from shared.model.configuration import Configuration
from shared.model.rule import Campaign

ReportOf = Callable[[Campaign], str | None]
"""The report of a campaign that has ended; None while there is none."""


class CampaignPage:
    """Read only. Without `report_of` it shows campaigns alone."""

    def __init__(
        self, configuration: Configuration, clock: Clock, who: Who, renderer: Renderer,
        report_of: ReportOf | None,
    ) -> None:  # fmt: skip
        self._c, self._clock, self._who, self._renderer = configuration, clock, who, renderer
        self._view = CampaignView(configuration, report_of)

    def routes(self) -> list[Route]:
        return [Route("/campaigns", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        principal = self._who.person(request)
        if isinstance(principal, Denied):
            return HTMLResponse(self._renderer.html("sign_in.html", problem=None), 200, SAFE)
        return HTMLResponse(await asyncio.to_thread(self._drawn, principal), 200, SAFE)

    def _drawn(self, principal: Principal) -> Any:
        clock = Clockwork(self._clock.now(), self._c.site.zone, self._c.site.language)
        cards = self._view.cards(principal.sees, clock)
        return self._renderer.html("campaigns.html", cards=cards, now=clock.of(clock.now))
