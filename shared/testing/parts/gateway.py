"""A gateway that speaks Kannel's HTTP and misbehaves on command: hangs, resets, lies, is slow.

The real Kannel shows that the program speaks its language; this one shows what the program does
when a gateway does not. It counts what it was handed before it decides how to answer.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from shared.clock import real_monotonic

Mood = Literal["accept", "queue", "hang", "reset", "lie", "refuse", "busy", "crash"]
"""accept 202 `0:` · queue 202 `3:` · hang: no answer · reset: closed after the body was read ·
lie: 200 with an error text · refuse 403 · busy 429 · crash 503."""


class Submitted(msgspec.Struct, frozen=True):
    """One message as the gateway got it."""

    recipient: str
    text: str
    notification: str
    receipt_url: str
    at_s: float
    mood: Mood


class Gateway:
    """Listens on a port of loopback; `mood` may change at any time, `moods` go first, one each."""

    def __init__(self, port: int = 0, *, receipts: bool = False) -> None:
        self.mood: Mood = "accept"
        self.moods: list[Mood] = []
        self.receipts = receipts
        """Report delivery (status 1) a moment after accepting."""
        self._changed = threading.Condition()
        self._got: list[Submitted] = []
        self._release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits 40 ms for the head's ACK

            def do_POST(self) -> None:
                outer.take(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  inherited name
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse connections from now on; hanging ones are let go."""
        self._release.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def got(self) -> list[Submitted]:
        """Everything handed over so far, in order."""
        with self._changed:
            return list(self._got)

    def texts(self, phone: str | None = None) -> list[str]:
        return [each.text for each in self.got if phone in (None, each.recipient)]

    def wait_for(self, count: int, within_s: float = 10.0) -> list[Submitted]:
        """What came, once there are `count`.

        Raises:
            TimeoutError: fewer within the time.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._got) >= count, within_s):
                raise TimeoutError(f"{len(self._got)} of {count} messages within {within_s:g} s")
            return list(self._got)

    def say(self, callback: str, phone: str, text: str) -> httpx.Response:
        """A person answers: the GET that Kannel makes; `callback` is the program's base address."""
        return httpx.get(
            f"{callback}/gateway/sms/reply",
            params={"from": phone, "to": "10690123", "text": text},
            trust_env=False,
        )

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Read one message, count it, and answer as the mood has it."""
        size = int(request.headers.get("Content-Length", "0"))
        text = request.rfile.read(size).decode()
        receipt_url = request.headers.get("X-Kannel-DLR-URL", "")
        notification = parse_qs(urlsplit(receipt_url).query).get("id", [""])[0]
        with self._changed:
            mood = self.moods.pop(0) if self.moods else self.mood
            message = Submitted(
                request.headers.get("X-Kannel-To", ""), text, notification, receipt_url,
                real_monotonic(), mood,
            )  # fmt: skip
            self._got.append(message)
            self._changed.notify_all()
        self._answer(request, message)
        if self.receipts and mood in ("accept", "queue"):
            self.receipt(message, 1)

    def receipt(self, message: Submitted, status: int) -> None:
        """Report on a message a moment later; a program that is away loses it."""

        def tell() -> None:
            url = message.receipt_url.replace("%d", str(status)).replace("%25d", str(status))
            try:
                httpx.get(url, trust_env=False, timeout=2.0)
            except httpx.HTTPError:
                return

        timer = threading.Timer(0.05, tell)
        timer.daemon = True
        timer.start()

    def _answer(self, request: BaseHTTPRequestHandler, message: Submitted) -> None:
        if message.mood == "hang":
            self._release.wait(60)
        if message.mood in ("hang", "reset"):
            request.close_connection = True
            return
        status, body = {
            "accept": (202, "0: Accepted for delivery"),
            "queue": (202, "3: Queued for later delivery"),
            "lie": (200, "Error: no route to the network"),
            "refuse": (403, "Authorization failed for sendsms"),
            "busy": (429, "Too many"),
            "crash": (503, "Temporal failure, try again later."),
        }[message.mood]
        try:
            request.send_response(status)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body.encode())
        except OSError:
            request.close_connection = True  # the program was killed meanwhile
