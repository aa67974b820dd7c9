"""SMTP: text and HTML, threaded per incident and person; the outcome is the server's answer."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from services.notify.interim.port import Accepted, Facts, Message, Outcome, Refused, Retry, Unknown
from services.notify.interim.wording import mail
from shared.model.instants import Instant, to_datetime
from shared.model.people import Channel


class SmtpChannel:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        name, address = parseaddr(channel.mail_from)
        self._name, self._address = name, address
        self._domain = address.rpartition("@")[2] or "localhost"

    def send(self, message: Message) -> tuple[Outcome, str]:
        text, html = mail.bodies(message.facts)
        try:
            composed = self._compose(message, text, html)
        except ValueError:
            return Refused("the address cannot be written as mail"), text
        return self._deliver(message.address, composed), text

    def message_id(self, notification: str) -> str:
        return f"<{notification}@{self._domain}>"

    def _compose(self, message: Message, text: str, html: str) -> EmailMessage:
        facts: Facts = message.facts
        composed = EmailMessage(policy=SMTP)
        composed["Subject"] = mail.subject(facts)
        composed["From"] = Address(self._name, addr_spec=self._address)
        composed["To"] = Address(addr_spec=message.address)
        composed["Date"] = format_datetime(
            to_datetime(Instant(facts.now_us), ZoneInfo(facts.timezone)).replace(microsecond=0)
        )
        composed["Message-ID"] = self.message_id(message.notification)
        if facts.first_notification:
            first = self.message_id(facts.first_notification)
            composed["In-Reply-To"] = first
            composed["References"] = first
        composed["X-Yujing-Incident"] = facts.incident
        composed["X-Yujing-Notification"] = message.notification
        composed["Auto-Submitted"] = "auto-generated"
        composed.set_content(text)
        composed.add_alternative(html, subtype="html")
        return composed

    def _deliver(self, address: str, composed: EmailMessage) -> Outcome:
        channel = self._channel
        written = False
        try:
            with self._connect() as server:
                if channel.tls == "starttls":
                    server.starttls(context=self._context())
                    server.ehlo()
                if channel.username:
                    server.login(channel.username, channel.password)
                code, _ = server.mail(self._address)
                if code // 100 == 2:
                    code, _ = server.rcpt(address)
                if code // 100 != 2:
                    return _answered(code)
                written = True
                code, _ = server.data(composed.as_bytes(policy=SMTP))
                return _answered(code)
        except smtplib.SMTPAuthenticationError as error:
            return Retry(f"the mail server refuses the login: {error.smtp_code}")
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            if written:
                return Unknown("the answer of the mail server was lost")
            return Retry(f"the mail server cannot be reached: {type(error).__name__}")

    def _connect(self) -> smtplib.SMTP:
        channel = self._channel
        timeout = channel.timeout_us / 1e6
        if channel.tls == "implicit":
            return smtplib.SMTP_SSL(
                channel.host, channel.port, local_hostname="yujing", timeout=timeout,
                context=self._context(),
            )  # fmt: skip
        return smtplib.SMTP(channel.host, channel.port, local_hostname="yujing", timeout=timeout)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._channel.ca_file or None)


def _answered(code: int) -> Outcome:
    if code // 100 == 2:
        return Accepted()
    if code // 100 == 4:
        return Retry(f"the mail server says {code}")
    return Refused(f"the mail server says {code}")
