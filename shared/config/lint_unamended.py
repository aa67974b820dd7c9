"""Lint of history: rules that look as if a correction amended their episodes, and that it leaves.

What is evidently about arrival (`missing`, `silent`, …) is not named: nobody expects it.
"""

from collections.abc import Iterator

from shared.model.configuration import Configuration
from shared.model.rule import Composite, Missing, Rule, Silent
from shared.model.timed import is_about_arrival


def unamended(c: Configuration) -> Iterator[tuple[str | None, str]]:
    """(rule, warning); a pack's rules have no line in this configuration."""
    if c.history_keep_us is None:
        return
    for rule in c.rules.values():
        why = _why(c, rule)
        if why:
            text = (
                f"history is kept, and a late or corrected reading does not amend the episodes of "
                f"rule {rule.id}: {why}; what it said live stands"
            )
            yield (rule.id if rule.pack is None and rule.campaign is None else None), text


def _why(c: Configuration, rule: Rule) -> str | None:
    condition = rule.condition
    if isinstance(condition, Composite):
        named = [each for each in _counted(c, rule) if not _is_amended(each)]
        if named:
            return f"it counts {named[0].id}, which has no amended history"
    return None


def _is_amended(rule: Rule) -> bool:
    """Of a rule that is counted; composites are asked for what they count."""
    condition = rule.condition
    return not (isinstance(condition, Missing | Silent) or is_about_arrival(condition))


def _counted(c: Configuration, rule: Rule) -> list[Rule]:
    """What a composite counts, however deep, with the editions that campaigns made; by id."""
    found: dict[str, Rule] = {}
    waiting = [rule]
    while waiting:
        condition = waiting.pop().condition
        if isinstance(condition, Composite):
            new = [
                each
                for each in c.rules.values()
                if (each.id in condition.rules or each.base in condition.rules)
                and each.id not in found
            ]
            found |= {each.id: each for each in new}
            waiting += new
    return [found[name] for name in sorted(found)]
