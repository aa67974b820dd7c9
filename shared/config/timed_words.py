"""Words of the packs' page for conditions about time and discipline."""

from shared.config.schema.conditions import ConditionModel


def judged_words(condition: ConditionModel) -> str | None:
    """Which value of which indicator; None: it is not one of them."""
    if (limit := condition.time_to_limit) is not None:
        to = "the capacity" if limit.limit is None else f"{limit.limit:g}"
        days = f"{limit.over / 86_400_000_000:g} d"
        return f"{limit.indicator}, time to {to} by the trend of {limit.interval} over {days}"
    if (clear := condition.time_to_clear) is not None:
        return f"{clear.backlog} / ({clear.capacity} - {clear.intake}), {clear.interval}"
    if (flagged := condition.flagged) is not None:
        words = f"{flagged.indicator}, {flagged.interval}, time in {' '.join(flagged.flags)}"
        runs = flagged.while_
        if runs is not None:
            words += f" while {runs.indicator} {runs.runs} {runs.unit or ''}".rstrip()
        return words
    if (plan := condition.compliance) is not None:
        return f"{plan.indicator}, {plan.interval}, at least {plan.at_least} per {plan.per}"
    if (habit := condition.discipline) is not None:
        undone = f" that undo {habit.undoes} {habit.unit or ''}".rstrip() if habit.undoes else ""
        return (
            f"{habit.indicator}, {habit.interval}, {habit.of}{undone} among the last {habit.within}"
        )
    if (flat := condition.flatline) is not None:
        above = "" if flat.above is None else f", above {flat.above:g} {flat.unit or ''}".rstrip()
        return f"{flat.indicator}, {flat.interval}, how long it stands{above}"
    if (beside := condition.beside) is not None:
        over = f", mean of {beside.over / 3_600_000_000:g} h" if beside.over else ""
        return f"{beside.indicator}, {beside.interval}, {beside.of} beside other stations{over}"
    if (missing := condition.missing) is not None and missing.every is not None:
        wait = f"{(missing.every + missing.grace) / 3_600_000_000:g} h"
        return f"{missing.indicator}, {missing.interval}, no reading for {wait}"
    return None


def shown_words(condition: ConditionModel) -> str | None:
    """The unit of their value."""
    timed = condition.time_to_limit or condition.time_to_clear or condition.flagged
    if timed is not None:
        return timed.shown_in
    if condition.flatline is not None:
        return condition.flatline.shown_in
    if condition.missing is not None:
        return ""
    if condition.beside is not None:
        return "%" if condition.beside.of == "share" else "times the usual band"
    return "%" if condition.compliance or condition.discipline else None
