"""The amender: reads the log beside the engine and says what late readings change in history.

    report -> history.db, marked when it is late -> the next tick: history without and with it
           -> one amendment per episode that differs

A consumer with its own position, which stands with its effects. What it says is a function of
the log: it looks at ticks, so batches and restarts change nothing, and ids are derived.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from services.rules.core.book import Book
from services.rules.core.cell_history import (
    DELAYED,
    LATE,
    LATE_FOR_FACILITY,
    LATE_FOR_ROLLUP,
    Arrived,
    CellHistory,
    Key,
)
from services.rules.core.clock import LogClock
from services.rules.core.history_units import NOBODY, Looks, Unit, Units, places
from services.rules.history_port import HistoryWriter
from services.rules.history_store import HISTORY_FORMAT, HistoryStore, Kept
from services.rules.unit_readings import readings_of
from shared.errors import Unavailable
from shared.log.port import REPORTS, Log, Position
from shared.log.sqlite import SqliteLog
from shared.model.amendment import Amendment
from shared.model.configuration import Bundle, Configuration, decode_bundle
from shared.model.instants import EARLIEST_US, LATEST_US, window_end
from shared.model.report import WITHDRAWN, Activate, Report, Tick, decode_envelope
from shared.observe.metrics import Metrics

DELAYED_US = 300_000_000
"""A reading in its turn that comes this long after its window may find that a timer has run."""
PRUNE_EVERY = 256
UNITS_OPEN = 8
SLOTS_HEARD = 64
"""Of a facility with rules on several stations: the newest of which it is known when they were
first heard of. One that is older counts as heard of within its window."""

log = structlog.get_logger()


class Amender:
    """`pump` is one step."""

    def __init__(
        self, log_: Log, bundle_of: Callable[[str], Bundle], store: HistoryWriter, keep_us: int,
        metrics: Metrics, *, partition: int = 0, begins: int | None = None,
    ) -> None:  # fmt: skip
        """`begins`: what stood in the log before it is history and not told, when nothing is kept
        yet; by default everything there is.
        """
        self._begins = begins
        self._log, self._bundle_of, self._store = log_, bundle_of, store
        self._keep_us, self._metrics, self._partition = keep_us, metrics, partition
        self._reload()

    def _reload(self) -> None:
        """From the file, as after a start: after a failure memory is ahead of it."""
        self._is_ahead = False
        state = self._store.state()
        if not state:
            # A site that begins to amend does not tell anybody of years ago. Written down at
            # once: who dies before the first pump must not begin later.
            begins = self._begins
            if begins is None:
                begins = self._log.end(REPORTS, self._partition)
            state = {"format": str(HISTORY_FORMAT), "tell_from": str(begins)}
            with self._store.writing():
                self._store.set_state(state)
        self._tell_from = int(state["tell_from"])
        self._next = Position(int(state.get("next", 0)))
        self._now_us = int(state["tick"]) if "tick" in state else None
        self._clock = LogClock(deaf_after_us=0)
        if "deaf" in state:
            self._clock = msgspec.json.decode(state["deaf"], type=LogClock)
        if self._now_us is not None:
            self._clock.now_us = self._now_us
            self._clock.first_us = self._clock.first_us or self._now_us
        self._deaf_written = len(self._clock.begins)
        self._cells = dict(self._store.cells())
        self._open = {key for key, kept in self._cells.items() if kept.open_n is not None}
        self._changed: set[Key] = set()
        self._new: list[Arrived] = []
        self._open_bundle(state.get("bundle"))

    def _open_bundle(self, name: str | None) -> None:
        bundle = None if name is None else self._bundle_of(name)
        self._name = name
        self._book: Book | None = None
        self._units: Units | None = None
        self._looks: dict[Key, Looks] = {}
        self._made: OrderedDict[Key, Unit] = OrderedDict()
        if bundle is not None:
            self._book = Book(bundle)
            self._units = Units(bundle, self._book)
            self._clock.deaf_after_us = bundle.deaf_after_us

    @property
    def position(self) -> Position:
        return self._next

    def pump(self, limit: int = 200) -> int:
        """
        Take at most `limit` entries; returns how many there were.

        Raises:
            Unavailable: the log or the store; nothing of it was kept, pump again.

        """
        if self._is_ahead:
            self._reload()
        batch = self._log.read(REPORTS, self._partition, self._next, limit)
        if not batch.entries:
            return 0
        self._is_ahead = True
        with self._store.writing():
            for entry in batch.entries:
                self._entry(entry.value, entry.position)
                self._next = Position(entry.position + 1)
            self._write()
        self._is_ahead = False
        return len(batch.entries)

    def _write(self) -> None:
        self._flush()
        self._store.put_cells((key, self._cells[key]) for key in sorted(self._changed))
        self._changed.clear()
        state = {"format": HISTORY_FORMAT, "next": self._next, "tell_from": self._tell_from,
                 "tick": self._now_us, "bundle": self._name}  # fmt: skip
        if self._deaf_written != len(self._clock.begins):  # rare, and may be long
            self._deaf_written = len(self._clock.begins)
            state["deaf"] = msgspec.json.encode(self._clock).decode()
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
                if _is_whole(record):
                    self._take(record, (position << 21) | (slot << 1))
            elif isinstance(record, Tick):
                if not EARLIEST_US < record.at_us < LATEST_US:
                    continue
                self._now_us = max(record.at_us, self._now_us or record.at_us)
                self._clock.tick(record.at_us)
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
        looks = self._who_looks(key)
        if not looks.anybody:
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
            self._keep(looks, kept, Arrived(key, n, LATE, report))
            return
        if late:
            self._keep(looks, kept, Arrived(key, n, LATE, _part(report, late)))
            rest = [i for i in range(len(report.indicators)) if i not in late]
            report = _part(report, rest)
        self._keep(looks, kept, Arrived(key, n + 1, self._place(looks, report), report))
        for name in report.indicators:
            kept.newest_us[name] = report.observed_us

    @staticmethod
    def _is_late(kept: Kept, report: Report, index: int, name: str) -> bool:
        newest_us = kept.newest_us.get(name)
        return report.flag(index) == WITHDRAWN or (
            newest_us is not None and report.observed_us <= newest_us
        )

    def _place(self, looks: Looks, report: Report) -> int:
        """Of what is in its turn: who has judged without it already?"""
        place = DELAYED if looks.waits and self._is_delayed(report) else 0
        if self._units is None:
            return place
        if looks.grace_us is not None and self._is_judged(looks.grace_us, report):
            place |= LATE_FOR_FACILITY
        if any(self._units.is_closed(r, report.observed_us, self._clock) for r in looks.rollups):
            place |= LATE_FOR_ROLLUP
        return place

    def _is_delayed(self, report: Report) -> bool:
        if self._now_us is None or self._book is None:
            return False
        end_us = window_end(report.observed_us, report.interval, self._book.zone)
        return end_us + DELAYED_US < self._now_us

    def _is_judged(self, grace_us: int, report: Report) -> bool:
        """As the rule itself decides it: `grace` after the slot's end and its first word."""
        assert self._units is not None
        now_us, slot_us = self._clock.now_us, report.observed_us
        if now_us is None:
            return False
        unit_key = (report.facility, "", "")
        slots = self._kept(unit_key).heard_us.setdefault(report.interval, {})
        heard_us = slots.get(slot_us)
        if heard_us is None:
            is_new = not slots or slot_us >= min(slots)
            heard_us = now_us if is_new else slot_us
            if is_new:
                slots[slot_us] = now_us
                self._changed.add(unit_key)
                if len(slots) > SLOTS_HEARD:
                    del slots[min(slots)]
        return self._units.is_judged(slot_us, report.interval, grace_us, heard_us, self._clock)

    def _kept(self, key: Key) -> Kept:
        kept = self._cells.get(key)
        if kept is None:
            kept = self._cells[key] = Kept({})
        return kept

    def _keep(self, looks: Looks, kept: Kept, arrived: Arrived) -> None:
        key = arrived.key
        self._new.append(arrived)
        self._changed.add(key)
        if looks.cell:
            self._may_open(key, kept, arrived)
        if looks.facility:
            self._may_open((key[0], "", ""), self._kept((key[0], "", "")), arrived)
        for name in looks.rollups:
            self._may_open(("", name, ""), self._kept(("", name, "")), arrived)
        kept.since_pruned += 1
        last_us = kept.last_us
        if kept.since_pruned >= PRUNE_EVERY and last_us is not None:
            kept.since_pruned = 0
            self._flush()
            self._store.drop_before(key, last_us - self._keep_us)

    def _may_open(self, key: Key, kept: Kept, arrived: Arrived) -> None:
        """The next tick looks at a unit when something in it came late, or while it is watched."""
        if kept.open_n is None and (arrived.place & sum(places(key)) or kept.is_watched):
            kept.open_n = arrived.n
            self._open.add(key)
            self._changed.add(key)

    def _who_looks(self, key: Key) -> Looks:
        found = self._looks.get(key)
        if found is None:
            found = self._looks[key] = NOBODY if self._units is None else self._units.looks(key)
        return found

    # -- amendments ----------------------------------------------------------------------------

    def _look(self, key: Key, position: int) -> None:
        """What the readings that wait change in the history of their cell."""
        kept = self._cells[key]
        open_n, kept.open_n = kept.open_n, None
        self._changed.add(key)
        unit = self._unit(key)
        if open_n is None or unit is None:
            return
        self._flush()
        arrived = readings_of(self._store, unit, self._cells, self._keep_us, own=True)
        assert self._now_us is not None
        late, delayed = places(key)
        look = CellHistory(
            unit.part, arrived, open_n, self._now_us, owns=unit.owns, late=late, delayed=delayed
        )
        # Also news that changed no episode so far may change what the next reading makes of it.
        kept.is_amended = True
        for found in look.news():
            self._amend(look.amendment(found, position))
        if look.has_late:
            known = [one for facility in look.facilities for one in self._store.amended(facility)]
            for found in list(look.astray(known)):
                self._amend(look.amendment(found, position))
        kept.is_watched = look.has_late and look.stands_apart

    def _amend(self, amendment: Amendment) -> None:
        self._store.amend(amendment, told=amendment.position >= self._tell_from)
        self._metrics.amendments.labels(amendment.rule, amendment.kind).inc()

    def _unit(self, key: Key) -> Unit | None:
        """As the configuration has it now; None: nobody looks at it any more."""
        units = self._units
        found = self._made.get(key)
        if found is not None or units is None:
            return found
        if not key[0]:
            found = units.of_rollup(key[1]) if units.has_rollup(key[1]) else None
        elif not key[1]:
            own = [cell for cell in self._cells if cell[0] == key[0] and cell[1]]
            found = units.of_facility(key[0], own)
        elif self._who_looks(key).cell:
            found = units.of_cell(key)
        if found is None or not found.cells:
            return None
        if key[1] and key[0]:
            self._made[key] = found  # its cells never change; those of a facility may
            if len(self._made) > UNITS_OPEN:
                self._made.popitem(last=False)
        return found


def _is_whole(report: Report) -> bool:
    """What is not, the rules set aside as well, and say so."""
    count = len(report.indicators)
    return (
        len(report.values) == count
        and (report.flags is None or len(report.flags) == count)
        and EARLIEST_US < report.observed_us < LATEST_US
    )


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
    return store, Amender(
        log_,
        lambda name: decode_bundle(log_.get(name)),
        store,
        configuration.history_keep_us,
        metrics,
    )


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
