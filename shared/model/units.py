"""Units: spelling and exact conversion inside one family; never between water, air and mass.

Families (contract §3): grams per litre of water, grams per cubic metre of air, and mass.
"""

from decimal import Decimal
from functools import lru_cache

from shared.model import numbers

_GRAMS = {"kg": Decimal(1000), "g": Decimal(1), "mg": Decimal("1e-3"),
          "µg": Decimal("1e-6"), "ng": Decimal("1e-9")}  # fmt: skip
_FAMILIES: tuple[dict[str, Decimal], ...] = (
    {f"{name}/L": size for name, size in _GRAMS.items() if name != "kg"},
    {f"{name}/m³": size for name, size in _GRAMS.items() if name != "kg"},
    {"t": Decimal(1_000_000), "kg": Decimal(1000), "g": Decimal(1)},
)


class UnknownUnit(ValueError):
    """The unit is not one that can be converted to the one that is needed."""


def spelled(unit: str) -> str:
    """One spelling for each unit: `u` and both micro signs are `µ`, `m3` is `m³`, `l` is `L`."""
    text = unit.strip().replace("μ", "µ").replace("m3", "m³")
    if text.startswith("ug"):
        text = "µ" + text[1:]
    return text[:-2] + "/L" if text.endswith("/l") else text


@lru_cache(maxsize=4096)
def factor(from_unit: str, to_unit: str) -> Decimal:
    """What a value in `from_unit` is multiplied by; 1 for the same unit.

    Raises:
        UnknownUnit: there is no conversion between the two.
    """
    source, target = spelled(from_unit), spelled(to_unit)
    if source == target:
        return Decimal(1)
    for family in _FAMILIES:
        if source in family and target in family:
            return family[source] / family[target]
    raise UnknownUnit(f"{from_unit!r} cannot be converted to {to_unit!r}")


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """`value` in `to_unit`; as reported when the units are one, else 12 significant digits.

    Raises:
        UnknownUnit: there is no conversion between the two.
    """
    ratio = factor(from_unit, to_unit)
    if ratio == 1:
        return value
    return numbers.rounded(numbers.multiply(numbers.exact(value), ratio))
