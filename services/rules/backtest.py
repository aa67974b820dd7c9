"""Backtest: recorded reports through the engine in virtual time (contract §8.20).

Reads inputs in the order given, as one log. Without tick lines it makes the ticks a listening
ingest would have made, so there is no deafness. What ingest would refuse is named on stderr
and skipped.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from services.rules.core.engine import Engine
from services.rules.given import Given, Note
from services.rules.input_files import Input, is_there
from services.rules.inputs import has_ticks, read_inputs
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant, Interval, window_end
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import transition_object

AT_ONCE = 1_000
"""Records that are judged together."""


def records(
    given: Iterable[Given], configuration: Configuration, own_ticks: bool
) -> Iterator[Record | Note]:
    """The log of a backtest: with the file's own ticks, or with those of a listening ingest."""
    zone = configuration.site.zone
    log_us: Instant | None = None
    last: tuple[int, Interval] | None = None
    for item in given:
        if isinstance(item, Report) and not own_ticks:
            window = item.observed_us, item.interval
            if window != last:
                last = window
                end = window_end(*window, zone)
                if log_us is None or end > log_us:
                    log_us = end
                    yield Tick(end)
        yield item
    if log_us is not None:
        yield Tick(log_us)


def backtest(
    configuration: Configuration, paths: Sequence[Input], notes: IO[str]
) -> Iterator[bytes]:
    """One JSON line per transition, as §4 but for `id` and `seq`."""
    bundle = configuration.bundle()
    name, _ = encode_bundle(bundle)
    engine = Engine({name: bundle}.__getitem__)
    own_ticks = has_ticks(paths)
    engine.deaf_never = not own_ticks
    engine.apply([Activate(name)])
    zone = configuration.site.zone
    log = _told(records(read_inputs(paths, configuration), configuration, own_ticks), notes)
    while batch := list(islice(log, AT_ONCE)):
        for transition in engine.apply(batch):
            yield msgspec.json.encode(transition_object(transition, zone))


def _told(items: Iterable[Record | Note], notes: IO[str]) -> Iterator[Record]:
    """The records; notes are written as they come."""
    for item in items:
        if isinstance(item, Note):
            print(item, file=notes)
        else:
            yield item


Lines = Callable[[Configuration, Sequence[Input], IO[str]], Iterator[bytes]]


def run(
    configuration: Configuration, paths: Sequence[Input], out: Path | None, made: Lines = backtest
) -> int:
    """Write transitions (or what else is made of the inputs) to `out` or stdout; 0 also when lines were skipped, 1 for a file that is not there."""
    for path in paths:
        if not is_there(path):
            print(f"{path}: no such file, and no data directory with a log.db", file=sys.stderr)
            return 1
    lines = made(configuration, paths, sys.stderr)
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
        return 0
    with out.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return 0
