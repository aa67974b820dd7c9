"""The ticker: says into the log, through the writer, that ingest was listening until now."""

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout

import structlog

from services.ingest.writer import Writer
from shared.clock import Clock
from shared.errors import Unavailable
from shared.model.instants import Instant
from shared.model.report import Tick
from shared.observe.metrics import Metrics

log = structlog.get_logger()


class Ticker:
    """One tick in flight at most: while the log is away the gap is honest deafness.

    A clock that was set back makes no ticks until it has passed the last one.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        every_us: Callable[[], int],
        metrics: Metrics,
        last_us: int | None,
    ) -> None:
        self._writer, self._clock, self._every_us, self._metrics = writer, clock, every_us, metrics
        self._last_us = last_us
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def tick(self) -> bool:
        """Append one tick and wait for it; False when it did not get into the log."""
        now = self._clock.now()
        self._metrics.clock.set(now / 1e6)
        if self._last_us is not None and now <= self._last_us:
            now = Instant(self._last_us)  # still probes the log, moves no time
        try:
            self._writer.append_control(Tick(now)).result(timeout=30)
        except (Unavailable, FutureTimeout):
            return False
        self._last_us = now
        return True

    def _run(self) -> None:
        due = self._clock.now()
        while not self._stop.is_set():
            every = self._every_us()
            now = self._clock.now()
            if due - now > every:  # the clock was set back, or slowed down
                due = now
            if now < due:
                self._clock.wait(self._stop, due - now)
                continue
            self.tick()
            # When late (a stop, a step, a log that was away) begin anew: no ticks to catch up.
            due = Instant(max(due + every, now + every // 2))
