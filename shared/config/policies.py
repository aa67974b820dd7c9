"""Policies: who is told of what, when and how; the first that matches counts."""

from collections.abc import Container
from typing import Any

from shared.config.assembly import Assembly, Item
from shared.config.schema.policies import PolicyModel
from shared.model.facility import Territory
from shared.model.people import (
    CatchAll,
    Channel,
    Flapping,
    Person,
    Policy,
    PolicyMatch,
    Repeat,
    Step,
    Target,
)


class Names:
    """What a policy may refer to."""

    def __init__(
        self,
        territories: dict[str, Territory],
        people: dict[str, Person],
        channels: dict[str, Channel],
        rules: Container[str],
    ) -> None:
        self.territories, self.people = territories, people
        self.channels, self.rules = channels, rules


def policies(a: Assembly, names: Names) -> tuple[Policy, ...]:
    """In the order of the files. The last one, and only it, has no match."""
    items = list(a.unique("policy", a.items("policies")).values())
    # Which one is the last is only known when all of them could be read.
    whole = not a.left.ids.get("policies") and "policies" not in a.left.lists
    built = []
    for number, item in enumerate(items):
        model: PolicyModel = item.model
        is_last = number == len(items) - 1
        if whole and is_last and model.match is not None:
            text = (
                "the last policy has a match, so some alerts would find none; "
                "add one behind it without match, such as {id: rest, steps: []}"
            )
            a.fail(item, text, "match")
        if whole and not is_last and model.match is None:
            text = "a policy without match takes every alert; move it to the end or add a match"
            a.fail(item, text, "id")
        built.append(policy(a, item, names))
    return tuple(built)


def policy(a: Assembly, item: Item, names: Names) -> Policy:
    """One policy, wherever it stands."""
    return Policy(
        id=item.model.id,
        match=_match(a, item, names),
        steps=_steps(a, item, names),
        catch_all=_catch_all(a, item, names),
        sign_off=item.model.sign_off,
        flapping=_flapping(a, item),
    )


def _flapping(a: Assembly, item: Item) -> Flapping | None:
    setting = item.model.flapping
    if setting is None:
        return None
    if not item.model.steps and item.model.catch_all is None:
        text = "flapping on a policy that tells nobody does nothing; delete it, or give steps"
        a.fail(item, text, "flapping")
    return Flapping(setting.reopenings, setting.within, setting.calm)


def _match(a: Assembly, item: Item, names: Names) -> PolicyMatch | None:
    match = item.model.match
    if match is None:
        return None
    for code in match.territory:
        a.known(item, "territory", code, names.territories, "match", "territory")
    for code in match.rule:
        a.known(item, "rule", code, names.rules, "match", "rule")
    return PolicyMatch(
        tuple(match.severity), tuple(match.kind), tuple(match.territory), tuple(match.rule)
    )


def _steps(a: Assembly, item: Item, names: Names) -> tuple[Step, ...]:
    steps = []
    for place, step in enumerate(item.model.steps):
        notify = targets(a, item, step, names, "steps", place)
        repeat = Repeat(step.repeat.every, step.repeat.times) if step.repeat else None
        steps.append(Step(notify, tuple(step.by), step.wait, repeat))
    return tuple(steps)


def _catch_all(a: Assembly, item: Item, names: Names) -> CatchAll | None:
    last = item.model.catch_all
    if last is None:
        return None
    return CatchAll(targets(a, item, last, names, "catch_all"), tuple(last.by), last.every)


def targets(
    a: Assembly, item: Item, step: Any, names: Names, *keys: str | int
) -> tuple[Target, ...]:
    for place, channel in enumerate(step.by):
        a.known(item, "channel", channel, names.channels, *keys, "by", place)
    for place, target in enumerate(step.notify):
        where = (*keys, "notify", place)
        if target.person is not None:
            a.known(item, "person", target.person, names.people, *where, "person")
        if target.territory not in (None, "parent"):
            a.known(item, "territory", target.territory, names.territories, *where, "territory")
    return tuple(Target(t.role, t.person, t.territory) for t in step.notify)
