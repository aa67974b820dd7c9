"""What a condition measures: an indicator that is known, in a unit it can be compared in."""

from shared.config.assembly import Assembly, Item
from shared.config.places import convertible
from shared.model.units import spelled


def checked_indicator(a: Assembly, item: Item, name: str, *keys: str) -> None:
    known_indicator(a, item, name, "condition", *keys)


def known_indicator(a: Assembly, item: Item, name: str, *keys: str | int) -> None:
    """The same for what stands anywhere in an item."""
    # A station or pack that could not be read may be what names it.
    unsure = a.left.ids.get("stations") or a.left.lists & {"stations", "packs"}
    if name in a.indicators or unsure:
        return
    text = (
        f"indicator {name!r} is not known; give an HJ 212 code, or a name that stands "
        "under codes of a station or in a pack that is switched on"
    )
    a.fail(item, text, *keys)


def checked_unit(a: Assembly, item: Item, name: str, unit: str | None, kind: str) -> str | None:
    """The unit to compare in, in our spelling; None for that of the indicator."""
    if unit is None:
        return None
    known = a.indicators.get(name)
    if known is not None and not convertible(unit, known.unit):
        text = f"unit {unit!r} cannot be compared with {name}, which is in {known.unit!r}"
        a.fail(item, f"{text}; give one of its kind", "condition", kind, "unit")
    return spelled(unit)
