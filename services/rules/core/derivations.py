"""Derivations: the derivation of each derived condition."""

from decimal import Decimal
from typing import assert_never
from zoneinfo import ZoneInfo

from services.rules.core.average import AverageOf
from services.rules.core.change import ChangeOf
from services.rules.core.compliance import ComplianceOf
from services.rules.core.count import CountOf
from services.rules.core.derive import Derivation
from services.rules.core.deviation import DeviationOf
from services.rules.core.discipline import discipline
from services.rules.core.flagged import FlaggedOf
from services.rules.core.flatline import FlatlineOf
from services.rules.core.running import RunningOf
from services.rules.core.time_to_limit import TimeToLimitOf
from shared.model.rule import Average, Count, Derived, Deviation, Drift, Flatline, Jump, Rate
from shared.model.timed import Compliance, Discipline, Flagged, TimeToLimit
from shared.model.units import factor


def derivation(condition: Derived, own: str, zone: ZoneInfo) -> Derivation:
    """Made ready for readings in the unit `own` at a site in `zone`."""
    unit = condition.unit or own
    by = Decimal(factor(own, unit))
    match condition:
        case Average():
            return AverageOf(condition, zone, by)
        case Rate() | Jump():
            return ChangeOf(condition, by)
        case Flatline():
            return FlatlineOf(condition, by)
        case Count():
            return CountOf(condition, (own, unit) if by != 1 else None)
        case Deviation() | Drift():
            return DeviationOf(condition, zone)
        case TimeToLimit():
            return TimeToLimitOf(condition, by)
        case Flagged():
            return FlaggedOf(condition) if condition.companion is None else RunningOf(condition)
        case Discipline():
            return discipline(condition, zone, by)
        case Compliance():
            return ComplianceOf(condition, zone)
        case _:
            assert_never(condition)


def shown_unit(condition: Derived, own: str) -> str:
    """The unit of the derived value, as transitions show it."""
    unit = condition.unit or own
    match condition:
        case Average():
            return unit
        case Jump():
            return unit if condition.memory_us is None else "1"
        case Rate():
            return f"{unit}/{condition.per}"
        case Flatline() | TimeToLimit() | Flagged():
            return condition.shown_in
        case Compliance() | Discipline():
            return "%"
        case Count() | Deviation() | Drift():
            return "1"
        case _:
            assert_never(condition)
