"""Moments: a tick at every instant at which something waits, as a live log has one each second.

    readings      ●                                  ●
    ticks         |      | delay of rule a   | of b  |

Else two delays that end between two readings would be one record, and a composite, which sees
whole records, would depend on readings that it does not look at.
"""

from collections.abc import Iterable, Iterator

from services.rules.core.engine import Engine
from shared.model.instants import Instant
from shared.model.report import Record, Tick

MOST_AGAIN = 3
"""Ticks at one instant for what the one before it began."""


def every_moment(engine: Engine, log: Iterable[Record]) -> Iterator[Record]:
    """The same log for this engine, which must take each record before it asks for the next."""
    now_us: int | None = None
    for record in log:
        if isinstance(record, Tick):
            if now_us is not None:
                yield from _between(engine, now_us, record.at_us)
            now_us = record.at_us
        yield record


def _between(engine: Engine, now_us: int, end_us: int) -> Iterator[Tick]:
    again = 0
    while True:
        dues = list(engine.dues)
        if again < MOST_AGAIN and any(due <= now_us for due in dues):
            again += 1
            yield Tick(Instant(now_us))
            continue
        later = min((due for due in dues if due > now_us), default=end_us)
        if later >= end_us:
            return
        now_us, again = later, 0
        yield Tick(Instant(now_us))
