"""SMTP: one mail, and what the server's answers mean.

2xx after the text: accepted. 4xx: later. 5xx: refused for good. The connection lost after the
final dot was written and before an answer: unknown. With `starttls` nothing leaves in the clear.
"""

import smtplib
import socket
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8 as SMTPUTF8_POLICY
from email.utils import format_datetime, parseaddr
from typing import cast
from zoneinfo import ZoneInfo

from services.notify.channels.deadline import BoundedSocket, Deadline, connect
from services.notify.port import Accepted, Message, Outcome, Refused, Retry, Unknown
from services.notify.wording.mail import MailWording, MailWords
from services.notify.wording.units import one_line
from shared.model.instants import to_datetime
from shared.model.people import Channel


class SmtpChannel:
    """Thread-safe: each send has a connection of its own."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._wording = MailWording()
        name, self._from = parseaddr(channel.mail_from)
        self._from_name = one_line(name)
        self._domain = self._from.rpartition("@")[2] or "yujing.invalid"

    def send(self, message: Message) -> Outcome:
        """Write and hand over; blocks at most the channel's time-out.

        Raises:
            jinja2.TemplateError: the wording is broken; the caller sends `plain` words instead.

        """
        words = (
            MailWords(one_line(message.plain)[:120], message.plain, "")
            if message.plain is not None
            else self._wording.write(message.facts)
        )
        recipient = _ascii_domain(message.address.strip())
        if recipient is None:
            return Refused("the contact's address is no mail address")
        try:
            mail = self._mail(message, words, recipient)
        except (ValueError, MessageError):
            return Refused("the contact's address does not fit into a mail header")
        # The subject only: the text holds the link, which is for its reader's eyes.
        return self._deliver(mail, recipient, words.subject)

    def message_id(self, notification: str) -> str:
        """The same for every attempt, so that a mailbox can tell a resend from a second mail."""
        return f"<{notification}@{self._domain}>"

    def _mail(self, message: Message, words: MailWords, recipient: str) -> EmailMessage:
        facts = message.facts
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["Subject"] = words.subject
        mail["From"] = Address(self._from_name, addr_spec=self._from)
        mail["To"] = recipient
        mail["Date"] = format_datetime(to_datetime(facts.now_us, ZoneInfo(facts.timezone)))
        mail["Message-ID"] = self.message_id(message.notification)
        first = facts.first_notification
        if first and first != message.notification:
            mail["In-Reply-To"] = self.message_id(first)
            mail["References"] = self.message_id(first)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Yujing-Incident"] = message.incident
        mail["X-Yujing-Notification"] = message.notification
        mail.set_content(words.text)
        if words.html:
            mail.add_alternative(words.html, subtype="html")
        return mail

    def _deliver(self, mail: EmailMessage, recipient: str, text: str) -> Outcome:
        client = _Client(self._channel, Deadline(self._channel.timeout_us / 1e6), self._domain)
        try:
            client.open()
            outcome = client.hand_over(self._from, recipient, mail)
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except (OSError, smtplib.SMTPException, EOFError) as error:
            # Before the final dot nothing counts as sent (RFC 5321 §4.1.1.4).
            return Retry(f"not handed over: {type(error).__name__}")
        finally:
            client.hang_up()
        return Accepted(outcome, text) if isinstance(outcome, str) else outcome


class _Client(smtplib.SMTP):
    """smtplib's client under one deadline, which knows when the final dot is out."""

    def __init__(self, channel: Channel, deadline: Deadline, hello: str) -> None:
        self._channel = channel
        self._deadline = deadline
        super().__init__(local_hostname=hello if hello.isascii() else "localhost")

    def open(self) -> None:
        """Connect, greet and, as configured, begin TLS.

        Raises:
            smtplib.SMTPResponseException: the server said no.
            OSError: not reached, too late, or its certificate is not trusted.

        """
        channel = self._channel
        # The host is set before connect: smtplib takes it for the name in the certificate.
        self._host = channel.host
        code, words = self.connect(channel.host, channel.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if channel.tls == "starttls":
            self.ehlo_or_helo_if_needed()
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("gone after the greeting")
            # The handshake needs the socket itself; afterwards it is bounded again.
            bounded = cast("BoundedSocket", self.sock)
            self.sock = bounded.raw
            self.sock.settimeout(self._deadline.left_s())
            self.starttls(context=self._context())
            self._bound(self.sock)
        self.ehlo_or_helo_if_needed()

    def hand_over(self, sender: str, recipient: str, mail: EmailMessage) -> str | Outcome:
        """The server's words when it took the mail, else the outcome.

        Raises:
            smtplib.SMTPException, OSError: before the final dot was out.

        """
        policy, options = SMTP_POLICY, list[str]()
        if not recipient.isascii():
            if not self.has_extn("smtputf8"):
                return Refused("the address needs SMTPUTF8, which this mail server does not speak")
            policy, options = SMTPUTF8_POLICY, ["SMTPUTF8", "BODY=8BITMIME"]
        self._expect(self.mail(sender, options))
        self._expect(self.rcpt(recipient))
        code, _words = self.docmd("DATA")
        if code != 354:
            return _answered(code)
        lines = mail.as_bytes(policy=policy)
        stuffed = b"\r\n".join(
            b"." + line if line.startswith(b".") else line for line in lines.split(b"\r\n")
        )
        # One sendall with the dot at its end: if it fails, the dot is not out.
        self.send(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n")
        try:
            code, _words = self.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Unknown(f"answer lost: {type(error).__name__}")
        return "" if 200 <= code < 300 else _answered(code)

    def hang_up(self) -> None:
        """Close without a QUIT: it could only wait for an answer nobody needs."""
        self.close()

    def _expect(self, answer: tuple[int, bytes]) -> None:
        code, words = answer
        if not 200 <= code < 300:
            raise smtplib.SMTPResponseException(code, words)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = connect(host, port, self._deadline)
        if self._channel.tls == "implicit":
            raw.settimeout(self._deadline.left_s())
            raw = self._context().wrap_socket(raw, server_hostname=host)
        return cast("socket.socket", BoundedSocket(raw, self._deadline))

    def _bound(self, raw: socket.socket) -> None:
        self.sock = cast("socket.socket", BoundedSocket(raw, self._deadline))
        self.file = None

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._channel.ca_file or None)


def _answered(code: int) -> Outcome:
    """The server's words stay out of the reason: they may repeat the address."""
    if 500 <= code < 600:
        return Refused(f"SMTP {code}")
    return Retry(f"SMTP {code}")


def _ascii_domain(address: str) -> str | None:
    """The address with its domain as DNS has it (IDNA); None when it cannot be one."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(c.isspace() or ord(c) < 33 for c in address):
        return None
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        return None
