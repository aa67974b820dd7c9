"""HJ 212 loggers that go on sending, whether they are answered or not, and remember their frames.

A frame that has no answer is sent again, by `again`, until it has one, as loggers do from memory.
"""

import contextlib
import selectors
import socket
import threading
from datetime import UTC, datetime, timedelta, timezone

from shared.clock import real_monotonic, real_wall
from shared.testing.configs import STATION_CODE, Facility
from shared.testing.program import device

ZONE = timezone(timedelta(hours=8))


class Station:
    """One logger with one connection that is never given up by it."""

    def __init__(self, facility: Facility, port: int, value: float) -> None:
        self.facility, self.value = facility, value
        self.sent: dict[str, bytes] = {}
        """Frames without an answer, by data time."""
        self.answered: list[tuple[float, str]] = []
        """The moment of each 9014, and its data time."""
        self.frames = 0
        self.is_open = True
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)
        self._in, self._out = b"", b""

    def send_new(self) -> None:
        at = datetime.fromtimestamp(real_wall(), UTC).astimezone(ZONE)
        time = f"{at:%Y%m%d%H%M%S}"
        if time in self.sent or any(time == known for _, known in self.answered[-3:]):
            return
        frame = device(self.facility).upload({STATION_CODE: self.value}, data_time=time)
        self.sent[time] = frame
        self.frames += 1
        self._out += frame

    def again(self) -> None:
        """Everything unanswered once more, unless the line is still full."""
        if not self._out:
            self._out = b"".join(self.sent.values())

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._out:
                self._out = self._out[self.socket.send(self._out) :]

    def hear(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_open = False
            return
        *lines, self._in = (self._in + data).split(b"\r\n")
        for line in lines:
            if b"CN=9014" in line:
                time = line.partition(b"QN=")[2][:14].decode()
                self.answered.append((real_monotonic(), time))
                self.sent.pop(time, None)


class Stations(threading.Thread):
    """All of them, a frame a second each; `repeat_s` is how often the unanswered is sent again."""

    def __init__(self, facilities: list[Facility], port: int, value: float) -> None:
        super().__init__(daemon=True)
        self.all = [Station(facility, port, value) for facility in facilities]
        self.over = threading.Event()
        self.repeat_s = 5.0
        self.fresh = True
        """New frames are made; without, only what is unanswered is sent again."""

    def run(self) -> None:
        selector = selectors.DefaultSelector()
        for station in self.all:
            selector.register(station.socket, selectors.EVENT_READ, station)
        repeated = real_monotonic()
        while not self.over.wait(0.1):
            for key, _ in selector.select(0):
                key.data.hear()
                if not key.data.is_open:
                    selector.unregister(key.data.socket)
            if not self.fresh or real_monotonic() - repeated > self.repeat_s:
                repeat = real_monotonic() - repeated > 1.0
                repeated = real_monotonic() if repeat else repeated
            else:
                repeat = False
            for station in self.all:
                if self.fresh:
                    station.send_new()
                if repeat:
                    station.again()
                if station.is_open:
                    station.flush()
        selector.close()
        for station in self.all:
            station.socket.close()

    def still_open(self) -> int:
        return sum(station.is_open for station in self.all)

    def answers(self, start: float, end: float) -> int:
        """How many 9014 came in between."""
        return sum(start <= at < end for s in self.all for at, _ in list(s.answered))

    def unanswered(self) -> int:
        return sum(len(station.sent) for station in self.all)

    def close(self) -> None:
        self.over.set()
        self.join(10)
