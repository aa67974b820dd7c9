"""Windows: what a derived condition holds of the readings, as people ask for it."""

from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core.average import HOUR_US, SPAN_US, AverageOf
from services.rules.core.band import FEWEST
from services.rules.core.derive import Derivation
from services.rules.core.evidence import evidence
from services.rules.core.memory import (
    AverageMemory,
    Band,
    ChangeMemory,
    CountMemory,
    DeviationMemory,
    FlatMemory,
    Memory,
)
from services.rules.core.trace import Trace
from shared.model.instants import EARLIEST_US, LATEST_US, Instant, instant_text
from shared.model.rule import Count


def window(derivation: Derivation, memory: Memory | None, zone: ZoneInfo) -> dict[str, Any]:
    """Window, count, completeness, band: what is there of each kind; nothing when unheard."""
    if memory is None:
        return {}
    own = derivation.derivation if isinstance(derivation, Trace) else derivation
    shown = _shown(own, memory, zone)
    if isinstance(derivation, Trace) and (step := derivation.last(memory)) is not None:
        shown["newest"] = {
            "at": _time(step.at_us, zone), "quality": step.quality, "value": step.value,
        }  # fmt: skip
    return shown


def _shown(own: Derivation, memory: Memory, zone: ZoneInfo) -> dict[str, Any]:
    if isinstance(memory, AverageMemory):
        return _average(cast(AverageOf, own), memory, zone)
    if isinstance(memory, ChangeMemory):
        before = None
        if memory.at_us is not None:
            before = {"at": _time(memory.at_us, zone), "value": memory.value}
        return {"compared_with": before} | _band(memory.band, zone)
    if isinstance(memory, FlatMemory):
        begun = memory.begin_us
        return {
            "stands_since": None if begun is None else _time(begun, zone),
            "stands_at": memory.value,
        }
    if isinstance(memory, CountMemory):
        found = {"seen": memory.seen, "holding": memory.bits.bit_count()}
        condition = getattr(own, "condition", None)
        if isinstance(condition, Count):
            return found | {"of": condition.within, "test": condition.of.text}
        return found
    if isinstance(memory, DeviationMemory):
        mean = getattr(own, "average", None)
        shown = {"remembered": len(memory.hours)} | _band(memory.band, zone)
        if memory.average is not None and mean is not None:
            shown |= _average(mean, memory.average, zone)
        return shown
    stands_on = evidence(own, memory, zone)
    return _plain(memory, zone) if stands_on is None else stands_on


def _plain(memory: Memory, zone: ZoneInfo) -> dict[str, Any]:
    """Of a kind without words of its own: its numbers, by their names."""
    shown: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(memory).items():
        if name in ("unknown", "alarm_us") or not isinstance(value, int | float | str):
            continue
        is_time = name.endswith("_us") and EARLIEST_US < int(value) < LATEST_US
        shown[name.removesuffix("_us")] = _time(int(value), zone) if is_time else value
    return shown


def _average(own: AverageOf, memory: AverageMemory, zone: ZoneInfo) -> dict[str, Any]:
    """The window that is judged next, and how much of it is there."""
    if not memory.buckets:
        return {"over": own.condition.over, "window": None}
    over, every_us = own.condition.over, own.condition.every_us
    end_us = memory.buckets[0].end_us
    start_us = memory.buckets[0].start_us
    if over in ("8h", "24h"):
        end_us = max(end_us, memory.closed_us + HOUR_US)
        start_us = end_us - SPAN_US[over]
    inside = [b for b in memory.buckets if b.start_us >= start_us and b.end_us <= end_us]
    expected = (end_us - start_us) / every_us
    there = sum(bucket.slots for bucket in inside)
    return {
        "over": over,
        "window": {"from": _time(start_us, zone), "to": _time(end_us, zone)},
        "count": sum(bucket.count for bucket in inside),
        "slots": there,
        "expected": round(expected, 3),
        "completeness": round(there / expected, 4) if expected else None,
        "needed": own.condition.complete,
    }


def _band(band: Band | None, zone: ZoneInfo) -> dict[str, Any]:
    if band is None:
        return {}
    if band.count == 0:
        return {"band": None}
    return {
        "band": {
            "low": band.low, "high": band.high, "at": _time(band.newest_us, zone),
            "values": band.count, "needed": FEWEST, "since": _time(band.first_us, zone),
        }
    }  # fmt: skip


def _time(at_us: int, zone: ZoneInfo) -> str:
    return instant_text(Instant(at_us), zone)
