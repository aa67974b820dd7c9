"""Conditions on several stations: slots that end, tests that count, a wait that is bounded."""

from collections.abc import Container

from shared.config.assembly import Assembly, Item
from shared.config.levels import comparison
from shared.config.measured import checked_indicator, checked_unit
from shared.config.places import convertible
from shared.config.schema.conditions import AcrossModel, BalanceModel, CompositeModel
from shared.model.beside import Beside
from shared.model.configuration import Indicator
from shared.model.instants import INTERVAL_US
from shared.model.rule import Across, Balance, Composite, Group, Rule

FIRING = Indicator("rules.firing", "同时报警的规则", "1")
"""What a composite counts, as officials read it."""
SHORTEST_GRACE_US = 300_000_000
MOST_GRACE_SLOTS = 200
"""A group keeps at most 256 slots waiting (core.slots): grace may not fill them."""


def across(a: Assembly, item: Item, model: AcrossModel) -> Across:
    """Defaults: three quarters of the members are enough; grace is one more interval."""
    checked_indicator(a, item, model.indicator, "across", "indicator")
    unit = checked_unit(a, item, model.indicator, model.unit, "across")
    counts = model.of in ("share", "count")
    if counts and model.than is None:
        text = f'than is missing; a {model.of} is of the members that hold against it: than: "> 60"'
        a.fail(item, text, "condition", "across", "of")
    elif not counts and model.than is not None:
        text = f"than goes with of: share or count, not with {model.of}; delete it"
        a.fail(item, text, "condition", "across", "than")
    if model.complete > 1 and model.complete != int(model.complete):
        text = (
            f"complete {model.complete:g} is neither a part of the members (up to 1) nor a "
            "number of them; give 0.75 or 3"
        )
        a.fail(item, text, "condition", "across", "complete")
    than = None if model.than is None else comparison(model.than)
    grace = checked_grace(a, item, "across", model.interval, model.grace)
    return Across(
        model.indicator, model.interval, model.of, than, float(model.complete), grace, unit
    )


def balance(a: Assembly, item: Item, model: BalanceModel) -> Balance:
    """What goes in and what goes out must be of one kind, and nothing is both or twice."""
    names = [*model.in_, *model.out]
    for key, part in (("in", model.in_), ("out", model.out)):
        for name in part:
            checked_indicator(a, item, name, "balance", key)
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            text = f"{name} stands twice; what goes in does not go out by the same meter: keep one"
            a.fail(item, text, "condition", "balance", "out" if name in model.out else "in")
    known = [a.indicators[name] for name in names if name in a.indicators]
    for other in known[1:]:
        if not convertible(other.unit, known[0].unit):
            text = (
                f"{other.code} in {other.unit!r} cannot be set against {known[0].code}, which is "
                f"in {known[0].unit!r}; a balance is of one kind of unit"
            )
            a.fail(item, text, "condition", "balance", "in" if other.code in model.in_ else "out")
    grace = checked_grace(a, item, "balance", model.interval, model.grace)
    return Balance(tuple(model.in_), tuple(model.out), model.interval, grace, model.unit)


def composite(a: Assembly, item: Item, model: CompositeModel) -> Composite:
    """Rules by id, each once; with any, all or at_least the level needs no test of its own."""
    key = "any" if model.any else "all" if model.all else "rules"
    names = model.any or model.all or model.rules or []
    known = {each.model.id for each in a.items("rules")}
    switched = {name for _, part in a.parts["rules"] for name in part.packs} & a.packs.keys()
    known |= {rule.id for name in switched for rule in a.packs[name][1].rules}
    for name in dict.fromkeys(names):
        a.known(item, "rule", name, known, "condition", "composite", key)
        if names.count(name) > 1:
            a.fail(item, f"rule {name!r} stands twice; keep one", "condition", "composite", key)
    if model.at_least is not None and model.at_least > len(names):
        text = f"at_least {model.at_least} of {len(names)} rules can never be; make it smaller"
        a.fail(item, text, "condition", "composite", "at_least")
    if item.model.unknown is not None:
        a.fail(item, "a composite is never unknown: delete unknown", "unknown")
    a.indicators.setdefault(FIRING.code, FIRING)
    return Composite(tuple(names))


def checked_circles(a: Assembly, rules: dict[str, Rule]) -> None:
    """A composite that counts itself, directly or by others, would never come to rest."""
    for item in a.items("rules"):
        circle = _circle(rules, item.model.id, (item.model.id,))
        if circle is not None:
            text = f"it counts itself: {' -> '.join(circle)}; take one of them out"
            a.fail(item, text, "condition", "composite")


def _circle(rules: dict[str, Rule], rule: str, way: tuple[str, ...]) -> tuple[str, ...] | None:
    condition = rules[rule].condition if rule in rules else None
    if not isinstance(condition, Composite):
        return None
    editions = [edition.id for edition in rules.values() if edition.base in condition.rules]
    for name in (*condition.rules, *editions):
        here = rules[name].base if name in editions else name
        if here == way[0] or name == way[0]:
            return (*way, name)
        found = None if name in way else _circle(rules, name, (*way, name))
        if found is not None:
            return found
    return None


def checked_names(a: Assembly, facilities: Container[str], rules: dict[str, Rule]) -> None:
    """The series of such a rule has its facility as station: no other station may be called so."""
    kinds = [
        rule.id
        for rule in rules.values()
        if isinstance(rule.condition, Group) and not isinstance(rule.condition, Beside)
    ]
    if not kinds:
        return
    for item in a.items("facilities", "stations"):
        if item.model.id in facilities and item.model.facility != item.model.id:
            text = (
                f"station {item.model.id!r} of {item.model.facility} has the id of another "
                f"facility, where rule {kinds[0]} judges under that name; give it another id"
            )
            a.fail(item, text, "id")


def checked_grace(a: Assembly, item: Item, kind: str, interval: str, grace: int | None) -> int:
    """How long a slot waits for its members; realtime readings have no slots to compare."""
    slot_us = INTERVAL_US.get(interval)
    if slot_us is None:
        text = (
            f"{kind} compares its members slot by slot, and {interval} readings have no slots; "
            "use interval minute, hour or day"
        )
        a.fail(item, text, "condition", kind, "interval")
        return 0
    if grace is None:
        return max(slot_us, SHORTEST_GRACE_US)
    if grace > MOST_GRACE_SLOTS * slot_us:
        text = (
            f"a grace of more than {MOST_GRACE_SLOTS} slots keeps too many of them waiting; "
            "make it shorter"
        )
        a.fail(item, text, "condition", kind, "grace")
    return grace
