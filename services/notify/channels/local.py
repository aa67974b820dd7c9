"""Local: the text is shown on the page's screen; the ledger holds it, so nothing is kept here."""

from services.notify.port import Accepted, Message, Outcome
from services.notify.wording.sms import sms_text
from shared.model.people import Channel


class LocalChannel:
    """Always accepts: whoever looks at the page sees it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message: Message) -> Outcome:
        if message.plain is not None:
            return Accepted(text=message.plain)
        return Accepted(text=sms_text(message.facts, self._channel.signature))
