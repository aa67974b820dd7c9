"""The garbage collector, told what lives long.

A worker holds millions of objects in cells, none of which is in a cycle; walking them again and
again costs a third of all CPU (docs/bench-kafka.md). They are frozen: the collector looks at young
objects only, and once in a while at everything.
"""

import gc

from shared.clock import real_monotonic

YOUNG, MIDDLE, OLD = 20_000, 20, 1_000
FREEZE_S = 30.0
EVERYTHING_S = 6 * 3600.0
"""A cycle that was frozen by chance is found then; a pause of about a second per million series."""


class Collector:
    """One per process; `begin` once, `turn` now and then from the loop."""

    def __init__(self) -> None:
        self._frozen_at = self._everything_at = real_monotonic()

    def begin(self) -> None:
        gc.set_threshold(YOUNG, MIDDLE, OLD)

    def turn(self, *, at_once: bool = False) -> None:
        """Freeze what survived; cheap."""
        now = real_monotonic()
        if now - self._everything_at > EVERYTHING_S:
            gc.unfreeze()
            gc.collect()
            self._everything_at = now
        elif not at_once and now - self._frozen_at < FREEZE_S:
            return
        gc.collect(1)
        gc.freeze()
        self._frozen_at = now
