"""The real program as a child process: started, killed, stopped, frozen, started again.

Everything is reached from outside, as an upstream, an officer or an operator would reach it.
"""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from shared.clock import real_monotonic, real_wall
from shared.testing.configs import STATION_CODE, Facility, Site
from shared.testing.hj212_device import Hj212Device, Hj212Line

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 10.0
"""Contract §1; doubled while waiting, so that a slow machine shows as a late test, not a hang."""
STOP_WITHIN_S = 15.0


def _first_outgoing() -> int:
    """Where the ports begin that outgoing connections are given (Linux)."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 32_768


FIRST_PORT, LAST_PORT = 15_000, max(20_000, min(32_768, _first_outgoing()) - 1)
_numbers = itertools.count(os.getpid() * 101)
"""Processes begin at different places, and none gives a port twice in a row."""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that were free a moment ago, and that no outgoing connection takes."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            port = FIRST_PORT + next(_numbers) % (LAST_PORT - FIRST_PORT + 1)
            with contextlib.suppress(OSError):
                held.append(socket.create_server(("127.0.0.1", port)))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def until(
    claim: Callable[[], Any], within_s: float = 10.0, every_s: float = 0.05, what: str = ""
) -> Any:
    """The first true answer of `claim`.

    Raises:
        TimeoutError: none within the time; an AssertionError in the claim counts as not yet.

    """
    deadline = real_monotonic() + within_s
    last: object = None
    while True:
        try:
            last = claim()
            if last:
                return last
        except (AssertionError, httpx.TransportError) as error:
            last = error
        if real_monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s: {what or claim}; last {last!r}")
        threading.Event().wait(every_s)


def now_text(offset_s: float = 0.0) -> str:
    """The machine's time as RFC 3339 with microseconds."""
    return datetime.fromtimestamp(real_wall() + offset_s, UTC).isoformat()


def reading(facility: Facility, value: float, *, at: str, flag: str = "N") -> dict[str, Any]:
    """One report of one COD value."""
    return {
        "facility": facility.id, "station": facility.station, "observed_at": at,
        "interval": "realtime",
        "readings": [{"indicator": STATION_CODE, "value": value, "unit": "mg/L", "flag": flag}],
    }  # fmt: skip


def device(facility: Facility, edition: str = "2017") -> Hj212Device:
    """The logger of a facility."""
    return Hj212Device(mn=facility.mn, password=facility.password, edition=edition)  # type: ignore[arg-type]  # tests name editions as text


