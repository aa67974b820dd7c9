"""A message centre for tests: speaks SMPP 3.4 to a real gateway, and the test decides every fate.

What the centre was handed is the truth about what was sent: tests count here, not with us. Only
the PDUs that Kannel uses are spoken (SMPP 3.4 §4): binds, submit_sm, deliver_sm, enquire_link,
unbind. Runs in threads of its own, so tests call it like any other object.
"""

import contextlib
import functools
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from shared.clock import real_monotonic, real_wall

OK, BAD_NUMBER, QUEUE_FULL, SUBMIT_FAILED, THROTTLED = 0x00, 0x0B, 0x14, 0x45, 0x58
"""command_status values of submit_sm_resp (SMPP 3.4 table 5-2)."""

_RECEIVER, _TRANSMITTER, _SUBMIT, _DELIVER, _UNBIND, _TRANSCEIVER, _ENQUIRE = 1, 2, 4, 5, 6, 9, 21
_RESPONSE = 0x80000000
_HEADER = struct.Struct(">IIII")  # length, command, status, sequence
_UCS2 = 8
_HAS_USER_HEADER = 0x40
_IS_RECEIPT = 0x04


class Fate(msgspec.Struct, frozen=True):
    """What becomes of one submitted part."""

    status: int | None = OK
    """command_status of the answer; None: it is never answered."""
    after_s: float = 0.0
    receipts: tuple[tuple[float, str, str], ...] = ((0.0, "DELIVRD", "000"),)
    """(seconds after the one before, state, the operator's error code)."""


class Part(msgspec.Struct, frozen=True):
    """One submit_sm. A long text is several parts that share a `reference`."""

    id: str
    sender: str
    recipient: str
    body: bytes
    coding: int
    header: bytes
    wants_receipt: bool
    at_s: float
    """Monotonic seconds of the machine."""

    @property
    def text(self) -> str:
        # surrogatepass: a gateway may cut a long text inside an emoji.
        encoding = "utf-16-be" if self.coding == _UCS2 else "latin-1"
        return self.body.decode(encoding, "surrogatepass" if self.coding == _UCS2 else "strict")

    @property
    def place(self) -> tuple[int, int, int]:
        """(reference, how many, which) of a long text; (0, 1, 1) of a short one."""
        if len(self.header) == 6:
            return self.header[3], self.header[4], self.header[5]
        return 0, 1, 1


