"""Companion: the series that shows whether a plant runs; it exists, has a unit, and has a place."""

from shared.config.assembly import Assembly, Item
from shared.config.levels import comparison
from shared.config.measured import known_indicator
from shared.config.places import convertible
from shared.config.schema.timed import FlaggedModel
from shared.model.instants import INTERVAL_US
from shared.model.timed import Companion
from shared.model.units import spelled

SHORTEST_AGE_US = 600_000_000


def companion(a: Assembly, item: Item, model: FlaggedModel) -> Companion | None:
    """Defaults: the interval of the rule; it shows something for two intervals, at least 10 min."""
    given = model.while_
    if given is None:
        return None
    keys = ("condition", "flagged", "while")
    interval = given.interval or model.interval
    known_indicator(a, item, given.indicator, *keys, "indicator")
    if (given.indicator, interval) == (model.indicator, model.interval) and (
        given.station is None and given.point is None
    ):
        text = "it is the series of the rule itself; name another indicator, station or point"
        a.fail(item, text, *keys, "indicator")
    if given.station is not None and given.point is not None:
        a.fail(item, "give station or point, not both", *keys, "point")
    known = a.indicators.get(given.indicator)
    own = known.unit if known is not None else "1"
    if given.unit is not None and known is not None and not convertible(given.unit, own):
        text = f"unit {given.unit!r} cannot be compared with {given.indicator}, in {own!r}"
        a.fail(item, f"{text}; give one of its kind", *keys, "unit")
        return None
    if given.station is not None:
        stations = {each.model.id for each in a.items("facilities", "stations")}
        stations |= {each.model.id for each in a.items("facilities")}
        a.known(item, "station", given.station, stations, *keys, "station")
    slots_us = max(INTERVAL_US.get(interval, 0), INTERVAL_US.get(model.interval, 0))
    return Companion(
        given.indicator, interval, comparison(given.runs),
        given.max_age or max(2 * slots_us, SHORTEST_AGE_US), own,
        spelled(given.unit) if given.unit is not None else own,
        given.station, given.point, tuple(given.despite or ()),
    )  # fmt: skip
