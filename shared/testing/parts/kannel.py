"""A real Kannel (bearerbox and smsbox) as two child processes in one folder.

Order of start: message centre, bearerbox, smsbox. Needs Debian's package `kannel`; nothing is
installed or started by the system.
"""

import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from shared.clock import real_monotonic
from shared.testing.program import free_ports

_START_WITHIN_S = 20.0
_STOP_WITHIN_S = 2.0
"""Then it is killed: Kannel waits on SIGTERM for callbacks nobody answers; its store is on disk."""

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = admin
status-password = status
smsbox-port = {box}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
store-type = file
store-location = "{folder}/store"
store-dump-freq = 1
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = 3

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = test
smsc-password = test
system-type = ""
reconnect-delay = 1
wait-ack = 5
wait-ack-expire = 1
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = "127.0.0.1"
global-sender = {number}
log-file = "{folder}/smsbox.log"
mo-recode = true
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {username}
password = {password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
get-url = "{reply_url}?from=%p&to=%P&text=%b"
max-messages = 0
omit-empty = true
"""


def kannel_is_installed() -> bool:
    return shutil.which("bearerbox") is not None and shutil.which("smsbox") is not None


class Kannel:
    """`url` is where messages are posted; replies of people go to `reply_url` as a GET."""

    username = "yujing"
    password = "secret"  # noqa: S105  the password of a server that lives for one test
    number = "10690123"

    def __init__(self, folder: Path, smpp_port: int, reply_url: str) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._admin, box, self.port = free_ports(3)
        self._bearerbox: subprocess.Popen[bytes] | None = None
        self._smsbox: subprocess.Popen[bytes] | None = None
        (self._folder / "kannel.conf").write_text(
            _CONFIGURATION.format(
                folder=self._folder, admin=self._admin, box=box, send=self.port, smpp=smpp_port,
                number=self.number, username=self.username, password=self.password,
                reply_url=reply_url,
            ),
            encoding="utf-8",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"

    def __enter__(self) -> "Kannel":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, linked: bool = True) -> "Kannel":
        """Both boxes, ready; `linked`: wait until the message centre is bound, too."""
        self._bearerbox = self._run("bearerbox", "running", "(online" if linked else "running")
        self._smsbox = self._run("smsbox", "smsbox:", "smsbox:")
        return self

    def stop(self) -> None:
        for box in (self._smsbox, self._bearerbox):
            if box is not None:
                box.terminate()
        for box in (self._smsbox, self._bearerbox):
            if box is None:
                continue
            try:
                box.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()
        self._smsbox = self._bearerbox = None

    def kill(self) -> None:
        """kill -9 of both: what was accepted stays in the store."""
        for box in (self._smsbox, self._bearerbox):
            if box is not None:
                box.kill()
                box.wait()
        self._smsbox = self._bearerbox = None

    def status(self) -> str:
        """Kannel's own status page: links, failed, queued, boxes."""
        address = f"http://127.0.0.1:{self._admin}/status.txt?password=status"
        with urllib.request.urlopen(address, timeout=2) as answer:
            return str(answer.read().decode("utf-8", "replace"))

    def _run(self, binary: str, *ready: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [binary, "-v", "4", "kannel.conf"],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = real_monotonic() + _START_WITHIN_S
        pause = threading.Event()
        while real_monotonic() < deadline and child.poll() is None:
            try:
                status = self.status()
            except OSError:
                status = ""
            if all(word in status for word in ready):
                return child
            pause.wait(0.05)
        child.kill()
        child.wait()
        log = self._folder / f"{binary}.log"
        words = log.read_text("utf-8", "replace")[-1500:] if log.exists() else "it wrote no log"
        raise RuntimeError(f"{binary} was not ready within {_START_WITHIN_S} s: {words}")
