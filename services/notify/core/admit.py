"""Admit: what one person gets of all that is owed to him. For now: a budget with reserves."""

from typing import Literal

import msgspec

from shared.model.people import Budget
from shared.model.severity import Severity


class Withheld(msgspec.Struct, frozen=True):
    """Not sent, and why."""

    reason: Literal["budget", "resolved", "superseded"]


def allowed(budget: Budget, severity: Severity | None) -> int:
    """
    How many messages of the day may have gone out after one of this severity.

    A reserve is kept for its severity and those above: 10 with orange 2 and red 3 leaves yellow
    5, orange 7, red 10. An answer to a reply has no severity and may use all.
    """
    if severity is None:
        return budget.per_day
    kept = sum(n for level, n in budget.reserve.items() if level.rank > severity.rank)
    return budget.per_day - kept


def admit(budget: Budget | None, severity: Severity | None, sent_today: int) -> Withheld | None:
    """None: it may go. `sent_today` counts this channel, this person, this local day."""
    if budget is None or sent_today < allowed(budget, severity):
        return None
    return Withheld("budget")
