"""A phone of the story: lets a channel do its work and remembers the texts it took."""

import threading

import msgspec

from services.notify.port import Accepted, ChannelPort, Message, Outcome


class Text(msgspec.Struct, frozen=True):
    person: str
    text: str


class Phone:
    """A `ChannelPort` around another."""

    def __init__(self, channel: ChannelPort) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._texts: list[Text] = []

    def send(self, message: Message) -> Outcome:
        outcome = self._channel.send(message)
        if isinstance(outcome, Accepted):
            with self._lock:
                self._texts.append(Text(message.facts.person_name, outcome.text))
        return outcome

    def taken(self) -> list[Text]:
        """What came since the last call, in order."""
        with self._lock:
            texts, self._texts = self._texts, []
        return texts
