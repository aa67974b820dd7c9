"""Evidence: what conditions about time and discipline stand on, as people ask for it.

A share of readings is a suspicion; whoever verifies it wants to see of what.
"""

from typing import Any
from zoneinfo import ZoneInfo

from services.rules.core.compliance import ComplianceOf
from services.rules.core.derive import Derivation
from services.rules.core.discipline import Habit
from services.rules.core.edits import EditsOf
from services.rules.core.memory import (
    EditsMemory,
    FlagMemory,
    HabitMemory,
    Memory,
    PlanMemory,
    RunMemory,
    TrendMemory,
)
from shared.model.instants import Instant, instant_text


def evidence(own: Derivation, memory: Memory, zone: ZoneInfo) -> dict[str, Any] | None:
    """None: the memory is of another kind."""
    if isinstance(memory, TrendMemory):
        begun = _time(memory.times[0], zone) if memory.times else None
        return {
            "readings": len(memory.times), "from": begun,
            "early": memory.early, "late": memory.late,
        }  # fmt: skip
    if isinstance(memory, FlagMemory):
        begun = None if memory.begin_us is None else _time(memory.begin_us, zone)
        return {"flagged_since": begun}
    if isinstance(memory, RunMemory):
        begun = None if memory.begin_us is None else _time(memory.begin_us, zone)
        return {
            "flagged_since": begun,
            "ran_s": memory.ran_us // 1_000_000,
            "partial": memory.partial,
        }
    if isinstance(memory, PlanMemory) and isinstance(own, ComplianceOf):
        return _plan(own, memory, zone)
    if isinstance(memory, HabitMemory) and isinstance(own, Habit):
        condition = own.condition
        found = {
            "of": condition.of, "seen": len(memory.digits), "within": condition.within,
            "counted": memory.digits.count(1),
        }  # fmt: skip
        if condition.of == "heaping":
            found["in_the_band_below"] = memory.digits.count(2)
        return found
    if isinstance(memory, EditsMemory) and isinstance(own, EditsOf):
        changed = [
            at for at, is_edited in zip(memory.times, memory.edited, strict=True) if is_edited
        ]
        return {
            "of": "edits", "seen": len(memory.times), "within": own.condition.within,
            "counted": len(changed), "edited": [_time(at, zone) for at in changed[-10:]],
        }  # fmt: skip
    return None


def _plan(own: ComplianceOf, memory: PlanMemory, zone: ZoneInfo) -> dict[str, Any]:
    """The period that is judged next."""
    counts = dict(zip(memory.starts, memory.counts, strict=True))
    begun = None if memory.next_us is None else _time(memory.next_us, zone)
    return {
        "period_from": begun, "per": own.condition.per, "required": own.condition.at_least,
        "counted": counts.get(memory.next_us, 0) if memory.next_us is not None else 0,
    }  # fmt: skip


def _time(at_us: int, zone: ZoneInfo) -> str:
    return instant_text(Instant(at_us), zone)
