"""Index: the pollutants of one slot become one air quality index, the highest of theirs (HJ 633)."""

from services.rules.core.ratio import Components, Quality
from shared.model import units
from shared.model.air_index import TABLES, Part, part
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Index


def result(condition: Index, components: Components) -> tuple[Quality, float | None]:
    """
    The index of a slot from the (value, flag) of the pollutants it has so far.

    It is known when all of `of` are there as evidence. An absent one, one whose flag is no
    evidence, one over range, or one above a table that goes no further leave it a lower bound:
    it may raise and never clears. With none of them it is unknown.
    """
    found = parts(condition, components)
    indices = [each for each in found.values() if each is not None]
    if not indices:
        return "unknown", None
    whole = len(found) == len(condition.of) and all(each.exact for each in indices)
    if any(components[name][1] == "T" for name in found):
        whole = False
    return ("known" if whole else "over"), float(max(each.iaqi for each in indices))


def parts(condition: Index, components: Components) -> dict[str, Part | None]:
    """The index of each pollutant that is there as evidence; None where its table leaves it out."""
    table = TABLES[condition.table]
    found: dict[str, Part | None] = {}
    for name, own in zip(condition.of, condition.units, strict=True):
        value, flag = components.get(name, (0.0, "?"))
        if flag in EVIDENCE_FLAGS:
            row = table[name]
            found[name] = part(row, units.convert(value, own, row.unit))
    return found


def primary(found: dict[str, Part | None]) -> tuple[str, ...]:
    """The pollutants that an index above 50 is that of; ties stand together."""
    indices = {name: each.iaqi for name, each in found.items() if each is not None}
    highest = max(indices.values(), default=0)
    return tuple(name for name, index in indices.items() if index == highest > 50)
