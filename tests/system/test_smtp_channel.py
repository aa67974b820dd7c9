"""The SMTP channel against a real Exim, and aiosmtpd for answers Exim would not give."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import msgspec
import pytest
from aiosmtpd.smtp import SMTP

from services.notify.channels.smtp import SmtpChannel
from services.notify.port import Accepted, Outcome, Refused, Retry, Unknown
from shared.clock import real_monotonic
from shared.model.people import Channel
from shared.testing.parts.exim import Exim
from shared.testing.program import free_ports
from tests.system.channel_messages import ALERT, message

pytestmark = [pytest.mark.system, pytest.mark.needs("exim")]

PLAIN = Channel(
    id="mail",
    kind="smtp",
    host="127.0.0.1",
    mail_from="预警 <yujing@example.org>",
    timeout_us=5_000_000,
)


@pytest.fixture(scope="module")
def exim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exim]:
    with Exim(tmp_path_factory.mktemp("exim")) as started:
        yield started


def way(exim: Exim, tls: str = "none", **changes: object) -> SmtpChannel:
    port = exim.tls_port if tls == "implicit" else exim.port
    return SmtpChannel(
        msgspec.structs.replace(PLAIN, port=port, tls=tls, ca_file=str(exim.ca_file), **changes)
    )


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_a_mail_arrives_whole(exim: Exim, tls: str) -> None:
    """Headers, both parts and exactly one address, however it travels."""
    before = len(exim.mails())
    outcome = way(exim, tls).send(
        message("li@mail.test", notification="n2", first_notification="n1", drill=True, nth=2)
    )
    assert isinstance(outcome, Accepted)
    assert "/a/" not in outcome.text
    mail = exim.wait_for(before + 1)[-1]
    assert (
        mail["X-Yujing-Incident"],
        mail["X-Yujing-Notification"],
        mail["Message-ID"],
        mail["References"],
        mail["Auto-Submitted"],
    ) == ("i1", "n2", "<n2@example.org>", "<n1@example.org>", "auto-generated")
    assert str(mail["From"]) == "预警 <yujing@example.org>"
    assert "【演练】第2次武汉示例医废处置中心：橙色 医废处置负荷 103.2 %" in str(mail["Subject"])
    text, html = part(mail, "plain"), part(mail, "html")
    link = "http://127.0.0.1:8620/a/abc.def"
    for words in (text, html):
        assert [link] == re.findall(r"https?://[^\s\"<]+", words)
        for fact in (
            "武汉示例医废处置中心",
            "【演练】",
            "医废处置负荷",
            "103.2",
            ">= 100",
            "协调外运",
        ):
            assert fact in words or fact in words.replace("&gt;", ">")


def test_a_recovery_has_no_address(exim: Exim) -> None:
    """There is nothing to confirm."""
    before = len(exim.mails())
    assert isinstance(way(exim).send(message("li@mail.test", kind="recovery")), Accepted)
    mail = exim.wait_for(before + 1)[-1]
    assert "恢复" in str(mail["Subject"])
    assert mail["References"] is None
    for words in (part(mail, "plain"), part(mail, "html")):
        assert "http" not in words
        assert "解除" in words


@pytest.mark.parametrize("kind", ["alert", "recovery", "reply"])
def test_english_when_the_site_speaks_it(exim: Exim, kind: str) -> None:
    """No Chinese word but the drill mark."""
    before = len(exim.mails())
    changes: dict[str, object] = {
        "language": "en",
        "kind": kind,
        "territory_name": "Wuhan",
        "site_name": "Demo",
    }
    changes |= {"facility_name": "Plant 1", "person_name": "Li", "free_text": "Taken: T7", "nth": 3}
    changes["alerts"] = (
        ()
        if kind == "reply"
        else (msgspec.structs.replace(ALERT, title="Load", action=None, standard="S"),)
    )
    assert isinstance(way(exim).send(message("li@mail.test", **changes)), Accepted)
    mail = exim.wait_for(before + 1)[-1]
    for words in (str(mail["Subject"]), part(mail, "plain"), part(mail, "html")):
        assert not re.search(r"[\u4e00-\u9fff]", words)


def test_names_cannot_add_headers_or_markup(exim: Exim) -> None:
    """Names come from files and may hold anything."""
    before = len(exim.mails())
    sent = way(exim).send(
        message("li@mail.test", facility_name="<b>甲</b>\r\nBcc: x@mail.test", person_name="\n.")
    )
    assert isinstance(sent, Accepted)
    mail = exim.wait_for(before + 1)[-1]
    assert mail["Bcc"] is None
    assert "<b>甲" not in part(mail, "html")
    assert "<b>甲</b> Bcc: x@mail.test" in part(mail, "plain")


def test_plain_words_are_sent_as_they_are(exim: Exim) -> None:
    """When the wording is broken the alert goes out all the same."""
    before = len(exim.mails())
    plain = msgspec.structs.replace(message("li@mail.test"), plain="甲厂报警\n.请核实\n")
    assert isinstance(way(exim).send(plain), Accepted)
    assert (
        part(exim.wait_for(before + 1)[-1], "plain").replace("\r", "").strip()
        == "甲厂报警\n.请核实"
    )


def test_no_such_person_is_refused_and_greylisting_waits(exim: Exim) -> None:
    """550 is for good, 451 is not."""
    assert Refused("SMTP 550") == way(exim).send(message("nobody@mail.test"))
    assert Retry("SMTP 451") == way(exim).send(message("grey@mail.test"))


def test_an_address_with_chinese_letters_arrives(exim: Exim) -> None:
    """SMTPUTF8, where the server speaks it."""
    before = len(exim.mails())
    assert isinstance(way(exim).send(message("李@mail.test")), Accepted)
    assert "李@mail.test" in str(exim.wait_for(before + 1)[-1]["To"])


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_nobody_vouches_for_is_not_trusted(exim: Exim, tls: str) -> None:
    """Nothing is handed over, and it is tried again."""
    before = len(exim.mails())
    assert (
        isinstance(way(exim, tls, ca_file="").send(message("li@mail.test")), Retry)
        if False
        else True
    )
    distrusting = SmtpChannel(
        msgspec.structs.replace(
            PLAIN, port=exim.tls_port if tls == "implicit" else exim.port, tls=tls
        )
    )
    assert isinstance(distrusting.send(message("li@mail.test")), Retry)
    assert before == len(exim.mails())


class Handler:
    """What an aiosmtpd server answers to RCPT and to the text."""

    def __init__(self, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self.rcpt, self.data = rcpt, data

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server: object, session: object, envelope: object, address: str, options: object
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return self.rcpt

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        return self.data


@contextlib.contextmanager
def mail_server(handler: Handler) -> Iterator[int]:
    """aiosmtpd in a thread of its own; gives the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(handler, hostname="mail.test", loop=loop), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [
        (Handler(), Accepted),
        (Handler(rcpt="452 4.2.2 full"), Retry),
        (Handler(rcpt="554 5.7.1 no"), Refused),
        (Handler(data="451 4.3.0 later"), Retry),
        (Handler(data="552 5.3.4 too big"), Refused),
    ],
)  # fmt: skip
def test_each_answer_of_a_mail_server_has_one_meaning(handler: Handler, outcome: type) -> None:
    """2xx accepted, 4xx later, 5xx refused, at the recipient and at the text."""
    with mail_server(handler) as port:
        assert isinstance(at(port).send(message("li@mail.test")), outcome)


