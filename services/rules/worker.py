"""The worker: reads the log, lets the engine judge, keeps transitions, then (lazily) the state.

A crash anywhere repeats work from the last checkpoint with the same numbers and never skips.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog

from services.rules.core import state, view
from services.rules.core.engine import Engine
from services.rules.store import RulesStore
from shared.errors import NewerData, Unavailable
from shared.log.port import REPORTS, Bundles, Log, Position
from shared.model.configuration import Bundle, decode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Record, decode_envelope
from shared.model.severity import Severity
from shared.model.standing import AlertNow
from shared.model.transition import Transition, transition_id
from shared.observe.metrics import Metrics

CHECKPOINT_READINGS = 200_000
CHECKPOINT_PUMPS = 512
"""A checkpoint after about this much work: what a restart has to judge again at most."""

log = structlog.get_logger()


class RulesWorker:
    """`pump` is one step; everything else reads. The lock lets HTTP look between two steps."""

    def __init__(self, log_: Log, bundles: Bundles, store: RulesStore, metrics: Metrics) -> None:
        self._log, self._bundles, self._store, self._metrics = log_, bundles, store, metrics
        self._lock = threading.Lock()
        self._opened: tuple[str, Bundle] | None = None
        self.engine = Engine(self._bundle)
        self._next = Position(0)
        self._saved_judged = 0
        self._pumps = 0
        self._deaf_counted = 0
        self._owed: list[tuple[str, Transition]] = []
        self._owed_from = 1
        self._facilities: tuple[tuple[str | None, int, int], list[dict[str, Any]]] | None = None
        self._alerts: tuple[tuple[str | None, int, int], list[AlertNow]] | None = None
        self._restore()

    def _bundle(self, name: str) -> Bundle:
        if self._opened is None or self._opened[0] != name:
            try:
                self._opened = name, decode_bundle(self._bundles.get(name))
            except sqlite3.Error as error:
                raise Unavailable(f"the bundle cannot be read: {error}") from error
        return self._opened[1]

    def _restore(self) -> None:
        saved = self._store.load()
        if saved is not None:
            self._next, head, cells = saved
            try:
                state.restore(self.engine, head, cells)
            except ValueError as error:
                raise NewerData(str(error)) from error
            self._saved_judged = self.engine.judged
            self._deaf_counted = self.engine.clock.deaf_us

    @property
    def position(self) -> Position:
        return self._next

    def decided(self, position: int) -> int | None:
        """The number of the last transition, once everything up to `position` is said; else None."""
        with self._lock:
            if self._next <= position or self._owed:
                return None
        return self._store.last_seq

    def pump(self, limit: int = 200) -> int:
        """Judge at most `limit` entries; returns how many there were.

        Raises:
            Unavailable: the log or rules.db; nothing is lost, pump again.
        """
        self._publish()
        batch = self._log.read(REPORTS, 0, self._next, limit)
        if not batch.entries:
            return 0
        with self._lock:
            for entry in batch.entries:
                self._apply(entry.value)
                self._next = Position(entry.position + 1)
        self._publish()
        self._pumps += 1
        if (
            self._pumps >= CHECKPOINT_PUMPS
            or self.engine.judged - self._saved_judged >= CHECKPOINT_READINGS
        ):
            self.checkpoint()
        return len(batch.entries)

    def _apply(self, body: bytes) -> None:
        """One entry. A record that breaks the engine is set aside, loudly; the rest is judged."""
        try:
            records: list[Record] = decode_envelope(body)
        except (msgspec.MsgspecError, ValueError):
            log.exception("entry_not_readable", position=int(self._next))
            self._metrics.failures.labels("rules").inc()
            return
        for record in records:
            if isinstance(record, Activate):
                # Before anything is judged: when it cannot be read now, the entry waits whole.
                self._foresee(record.bundle)
        rest = iter(records)
        while True:
            first = self.engine.emitted + 1
            try:
                self._owe(first, self.engine.apply(rest))
                return
            except Exception:
                log.exception("record_not_judged", position=int(self._next))
                self._metrics.failures.labels("rules").inc()
                self._owe(first, self.engine.broken())

    def _foresee(self, bundle: str) -> None:
        try:
            self._bundle(bundle)
        except (KeyError, ValueError, msgspec.MsgspecError):
            log.exception("bundle_not_readable", bundle=bundle)

    def _owe(self, first_seq: int, transitions: list[Transition]) -> None:
        if not transitions:
            return
        if not self._owed:
            self._owed_from = first_seq
        zone = self.engine.zone
        self._owed += [(transition_id(t, zone), t) for t in transitions]

    def _publish(self) -> None:
        if self._owed:
            known = self._store.last_seq
            self._store.publish(self._owed_from, self._owed)
            # What a restart says again was counted before it.
            for _, transition in self._owed[max(0, known + 1 - self._owed_from) :]:
                self._metrics.transitions.labels(transition.rule, transition.state).inc()
            self._owed = []

    def checkpoint(self) -> None:
        """Keep the state; transitions up to here are durable already."""
        self._publish()
        with self._lock:
            dirty, self.engine.dirty = self.engine.dirty, set()
            cells = [
                (
                    key[0],
                    key[1],
                    state.save_cell(cell) if (cell := self.engine.cells.get(key)) else None,
                )
                for key in dirty
            ]
            head = state.save_head(self.engine)
        try:
            self._store.save(self._next, head, cells)
        except Unavailable:
            self.engine.dirty |= dirty
            raise
        self._saved_judged, self._pumps = self.engine.judged, 0

    @contextmanager
    def looking(self) -> Iterator[Engine]:
        """The engine, standing still."""
        with self._lock:
            yield self.engine

    # -- looking -----------------------------------------------------------------------------

    def facilities(self) -> list[dict[str, Any]]:
        """As contract §4 has them; do not change what is returned, others are given the same."""
        with self._lock:
            seen = self._what_is_seen()
            if self._facilities is None or self._facilities[0] != seen:
                self._facilities = seen, view.facilities(self.engine)
            return self._facilities[1]

    def alerts(self) -> list[AlertNow]:
        with self._lock:
            seen = self._what_is_seen()
            if self._alerts is None or self._alerts[0] != seen:
                self._alerts = seen, view.alerts(self.engine)
            return self._alerts[1]

    def _what_is_seen(self) -> tuple[str | None, int, int]:
        """Equal while a view stays the same: a tick that changes a state emits a transition."""
        return self.engine.bundle_name, self.engine.judged, self.engine.emitted

    def bundle_name(self) -> str | None:
        """The configuration that counts now."""
        return self.engine.bundle_name

    def log_time(self) -> Instant | None:
        now = self.engine.clock.now_us
        return None if now is None else Instant(now)

    def refresh_metrics(self) -> None:
        """Before /metrics is read: alerts now, lag, deaf time."""
        with self._lock:
            counts = view.counts(self.engine)
        for state_ in ("pending", "firing"):
            for severity in Severity:
                count = counts.get((state_, severity), 0)
                self._metrics.alerts.labels(state_, severity.value).set(count)
        lag = max(0, self._log.end(REPORTS, 0) - max(self._next, 1))
        self._metrics.consumer_lag.labels(REPORTS, "0").set(lag)
        deaf = self.engine.clock.deaf_us
        self._metrics.deaf.inc(max(0, deaf - self._deaf_counted) / 1e6)
        self._deaf_counted = deaf


def run(worker: RulesWorker, log_: Log, stop: threading.Event) -> None:
    """Pump until `stop`, then judge what is left and keep the state."""
    while True:
        try:
            count = worker.pump()
            if count == 0:
                if stop.is_set():
                    break
                log_.wait(REPORTS, 0, worker.position, 0.25)
        except Unavailable as error:
            log.error("rules_waiting", detail=str(error))
            if stop.wait(1.0):
                return
        except Exception:
            log.exception("rules_step_failed")
            if stop.wait(1.0):
                return
    try:
        worker.checkpoint()
    except Unavailable as error:
        # Transitions are durable; a restart judges again from the checkpoint before.
        log.error("rules_waiting", detail=str(error))
