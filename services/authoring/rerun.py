"""Rerun: recorded inputs through the engine once more, with what a line of a backtest leaves out.

The same log, ticks and notes as `yujing backtest` (contract §8.20); beside each transition
stands the log time at which it came, which is when people are told.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from services.authoring.from_log import from_log, log_of
from services.rules.backtest import records
from services.rules.core.engine import Engine
from services.rules.inputs import Given, Note, has_ticks, read_inputs
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from shared.model.transition import Transition


class Came(msgspec.Struct, frozen=True):
    """A transition and the log time at which it came."""

    at_us: Instant
    transition: Transition


def rerun(
    configuration: Configuration, paths: list[Path]
) -> Iterator[Report | Tick | Note | list[Came]]:
    """Every record and note as it is read, and after a record the transitions that it caused.

    One data directory may stand for the paths: its log is judged again by this configuration.
    """
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    log = log_of(paths[0]) if len(paths) == 1 else None
    own_ticks = log is not None or has_ticks(paths)
    given: Iterable[Given] = from_log(log) if log else read_inputs(paths, configuration)
    engine.deaf_never = not own_ticks
    engine.apply([Activate(name)])
    log_us: int | None = None
    for item in records(given, configuration, own_ticks):
        if isinstance(item, Tick):
            log_us = item.at_us if log_us is None else max(log_us, item.at_us)
        if isinstance(item, Note | Report | Tick):
            yield item
        if isinstance(item, Note):
            continue
        transitions = engine.apply((item,))
        if transitions:
            yield [
                Came(Instant(each.at_us if log_us is None else log_us), each)
                for each in transitions
            ]