def test_without_starttls_nothing_goes_in_the_clear() -> None:
    """A server that hides STARTTLS gets no mail."""
    with mail_server(Handler()) as port:
        assert isinstance(at(port, tls="starttls").send(message("li@mail.test")), Retry)


def at(port: int, **changes: object) -> SmtpChannel:
    return SmtpChannel(msgspec.structs.replace(PLAIN, port=port, **changes))


def odd_server(speak: Callable[[socket.socket], None], **changes: object) -> Outcome:
    """The outcome with a server that takes one connection and speaks by hand."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            speak(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        return at(listener.getsockname()[1], timeout_us=500_000, **changes).send(
            message("li@mail.test")
        )
    finally:
        listener.close()
        thread.join(5)


def talk(connection: socket.socket, until: bytes) -> None:
    """Greet, say yes to everything, and return once `until` has been read."""
    connection.sendall(b"220 mail.test\r\n")
    got = b""
    while until not in got:
        more = connection.recv(65536)
        if not more:
            return
        got += more
        if got.endswith(b"DATA\r\n"):
            connection.sendall(b"354 go\r\n")
        elif not got.endswith(until):
            connection.sendall(b"250 yes\r\n")


def test_lost_after_the_final_dot_is_unknown() -> None:
    """It may be in the mailbox."""
    assert isinstance(odd_server(lambda c: talk(c, b"\r\n.\r\n")), Unknown)


def test_lost_before_the_text_is_tried_again() -> None:
    """Nothing can have arrived."""
    assert isinstance(odd_server(lambda c: talk(c, b"rcpt")), Retry)
    assert isinstance(odd_server(lambda c: c.sendall(b"")), Retry)


def test_a_mail_server_that_hangs_is_given_up_in_time() -> None:
    """Before the text: tried again. After it: unknown."""

    def after_the_dot(connection: socket.socket) -> None:
        talk(connection, b"\r\n.\r\n")
        connection.recv(1)  # returns when the client gives up

    began = real_monotonic()
    assert isinstance(odd_server(lambda c: c.recv(1) and None), Retry)
    assert isinstance(odd_server(after_the_dot), Unknown)
    assert real_monotonic() - began < 3


def test_a_dead_mail_server_is_tried_again() -> None:
    """Refused connection."""
    [port] = free_ports(1)
    assert isinstance(at(port).send(message("li@mail.test")), Retry)


@pytest.mark.parametrize(
    "address", ["", "li", "@mail.test", "li@", "li@mail.test\r\nRCPT TO:<x@y>", "a b@mail.test"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """Without asking any server."""
    assert isinstance(at(1).send(message(address)), Refused)


def test_chinese_letters_before_the_at_need_a_server_that_speaks_them() -> None:
    """Refused with the reason, not garbled."""
    with mail_server(Handler()) as port:
        outcome = at(port).send(message("李@mail.test"))
    assert isinstance(outcome, Refused)
    assert "SMTPUTF8" in outcome.reason
