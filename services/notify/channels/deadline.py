"""Deadline: one bound for a whole conversation, however slowly the other side drips.

A socket's time-out counts anew at every byte, so a gateway that sends one byte a second would
hold a sender for ever. Here every read and write gets what is left of one total.
"""

import io
import socket

from shared.clock import real_monotonic


class Deadline:
    """An instant of the machine's steady clock after which nothing more is waited for."""

    def __init__(self, within_s: float) -> None:
        self._end_s = real_monotonic() + within_s

    def left_s(self) -> float:
        """Seconds left, above zero.

        Raises:
            TimeoutError: none is left.

        """
        left = self._end_s - real_monotonic()
        if left <= 0:
            raise TimeoutError("the channel's time-out has passed")
        return left


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # all it is given
        self._raw.settimeout(self._deadline.left_s())
        return self._raw.recv_into(buffer)


class BoundedSocket:
    """As much of a socket as http.client and smtplib use, under one deadline."""

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self.raw = raw
        self._deadline = deadline

    def makefile(self, _mode: str = "rb", *_: object) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self.raw, self._deadline))

    def sendall(self, data: bytes) -> None:
        """All of it or an error; the time-out of a socket's sendall is a total already."""
        self.raw.settimeout(self._deadline.left_s())
        self.raw.sendall(data)

    def close(self) -> None:
        self.raw.close()


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A TCP connection within the deadline.

    Raises:
        OSError: refused, unreachable, unknown name or too late: nothing was written.

    """
    raw = socket.create_connection((host, port), deadline.left_s())
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw
