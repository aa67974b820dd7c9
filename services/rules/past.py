"""Past: the engine as it stood at an instant, by judging one facility's part of the log again.

The log is the truth and the engine a function of it, so nothing is kept for this question. It is
asked of log time: what had come in when the program's clock showed that time. A history that was
reported long after it happened has no such time; it is asked of observed time, which ends before
the first reading of the series that was observed later. It reads with an engine of its own; the
live one is not touched.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from services.rules.core.engine import Engine
from services.rules.judged_again import Again, By, Question, Stand
from services.rules.log_time import first_place, first_tick, place_at, records
from shared.errors import SlowDown
from shared.log.port import REPORTS, Log, Position
from shared.model.configuration import Bundle
from shared.model.report import Report

SECONDS = 15.0
"""Of real time for one question; then the newest part of the log that fits is judged instead."""
ASKING = 4
"""Questions at a time, the one that is answered and those that wait; others are told to come back."""
STEP = 200


class Past:
    """Thread-safe; one question at a time, so that questions never crowd out the judging.

    `bundle_of` opens a bundle, `newest` names the one that counts now, `partition_of` says where
    the records of a facility stand. `keeps_all`: the log never forgets its beginning. `one_log`:
    the members of a territory are in it; else what they contributed is.
    """

    def __init__(
        self, log: Log, bundle_of: Callable[[str], Bundle], newest: Callable[[], str | None],
        monotonic: Callable[[], float], *, partition_of: Callable[[str], int] = lambda _: 0,
        keeps_all: bool = True, one_log: bool = True, seconds: float = SECONDS,
    ) -> None:  # fmt: skip
        self._log, self._bundle_of, self._newest = log, bundle_of, newest
        self._monotonic, self._partition_of, self._keeps_all = monotonic, partition_of, keeps_all
        self._seconds, self._one_log = seconds, one_log
        self._one, self._room = threading.Lock(), threading.Semaphore(ASKING)

    def stand(self, asked: Question, until: Report | None = None) -> Stand:
        """How the series stood at the instant; with `until`, right after that very report.

        Raises:
            SlowDown: others are asking, or even a part of the log is too much for the time.
            Unavailable: the log cannot be read now.

        """
        with self.turn():
            return self._stand(asked, until)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One question at a time, few in waiting: who asks holds a thread of the server.

        Raises:
            SlowDown: others are asking.

        """
        if not self._room.acquire(blocking=False):
            raise SlowDown("others are asking about the past; ask again")
        try:
            if not self._one.acquire(timeout=self._seconds):
                raise SlowDown("another question about the past is being answered; ask again")
            try:
                yield
            finally:
                self._one.release()
        finally:
            self._room.release()

    def _stand(self, asked: Question, until: Report | None) -> Stand:
        partition = self._partition_of(asked.facility)
        first = first_place(self._log, partition) or Position(0)
        began_us = first_tick(self._log, partition, Position(0))
        by = asked.by
        if by is None:
            by = "log" if began_us is not None and began_us <= asked.at_us else "observed"
        stand = self._fresh(asked, by)
        if first > 1 and not self._keeps_all:
            stand.complete, stand.since_us = False, began_us
        read = self._judge(stand, asked, partition, first, until)
        if stand.ended or by == "observed":
            stand.complete &= stand.ended
            return stand
        # Too long: as much of it as surely fits, right before the instant.
        end = self._log.end(REPORTS, partition)
        near = place_at(self._log, partition, first, end, asked.at_us)
        start = Position(max(first, near - read // 2))
        stand = self._fresh(asked, by)
        stand.complete = False
        stand.since_us = first_tick(self._log, partition, start)
        self._judge(stand, asked, partition, start, until)
        if not stand.ended:
            raise SlowDown("the log is too long to be judged again in the time allowed; ask again")
        return stand

    def _fresh(self, asked: Question, by: By) -> Stand:
        opened: dict[str, Bundle] = {}

        def bundle_of(name: str) -> Bundle:
            if name not in opened:
                opened[name] = only(self._bundle_of(name), asked.facility, self._one_log)
            return opened[name]

        return Stand(Engine(bundle_of), by)

    def _judge(
        self, stand: Stand, asked: Question, partition: int, start: Position, until: Report | None
    ) -> int:
        """Read and judge up to the instant; how many places of the log that took."""
        deadline = self._monotonic() + self._seconds
        place, again = start, Again(stand, asked, until, self._newest)
        if not stand.complete:
            again.assume()
        while True:
            batch = self._log.read(REPORTS, partition, place, STEP)
            if not batch.entries:
                return place - start
            for entry in batch.entries:
                for record in records(entry.value):
                    if again.take(record):
                        return entry.position - start
            place = batch.next
            if self._monotonic() > deadline:
                stand.ended = False
                return place - start


def only(bundle: Bundle, facility: str, with_members: bool = False) -> Bundle:
    """The bundle with one facility, so that an engine watches nothing else.

    `with_members`: and, when it is a territory that is rolled up, with everybody below it.
    """
    wanted = {facility, *(_below(bundle, facility) if with_members else ())}
    return msgspec.structs.replace(
        bundle,
        facilities=tuple(each for each in bundle.facilities if each.id in wanted),
        stations=tuple(each for each in bundle.stations if each.facility in wanted),
    )


def _below(bundle: Bundle, territory: str) -> set[str]:
    """The facilities whose readings end in what a territory says."""
    home = {station.id: station.facility for station in bundle.stations if bundle.rollups}
    found: set[str] = set()
    for rollup in bundle.rollups:
        nodes = {node.territory: node for node in rollup.nodes}
        rest = [territory]
        while rest:
            node = nodes.get(rest.pop())
            if node is not None:
                found.update(home[station] for station in node.stations)
                found.update(node.territories)
                rest += node.territories
    return found
