"""Seen: what the derived conditions of the reference are made from, and what they make."""

from typing import NamedTuple


class Seen(NamedTuple):
    """A judged reading in the unit of its indicator, or what was derived of some."""

    index: float
    at: int
    quality: str
    value: float
