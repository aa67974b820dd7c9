"""A replica of notify as a process of its own, to be killed: `python -m … URL NAME PORT SEED`.

Its only way out is a line to PORT of loopback: the notification and whether it is marked; what
comes back is the provider's answer.
"""

import socket
import sys
import threading

from prometheus_client import CollectorRegistry

from services.notify.app import run_partitions
from services.notify.core.reply import decide
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.port import Accepted, Message, Outcome, Unknown
from services.notify.sender import Sender, run
from shared.clock import SystemClock
from shared.model.transition import Transition
from shared.observe.metrics import Metrics
from tests.scenario.province import site, topic

MARGIN_US = 1_500_000
LINE_S = 0.4
"""Below the time-out that the site gives its channels."""


class Line:
    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, message: Message) -> Outcome:
        said = f"{message.notification} {int(message.facts.resend)}\n"
        try:
            with socket.create_connection(("127.0.0.1", self._port), LINE_S) as line:
                line.sendall(said.encode())
                line.settimeout(LINE_S)
                answered = line.recv(100)
        except OSError:
            return Unknown("no answer")
        return Accepted("ref", "text") if answered else Unknown("no answer")


class Topic:
    """The topic of this seed, as every replica sees it."""

    def __init__(self, seed: int) -> None:
        self._entries = topic(site(), seed)

    def partitions(self) -> int:
        return len(self._entries)

    def read(
        self, partition: int, start: int, limit: int
    ) -> tuple[list[tuple[int, Transition]], int]:
        some = self._entries[partition][start : start + min(limit, 5)]
        return list(enumerate(some, start)), start + len(some)

    def wait(self, _starts: object, timeout_s: float) -> bool:
        threading.Event().wait(timeout_s)
        return False


def main(url: str, name: str, port: int, seed: int) -> None:
    clock = SystemClock()
    notify = Notify(
        Desk.at_url(url), site(budget=10_000), clock, replica=name, margin_us=MARGIN_US,
        read_reply=decide, link=lambda *_: "http://127.0.0.1:1/a/x",
    )  # fmt: skip
    notify.recover_claims(clock.now())
    sender = Sender(notify, dict.fromkeys(site().channels, Line(port)), clock)
    stop, wake = threading.Event(), threading.Event()
    for _ in range(2):
        threading.Thread(target=run, args=(sender, stop, wake), daemon=True).start()
    print("ready", flush=True)
    metrics = Metrics(CollectorRegistry())
    run_partitions(notify, Topic(seed), clock, lambda: 100_000, metrics, stop, wake)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