class MessageCentre:
    """Listens on a free port of loopback; every gateway that connects is let in."""

    def __init__(self, decide: Callable[[Part], Fate] | None = None) -> None:
        self.decide: Callable[[Part], Fate] = decide or (lambda _part: Fate())
        self.port = 0
        self._parts: list[Part] = []
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._sequence = itertools.count(1)
        self._links: list[_Link] = []
        self._timers: set[threading.Timer] = set()
        self._listener: socket.socket | None = None

    def __enter__(self) -> "MessageCentre":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, port: int = 0) -> "MessageCentre":
        """Listen; port 0 takes a free one. After `stop` it may be started again on `self.port`."""
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port and every link: the gateway has to queue."""
        if self._listener is not None:
            # shutdown wakes the thread that waits in accept; close alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop_links()
        with self._changed:
            timers, self._timers = self._timers, set()
        for timer in timers:
            timer.cancel()

    def drop_links(self) -> None:
        """Cut every connection without a word."""
        for link in self._open_links():
            link.close()

    @property
    def parts(self) -> list[Part]:
        """Everything submitted so far, in order."""
        with self._changed:
            return list(self._parts)

    def texts(self, recipient: str | None = None) -> list[str]:
        """The texts a phone would show, long ones put together, in the order they began."""
        whole: dict[tuple[str, str, int, str], dict[int, str]] = {}
        for part in self.parts:
            if recipient is not None and part.recipient != recipient:
                continue
            reference, count, which = part.place
            alone = part.id if count == 1 else ""
            whole.setdefault((part.sender, part.recipient, reference, alone), {})[which] = part.text
        # Halves of an emoji meet again: join as UTF-16, not as characters.
        return [_join(pieces[number] for number in sorted(pieces)) for pieces in whole.values()]

    def wait_for(self, count: int, within_s: float = 10.0) -> list[Part]:
        """The parts, once there are `count` of them.

        Raises:
            TimeoutError: fewer came within the time.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._parts) >= count, within_s):
                raise TimeoutError(f"{len(self._parts)} of {count} parts within {within_s} s")
            return list(self._parts)

    def wait_for_link(self, within_s: float = 10.0) -> None:
        """Return once a gateway is bound.

        Raises:
            TimeoutError: none came within the time.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._links), within_s):
                raise TimeoutError(f"no gateway bound within {within_s} s")

    def say(self, phone: str, to: str, text: str) -> None:
        """A person writes: `text` goes from `phone` to the short number `to`."""
        plain = text.isascii()
        body = text.encode("ascii" if plain else "utf-16-be")
        self._deliver(phone, to, body, 0, 0 if plain else _UCS2)

    def receipt(self, part: Part, state: str, error: str = "000") -> None:
        """The operator's word on a part (SMPP 3.4 appendix B), e.g. DELIVRD, UNDELIV, EXPIRED."""
        stamp = datetime.fromtimestamp(real_wall(), UTC).strftime("%y%m%d%H%M")
        words = (
            f"id:{part.id} sub:001 dlvrd:{int(state == 'DELIVRD'):03} submit date:{stamp} "
            f"done date:{stamp} stat:{state} err:{error} text:"
        )
        self._deliver(part.recipient, part.sender, words.encode(), _IS_RECEIPT, 0)

    def _deliver(self, source: str, target: str, body: bytes, esm_class: int, coding: int) -> None:
        self.wait_for_link()
        tail = bytes([esm_class, 0, 0, 0, 0, 0, 0, coding, 0, len(body)])
        links = [link for link in self._open_links() if link.receives]
        links[-1].send(_DELIVER, OK, next(self._sequence), _addresses(source, target) + tail + body)

    def _open_links(self) -> "list[_Link]":
        with self._changed:
            return list(self._links)

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(_Link(connection),), daemon=True).start()

    def _serve(self, link: "_Link") -> None:
        try:
            while True:
                command, sequence, body = link.receive()
                self._answer(link, command, sequence, body)
        except (OSError, EOFError):
            pass
        finally:
            with self._changed:
                self._links = [other for other in self._links if other is not link]
            link.close()

    def _answer(self, link: "_Link", command: int, sequence: int, body: bytes) -> None:
        if command in (_RECEIVER, _TRANSMITTER, _TRANSCEIVER):
            link.receives = command != _TRANSMITTER
            link.send(command | _RESPONSE, OK, sequence, b"centre\0")
            with self._changed:
                self._links.append(link)
                self._changed.notify_all()
        elif command == _SUBMIT:
            part = _parse_submit(f"{next(self._ids):08d}", body)
            fate = self.decide(part)
            with self._changed:
                self._parts.append(part)
                self._changed.notify_all()
            if fate.status is not None:
                self._later(fate.after_s, lambda: self._submitted(link, sequence, part, fate))
        elif command in (_ENQUIRE, _UNBIND):
            link.send(command | _RESPONSE, OK, sequence)

    def _submitted(self, link: "_Link", sequence: int, part: Part, fate: Fate) -> None:
        taken = fate.status == OK
        link.send(
            _SUBMIT | _RESPONSE,
            fate.status or OK,
            sequence,
            part.id.encode() + b"\0" if taken else b"",
        )
        if taken and part.wants_receipt:
            at_s = 0.0
            for after_s, state, error in fate.receipts:
                at_s += after_s
                self._later(at_s, functools.partial(self.receipt, part, state, error))

    def _later(self, after_s: float, act: Callable[[], None]) -> None:
        """Do it now, or on a timer of its own; a link that went away ends it."""

        def run() -> None:
            try:
                act()
            except (OSError, TimeoutError, IndexError):
                return  # the gateway is gone; it will ask again or never know

        if after_s <= 0:
            run()
            return
        timer = threading.Timer(after_s, run)
        timer.daemon = True
        with self._changed:
            self._timers.add(timer)
        timer.start()


class _Link:
    """One connection: PDUs in, PDUs out."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._writing = threading.Lock()
        self.receives = True

    def receive(self) -> tuple[int, int, bytes]:
        """(command, sequence, body).

        Raises:
            EOFError: the other side closed.

        """
        size, command, _status, sequence = _HEADER.unpack(self._exactly(_HEADER.size))
        return command, sequence, self._exactly(size - _HEADER.size)

    def send(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        pdu = _HEADER.pack(_HEADER.size + len(body), command, status, sequence) + body
        with self._writing:
            self._connection.sendall(pdu)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) < size:
            raise EOFError
        return data


def _addresses(source: str, target: str) -> bytes:
    """Empty service_type, then type of number, numbering plan and address, twice."""
    return b"\0" + b"".join(b"\0\1" + number.encode() + b"\0" for number in (source, target))


def _parse_submit(id_: str, data: bytes) -> Part:
    """The fields of submit_sm (SMPP 3.4 §4.4.1) that a test looks at."""

    def text(at: int) -> tuple[str, int]:
        end = data.index(0, at)
        return data[at:end].decode("latin-1"), end + 1

    _service, at = text(0)
    sender, at = text(at + 2)
    recipient, at = text(at + 2)
    esm_class = data[at]
    _schedule, at = text(at + 3)
    _validity, at = text(at)
    registered, _replace, coding, _default, size = data[at : at + 5]
    body = data[at + 5 : at + 5 + size]
    cut = body[0] + 1 if esm_class & _HAS_USER_HEADER else 0
    return Part(
        id=id_,
        sender=sender,
        recipient=recipient,
        body=body[cut:],
        coding=coding,
        header=body[:cut],
        wants_receipt=bool(registered & 3),
        at_s=real_monotonic(),
    )


def _join(pieces: Iterable[str]) -> str:
    return "".join(pieces).encode("utf-16-be", "surrogatepass").decode("utf-16-be")
