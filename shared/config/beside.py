"""Beside: slots that have a mean, days enough for what is usual, limits that can be reached."""

from shared.config.assembly import Assembly, Item
from shared.config.grouped import checked_grace
from shared.config.measured import checked_indicator, checked_unit
from shared.config.schema.conditions import BesideModel
from shared.model.beside import Beside
from shared.model.instants import INTERVAL_US

DAY_US = 86_400_000_000
MOST_SLOTS = 240
SHARE_DAYS = (7, 60)
"""Fewer say nothing is usual, more are not kept (core.beside)."""


def beside(a: Assembly, item: Item, model: BesideModel) -> Beside:
    """Defaults: a share is the mean of a day beside 28 of them, a difference has 42 days."""
    checked_indicator(a, item, model.indicator, "beside", "indicator")
    unit = checked_unit(a, item, model.indicator, model.unit, "beside")
    grace = checked_grace(a, item, "beside", model.interval, model.grace)
    slot_us = INTERVAL_US.get(model.interval, DAY_US)
    is_share = model.of == "share"
    if not is_share and model.over is not None:
        text = "over goes with of: share; a difference is that of each slot: delete it"
        a.fail(item, text, "condition", "beside", "over")
    default_us = max(DAY_US, slot_us) if is_share and model.interval != "minute" else slot_us
    over_us = default_us if model.over is None else model.over
    if over_us % slot_us or not 1 <= over_us // slot_us <= MOST_SLOTS:
        text = (
            f"over is the mean of whole slots, at most {MOST_SLOTS} of them; give 1 to "
            f"{MOST_SLOTS} times the {model.interval}"
        )
        a.fail(item, text, "condition", "beside", "over")
    memory_us = model.memory or (28 if is_share else 42) * DAY_US
    fewest, most = SHARE_DAYS
    if is_share and not fewest * DAY_US <= memory_us <= most * DAY_US:
        text = (
            f"what share is usual is the middle of {fewest} to {most} days; give a memory "
            f"between {fewest}d and {most}d"
        )
        a.fail(item, text, "condition", "beside", "memory")
    return Beside(
        model.indicator, model.interval, model.of, over_us // slot_us, memory_us,
        float(model.floor or 0.0), model.least, model.side, grace, unit,
    )  # fmt: skip
