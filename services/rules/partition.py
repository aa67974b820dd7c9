"""One partition of the judged log as a synchronous machine around the pure engine.

`apply` takes one log record, all of it or none: what the record causes goes into its answer as
alerts and rejects and never escapes as an exception. Only a store that does not answer does
(Unavailable), and then nothing was touched and the same record is applied again.
"""

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core import sleep, state, view
from services.rules.core.engine import Engine, Key
from services.rules.core.sleep import SleepingCell
from shared.errors import Unavailable
from shared.model.alert import encode_alert
from shared.model.configuration import Bundle
from shared.model.instants import EARLIEST_US, LATEST_US, instant_text
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, decode_envelope
from shared.model.rollup import Contribution
from shared.model.severity import Severity
from shared.model.transition import Transition, transition_id

_UTC = ZoneInfo("UTC")


class Alert(msgspec.Struct, frozen=True):
    """A transition that was decided, ready for the wire."""

    id: str
    transition: Transition
    value: bytes


class Reject(msgspec.Struct, frozen=True):
    """What could not be judged: for the dead letters."""

    reason: str
    detail: str
    facility: str
    raw: bytes


class Applied(msgspec.Struct):
    alerts: list[Alert]
    rejects: list[Reject]
    contributions: list[Contribution] = []
    """Of members of this partition to their territories, which may belong to others."""


class Cut(msgspec.Struct, frozen=True):
    """What a checkpoint keeps: the state as it was when every record before `next` was judged."""

    next: int
    head: bytes
    cells: list[SleepingCell | Key]
    """Changed cells; a bare key is a cell that is gone."""
    untold: list[str]
    """Facilities whose state changed and was not yet published."""
    unkept: list[Reject]
    """Cells that could not be saved: what is kept of them is older."""


