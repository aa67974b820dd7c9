"""Inhibit: while a source fires, the alerts of its targets at the same place are withheld."""

from typing import Literal

import msgspec


class Inhibit(msgspec.Struct, frozen=True):
    """Rules by id; no rule is both. `equal` says what both alerts must share."""

    id: str
    source: frozenset[str]
    target: frozenset[str]
    equal: Literal["facility", "station"] = "facility"
