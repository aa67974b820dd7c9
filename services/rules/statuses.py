"""Facility states for everybody: `yujing.facilities.v1`, the newest state of each, compacted.

Facilities with a transition go first, and all only as far as a small share of the time allows,
so that telling never costs more than judging: what is behind is soon out of date anyway. Who was not told yet is part of the
checkpoint, so nobody is forgotten.
"""

import msgspec
import structlog

from services.rules.alerts_out import Batch, Out
from services.rules.core import view
from services.rules.partition import Partition
from shared.clock import real_monotonic
from shared.log.port import FACILITIES
from shared.model.partition import partition_of
from shared.model.standing import FacilityState
from shared.observe.metrics import Metrics

BUSY_SHARE, IDLE_SHARE = 0.03, 0.4
"""Of the time since the last turn; more while judging leaves time."""
LONGEST_TURN_S = 0.1

log = structlog.get_logger()


class Statuses:
    """One per process; `tell` is called in turn for every partition, the first one changing."""

    def __init__(self, out: Out, partitions: int, metrics: Metrics) -> None:
        self._out, self._partitions, self._metrics = out, partitions, metrics
        self._allowance_s = 0.0
        self._turned_at = real_monotonic()

    def begin(self, *, idle: bool) -> None:
        """A turn of all partitions begins."""
        now = real_monotonic()
        share = IDLE_SHARE if idle else BUSY_SHARE
        self._allowance_s = min(LONGEST_TURN_S, self._allowance_s + share * (now - self._turned_at))
        self._turned_at = now

    def tell(self, machine: Partition, batch: Batch) -> None:
        """Send what is owed as far as the turn allows; what is left waits for the next one."""
        for waiting in (machine.urgent, machine.changed):
            while waiting and self._allowance_s > 0:
                began = real_monotonic()
                facility = next(iter(waiting))
                try:
                    self._send(machine, batch, facility)
                except BufferError:
                    return
                machine.urgent.pop(facility, None)
                machine.changed.pop(facility, None)
                self._allowance_s -= real_monotonic() - began

    def _send(self, machine: Partition, batch: Batch, facility: str) -> None:
        value: bytes | None = None
        try:
            found = view.one_facility(machine.engine, facility)
            if found is not None:
                value = msgspec.json.encode(FacilityState(*found))
        except Exception:
            # Its last known state stays; one broken facility must not stop the telling.
            log.exception("facility_not_told", facility=facility)
            self._metrics.failures.labels("rules").inc()
            return
        number = partition_of(facility, self._partitions)
        self._out.send(batch, FACILITIES, facility.encode(), value, number)
