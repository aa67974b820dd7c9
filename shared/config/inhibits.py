"""Inhibits: which alerts hide which; conditions are resolved to the rules that have them."""

from typing import get_args

from shared.config.assembly import Assembly
from shared.model.inhibit import Inhibit
from shared.model.rule import Condition, Rule


def inhibits(a: Assembly, rules: dict[str, Rule], names: set[str]) -> tuple[Inhibit, ...]:
    """In the order of the files. `names` are all rules, also those that are wrong."""
    known = {tag_of(each): each for each in get_args(Condition)}
    built = []
    for item in a.unique("inhibit", a.items("policies", "inhibits")).values():
        model = item.model
        for end in ("source", "target"):
            for place, name in enumerate(getattr(model, end).rule):
                a.known(item, "rule", name, names, end, "rule", place)
        for place, name in enumerate(model.target.condition):
            if name not in known:
                text = f"condition {name!r} does not exist; give one of {', '.join(sorted(known))}"
                a.fail(item, text, "target", "condition", place)
        source = frozenset(model.source.rule)
        for place, name in enumerate(model.target.rule):
            if name in source:
                text = f"rule {name!r} is a source here, and cannot hide itself; delete one of them"
                a.fail(item, text, "target", "rule", place)
        source = _with_editions(source, rules)
        target = _with_editions(frozenset(model.target.rule), rules) | {
            rule.id
            for rule in rules.values()
            if tag_of(type(rule.condition)) in model.target.condition
        }
        wrong = set(model.target.condition) - known.keys()
        if model.target.condition and not (wrong or model.target.rule) and target <= source:
            wanted = ", ".join(model.target.condition)
            text = (
                f"no rule but its source has condition {wanted}, so nothing is hidden; add such a "
                "rule or correct the target"
            )
            a.warn(item, text, "target")
        built.append(Inhibit(model.id, source, target - source, model.equal))
    return tuple(built)


def _with_editions(named: frozenset[str], rules: dict[str, Rule]) -> frozenset[str]:
    """A rule that is named means its editions of campaigns, too."""
    return named | {rule.id for rule in rules.values() if rule.base in named}


def tag_of(condition: type) -> str:
    """The name of a condition as rules write it."""
    return str(condition.__struct_config__.tag)  # type: ignore[attr-defined]  # a tagged msgspec Struct
