"""Gateways that answer oddly: each answer, and each way to lose one, has one meaning."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from services.notify.channels.kannel import KannelChannel
from services.notify.port import Accepted, Outcome, Refused, Retry, Unknown
from shared.clock import real_monotonic
from shared.testing.program import free_ports
from tests.system.channel_messages import kannel, message

Behaviour = Callable[[socket.socket, threading.Event], None]


class OddGateway:
    """Takes connections, reads the whole request, then behaves."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.behave: Behaviour = lambda _connection, _over: None
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/cgi-bin/sendsms?x=1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            size = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            while len(body) < size:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            try:
                self.behave(connection, self.over)
            except OSError:
                return

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def gateway() -> Iterator[OddGateway]:
    started = OddGateway()
    yield started
    started.close()


def send(gateway: OddGateway, timeout_us: int = 2_000_000) -> Outcome:
    return KannelChannel(kannel(gateway.url, timeout_us), "http://127.0.0.1:8620").send(message())


def says(answer: bytes) -> Behaviour:
    return lambda connection, _over: connection.sendall(answer)


def whole(status: str, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def test_the_request_is_as_the_contract_says(gateway: OddGateway) -> None:
    """A POST whose body is the text; everything else stands in headers."""
    gateway.behave = says(whole("202 Accepted", "0: Accepted for delivery"))
    assert isinstance(send(gateway), Accepted)
    head, _, body = gateway.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /cgi-bin/sendsms?x=1 HTTP/1.1"
    for line in (
        "Content-Type: text/plain; charset=UTF-8", "X-Kannel-Username: yujing", "X-Kannel-Password: secret",
        "X-Kannel-From: 1069", "X-Kannel-To: 13900000001", "X-Kannel-Coding: 2", "X-Kannel-DLR-Mask: 31",
        "X-Kannel-DLR-URL: http://127.0.0.1:8620/gateway/sms/receipt?id=n1&status=%d",
    ):  # fmt: skip
        assert line in lines
    assert body.decode().startswith("【预警】武汉医废一厂")
    assert b"139" not in lines[0].encode()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (whole("202 Accepted", "0: Accepted for delivery"), Accepted),
        (whole("202 Accepted", "3: Queued for later delivery"), Accepted),
        (whole("200 OK", "0: Accepted for delivery"), Refused),
        (whole("200 OK", "error: no credit"), Refused),
        (whole("202 Accepted", "4: Something else"), Refused),
        (whole("202 Accepted", ""), Refused),
        (whole("204 No Content"), Refused),
        (whole("302 Found", "", "Location: http://127.0.0.1:1/"), Refused),
        (whole("400 Bad Request", "Missing receiver number"), Refused),
        (whole("403 Forbidden", "Authorization failed"), Refused),
        (whole("404 Not Found", "0: Accepted"), Refused),
        (whole("429 Too Many"), Retry),
        (whole("500 Oops", "0: Accepted"), Retry),
        (whole("503 Away"), Retry),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n1\r\n:\r\n0\r\n\r\n", Accepted),
        (b"HTTP/1.0 202 Accepted\r\n\r\n0: Accepted", Accepted),
        (b"", Unknown),
        (b"HTTP/1.1 202", Unknown),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n", Unknown),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n0", Unknown),
        (b"not http at all\r\n\r\n", Unknown),
    ],
)  # fmt: skip
def test_each_answer_has_one_meaning(gateway: OddGateway, answer: bytes, outcome: type) -> None:
    """And nothing is asked twice."""
    gateway.behave = says(answer)
    assert isinstance(send(gateway), outcome)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("headers", "after_us"),
    [
        (["Retry-After: 7"], 7_000_000),
        (["Retry-After: 99999999999999"], 3_600_000_000),
        (["Date: Mon, 24 Feb 2020 00:00:00 GMT", "Retry-After: Mon, 24 Feb 2020 00:00:20 GMT"], 20_000_000),
        (["Retry-After: Mon, 24 Feb 2020 00:00:20 GMT"], 0),
        (["Retry-After: soon"], None),
        ([], None),
    ],
)  # fmt: skip
def test_retry_after_is_honoured(
    gateway: OddGateway, headers: list[str], after_us: int | None
) -> None:
    """Seconds, or a date by the gateway's own clock."""
    gateway.behave = says(whole("503 Away", "", *headers))
    assert Retry("HTTP 503", after_us) == send(gateway)


def test_a_reset_after_the_request_is_unknown(gateway: OddGateway) -> None:
    """It may have been sent."""

    def reset(connection: socket.socket, _over: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    gateway.behave = reset
    assert isinstance(send(gateway), Unknown)


def test_a_gateway_that_hangs_is_given_up_in_time(gateway: OddGateway) -> None:
    """A time-out after the request was written is unknown."""
    gateway.behave = lambda _connection, over: over.wait(30) and None
    began = real_monotonic()
    assert isinstance(send(gateway, 300_000), Unknown)
    assert 0.25 < real_monotonic() - began < 1.5


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n"])
def test_a_gateway_that_drips_is_given_up_in_time(gateway: OddGateway, start: bytes) -> None:
    """The bound is on the whole, not on each byte."""

    def drip(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        for byte in b"HTTP/1.1 202 Accepted\r\nX-Slow: " + b"y" * 400 if not start else b"0":
            connection.sendall(bytes([byte]))
            if over.wait(0.05):
                return
        over.wait(30)

    gateway.behave = drip
    began = real_monotonic()
    assert isinstance(send(gateway, 400_000), Unknown)
    assert real_monotonic() - began < 1.5


def test_a_refused_connection_is_tried_again() -> None:
    """Nothing was written."""
    [port] = free_ports(1)
    channel = KannelChannel(kannel(f"http://127.0.0.1:{port}/"), "http://127.0.0.1:8620")
    assert isinstance(channel.send(message()), Retry)


@pytest.mark.parametrize("address", ["", "not a number", "139\r\nX-Kannel-To: 1", "1390000000x"])
def test_an_address_that_is_no_number_is_refused(gateway: OddGateway, address: str) -> None:
    """Nothing is asked of the gateway, and nothing can be smuggled into a header."""
    outcome = KannelChannel(kannel(gateway.url), "http://127.0.0.1:8620").send(message(address))
    assert isinstance(outcome, Refused)
    assert not gateway.requests
