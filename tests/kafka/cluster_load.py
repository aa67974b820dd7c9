"""Senders as honest ones are: each reading again until it is acknowledged, then the next.

What was acknowledged is written down with the moment, so that a test can ask for it in the judged
log afterwards, and see how long nobody was answered.
"""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

import httpx

from shared.clock import real_monotonic, real_wall
from shared.testing.cluster import Cluster
from shared.testing.configs import STATION_CODE, Facility
from shared.testing.hj212_device import Hj212Line
from shared.testing.program import device, reading

ZONE = timezone(timedelta(hours=8))
ANSWER_S = 5.0
"""An honest sender gives up an answer after this, and sends again."""


class Given(NamedTuple):
    """One reading as it was sent; the judged log must have exactly this."""

    facility: str
    observed_us: int
    value: float
    flag: str


class Sender(threading.Thread):
    """Carries out a plan of (facility, value, flag, seconds to rest); ends when `over` is set."""

    def __init__(
        self, cluster: Cluster, plan: Iterator[tuple[Facility, float, str, float]]
    ) -> None:
        super().__init__(daemon=True)
        self.cluster, self.plan = cluster, plan
        self.over = threading.Event()
        self.acknowledged: list[tuple[float, Given]] = []
        """With the moment, in seconds of the monotonic clock."""
        self.tries = 0
        self.wrong: list[str] = []
        self._last: dict[str, datetime] = {}

    def run(self) -> None:
        for facility, value, flag, rest_s in self.plan:
            given = self._new(facility, value, flag)
            # What has been begun is carried to its end even when the test is over.
            while not self._try(facility, given):
                self.over.wait(0.1)
                if self.over.is_set():
                    threading.Event().wait(0.2)
            self.acknowledged.append((real_monotonic(), given))
            if self.over.wait(rest_s):
                break
        self.hang_up()

    def _new(self, facility: Facility, value: float, flag: str) -> Given:
        at = datetime.fromtimestamp(real_wall(), UTC).replace(microsecond=0)
        last = self._last.get(facility.id)
        if last is not None and at <= last:
            at = last + timedelta(seconds=1)
        self._last[facility.id] = at
        return Given(facility.id, int(at.timestamp()) * 1_000_000, value, flag)

    def _try(self, facility: Facility, given: Given) -> bool:
        self.tries += 1
        at = datetime.fromtimestamp(given.observed_us / 1e6, ZONE)
        return self.attempt(facility, given, at)

    def attempt(self, facility: Facility, given: Given, at: datetime) -> bool:
        raise AssertionError("one of the two listeners")

    def hang_up(self) -> None:
        """Let go of the connection."""


class WebSender(Sender):
    """By HTTP."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        port = self.cluster.ingest.http_port
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=ANSWER_S, trust_env=False,
            headers={"Authorization": f"Bearer {self.cluster.site.upstream_token}"},
        )  # fmt: skip
        self.put_off: list[int] = []
        """Seconds of every Retry-After that was heard."""

    def attempt(self, facility: Facility, given: Given, at: datetime) -> bool:
        body = reading(facility, given.value, at=at.isoformat(), flag=given.flag)
        try:
            answer = self.client.post("/v1/reports", json=body)
        except httpx.HTTPError:
            return False
        if answer.status_code == 202 and not answer.json()["rejected"]:
            return True
        if answer.status_code in (429, 503):
            self.put_off.append(int(answer.headers["Retry-After"]))
        else:
            self.wrong.append(answer.text)
        return False

    def hang_up(self) -> None:
        self.client.close()


class WireSender(Sender):
    """By HJ 212, one connection until it breaks or is silent."""

    line: Hj212Line | None = None

    def attempt(self, facility: Facility, given: Given, at: datetime) -> bool:
        frame = device(facility).upload(
            {STATION_CODE: given.value}, flags={STATION_CODE: given.flag},
            data_time=f"{at:%Y%m%d%H%M%S}",
        )  # fmt: skip
        try:
            if self.line is None:
                port = self.cluster.site.hj212_port
                self.line = Hj212Line("127.0.0.1", port, ANSWER_S)
            answer = self.line.ask(frame)
        except OSError:
            answer = b""
        if b"CN=9014" in answer:
            return True
        self.hang_up()
        return False

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None


def steady(
    rng: Random, facilities: list[Facility], low: float, rest_s: float
) -> Iterator[tuple[Facility, float, str, float]]:
    """For ever: everybody in turn, up and down, now and then unknown."""
    for facility in itertools.cycle(facilities):
        value = round(low * rng.choice((0.2, 0.5, 0.97, 1.2, 1.7)), 3)
        yield facility, value, rng.choice("NNNNNNNND"), rng.uniform(0, 2 * rest_s)


def alarms(
    rng: Random, facilities: list[Facility], low: float, rest_s: float
) -> Iterator[tuple[Facility, float, str, float]]:
    """Each facility is low twice and then above its limit, once."""
    for facility in facilities:
        for factor in (0.3, 0.3, 1.2):
            yield (
                facility,
                round(low * factor, 3),
                "N",
                0.0 if factor < 1 else rng.uniform(0, 2 * rest_s),
            )


class Load:
    """All the senders of one test together."""

    def __init__(self, senders: list[Sender]) -> None:
        self.senders = senders

    def start(self) -> "Load":
        for sender in self.senders:
            sender.start()
        return self

    def stop(self, within_s: float = 60.0) -> None:
        for sender in self.senders:
            sender.over.set()
        for sender in self.senders:
            sender.join(within_s)
            assert not sender.is_alive(), "a reading was never acknowledged"
        assert [word for sender in self.senders for word in sender.wrong] == []

    def acknowledged(self) -> list[tuple[float, Given]]:
        """In order of the moment."""
        return sorted(pair for sender in self.senders for pair in list(sender.acknowledged))

    def count(self) -> int:
        return sum(len(sender.acknowledged) for sender in self.senders)

    def longest_silence(self, start: float, end: float) -> float:
        """Between two acknowledgements of anybody, of which the later one lies in the window."""
        moments = [moment for moment, _ in self.acknowledged()]
        pairs = itertools.pairwise(moments)
        return max((b - a for a, b in pairs if start <= b <= end), default=0.0)
