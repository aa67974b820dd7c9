"""Beside: a station beside its neighbours, as a value. Its words are in docs/conditions/beside.md."""

from typing import Literal

import msgspec

from shared.model.instants import Interval


class Beside(msgspec.Struct, frozen=True, tag="beside"):
    """How far a station stands from the others of its facility, beside how far it usually does."""

    indicator: str
    interval: Interval
    of: Literal["share", "difference"]
    over: int
    """share: slots whose mean is judged."""
    memory_us: int
    floor: float = 0.0
    """So that small values are not far apart, in `unit`. share: added below the line; difference:
    the band is so much wider on either side."""
    least: int = 2
    """Other stations that must be known in a slot."""
    side: Literal["both", "high", "low"] = "both"
    grace_us: int = 0
    unit: str | None = None
    """Of `floor`."""
