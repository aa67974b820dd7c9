"""The Kannel channel against a real Kannel; what was sent is counted at the message centre."""

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from services.notify.channels.kannel import KannelChannel
from services.notify.port import Accepted, Refused, Retry
from services.notify.receipts import receipt_status
from shared.testing.parts.kannel import Kannel
from shared.testing.parts.smsc import BAD_NUMBER, Fate, MessageCentre
from tests.system.channel_messages import answer, kannel, message

pytestmark = [pytest.mark.system, pytest.mark.needs("kannel")]


class Callbacks:
    """Our side of Kannel's callbacks: (path, query) of each, in a queue."""

    def __init__(self) -> None:
        came: queue.Queue[tuple[str, dict[str, list[str]]]] = queue.Queue()

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                came.put((parts.path, parse_qs(parts.query)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        self.came = came
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, *paths: str) -> tuple[str, dict[str, list[str]]]:
        """The next call of one of these paths; what other tests caused late is passed over."""
        while True:
            path, query = self.came.get(timeout=15)
            if path in paths:
                return path, query


@pytest.fixture(scope="module")
def callbacks() -> Iterator[Callbacks]:
    listening = Callbacks()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()


@pytest.fixture(scope="module")
def centre() -> Iterator[MessageCentre]:
    with MessageCentre() as started:
        yield started


@pytest.fixture(scope="module")
def gateway(
    centre: MessageCentre, callbacks: Callbacks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kannel]:
    folder = tmp_path_factory.mktemp("kannel")
    with Kannel(folder, centre.port, callbacks.url + "/gateway/sms/reply") as started:
        yield started


@pytest.fixture(autouse=True)
def no_receipts(centre: MessageCentre) -> None:
    centre.decide = lambda _part: Fate(receipts=())


@pytest.mark.parametrize("body", ["水" * 66, "😀" * 33, "a b é %d & + ' \" 1", "混合 mg/m³ ≥10 😀"])
def test_the_phone_shows_exactly_our_text(
    gateway: Kannel, centre: MessageCentre, body: str
) -> None:
    """Chinese, emoji and signs arrive as one part, as written."""
    before = len(centre.parts)
    outcome = KannelChannel(kannel(gateway.url), "http://127.0.0.1:9").send(answer(body))
    assert isinstance(outcome, Accepted)
    centre.wait_for(before + 1)
    assert f"【预警】{body}" == outcome.text == centre.texts()[-1]
    assert (
        centre.parts[-1].sender,
        centre.parts[-1].recipient,
        centre.parts[-1].coding,
    ) == ("1069", "13900000001", 8)
    assert before + 1 == len(centre.parts)


def test_an_alert_arrives_whole_at_a_number_written_with_prefix_and_blanks(
    gateway: Kannel, centre: MessageCentre
) -> None:
    """Kannel would take a blank for a second number."""
    before = len(centre.parts)
    channel = KannelChannel(kannel(gateway.url), "http://127.0.0.1:9")
    assert isinstance(channel.send(message("+86 139 0000 0001")), Accepted)
    assert centre.wait_for(before + 1)[-1].recipient == "13900000001"
    assert centre.texts()[-1].startswith("【预警】武汉医废一厂：医废处置负荷103.2%")


@pytest.mark.parametrize("channel_id", ["sms", "短信 1"])
@pytest.mark.parametrize(
    ("fate", "last"),
    [(Fate(), "delivered"), (Fate(receipts=((0.0, "UNDELIV", "027"),)), "failed"), (Fate(status=BAD_NUMBER), "refused")],
)  # fmt: skip
def test_receipts_come_back_to_the_notification(
    gateway: Kannel,
    centre: MessageCentre,
    callbacks: Callbacks,
    fate: Fate,
    last: str,
    channel_id: str,
) -> None:
    """The receipt names the notification and carries Kannel's bits."""
    centre.decide = lambda _part: fate
    channel = KannelChannel(kannel(gateway.url, id=channel_id), callbacks.url)
    mine = f"n-9_{last}-{len(channel_id)}-{len(fate.receipts)}"
    path = f"/gateway/{quote(channel_id)}/receipt"
    assert isinstance(channel.send(message(notification=mine)), Accepted)
    statuses = set()
    while last not in statuses:
        _, query = callbacks.next(path)
        if query["id"] == [mine]:
            statuses.add(receipt_status(int(query["status"][0])))
    assert not statuses - {last, "under_way"}


def test_a_reply_comes_to_the_reply_address(
    gateway: Kannel, centre: MessageCentre, callbacks: Callbacks
) -> None:
    """What a person writes comes back with its number and text."""
    centre.say("13900000001", "1069", "１ t7。")
    path, query = callbacks.next("/gateway/sms/reply")
    assert (path, query["from"], query["text"]) == (
        "/gateway/sms/reply",
        ["13900000001"],
        ["１ t7。"],
    )


def test_a_wrong_password_is_refused(gateway: Kannel) -> None:
    """403: never again by this contact."""
    channel = KannelChannel(kannel(gateway.url, password="wrong"), "http://127.0.0.1:9")
    assert Refused("HTTP 403") == channel.send(message())


def test_a_dead_gateway_is_tried_again(tmp_path: Path, callbacks: Callbacks) -> None:
    """Queued while the centre is away (3:), refused connection once Kannel is gone."""
    with MessageCentre() as centre:
        stopped = Kannel(tmp_path / "k", centre.port, callbacks.url).start()
        channel = KannelChannel(kannel(stopped.url), callbacks.url)
        centre.stop()
        assert isinstance(channel.send(message()), Accepted)
        stopped.stop()
    outcome = channel.send(message())
    assert isinstance(outcome, Retry)
