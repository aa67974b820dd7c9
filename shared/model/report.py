"""The judged log's records, and the envelope they travel in.

`Report | Tick | Activate` come from ingest; `Contribution` (shared.model.rollup) from rules.

A `Report` keeps its readings as columns (indicators, values, flags): stations repeat the same
columns all day, so a reader can compare a whole column list at once and pays per report, not
per reading. An envelope is one log entry: many records, one decode.
"""

import msgspec

from shared.model.instants import Instant, Interval
from shared.model.rollup import Contribution

EVIDENCE_FLAGS = frozenset("NST")
"""Flags whose value is evidence: normal, manual, and over range (a lower bound)."""

WITHDRAWN = "withdrawn"
"""Flag of a reading that its sender took back; longer than any flag a sender can give, and to a
reader that does not know it an unknown value. The live stream passes over it."""

RECORD_FORMAT = 2
"""2: with contributions. Envelopes without any go on saying 1, which the program before reads."""


class Report(msgspec.Struct, frozen=True, array_like=True, tag="r", gc=False):
    """What one station sent for one window, already judged fit to count.

    Values are in the unit of the indicator (shared.config catalogue), finite. `flags` is None
    when every reading is `N`. `observed_us` is the start of the window (realtime: the instant).

    `gc=False`: a report holds no containers that could form a cycle, and the collector would
    walk thousands of them a second for nothing.
    """

    facility: str
    station: str
    interval: Interval
    observed_us: Instant
    indicators: tuple[str, ...]
    values: tuple[float, ...]
    flags: tuple[str, ...] | None
    received_us: Instant
    listener: str
    id: str = ""
    revision: int | None = None
    """Which saying of these readings this is, if its sender numbers them; last, so that a reader
    that does not know it finds everything else where it was."""

    def flag(self, index: int) -> str:
        return "N" if self.flags is None else self.flags[index]

    def without_withdrawn(self) -> "Report | None":
        """What is left of it for the live stream; None: nothing."""
        kept = [i for i in range(len(self.values)) if self.flag(i) != WITHDRAWN]
        if not kept:
            return None
        return msgspec.structs.replace(
            self,
            indicators=tuple(self.indicators[i] for i in kept),
            values=tuple(self.values[i] for i in kept),
            flags=tuple(self.flag(i) for i in kept),
        )


class Tick(msgspec.Struct, frozen=True, array_like=True, tag="t", gc=False):
    """Ingest says: I was listening until `at_us`. Only ticks move log time."""

    at_us: Instant


class Activate(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """From here on the rules and facilities of this bundle count."""

    bundle: str


Record = Report | Tick | Activate | Contribution


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """One log entry. A reader of format N takes N-1 and refuses N+1."""

    format: int
    records: list[Record]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Envelope)


def encode_envelope(records: list[Record]) -> bytes:
    return _ENCODER.encode(Envelope(1, records))


def encode_contributions(contributions: list[Contribution]) -> bytes:
    """One entry that a program which knows no contributions refuses whole."""
    return _ENCODER.encode(Envelope(RECORD_FORMAT, list(contributions)))


def decode_envelope(entry: bytes) -> list[Record]:
    """The records of one entry, in order.

    Raises:
        msgspec.MsgspecError: not an envelope.
        ValueError: an envelope of a newer format.

    """
    envelope = _DECODER.decode(entry)
    if envelope.format > RECORD_FORMAT:
        raise ValueError(
            f"log entry has format {envelope.format}, this program knows {RECORD_FORMAT}"
        )
    return envelope.records