class Program:
    """`yujing serve` with its configuration, data and ports; usable again after its end."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        *,
        data: Path | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Iterable[str] = (),
        prefix: Iterable[str] = (),
    ) -> None:
        self.site = site
        self.folder = folder
        self.config = site.write(folder / "config")
        self.data = data or folder / "data"
        self.environment = dict(environment or {})
        self.arguments = list(arguments)
        self.prefix = list(prefix)
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{site.http_port}", timeout=10.0, trust_env=False
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- life ------------------------------------------------------------------------------

    def command(self) -> list[str]:
        """What is run; `python -m services` is the program (contract §1)."""
        return [
            *self.prefix, sys.executable, "-m", "services", "serve",
            "--config", str(self.config), "--data", str(self.data),
            "--http", f"127.0.0.1:{self.site.http_port}",
            "--hj212", f"127.0.0.1:{self.site.hj212_port}", *self.arguments,
        ]  # fmt: skip

    def child_environment(self) -> dict[str, str]:
        """PATH, what the configuration names, and what the test added; no YUJING_* of outside."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("YUJING_")}
        return kept | {"PYTHONPATH": str(ROOT)} | self.site.environment | self.environment

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start without waiting."""
        self._starts += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        with (
            (self.folder / f"stderr-{self._starts}.log").open("wb") as err,
            (self.folder / f"stdout-{self._starts}.log").open("wb") as out,
        ):
            self._process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self.child_environment(), stdout=out, stderr=err,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self._process

    def start(self, within_s: float = 2 * READY_WITHIN_S) -> Self:
        """Start and wait for /readyz.

        Raises:
            RuntimeError: it ended instead, or was not ready in time; its last log lines are told.

        """
        self.spawn()
        deadline = real_monotonic() + within_s
        while not self.is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.tail()}")
            if real_monotonic() > deadline:
                raise RuntimeError(f"not ready within {within_s:g} s: {self.tail()}")
            threading.Event().wait(0.05)
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    def is_ready(self) -> bool:
        try:
            return self.client.get("/readyz", timeout=2.0).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """kill -9 of everything it started."""
        self._signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """SIGTERM; the exit code.

        Raises:
            subprocess.TimeoutExpired: still alive after `within_s`.

        """
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def freeze(self) -> None:
        """SIGSTOP: it hears nothing until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it whatever it does, and let go of the connections."""
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    # -- what it says ----------------------------------------------------------------------

    def log_text(self) -> str:
        """Everything on stderr, over all starts."""
        return "".join(
            path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("stderr-*.log"))
        )

    def log_lines(self) -> list[dict[str, Any]]:
        """The log as objects; a line that is none fails here (contract §1)."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.strip()]

    def tail(self, lines: int = 30) -> str:
        path = self.folder / f"stderr-{self._starts}.log"
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:])

    # -- in --------------------------------------------------------------------------------

    def post(self, body: Any, *, token: str | None = None, **more: Any) -> httpx.Response:
        """POST /v1/reports as the upstream platform."""
        headers = {"Authorization": f"Bearer {token or self.site.upstream_token}"}
        return self.client.post("/v1/reports", json=body, headers=headers, **more)

    def report(self, facility: Facility, value: float, *, at: str | None = None) -> None:
        """One reading, taken.

        Raises:
            AssertionError: the answer is not 202 with nothing refused.

        """
        answer = self.post(reading(facility, value, at=at or now_text()))
        assert answer.status_code == 202, answer.text
        assert answer.json()["rejected"] == [], answer.text

    def line(self, timeout_s: float = 10.0) -> Hj212Line:
        """A logger's connection."""
        return Hj212Line("127.0.0.1", self.site.hj212_port, timeout_s)

    # -- out -------------------------------------------------------------------------------

    def get(self, path: str, *, token: str | None = None, **params: Any) -> Any:
        """A route of contract §4 as the operator.

        Raises:
            AssertionError: not 200.

        """
        answer = self.client.get(path, params=params, headers=self.authorization(token))
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def authorization(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.site.operator_token}"}

    def transitions(self) -> list[dict[str, Any]]:
        """All of them; `seq` rises by 1 from 1."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.get("/v1/transitions", after=after, limit=1000)
            if not page["transitions"]:
                return found
            found += page["transitions"]
            after = page["next"]

    def incidents(self, **params: Any) -> list[dict[str, Any]]:
        incidents: list[dict[str, Any]] = self.get("/v1/incidents", **params)["incidents"]
        return incidents

    def incident(self, facility: Facility, state: str | None = None) -> dict[str, Any]:
        """The newest incident of a facility, whole (with its timeline).

        Raises:
            AssertionError: it has none, or the newest is in another state.

        """
        found = self.incidents(facility=facility.id)
        assert found, f"no incident of {facility.id}"
        assert state is None or found[0]["state"] == state, found[0]
        whole: dict[str, Any] = self.get(f"/v1/incidents/{found[0]['id']}")
        return whole

    def acknowledge(self, incident: str, person: str) -> httpx.Response:
        return self.client.post(
            f"/v1/incidents/{incident}/acknowledgements",
            json={"person": person},
            headers=self.authorization(),
        )

    def metrics(self) -> dict[str, float]:
        """Samples of /metrics by name and labels, as they are written."""
        text = self.client.get("/metrics").text
        lines = (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")
        return {name: float(value) for name, _, value in lines}
