"""Clocks: the only place that reads time. Everything else is handed an instant or a `Clock`."""

import threading
import time
from pathlib import Path
from typing import Protocol

from shared.model.instants import Instant


class Clock(Protocol):
    def now(self) -> Instant:
        """This program's time."""

    def steady_us(self) -> int:
        """Microseconds of program time that never step; only differences mean anything."""

    def wait(self, event: threading.Event, program_us: int) -> bool:
        """Wait until `event` is set or that much program time has passed; True when set.

        May return earlier (after 250 ms), so that a change of speed is felt: ask again.
        """


class SystemClock:
    """The machine's clock. `steady_us` goes on through clock steps and suspend."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    def steady_us(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def wait(self, event: threading.Event, program_us: int) -> bool:
        return event.wait(max(program_us, 0) / 1e6)


class ScenarioClock:
    """START + elapsed x SPEED. The speed may change while it runs; time never steps."""

    def __init__(self, start: Instant, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base_us = int(start)
        self._base_ns = time.monotonic_ns()
        self._speed = speed
        self.fastest = speed
        """The highest speed it will have: how far apart two ticks may be."""

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> Instant:
        with self._lock:
            return self._now(time.monotonic_ns())

    def _now(self, monotonic_ns: int) -> Instant:
        return Instant(self._base_us + int((monotonic_ns - self._base_ns) * self._speed / 1000))

    def steady_us(self) -> int:
        return int(self.now())

    def go_on_from(self, instant: Instant) -> None:
        """Started again on the same data: time goes on from the last tick."""
        with self._lock:
            self._base_us = int(instant)
            self._base_ns = time.monotonic_ns()

    def set_speed(self, speed: float) -> None:
        with self._lock:
            monotonic_ns = time.monotonic_ns()
            self._base_us = int(self._now(monotonic_ns))
            self._base_ns = monotonic_ns
            self._speed = speed

    def wait(self, event: threading.Event, program_us: int) -> bool:
        return event.wait(min(max(program_us, 0) / 1e6 / max(self.speed, 1e-9), 0.25))


class LedClock(ScenarioClock):
    """A scenario clock of several processes on one machine: who leads writes it to a file.

    The file holds `BASE_US BASE_NS SPEED FASTEST`: the time BASE_US stood at BASE_NS of the
    machine's monotonic clock, which all its processes share.
    """

    def __init__(self, path: Path, *, leads: tuple[Instant, float] | None = None) -> None:
        """Follow the file; `leads` (start, fastest) makes this the one that writes it.

        Raises:
            ValueError: there is no such file yet, or it holds something else.
        """
        super().__init__(leads[0] if leads else Instant(0))
        self._path, self._leads = path, leads is not None
        self._read: tuple[int, int] | None = None
        if leads is None:
            self._follow()
        else:
            self.fastest = leads[1]
            self._write()

    def now(self) -> Instant:
        if not self._leads:
            self._follow()
        return super().now()

    @property
    def speed(self) -> float:
        if not self._leads:
            self._follow()
        return self._speed

    def go_on_from(self, instant: Instant) -> None:
        """Only who leads may; the others go on with him."""
        if self._leads:
            super().go_on_from(instant)
            self._write()

    def set_speed(self, speed: float) -> None:
        assert self._leads, "the speed is set by who leads"
        super().set_speed(speed)
        self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{self._base_us} {self._base_ns} {self._speed!r} {self.fastest!r}\n")
        fresh.replace(self._path)

    def _follow(self) -> None:
        try:
            # The inode, too: two writings may fall into one step of the file system's time.
            found = self._path.stat()
            if (found.st_ino, found.st_mtime_ns) == self._read:
                return
            base_us, base_ns, speed, fastest = self._path.read_text().split()
        except (OSError, ValueError) as error:
            raise ValueError(f"{self._path} is not a clock file: {error}") from error
        with self._lock:
            self._base_us, self._base_ns = int(base_us), int(base_ns)
            self._speed, self.fastest = float(speed), float(fastest)
            self._read = (found.st_ino, found.st_mtime_ns)


class VirtualClock:
    """A clock that tests move by hand."""

    def __init__(self, start: Instant) -> None:
        self._now = int(start)
        self._steady = 0

    def now(self) -> Instant:
        return Instant(self._now)

    def steady_us(self) -> int:
        return self._steady

    def advance(self, us: int) -> None:
        self._now += us
        self._steady += us

    def step(self, us: int) -> None:
        """The wall clock jumps; no time passes."""
        self._now += us

    def wait(self, event: threading.Event, program_us: int) -> bool:
        if not event.is_set():
            self.advance(max(program_us, 0))
        return event.is_set()


def parse_clock(text: str) -> tuple[str, float]:
    """`START[,xSPEED]` as (start text, speed).

    Raises:
        ValueError: a speed that is not a positive number.

    """
    start, comma, speed = text.partition(",")
    if not comma:
        return start, 1.0
    if not speed.startswith("x"):
        raise ValueError(f"{text!r}: after the comma stands the speed, as x60")
    value = float(speed[1:])
    if not 0 < value < 1e9:
        raise ValueError(f"{text!r}: the speed is a positive number, as x60")
    return start, value


def real_monotonic() -> float:
    """Seconds of the machine, for network time-outs and speed figures only."""
    return time.monotonic()


def real_wall() -> float:
    """Unix seconds of the machine, for TLS and file names only."""
    return time.time()
