"""One POST to a gateway, told so exactly that nobody has to guess what became of it.

Each call has a connection of its own: a kept one that the gateway closes meanwhile would make
"never written" look like "answer lost", and an unknown outcome costs the person a second SMS.
No redirect is followed, no proxy of the environment used, nothing is sent again by itself.
"""

import http.client
import ssl
from typing import cast
from urllib.parse import urlsplit

import msgspec

from services.notify.channels.deadline import BoundedSocket, Deadline, connect

_BODY_BYTES = 64
"""As much of an answer as a decision needs."""


class Answered(msgspec.Struct, frozen=True):
    """`body` is the beginning of the answer's body; read for 2xx only."""

    status: int
    body: bytes
    retry_after: str | None
    date: str | None


class NotWritten(msgspec.Struct, frozen=True):
    """The request never left whole: trying again cannot repeat anything."""

    reason: str


class AnswerLost(msgspec.Struct, frozen=True):
    """The request was written, and no whole answer came."""

    reason: str


CallResult = Answered | NotWritten | AnswerLost


def post(url: str, headers: dict[str, str], body: bytes, within_s: float) -> CallResult:
    """POST `body`; ends within `within_s` (name lookup apart).

    Raises:
        ValueError: a header that HTTP cannot carry (a line break, a character above U+00FF).

    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    deadline = Deadline(within_s)
    call = http.client.HTTPConnection(host, port)
    try:
        try:
            raw = connect(host, port, deadline)
            if secure:
                raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        except OSError as error:
            return NotWritten(_named(error))
        # Headers and body leave in one sendall: it fails whole, or the request is written.
        call.sock = cast("http.client.socket", BoundedSocket(raw, deadline))  # type: ignore[name-defined]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            call.request("POST", path, body, headers)
        except OSError as error:
            return NotWritten(_named(error))
        return _answer(call)
    finally:
        call.close()


def _answer(call: http.client.HTTPConnection) -> CallResult:
    try:
        answer = call.getresponse()
        body = b""
        if 200 <= answer.status < 300:
            while len(body) < 2 and (more := answer.read1(_BODY_BYTES)):
                body += more
            if len(body) < 2 and answer.length:
                return AnswerLost("the answer was cut off")
        return Answered(
            answer.status, body, answer.getheader("Retry-After"), answer.getheader("Date")
        )
    except (OSError, http.client.HTTPException) as error:
        return AnswerLost(_named(error))


def _named(error: Exception) -> str:
    """The kind of the error only: its words may hold an address."""
    return type(error).__name__
