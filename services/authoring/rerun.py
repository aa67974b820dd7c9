"""Rerun: recorded inputs through the engine once more, with what a line of a backtest leaves out.

The same log, ticks and notes as `yujing backtest` (contract §8.20); beside each transition
stands the log time at which it came, which is when people are told.
"""

from collections.abc import Iterator, Sequence

import msgspec

from services.rules.backtest import records
from services.rules.core.engine import Engine
from services.rules.given import Note
from services.rules.input_files import Input
from services.rules.inputs import has_ticks, read_inputs
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick
from shared.model.transition import Transition


class Came(msgspec.Struct, frozen=True):
    """A transition and the log time at which it came."""

    at_us: Instant
    transition: Transition


def rerun(
    configuration: Configuration, paths: Sequence[Input]
) -> Iterator[Report | Tick | Note | list[Came]]:
    """Every record and note as it is read, and after a record the transitions that it caused.

    Of a data directory its log is judged again by this configuration.
    """
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    own_ticks = has_ticks(paths)
    engine.deaf_never = not own_ticks
    engine.apply([Activate(name)])
    log_us: int | None = None
    for item in records(read_inputs(paths, configuration), configuration, own_ticks):
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
