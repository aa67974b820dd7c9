"""A real PostgreSQL as a child process in one folder, stopped, killed and started as tests like.

Needs Debian's package `postgresql` (or `initdb` on the PATH). As root it runs as user postgres or
nobody, for PostgreSQL refuses root. `durable=False` leaves out what only a power cut would show.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from shared.testing.program import free_ports, until

START_WITHIN_S = 30.0
_ORDINARY = ("max_connections=300", "shared_buffers=64MB", "logging_collector=off")
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off")


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`; None where PostgreSQL is not installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3].zfill(4)
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Postgres:
    """One server. `start` first; `stop` (or the end of the process) ends it."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError(
                "PostgreSQL is not here; apt-get install --no-install-recommends postgresql"
            )
        self._binaries = found
        self.folder = _reachable(folder) if folder else Path(tempfile.mkdtemp(prefix="yujing-pg-"))
        if folder is None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_ports(1)[0]
        self._durable = durable
        self._environment = [f"{name}={value}" for name, value in (environment or {}).items()]
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def start(self) -> "Postgres":
        """Returns when it takes connections; on a folder it knows, with all that was there."""
        data = self.folder / "data"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._give_away(self.folder)
        if not data.exists():
            self._initialise(data)
        settings = _ORDINARY if self._durable else _ORDINARY + _QUICK
        command = [
            # By `env`, so that it counts for the server only, not for who changes the user.
            *self._as_user(), "env", *self._environment,
            str(self._binaries / "postgres"), "-D", str(data),
            "-p", str(self.port), "-h", "127.0.0.1", "-k", "",
            *(part for each in settings for part in ("-c", each)),
        ]  # fmt: skip
        with (self.folder / "postgres.log").open("ab") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        weakref.finalize(self, _end, self._process)
        until(self._answers, START_WITHIN_S, 0.03, f"PostgreSQL in {self.folder}")
        return self

    def stop(self) -> None:
        """As an operator stops it: sessions are cut off, everything is written."""
        self._end_with(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of the server and of all its children; returns when they are gone.

        Each child leads a group of its own, and a new server refuses to start beside one.
        """
        if self._process is not None:
            family = [self._process.pid, *_children(self._process.pid)]
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None
            until(lambda: not any(map(_is_running, family)), 30, 0.02, "PostgreSQL's end")

    def restart(self) -> None:
        self.stop()
        self.start()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://yujing@127.0.0.1:{self.port}/{database}"

    def create(self, template: str | None = None) -> str:
        """A new database, as `template` is; its name. Nobody may be connected to the template."""
        self._databases += 1
        name = f"d{self._databases}"
        order = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._administer(
            order.format(sql.Identifier(name), sql.Identifier(template or "template0"))
        )
        return name

    def drop(self, name: str) -> None:
        """Also while somebody is connected."""
        self._administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def _administer(self, order: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(order)

    def _initialise(self, data: Path) -> None:
        done = subprocess.run(
            [
                *self._as_user(), str(self._binaries / "initdb"), "-D", str(data), "-U", "yujing",
                "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
            ],
            capture_output=True, text=True, check=False, cwd=self.folder,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"initdb in {self.folder}: {done.stderr.strip()}")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "postgres.log").read_text()[-2_000:])
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end_with(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                return self.kill()
            self._process = None
        return None

    def _as_user(self) -> list[str]:
        # Ends with us, however we end.
        command = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        if os.geteuid() == 0:
            user = _unprivileged()
            command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return command

    def _give_away(self, folder: Path) -> None:
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(folder, user.pw_uid, user.pw_gid)


def _reachable(folder: Path) -> Path:
    """As root the server runs as somebody else, who may not come to a folder inside a closed one.

    Then it stands in /var/tmp, under a name made from the path, so that it is found again.
    """
    folder = folder.absolute()
    if os.geteuid() != 0 or all(p.stat().st_mode & 0o001 for p in folder.parents if p.exists()):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path("/var/tmp") / f"yujing-pg-{name}"  # noqa: S108  closed to others by initdb


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("neither user postgres nor nobody is here to run PostgreSQL as")


def _children(pid: int) -> list[int]:
    """Processes whose parent it is (Linux)."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state = each.read_text().rpartition(")")[2].split()
            if int(state[1]) == pid:
                found.append(int(each.parent.name))
    return found


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
