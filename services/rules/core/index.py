"""Index: the pollutants of one slot become one air quality index, the highest of theirs (HJ 633)."""

from services.rules.core.ratio import Components, Quality
from shared.model import units
from shared.model.air_index import TABLES, part
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Index


def result(condition: Index, components: Components) -> tuple[Quality, float | None]:
    """
    The index of a slot from the (value, flag) of the pollutants it has so far.

    It is known when all of `of` are there as evidence. An absent one, one whose flag is no
    evidence, one over range, or one above a table that goes no further leave it a lower bound:
    it may raise and never clears. With none of them it is unknown.
    """
    table = TABLES[condition.table]
    highest, exact = -1, True
    for name, own in zip(condition.of, condition.units, strict=True):
        value, flag = components.get(name, (0.0, "?"))
        if flag not in EVIDENCE_FLAGS:
            exact = False
            continue
        exact &= flag != "T"
        row = table[name]
        found = part(row, units.convert(value, own, row.unit))
        if found is None:
            continue  # the table judges it by another mean
        highest = max(highest, found.iaqi)
        exact &= found.exact
    if highest < 0:
        return "unknown", None
    return ("known" if exact else "over"), float(highest)


def primary(condition: Index, components: Components) -> tuple[str, ...]:
    """The pollutants that the index is that of, when it is above 50; ties stand together."""
    table = TABLES[condition.table]
    parts: dict[str, int] = {}
    for name, own in zip(condition.of, condition.units, strict=True):
        value, flag = components.get(name, (0.0, "?"))
        if flag in EVIDENCE_FLAGS:
            found = part(table[name], units.convert(value, own, table[name].unit))
            if found is not None:
                parts[name] = found.iaqi
    highest = max(parts.values(), default=0)
    return tuple(name for name, index in parts.items() if index == highest > 50)
