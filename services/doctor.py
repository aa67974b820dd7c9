"""`yujing doctor`: gateway, mail, clock, disk, database, roster: one line each, and what to do."""

import shutil
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from shared.clock import Clock
from shared.model.configuration import Configuration, lineage
from shared.model.instants import instant_text
from shared.model.people import Channel

ENOUGH_BYTES = 1 << 30
"""Below 1 GiB a busy log may fill the disk within a day."""
CONNECT_S = 3.0


class Line(msgspec.Struct, frozen=True):
    """One thing that was looked at. `do` is empty when nothing has to be done."""

    state: Literal["ok", "warn", "fail"]
    what: str
    seen: str
    do: str = ""

    def text(self) -> str:
        tail = f" -> {self.do}" if self.do else ""
        return f"{self.state:4}  {self.what}: {self.seen}{tail}"


def examine(configuration: Configuration, data: Path, clock: Clock) -> Iterator[Line]:
    """Look at everything that exists; never raises for what it finds."""
    for channel in configuration.channels.values():
        if channel.kind != "local":
            yield _channel(channel)
    yield _clock(configuration, clock)
    yield _disk(data)
    yield from _databases(data)
    yield from _rosters(configuration)


def _channel(channel: Channel) -> Line:
    if channel.kind == "kannel":
        url = urlsplit(channel.url)
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        what, do = f"gateway {channel.id}", "start the gateway, or correct url in channels.yaml"
    else:
        host, port = channel.host, channel.port
        what, do = f"mail {channel.id}", "start the mail server, or correct host and port"
    try:
        with socket.create_connection((host, port), CONNECT_S) as connection:
            if channel.kind == "smtp":
                return _greeting(connection, channel, what, f"{host}:{port}")
    except OSError as error:
        return Line("fail", what, f"{host}:{port} {error.strerror or error}", do)
    return Line("ok", what, f"{host}:{port} answers")


def _greeting(connection: socket.socket, channel: Channel, what: str, where: str) -> Line:
    connection.settimeout(CONNECT_S)
    if channel.tls == "implicit":
        context = ssl.create_default_context(cafile=channel.ca_file or None)
        connection = context.wrap_socket(connection, server_hostname=channel.host)
    greeting = connection.recv(256).decode("ascii", "replace").strip()
    if greeting.startswith("220"):
        return Line("ok", what, f"{where} says 220")
    return Line("fail", what, f"{where} says {greeting!r}", "ask the mail server's owner")


def _clock(configuration: Configuration, clock: Clock) -> Line:
    now = instant_text(clock.now() // 1_000_000 * 1_000_000, configuration.site.zone)
    return Line("ok", "clock", f"{now} ({configuration.site.timezone})")


def _disk(data: Path) -> Line:
    place = next(p for p in (data, *data.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    seen = f"{free / (1 << 30):.1f} GiB free for {data}"
    if free < ENOUGH_BYTES:
        return Line("fail", "disk", seen, "free some space or move the data directory")
    return Line("ok", "disk", seen)


def _databases(data: Path) -> Iterator[Line]:
    for path in sorted(data.glob("*.db")):
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)
            try:
                seen = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            finally:
                connection.close()
        except sqlite3.Error as error:
            yield Line("fail", f"database {path.name}", str(error), "stop yujing and look again")
            continue
        if seen == "ok":
            yield Line("ok", f"database {path.name}", f"{path.stat().st_size / 1e6:.1f} MB, sound")
        else:
            yield Line(
                "fail", f"database {path.name}", seen, "stop yujing, restore the last backup"
            )


def _rosters(configuration: Configuration) -> Iterator[Line]:
    """Roles that a policy asks for and that nobody holds, for any territory with a facility."""
    roles = {
        target.role
        for policy in configuration.policies
        for step in policy.steps
        for target in step.notify
        if target.role
    }
    gaps = 0
    for territory in sorted({f.territory for f in configuration.facilities.values()}):
        for role in sorted(roles):
            if not _held(configuration, territory, role):
                gaps += 1
                yield Line(
                    "warn", "roster", f"nobody holds {role} for {territory} or above it",
                    "add the role to rosters.yaml; until then the catch-all is told",
                )  # fmt: skip
    if not gaps:
        yield Line("ok", "roster", f"{len(roles)} roles are held for every facility")


def _held(configuration: Configuration, territory: str, role: str) -> bool:
    for code in lineage(territory, configuration.territories):
        roster = configuration.rosters.get(code)
        if roster and (role in roster.rotations or roster.fixed.get(role)):
            return True
    return False
