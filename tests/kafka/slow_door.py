"""A door of TCP before a gateway: what is handed over goes in at once, the answer takes a while.

So whoever is killed has mostly just handed something over and has not heard yet.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class SlowDoor:
    """Listens on a free port of loopback and relays to `port`; answers come `answer_s` later."""

    def __init__(self, port: int, answer_s: float) -> None:
        self._behind, self._answer_s = port, answer_s
        self._over = threading.Event()
        self.under_way = 0
        """Messages that are inside and whose answer has not been given."""
        self._count = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                front, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(front,), daemon=True).start()

    def _relay(self, front: socket.socket) -> None:
        with front, contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self._behind), 5) as back:
                back.settimeout(None)
                asking = threading.Thread(target=self._pass, args=(front, back), daemon=True)
                asking.start()
                while data := back.recv(65536):
                    self._over.wait(self._answer_s)
                    self._counted(-1)
                    front.sendall(data)
            asking.join(5)

    def _pass(self, front: socket.socket, back: socket.socket) -> None:
        """What the program says; when it has gone the gateway may finish what it has."""
        with contextlib.suppress(OSError):
            while data := front.recv(65536):
                if data.startswith(b"POST "):
                    self._counted(1)
                back.sendall(data)
            back.shutdown(socket.SHUT_WR)

    def _counted(self, by: int) -> None:
        with self._count:
            self.under_way = max(0, self.under_way + by)
