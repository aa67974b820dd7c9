"""A data logger for tests, the story and the bench: builds uploads, sends them, reads answers.

It speaks the protocol from the outside: it shares only CRC-free text with nobody, so what it
builds is computed here once more, bit by bit, and a mistake in the program is not its own proof.
"""

import asyncio
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self

import msgspec

Edition = Literal["2005", "2017", "2025"]
_VERSION_BITS = {"2005": 0, "2017": 4, "2025": 8}


def crc_bits(segment: bytes, *, modbus: bool = False) -> int:
    """The CRC by its definition, bit by bit: slow, and independent of the program's."""
    register = 0xFFFF
    for byte in segment:
        register = (register ^ byte) if modbus else ((register >> 8) ^ byte)
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


def frame(segment: str | bytes, *, modbus: bool = False) -> bytes:
    """A data segment as it goes onto the line."""
    body = segment.encode() if isinstance(segment, str) else segment
    return b"##%04d%b%04X\r\n" % (len(body), body, crc_bits(body, modbus=modbus))


class Hj212Device(msgspec.Struct, frozen=True):
    """What one logger is: its MN, its password, the edition it was built to."""

    mn: str
    password: str = "123456"  # noqa: S105  the one of every public example
    edition: Edition = "2017"
    st: str = "32"
    modbus: bool = False

    def upload(
        self,
        values: Mapping[str, float | str],
        *,
        data_time: str,
        cn: str = "2011",
        flags: Mapping[str, str] | None = None,
        qn: str | None = None,
        answer: bool = True,
    ) -> bytes:
        """One upload. `values` by code; -Rtd for 2011, else -Avg; flag N where none is given."""
        field = "Rtd" if cn == "2011" else "Avg"
        flags = flags or {}
        items = [
            f"{code}-{field}={value},{code}-Flag={flags.get(code, 'N')}"
            for code, value in values.items()
        ]
        area = ";".join([f"DataTime={data_time}", *items])
        return self.frame(cn, area, qn=data_time[:14] + "000" if qn is None else qn, answer=answer)

    def frame(self, cn: str, area: str, *, qn: str, answer: bool = True) -> bytes:
        """Any packet: `area` is CP without its `&&`."""
        flag = _VERSION_BITS[self.edition] + int(answer)
        segment = (
            f"QN={qn};ST={self.st};CN={cn};PW={self.password};MN={self.mn};"
            f"Flag={flag};CP=&&{area}&&"
        )
        return frame(segment, modbus=self.modbus)


class Hj212Line:
    """A blocking connection to a station port, as a context manager."""

    def __init__(self, host: str, port: int, timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> bytes:
        """The next answer without its line end; nothing when the other side closed.

        Raises:
            TimeoutError: none came in time.

        """
        while b"\r\n" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def ask(self, data: bytes) -> bytes:
        """Send, and wait for the answer."""
        self.send(data)
        return self.answer()

    def close(self) -> None:
        self._socket.close()


async def open_line(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection for asyncio; an answer ends with CR LF."""
    return await asyncio.open_connection(host, port)
