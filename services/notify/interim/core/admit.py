"""Admit: what one person gets of all that is owed to him; the rest is withheld with a reason."""

from shared.model.people import Budget
from shared.model.severity import Severity


def cap(budget: Budget, severity: Severity) -> int:
    """How many messages of a day may have been sent before one of this severity still goes.

    A reserve is kept for its severity and those above: with 10 a day, orange 2 and red 3,
    yellow goes up to 5, orange up to 7, red up to 10.
    """
    kept = sum(n for level, n in budget.reserve.items() if level.rank > severity.rank)
    return budget.per_day - kept


def admits(budget: Budget | None, severity: Severity, sent_today: int) -> bool:
    """May one more go to this person by this channel today?"""
    return budget is None or sent_today < cap(budget, severity)
