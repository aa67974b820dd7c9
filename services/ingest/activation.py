"""Activation: names the present configuration in the log, unless it is the one that counts."""

from concurrent.futures import Future
from typing import Protocol

import msgspec
import structlog

from shared.clock import Clock, ScenarioClock
from shared.log.port import Bundles
from shared.model.configuration import Configuration, encode_bundle
from shared.model.report import Activate, Tick
from shared.reports.candidate import Verdict

log = structlog.get_logger()

TICK_FLOOR_US = 250_000
"""Under the scenario clock ticks come at most every 250 ms of real time (contract §1)."""
DEAF_TICKS = 4
APPEND_S = 30.0


class Appending(Protocol):
    """The writer, as far as this needs it."""

    def append_control(self, record: Tick | Activate) -> "Future[list[Verdict]]": ...


class Known(Protocol):
    """What the log already says."""

    @property
    def last_bundle(self) -> str | None: ...


def tick_us(configuration: Configuration, clock: Clock, speed: float | None = None) -> int:
    """Program time between two ticks now, or at a given speed of a scenario clock."""
    tick = configuration.timing.tick_us
    if isinstance(clock, ScenarioClock):
        return max(tick, int((speed or clock.speed) * TICK_FLOOR_US))
    return tick


def activate(
    configuration: Configuration, known: Known, bundles: Bundles, writer: Appending, clock: Clock
) -> None:  # fmt: skip
    """Keep the bundle, then name it in every partition.

    Raises:
        Unavailable: the log does not take it.
    """
    bundle = configuration.bundle()
    if isinstance(clock, ScenarioClock):
        deaf = max(bundle.deaf_after_us, DEAF_TICKS * tick_us(configuration, clock, clock.fastest))
        bundle = msgspec.structs.replace(bundle, deaf_after_us=deaf)
    name, body = encode_bundle(bundle)
    if known.last_bundle == name:
        return
    bundles.put(name, body)
    writer.append_control(Activate(name)).result(timeout=APPEND_S)
    log.info("configuration_activated", bundle=name)
