"""Who is asking: a token in the header, a session cookie, or (demo) a browser on this machine."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from services.notify.session import COOKIE, Sessions
from shared.access import Gate, Principal
from shared.http.problems import problem
from shared.model.configuration import Configuration

DEMO = Principal("demo", "operator")


class Denied(msgspec.Struct, frozen=True):
    """401: nobody we know. 403: known, but an upstream has no business here."""

    status: int
    detail: str

    def response(self) -> Response:
        if self.status == 401:
            return problem(401, "unauthorized", self.detail, {"WWW-Authenticate": "Bearer"})
        return problem(403, "forbidden", self.detail)


class Who:
    """`reader` for JSON routes (header only); `person` for the page (also cookie and demo)."""

    def __init__(
        self, configuration: Configuration, wall: Callable[[], float], *, demo: bool = False
    ) -> None:
        self._gate = Gate(configuration)
        self._base = urlsplit(configuration.site.base_url).netloc
        self._wall, self._demo = wall, demo
        self.sessions = Sessions(configuration)

    def reader(self, request: HTTPConnection) -> Principal | Denied:
        return self._allowed(self._gate.principal(request.headers.get("authorization")))

    def by_token(self, token: str) -> Principal | Denied:
        return self._allowed(self._gate.by_token(token.strip()))

    def person(self, request: HTTPConnection) -> Principal | Denied:
        """A header that is there decides alone, so a wrong token is never hidden by a cookie."""
        if "authorization" in request.headers:
            return self.reader(request)
        token = self.sessions.token(request.cookies.get(COOKIE, ""), self._wall())
        if token is not None:
            return self.by_token(token)
        if self._demo and is_local_browser(request):
            return DEMO
        return Denied(401, "sign in with the token of an officer or operator")

    def session(self, principal: Principal) -> str:
        return self.sessions.begin(principal.id, self._wall())

    def is_own_page(self, request: HTTPConnection) -> bool:
        """May this POST act on a cookie? Browsers say where it comes from; programs say nothing.

        SameSite=Strict is the first wall; this one stands for demo mode, which has no cookie.
        """
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        netloc = urlsplit(origin).netloc
        return netloc != "" and netloc in (request.headers.get("host", ""), self._base)

    @staticmethod
    def _allowed(principal: Principal | None) -> Principal | Denied:
        if principal is None:
            return Denied(401, "give the token as Authorization: Bearer TOKEN")
        if principal.kind == "upstream":
            return Denied(403, "this is an upstream token; use one of an officer or operator")
        return principal


def is_local_browser(request: HTTPConnection) -> bool:
    """Is this a browser on this machine, asking by a name of this machine?

    The Host must be loopback too, else any web site could point a name of its own at 127.0.0.1;
    and a request that passed a proxy comes from somebody else, whatever its address.
    """
    if any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    peer = request.client.host if request.client else ""
    host = urlsplit("//" + request.headers.get("host", "")).hostname or ""
    return _is_loopback(peer) and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
