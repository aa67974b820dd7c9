"""How every facility stands, read from `yujing.facilities.v1`: any process can answer for all.

The topic is compacted: who reads it from the beginning holds the newest state of each facility.
States are kept as bytes and opened when somebody asks; a country fits into some 100 MB.
"""

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import structlog

from shared.errors import Unavailable
from shared.log.port import FACILITIES, Batch, Position
from shared.model.standing import AlertNow, FacilityState

WAIT_S = 0.5
AWAY_S = 1.0

log = structlog.get_logger()
_DECODER = msgspec.json.Decoder(FacilityState)


class Readable(Protocol):
    """The log, as far as this needs it."""

    def partitions(self, topic: str) -> int: ...

    def read(self, topic: str, partition: int, start: Position, limit: int = 1000) -> Batch: ...

    def wait_any(self, topic: str, starts: Mapping[int, Position], timeout_s: float) -> bool: ...


class FacilityStates:
    """`run` in a thread of its own; anybody may ask meanwhile."""

    def __init__(self, log_: Readable) -> None:
        self._log = log_
        self._next: dict[int, Position] = {}
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._opened: tuple[int, list[FacilityState]] = (-1, [])
        self.complete = False
        """Everything that stood there at the first look has been read."""

    def run(self, stop: threading.Event) -> None:
        """Read on until `stop`; while the broker is away the last known states stand."""
        while not stop.is_set():
            try:
                if not self.read_on():
                    self._log.wait_any(FACILITIES, self._next, WAIT_S)
            except Unavailable as error:
                log.warning("facility_states_waiting", detail=str(error))
                stop.wait(AWAY_S)
            except Exception:
                log.exception("facility_states_failed")
                stop.wait(AWAY_S)

    def read_on(self) -> int:
        """Take what is new in every partition; how many values there were.

        Raises:
            Unavailable: the broker does not answer; what was taken stays.

        """
        if not self._next:
            count = self._log.partitions(FACILITIES)
            self._next = {number: Position(0) for number in range(count)}
        taken = 0
        for number in list(self._next):
            while True:
                batch = self._log.read(FACILITIES, number, self._next[number])
                if not batch.entries:
                    break
                with self._lock:
                    for entry in batch.entries:
                        if entry.value:
                            self._kept[entry.key] = entry.value
                        else:
                            self._kept.pop(entry.key, None)
                    self._version += 1
                taken += len(batch.entries)
                self._next[number] = batch.next
        self.complete = True
        return taken

    def facilities(self) -> list[dict[str, Any]]:
        """As GET /v1/facilities has them, by id; do not change what is returned."""
        return [state.facility for state in self._states()]

    def alerts(self) -> list[AlertNow]:
        """Every rule on every series of every facility."""
        return [alert for state in self._states() for alert in state.alerts]

    def _states(self) -> list[FacilityState]:
        with self._lock:
            if self._opened[0] != self._version:
                opened = []
                for facility, value in sorted(self._kept.items()):
                    try:
                        opened.append(_DECODER.decode(value))
                    except ValueError as error:
                        log.warning("facility_state_bad", facility=facility, detail=str(error))
                self._opened = self._version, opened
            return self._opened[1]