class Partition:
    """Not thread-safe: one caller at a time."""

    def __init__(
        self, number: int, partitions: int, share_of: Callable[[str, int], Bundle]
    ) -> None:
        self.number, self.partitions = number, partitions
        self._share_of = share_of
        self.engine = Engine(lambda name: share_of(name, number), alone=False)
        self.next = 0
        self.urgent: dict[str, None] = {}
        """Those among them with a transition."""
        self._standing: set[Key] = set()
        self._now: Record | None = None
        self._rejects: list[Reject] = []
        self._foreseen: dict[str, Bundle | Exception] = {}
        """The bundles of the record at hand, or why there is none."""

    @property
    def changed(self) -> dict[str, None]:
        """Facilities to be told about (services.rules.statuses), in order of change."""
        return self.engine.touched

    # -- judging -----------------------------------------------------------------------------

    def apply(self, value: bytes | None, offset: int) -> Applied:
        """Judge the record at `offset` and stand behind it.

        Raises:
            Unavailable: a bundle cannot be read now; nothing was touched.

        """
        try:
            records = _records(value)
        except Exception as error:
            self.next = offset + 1
            reason = "tombstone" if value is None else "bad-record"
            return Applied([], [Reject(reason, _told(error), "", value or b"")])
        self._foreseen.clear()
        for record in records:
            if isinstance(record, Activate):
                self._foresee(record.bundle)
        self.next = offset + 1
        applied = Applied([], [])
        self._rejects = applied.rejects
        rest = iter(records)
        while True:
            try:
                said = self.engine.apply(rest, self._admit)
            except Exception as error:
                said = self.engine.broken()
                applied.rejects.append(self._broken(error))
                self._say(said, applied)
            else:
                self._say(said, applied)
                applied.contributions = list(self.engine.sent)
                self.engine.sent.clear()
                return applied

    def _foresee(self, bundle: str) -> None:
        """Only a store that is away may stop a record, and only before it is touched."""
        try:
            self._foreseen[bundle] = self._share_of(bundle, self.number)
        except Unavailable:
            raise
        except Exception as error:  # its place in the order is where it is set aside
            self._foreseen[bundle] = error

    def _admit(self, record: Record) -> bool:
        """Whether the engine may judge it; what it may not is rejected."""
        self._now, book = record, self.engine.book
        if isinstance(record, Report):
            known = book.stations.get(record.station) if book is not None else None
            if (
                known is not None
                and known.facility == record.facility
                and len(record.values) == len(record.indicators)
                and EARLIEST_US < record.observed_us < LATEST_US
                and (record.flags is None or len(record.flags) == len(record.values))
            ):
                return True
            self._rejects.append(self._refuse(record))
        elif isinstance(record, Activate):
            return self._admit_bundle(record)
        elif isinstance(record, Contribution):
            if book is not None and record.territory in book.facilities:
                return True
            owner = partition_of(record.territory, self.partitions)
            reason = "unknown-facility" if owner == self.number else "wrong-partition"
            detail = (
                f"a contribution of {record.member} to territory {record.territory}, roll-up "
                f"{record.rollup}: it is not rolled up here"
            )
            self._rejects.append(Reject(reason, detail, record.territory, _raw(record)))
        elif isinstance(record, Tick) and not EARLIEST_US < record.at_us < LATEST_US:
            detail = f"a tick at {record.at_us} µs"
            self._rejects.append(Reject("bad-time", detail, "", _raw(record)))
        else:
            return True
        return False

    def _admit_bundle(self, record: Activate) -> bool:
        share = self._foreseen[record.bundle]
        if isinstance(share, Exception):
            detail = f"bundle {record.bundle}: {_told(share)}"
            self._rejects.append(Reject("unknown-bundle", detail, "", _raw(record)))
            return False
        # Those that are gone are told about, too: they are taken back.
        before = self.engine.book
        self.changed.update(dict.fromkeys(before.facilities if before else ()))
        self.changed.update(dict.fromkeys(facility.id for facility in share.facilities))
        return True

    def _refuse(self, report: Report) -> Reject:
        facility, station = report.facility, report.station
        book = self.engine.book
        owner = partition_of(facility, self.partitions)
        if owner != self.number:
            reason = "wrong-partition"
            detail = f"facility {facility} belongs to partition {owner}, not {self.number}"
        elif book is None or facility not in book.facilities:
            reason, detail = "unknown-facility", f"facility {facility} is not in the configuration"
        elif (known := book.stations.get(station)) is None or known.facility != facility:
            reason = "unknown-station"
            detail = f"station {station} is not one of facility {facility}"
        elif not EARLIEST_US < report.observed_us < LATEST_US:
            reason, detail = "bad-time", f"observed at {report.observed_us} µs"
        else:
            reason = "bad-record"
            detail = (
                f"{len(report.indicators)} indicators, {len(report.values)} values, "
                f"{'no' if report.flags is None else len(report.flags)} flags"
            )
        return Reject(reason, detail, facility, _raw(report))

    def _broken(self, error: Exception) -> Reject:
        record = self._now
        facility = record.facility if isinstance(record, Report) else ""
        return Reject("not-judged", _told(error), facility, _raw(record))

    def _say(self, said: list[Transition], applied: Applied) -> None:
        for transition in said:
            try:
                name = transition_id(transition, self.engine.zone)
                value = encode_alert(transition, self.engine.zone)
            except Exception as error:
                raw = msgspec.msgpack.encode(transition)
                applied.rejects.append(Reject("not-judged", _told(error), transition.facility, raw))
                continue
            applied.alerts.append(Alert(name, transition, value))
            self.changed[transition.facility] = None
            self.urgent[transition.facility] = None
            self._standing.add((transition.station, transition.interval))

    # -- keeping -----------------------------------------------------------------------------

    def cut(self) -> Cut:
        """The state now, as far as it changed since the last cut. What is cut must be kept."""
        engine = self.engine
        dirty, engine.dirty = engine.dirty, set()
        cells: list[SleepingCell | Key] = []
        unkept: list[Reject] = []
        for key in dirty:
            cell = engine.cells.get(key)
            try:
                cells.append(key if cell is None else sleep.save(engine, key, cell))
            except Exception as error:
                facility = cell.facility if cell else ""
                detail = f"station {key[0]}, interval {key[1]}: {_told(error)}"
                unkept.append(Reject("not-kept", detail, facility, b""))
        return Cut(self.next, state.save_head(engine), cells, list(self.changed), unkept)

    def restore(
        self, next_offset: int, head: bytes, cells: Iterator[SleepingCell], untold: list[str]
    ) -> None:
        """Stand where a cut stood.

        Raises:
            ValueError: the state has a newer format than this program knows.

        """
        self.next = next_offset
        sleep.restore(self.engine, head, cells)
        self._standing = set(self.engine.cells)
        self.engine.touched = dict.fromkeys(untold)

    # -- looking -----------------------------------------------------------------------------

    def counts(self) -> dict[tuple[str, Severity], int]:
        """Alerts pending and firing; the price is that of the cells that have some."""
        standing = {}
        for key in self._standing:
            cell = self.engine.cells.get(key)
            if cell is not None and next(iter(view.standing(cell)), None) is not None:
                standing[key] = cell
        self._standing = set(standing)
        return view.count(standing.values())


def _records(value: bytes | None) -> list[Record]:
    if value is None:
        raise ValueError("a record without a value")
    return decode_envelope(value)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"


def _raw(record: Record | None) -> bytes:
    """The record as people and `redrive` read it: a report as contract §3 has it."""
    try:
        if isinstance(record, Report):
            return msgspec.json.encode(_public(record))
        return msgspec.json.encode(record)
    except Exception:
        return repr(record).encode("utf-8", "backslashreplace")


def _public(report: Report) -> dict[str, Any]:
    readings = [
        {"indicator": indicator, "value": value, "flag": report.flag(index)}
        for index, (indicator, value) in enumerate(
            zip(report.indicators, report.values, strict=True)
        )
    ]
    named = {"id": report.id} if report.id else {}
    return named | {
        "facility": report.facility, "station": report.station,
        "observed_at": instant_text(report.observed_us, _UTC), "interval": report.interval,
        "readings": readings,
    }  # fmt: skip
