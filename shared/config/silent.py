"""Silent: the silence of a whole facility, which hides the silences of its series."""

from shared.config.assembly import Assembly, Item
from shared.config.schema.conditions import SilentModel
from shared.model.configuration import Indicator
from shared.model.inhibit import Inhibit
from shared.model.rule import Missing, Rule, Silent

READINGS = Indicator("facility.readings", "全部读数", "1")
"""What does not come any more, as officials read it."""


def silent(a: Assembly, item: Item, model: SilentModel) -> Silent:
    if item.model.applies.kind == "territory":
        text = "a territory says nothing itself; watch the facilities in it: give their kind"
        a.fail(item, text, "applies", "kind")
    settle = model.every if model.settle is None else model.settle
    if settle > model.every + model.grace:
        text = (
            "settle is longer than every and grace: it could fall silent again before; shorten it"
        )
        a.fail(item, text, "condition", "silent", "settle")
    a.indicators.setdefault(READINGS.code, READINGS)
    return Silent(model.every, model.grace, settle)


def hides(rules: dict[str, Rule]) -> tuple[Inhibit, ...]:
    """A facility that is silent and told of hides what is missing there, as inhibits do."""
    source = frozenset(rule.id for rule in rules.values() if isinstance(rule.condition, Silent))
    target = frozenset(rule.id for rule in rules.values() if isinstance(rule.condition, Missing))
    return (Inhibit("silent", source, target),) if source and target else ()


def checked_order(a: Assembly, rules: dict[str, Rule]) -> None:
    """What is missing before its facility counts as silent is told, and not hidden."""
    for item in a.items("rules"):
        rule = rules.get(item.model.id)
        if rule is None or not isinstance(rule.condition, Silent):
            continue
        wait_us = rule.condition.every_us + rule.condition.grace_us
        for other in rules.values():
            condition = other.condition
            if not isinstance(condition, Missing) or condition.every_us is None:
                continue
            if None not in (rule.applies.kind, other.applies.kind) and (
                rule.applies.kind != other.applies.kind
            ):
                continue
            if condition.every_us + condition.grace_us <= wait_us:
                text = (
                    f"rule {other.id} is missing no later than the facility counts as silent, so "
                    "it is told first; give this one a shorter every or grace, or that a longer"
                )
                a.warn(item, text, "condition", "silent", "every")
                break
