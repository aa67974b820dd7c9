"""The amender: reads the log beside the engine and says what late readings change in history.

    report -> history.db, marked when it is late -> the next tick: history without and with it
           -> one amendment per episode that differs

A consumer with its own position, which stands with its effects. What it says is a function of
the log: it looks at ticks, so batches and restarts change nothing, and ids are derived.
"""

import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path

import msgspec
import structlog

from services.rules.core import history
from services.rules.core.book import Book
from services.rules.core.cell_history import Arrived, CellHistory, Key
from services.rules.history_store import HISTORY_FORMAT, HistoryStore, Kept
from shared.errors import Unavailable
from shared.log.port import REPORTS, Bundles, Log, Position
from shared.log.sqlite import SqliteLog
from shared.model.amendment import Amendment
from shared.model.configuration import Bundle, Configuration, decode_bundle
from shared.model.instants import window_end
from shared.model.report import WITHDRAWN, Activate, Report, Tick, decode_envelope
from shared.observe.metrics import Metrics

MOST_REPORTS = 100_000
"""Reports of one station and interval that a history is made of, the newest: 69 days of minutes.
About 60 MB while one is made; one is made at a time."""
DELAYED_US = 300_000_000
"""A reading in its turn that comes this long after its window may find that a timer has run."""
PRUNE_EVERY = 256
BUNDLES_OPEN = 8

log = structlog.get_logger()


