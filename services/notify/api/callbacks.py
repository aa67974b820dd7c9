"""What gateways call: receipts and replies. No token; the TCP address decides.

A gateway's query holds a person's number and words, so it is read here and written nowhere:
no log, no exception text, no metric. Headers such as X-Forwarded-For are not believed.
"""

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notify.api.incidents import desk_away
from services.notify.port import NotifyPort, ReceiptStatus
from shared.clock import Clock
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.model.people import Channel

LONGEST_QUERY = 8192
_NUMBER = re.compile(r"[+-]?\d{1,9}\Z", re.ASCII)


StatusReader = Callable[[int], ReceiptStatus]
"""Kannel's status bits in words."""


class Callbacks:
    """`/gateway/CHANNEL/receipt` and `/reply` as contract §4 has them."""

    def __init__(
        self,
        desk: NotifyPort,
        channels: Mapping[str, Channel],
        clock: Clock,
        read_status: StatusReader,
    ) -> None:
        self._desk, self._channels, self._clock = desk, channels, clock
        self._read_status = read_status

    def routes(self) -> list[Route]:
        return [
            Route("/gateway/{channel}/receipt", self.receipt, methods=["GET"]),
            Route("/gateway/{channel}/reply", self.reply, methods=["GET"]),
        ]

    async def receipt(self, request: Request) -> Response:
        query = self._admitted(request)
        if isinstance(query, Response):
            return query
        notification, status = query.get("id", ""), query.get("status", "").strip()
        if not notification:
            return problem(400, "bad-field", "id: the notification this receipt is for is missing")
        if not _NUMBER.match(status):
            return problem(400, "bad-number", "status: Kannel's number (its %d) is expected")
        return await self._done(
            asyncio.to_thread(
                self._desk.receipt,
                request.path_params["channel"],
                notification,
                self._read_status(int(status)),
                self._clock.now(),
            )
        )

    async def reply(self, request: Request) -> Response:
        query = self._admitted(request)
        if isinstance(query, Response):
            return query
        if not query.get("from", "").strip():
            return problem(400, "bad-field", "from: the number that replies is missing")
        return await self._done(
            asyncio.to_thread(
                self._desk.reply,
                request.path_params["channel"],
                query["from"],
                query.get("to", ""),
                query.get("text", ""),
                self._clock.now(),
            )
        )

    def _admitted(self, request: Request) -> dict[str, str] | Response:
        channel = self._channels.get(request.path_params["channel"])
        if channel is None:
            return problem(404, "not-found", "there is no channel of this name")
        peer = request.client.host if request.client else ""
        if not is_from(peer, channel.callbacks_from):
            return problem(
                403,
                "forbidden",
                "this address is not among the channel's callbacks_from in channels.yaml",
            )
        raw = request.scope.get("query_string", b"")
        if len(raw) > LONGEST_QUERY:
            return problem(400, "bad-field", f"the query is longer than {LONGEST_QUERY} bytes")
        return decode_query(raw)

    async def _done(self, work: Awaitable[None]) -> Response:
        try:
            await work
        except Unavailable:
            return desk_away()
        return Response(status_code=200)


def is_from(peer: str, allowed: tuple[str, ...]) -> bool:
    """Is a TCP peer one of these addresses or networks (`10.0.0.0/8`)? IPv4 in IPv6 counts."""
    address = _address(peer)
    if address is None:
        return False
    for entry in allowed:
        try:
            if address in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


def _address(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def decode_query(raw: bytes) -> dict[str, str]:
    """Names and values of a query; the first of a name counts.

    Kannel writes the bytes of the configured charset, which is UTF-8 or a Chinese one: what is
    not UTF-8 is read as GB 18030, which holds GBK and GB 2312. Nothing here raises.
    """
    found: dict[str, str] = {}
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        found.setdefault(_text(name), _text(value))
    return found


def _text(piece: bytes) -> str:
    octets = unquote_to_bytes(piece.replace(b"+", b" "))
    for charset in ("utf-8", "gb18030"):
        try:
            return octets.decode(charset)
        except UnicodeDecodeError:
            continue
    return octets.decode("utf-8", "replace")
