"""Crew: several replicas of notify at work on one database, and what they must never do.

Each replica has its own engine and threads that take, tick, send, acknowledge and hear receipts,
in an order that nobody chose. What they do is written down here and judged afterwards.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection
from random import Random
from typing import Any

from sqlalchemy import func, select

from services.notify.claims import Claim
from services.notify.core.reply import decide
from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.machine import Notify
from services.notify.port import Accepted, Message, Outcome, Refusal, Refused, Retry, Unknown
from services.notify.sender import Sender
from shared.clock import Clock, SystemClock
from shared.errors import Unavailable
from shared.model.configuration import Configuration
from shared.model.instants import Instant
from shared.model.transition import Transition
from tests.scenario.province import PARTITIONS


class Wire:
    """The provider all replicas share. Outcomes are drawn; who is being told is watched."""

    def __init__(self, random: Random, sure: Collection[str] = ()) -> None:
        self._random, self._sure = random, sure
        self._lock = threading.Lock()
        self._now: set[str] = set()
        self.sent: Counter[str] = Counter()
        self.resent: Counter[str] = Counter()
        self.at_once: list[str] = []

    def send(self, message: Message) -> Outcome:
        id_ = message.notification
        with self._lock:
            if id_ in self._now:
                self.at_once.append(id_)
            self._now.add(id_)
            drawn = self._random.random()
        threading.Event().wait(0.002)
        is_sure = message.channel in self._sure
        with self._lock:
            self._now.discard(id_)
            if is_sure or drawn < 0.8 or drawn >= 0.95:
                self.sent[id_] += 1
                self.resent[id_] += message.facts.resend
        if is_sure or drawn < 0.8:
            return Accepted("ref", f"text of {id_}")
        if drawn < 0.9:
            return Retry("busy", 20_000)
        return Refused("no such number") if drawn < 0.95 else Unknown("arrived")


class Watched(Notify):
    """Notify that notices a claim of what was acknowledged before the claim began."""

    def __init__(self, crew: "Crew", *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._crew = crew

    def claim(self, now: Instant, busy: Collection[str] = ()) -> Claim | None:
        before = set(self._crew.acknowledged)
        claimed = super().claim(now, busy)
        is_alert = claimed is not None and claimed.message.facts.kind == "alert"
        if claimed is not None and is_alert and claimed.message.incident in before:
            self._crew.claimed_after.append(claimed.notification)
        return claimed


class Crew:
    def __init__(
        self,
        desks: list[Desk],
        configuration: Configuration,
        topic: dict[int, list[Transition]],
        wire: Any,
        *,
        seed: int,
        clock: Clock | None = None,
        margin_us: int = 10_000_000,
    ) -> None:
        self.configuration, self.topic, self.wire = configuration, topic, wire
        self.clock = clock or SystemClock()
        self.random = Random(seed)
        self.acknowledged: set[str] = set()
        self.claimed_after: list[str] = []
        self.away = 0
        self.failures: list[BaseException] = []
        self.settled: Callable[[str], bool] = lambda _: True
        """Which facilities' incidents neither rise nor reopen once acknowledged."""
        self._stop = threading.Event()
        self.desks = desks
        self.replicas = [
            Watched(
                self, desk, configuration, self.clock, read_reply=decide,
                link=lambda incident, who: f"http://127.0.0.1:1/a/{incident}.{who}",
                replica=f"r{n}", margin_us=margin_us,
            )
            for n, desk in enumerate(desks)
        ]  # fmt: skip
        self.threads: list[threading.Thread] = []

    def work(self, *, senders: int = 2) -> None:
        for n, notify in enumerate(self.replicas):
            sender = Sender(
                notify, dict.fromkeys(self.configuration.channels, self.wire), self.clock
            )
            chores: list[Callable[[Random], object]] = [
                lambda random, notify=notify: self._take(notify, random),  # type: ignore[misc]
                lambda _, notify=notify: notify.tick(self.clock.now(), self.clock.steady_us()),  # type: ignore[misc]
                lambda _, notify=notify: notify.beat(),  # type: ignore[misc]
                lambda random, notify=notify: self._people(notify, random),  # type: ignore[misc]
            ]
            chores += [lambda _, sender=sender: sender.drain(self._stop.is_set)] * senders  # type: ignore[misc]
            for m, chore in enumerate(chores):
                self._thread(chore, Random(f"{self.random.random()}/{n}/{m}"))

    def _thread(self, chore: Callable[[Random], object], random: Random) -> None:
        def run() -> None:
            while not self._stop.is_set():
                try:
                    chore(random)
                except Unavailable:
                    self.away += 1
                    self._stop.wait(0.05)
                except BaseException as error:
                    self.failures.append(error)
                    return
                self._stop.wait(0.002)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.threads.append(thread)

    def _take(self, notify: Notify, random: Random) -> None:
        partition = random.randrange(PARTITIONS)
        start = notify.positions().get(partition, 0)
        some = self.topic[partition][start : start + random.randint(1, 9)]
        if some:
            items = list(enumerate(some, start))
            notify.take_entries(partition, items, start + len(some), start=start)

    def _people(self, notify: Notify, random: Random) -> None:
        opened = notify.incidents("open", None, lambda _: True)
        if opened and random.random() < 0.5:
            one = random.choice(opened)
            answer = notify.acknowledge(one["id"], "li", "api", "", self.clock.now())
            if not isinstance(answer, Refusal) and self.settled(one["facility"]):
                self.acknowledged.add(one["id"])
        told = notify.texts(5)
        if told and random.random() < 0.5:
            which = random.choice(told)
            status = random.choice(("delivered", "failed", "under_way"))
            notify.receipt(which["channel"], which["notification"], status, self.clock.now())  # type: ignore[arg-type]
        if told and random.random() < 0.2:
            notify.reply(
                "sms",
                f"1390000000{random.randint(1, 3)}",
                "1069",
                random.choice(("1", "??", "3")),
                self.clock.now(),
            )

    def is_done(self) -> bool:
        """All taken, and nothing waits to be sent."""
        notify = self.replicas[0]
        want = {n: len(items) for n, items in self.topic.items() if items}
        return notify.positions() == want and self.count("queued", "retry", "sending") == 0

    def count(self, *states: str) -> int:
        with self.desks[0].read() as connection:
            query = select(func.count()).where(t.outbox.c.state.in_(states))
            return connection.execute(query).scalar_one()

    def end(self) -> None:
        self._stop.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()

    # what must hold, whatever happened

    def judge(self) -> None:
        assert self.failures == []
        assert self.claimed_after == []
        assert getattr(self.wire, "at_once", []) == []
        assert self.replicas[0].audit_verify() == []
        with self.desks[0].read() as connection:
            c = t.tickets.c
            same = connection.execute(
                select(c.person, c.ticket).group_by(c.person, c.ticket).having(func.count() > 1)
            ).all()
            assert same == []
            self._judge_budgets(connection)
            self._judge_steps(connection)

    def _judge_budgets(self, connection: Any) -> None:
        a = t.attempts.c
        counted = connection.execute(
            select(a.person, a.channel, func.count())
            .where(a.counts == 1)
            .group_by(a.person, a.channel)
        )
        for person, channel, n in counted:
            budget = self.configuration.channels[channel].budget
            assert budget is None or n <= budget.per_day, (person, channel, n)

    def _judge_steps(self, connection: Any) -> None:
        """Between two causes every step is taken once, in order."""
        c = t.ledger.c
        last: dict[str, int] = {}
        for incident, kind, detail in connection.execute(
            select(c.incident, c.kind, c.detail).order_by(c.incident, c.n)
        ):
            if kind in ("opened", "rose", "reopened"):
                last[incident] = 0
            elif kind in ("step", "catch_all"):
                step = int(json.loads(detail)["step"])
                assert step == last[incident] + 1, (incident, kind, step, last[incident])
                last[incident] = step