class Amender:
    """`pump` is one step."""

    def __init__(
        self, log_: Log, bundles: Bundles, store: HistoryStore, keep_us: int, metrics: Metrics
    ) -> None:
        self._log, self._bundles, self._store = log_, bundles, store
        self._keep_us, self._metrics = keep_us, metrics
        self._reload()

    def _reload(self) -> None:
        """From the file, as after a start: after a failure memory is ahead of it."""
        self._is_ahead = False
        state = self._store.state()
        if not state:
            # A site that begins to amend does not tell anybody of years ago.
            state = {"tell_from": str(self._log.end(REPORTS, 0))}
        self._tell_from = int(state["tell_from"])
        self._next = Position(int(state.get("next", 0)))
        self._now_us = int(state["tick"]) if "tick" in state else None
        self._cells = dict(self._store.cells())
        self._open = {key for key, kept in self._cells.items() if kept.open_n is not None}
        self._changed: set[Key] = set()
        self._new: list[Arrived] = []
        self._open_bundle(state.get("bundle"))

    def _open_bundle(self, name: str | None) -> None:
        self._name = name
        self._book: Book | None = None
        self._bundle: Bundle | None = None
        self._looked: dict[Key, tuple[bool, bool]] = {}
        self._parts: OrderedDict[str, Bundle] = OrderedDict()
        if name is not None:
            self._bundle = decode_bundle(self._bundles.get(name))
            self._book = Book(self._bundle)

    @property
    def position(self) -> Position:
        return self._next

    @property
    def store(self) -> HistoryStore:
        return self._store

    def pump(self, limit: int = 200) -> int:
        """
        Take at most `limit` entries; returns how many there were.

        Raises:
            Unavailable: the log or history.db; nothing of it was kept, pump again.

        """
        if self._is_ahead:
            self._reload()
        batch = self._log.read(REPORTS, 0, self._next, limit)
        if not batch.entries:
            return 0
        self._is_ahead = True
        try:
            self._store.begin()
            for entry in batch.entries:
                self._entry(entry.value, entry.position)
                self._next = Position(entry.position + 1)
            self._write()
            self._store.commit()
        except sqlite3.Error as error:
            raise Unavailable(f"history.db cannot be written: {error}; look at the disk") from error
        finally:
            if self._store.is_writing:
                self._store.roll_back()
        self._is_ahead = False
        return len(batch.entries)

    def _write(self) -> None:
        self._flush()
        self._store.put_cells((key, self._cells[key]) for key in sorted(self._changed))
        self._changed.clear()
        state = {"format": HISTORY_FORMAT, "next": self._next, "tell_from": self._tell_from,
                 "tick": self._now_us, "bundle": self._name}  # fmt: skip
        self._store.set_state({k: str(v) for k, v in state.items() if v is not None})

    def _flush(self) -> None:
        if self._new:
            self._store.add(self._new)
            self._new = []

    # -- records -------------------------------------------------------------------------------

    def _entry(self, value: bytes, position: int) -> None:
        try:
            records = decode_envelope(value)
        except (msgspec.MsgspecError, ValueError):
            return  # the rules' worker says so, loudly
        for slot, record in enumerate(records):
            if isinstance(record, Report):
                self._take(record, (position << 21) | (slot << 1))
            elif isinstance(record, Tick):
                self._now_us = max(record.at_us, self._now_us or record.at_us)
                for key in sorted(self._open):
                    self._look(key, position)
                self._open.clear()
            elif isinstance(record, Activate):
                self._activate(record)

    def _activate(self, record: Activate) -> None:
        try:
            self._open_bundle(record.bundle)
        except (KeyError, ValueError, msgspec.MsgspecError):
            log.exception("bundle_not_readable", bundle=record.bundle)

    def _take(self, report: Report, n: int) -> None:
        key = (report.facility, report.station, report.interval)
        is_looked_at, has_timers = self._rules_look(key)
        if not is_looked_at:
            return
        kept = self._cells.get(key)
        if kept is None:
            kept = self._cells[key] = Kept({})
        last_us = kept.last_us
        if last_us is not None and report.observed_us < last_us - self._keep_us:
            self._metrics.too_late.inc()
            return
        late = [
            i for i, name in enumerate(report.indicators) if self._is_late(kept, report, i, name)
        ]
        if len(late) == len(report.indicators):
            self._keep(key, kept, Arrived(key, n, 1, report))
            return
        if late:
            self._keep(key, kept, Arrived(key, n, 1, _part(report, late)))
            rest = [i for i in range(len(report.indicators)) if i not in late]
            report = _part(report, rest)
        place = 2 if has_timers and self._is_delayed(report) else 0
        self._keep(key, kept, Arrived(key, n + 1, place, report))
        for name in report.indicators:
            kept.newest_us[name] = report.observed_us

    @staticmethod
    def _is_late(kept: Kept, report: Report, index: int, name: str) -> bool:
        newest_us = kept.newest_us.get(name)
        return report.flag(index) == WITHDRAWN or (
            newest_us is not None and report.observed_us <= newest_us
        )

    def _is_delayed(self, report: Report) -> bool:
        if self._now_us is None or self._book is None:
            return False
        end_us = window_end(report.observed_us, report.interval, self._book.zone)
        return end_us + DELAYED_US < self._now_us

    def _keep(self, key: Key, kept: Kept, arrived: Arrived) -> None:
        self._new.append(arrived)
        self._changed.add(key)
        if (arrived.place or kept.is_watched) and kept.open_n is None:
            kept.open_n = arrived.n
            self._open.add(key)
        kept.since_pruned += 1
        last_us = kept.last_us
        if kept.since_pruned >= PRUNE_EVERY and last_us is not None:
            kept.since_pruned = 0
            self._flush()
            self._store.drop_before(key, last_us - self._keep_us)

    def _rules_look(self, key: Key) -> tuple[bool, bool]:
        """Does any rule that has a history look at this cell, and does one of them wait?"""
        found = self._looked.get(key)
        if found is None:
            found = (False, False)
            if self._book is not None:
                station = self._book.stations.get(key[1])
                rules = [
                    judging
                    for judging in self._book.rules_of(key[1])
                    if station is not None
                    and station.facility == key[0]
                    and judging.interval == key[2]
                    and history.has_history(judging.rule.condition)
                ]
                waits = any(any(one.delays) or one.derive is not None for one in rules)
                found = (bool(rules), waits)
            self._looked[key] = found
        return found

    # -- amendments ----------------------------------------------------------------------------

    def _look(self, key: Key, position: int) -> None:
        """What the readings that wait change in the history of their cell."""
        kept = self._cells[key]
        open_n, last_us = kept.open_n, kept.last_us
        kept.open_n = None
        self._changed.add(key)
        if open_n is None or self._bundle is None or not self._rules_look(key)[0]:
            return
        since_us = -(1 << 62) if last_us is None else last_us - self._keep_us
        self._flush()
        arrived = self._store.arrived(key, since_us, MOST_REPORTS, own=True)
        assert self._now_us is not None
        look = CellHistory(self._part(key[0]), arrived, open_n, self._now_us)
        # Also news that changed no episode so far may change what the next reading makes of it.
        kept.is_amended = True
        for found in look.news():
            self._amend(look.amendment(found, position))
        if look.has_late:
            for found in list(look.astray(self._store.amended(key[0]))):
                self._amend(look.amendment(found, position))
        kept.is_watched = look.has_late and look.stands_apart

    def _amend(self, amendment: Amendment) -> None:
        self._store.amend(amendment, told=amendment.position >= self._tell_from)
        self._metrics.amendments.labels(amendment.rule, amendment.kind).inc()

    def _part(self, facility: str) -> Bundle:
        part = self._parts.get(facility)
        if part is None:
            assert self._bundle is not None
            part = self._parts[facility] = history.of_facility(self._bundle, facility)
            if len(self._parts) > BUNDLES_OPEN:
                self._parts.popitem(last=False)
        return part


def _part(report: Report, indices: list[int]) -> Report:
    return msgspec.structs.replace(
        report,
        indicators=tuple(report.indicators[i] for i in indices),
        values=tuple(report.values[i] for i in indices),
        flags=None if report.flags is None else tuple(report.flags[i] for i in indices),
    )


def history_of(
    path: Path, configuration: Configuration, log_: SqliteLog, metrics: Metrics
) -> tuple[HistoryStore | None, Amender | None]:
    """Both, or neither for a site that does not amend."""
    if configuration.history_keep_us is None:
        return None, None
    store = HistoryStore(path)
    return store, Amender(log_, log_, store, configuration.history_keep_us, metrics)


def run(amender: Amender, log_: Log, stop: threading.Event) -> None:
    """Pump until `stop` and nothing is left."""
    while True:
        try:
            if amender.pump() == 0:
                if stop.is_set():
                    return
                log_.wait(REPORTS, 0, amender.position, 0.25)
        except Unavailable as error:
            log.error("amender_waiting", detail=str(error))
            if stop.wait(1.0):
                return
        except Exception:
            log.exception("amender_step_failed")
            if stop.wait(1.0):
                return
