"""Joint conditions: pollutants that a table of the index has, and limits that a second one decides."""

from shared.config.assembly import Assembly, Item
from shared.config.gaps import uncovered, unused
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.places import convertible
from shared.config.schema.conditions import IndexModel, LimitedModel
from shared.model.air_index import TABLES
from shared.model.rule import Index, Limited


def index(a: Assembly, item: Item, model: IndexModel) -> Index:
    """Without `of` all pollutants of the table; each in a unit the table can be entered with."""
    table = TABLES[model.table]
    if not model.table.endswith(model.interval):
        text = f"table {model.table} is not one of {model.interval} values; take the other one"
        a.fail(item, text, "condition", "index", "interval")
    of = tuple(model.of) if model.of is not None else tuple(table)
    if len(set(of)) != len(of):
        a.fail(item, "an indicator stands twice; keep one", "condition", "index", "of")
    key = "of" if model.of is not None else "table"
    units = []
    for name in of:
        checked_indicator(a, item, name, "index", key)
        row, known = table.get(name), a.indicators.get(name)
        if row is None:
            text = f"{model.table} has no {name}; it has {', '.join(table)}"
            a.fail(item, text, "condition", "index", key)
        elif known is not None and not convertible(known.unit, row.unit):
            text = f"{name} is in {known.unit!r}, which is not {row.unit}; report it so"
            a.fail(item, text, "condition", "index", key)
        units.append(known.unit if known is not None else "")
    return Index(model.table, model.interval, of, tuple(units))


def limited(a: Assembly, item: Item, model: LimitedModel) -> Limited:
    """The two are different indicators, and every test can hold after those before it."""
    checked_indicator(a, item, model.indicator, "limited", "indicator")
    checked_indicator(a, item, model.by, "limited", "by")
    unit = checked_unit(a, item, model.indicator, model.unit, "limited")
    if model.by == model.indicator:
        text = f"the limit of {model.by} would be decided by itself; use levels of a threshold"
        a.fail(item, text, "condition", "limited", "by")
    limits = tuple((comparison(each.when), each.limit) for each in model.limits)
    for place, (test, _) in enumerate(limits):
        if any(test == before for before, _ in limits[:place]):
            text = f"{test.text!r} stands twice; the first counts, so delete one"
            a.fail(item, text, "condition", "limited", "limits", place)
    tests = [test for test, _ in limits]
    for place in unused(tests) if len(set(tests)) == len(tests) else ():
        text = (
            f"the limit for {tests[place].text!r} is never taken: those before it hold wherever it "
            "does; put it before them or delete it"
        )
        a.warn(item, text, "condition", "limited", "limits", place)
    if (where := uncovered(tests)) is not None:
        text = (
            f"no limit is given for where {model.by} {where}: the value is unknown there, nothing "
            "fires and nothing clears; add one or write >= or <="
        )
        a.warn(item, text, "condition", "limited", "limits")
    known = a.indicators.get(model.indicator)
    own = known.unit if known is not None else unit or ""
    return Limited(model.indicator, model.interval, model.by, limits, own, unit or own)
