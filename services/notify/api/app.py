"""All HTTP routes of notify, put together from its parts."""

from collections.abc import Callable

from starlette.routing import Route

from services.notify.api.callbacks import Callbacks, StatusReader
from services.notify.api.campaign_page import CampaignPage, ReportOf
from services.notify.api.incidents import IncidentsApi
from services.notify.api.link_page import LinkPage, LinkReader
from services.notify.api.page import Page
from services.notify.api.person_why import PersonWhyApi
from services.notify.api.silence_page import SilencePage
from services.notify.api.silences import SilencesApi
from services.notify.api.who import Who
from services.notify.pages.facilities import FacilityStates
from services.notify.pages.render import Renderer
from services.notify.pages.words import words
from services.notify.port import NotifyPort
from shared.clock import Clock, ScenarioClock, real_monotonic, real_wall
from shared.model.configuration import Configuration


def notify_routes(
    desk: NotifyPort,
    configuration: Configuration,
    clock: Clock,
    *,
    read_link: LinkReader,
    read_status: StatusReader,
    facility_states: FacilityStates | None = None,
    campaign_report: ReportOf | None = None,
    demo: bool = False,
    wall: Callable[[], float] = real_wall,
    monotonic: Callable[[], float] = real_monotonic,
) -> list[Route]:
    """What notify serves: `/v1/incidents duty why audit`, the page, links and callbacks.

    `facility_states` gives the objects of `GET /v1/facilities`; without it the page shows every
    facility as unknown. `campaign_report` finds what a campaign made different. `demo` lets a browser on loopback in without a token. `wall` is the
    machine's clock, for the life of sessions only; `monotonic` says how old a drawn page is.

    The server must not rewrite the client's address from headers (uvicorn: `proxy_headers=False`)
    and must not log queries: callbacks are admitted by TCP address and carry numbers.
    """
    t = words(configuration.site.language)
    drill = isinstance(clock, ScenarioClock)
    renderer = Renderer(t, configuration.site.name, drill=drill)
    who = Who(configuration, wall, demo=demo)
    return [
        *PersonWhyApi(desk, configuration, who).routes(),
        *IncidentsApi(desk, configuration, clock, who).routes(),
        *SilencesApi(desk, configuration, clock, who).routes(),
        *CampaignPage(configuration, clock, who, renderer, campaign_report).routes(),
        *SilencePage(desk, configuration, clock, who, renderer, t).routes(),
        *Callbacks(desk, configuration.channels, clock, read_status).routes(),
        *LinkPage(desk, configuration, clock, renderer, t, read_link).routes(),
        *Page(desk, configuration, clock, who, renderer, t, facility_states, monotonic).routes(),
    ]
