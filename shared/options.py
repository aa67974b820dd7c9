"""What a run of the program was asked to do, checked before anything is opened."""

import ipaddress
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from shared.clock import Clock, LedClock, ScenarioClock, SystemClock, parse_clock
from shared.errors import ConfigError, InUse
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant

LED = "file:"


class Options(msgspec.Struct, frozen=True):
    config: Path
    data: Path
    http: str = "127.0.0.1:8620"
    hj212: str = "127.0.0.1:8621"
    clock: str | None = None
    demo: bool = False
    log_level: str = "info"
    kafka: str = ""
    """Brokers, HOST:PORT[,HOST:PORT]; separate services only."""
    database_url: str = ""
    topics: Path | None = None
    """Another topics.yaml than the shipped one."""
    instance: str = ""
    """A stable name of this replica; the host's when empty."""


def _only_loopback(configuration: Configuration) -> None:
    """Under a scenario clock no real gateway may be reached."""
    for channel in configuration.channels.values():
        host = urlsplit(channel.url).hostname if channel.kind == "kannel" else channel.host
        if channel.kind != "local" and not is_loopback(host or ""):
            raise ConfigError(
                f"channels.yaml: channel {channel.id} is not on loopback; under a scenario clock "
                "no real gateway may be reached: give a loopback address or drop --clock"
            )


def clock_of(options: Options, configuration: Configuration) -> Clock:
    """The clock that `--clock` asks for; the machine's without it.

    `file:PATH` follows the clock of another process of this machine (`make run-kafka`).

    Raises:
        ConfigError: not START[,xSPEED], or a gateway of the configuration is not on loopback.
    """
    if options.clock is not None and options.clock.startswith(LED):
        _only_loopback(configuration)
        try:
            return LedClock(Path(options.clock.removeprefix(LED)))
        except ValueError as error:
            raise ConfigError(f"--clock: {error}") from error
    if options.clock is None:
        return SystemClock()
    try:
        start, speed = parse_clock(options.clock)
        clock = ScenarioClock(parse_instant(start, configuration.site.zone), speed)
    except ValueError as error:
        raise ConfigError(f"--clock: {error}") from error
    _only_loopback(configuration)
    return clock


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_address(text: str, flag: str) -> tuple[str, int]:
    """`HOST:PORT`, `[::1]:PORT`.

    Raises:
        ConfigError: not such an address.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{flag}: {text!r} is not HOST:PORT such as 127.0.0.1:8620")
    return host.strip("[]") or "127.0.0.1", int(port)


def bind(text: str, flag: str) -> socket.socket:
    """Take a port without listening on it yet.

    Raises:
        InUse: somebody else has it; the message names the port.
        ConfigError: the address is not one of this machine.
    """
    host, port = split_address(text, flag)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it: an answer in two writes would else wait 40 ms for an ACK.
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        taken.bind((host, port))
        return taken
    except OSError as error:
        taken.close()
        if error.errno == 98:  # EADDRINUSE
            raise InUse(
                f"{flag}: port {port} on {host} is in use; stop the other program or choose another"
            ) from error
        raise ConfigError(f"{flag}: cannot bind {host}:{port}: {error.strerror}") from error
