"""Campaigns of the random cases: editions that judge instead of a rule, for a while, somewhere."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from shared.model.rule import Missing, Pause, Ratio, Rule, Silent

if TYPE_CHECKING:
    from tests.reference.cases import Generator

REGIONS = ("420000", "420100", "420200")


def with_campaigns(g: "Generator", rules: list[Rule]) -> list[Rule]:
    """Some rules are paused once or twice, and another judges their series meanwhile."""
    found = []
    for rule in rules:
        if g.random.random() < 0.6:
            found.append(rule)
            continue
        moments = sorted({g.moment() for _ in range(g.random.choice([2, 2, 4]))})
        spans = list(zip(moments[::2], moments[1::2], strict=False))
        pauses = []
        for number, (begin, end) in enumerate(spans):
            region = (g.random.choice(REGIONS),)
            pauses.append(Pause(f"c{number}", begin, end, region))
            found.append(_edition(g, rule, pauses[-1]))
        found.append(replace(rule, pauses=tuple(pauses)))
    return found


def _edition(g: "Generator", rule: Rule, pause: Pause) -> Rule:
    """The same condition with other limits, delays or frequency."""
    condition, levels = rule.condition, rule.levels
    if isinstance(condition, Silent) or (
        isinstance(condition, Missing) and condition.every_us is not None
    ):
        condition = replace(condition, every_us=g.random.choice([1, 2, 3]) * g.grid)
    elif isinstance(condition, Ratio) or hasattr(condition, "of"):
        levels = levels[:1]
    delays = (
        (0, 0)
        if isinstance(condition, Missing | Silent)
        else (g.random.choice([0, 1, 3]) * g.grid, 0)
    )
    return replace(
        rule,
        id=f"{rule.id}@{pause.campaign}",
        applies=replace(rule.applies, within=pause.within),
        condition=condition,
        levels=levels,
        for_us=delays[0],
        keep_firing_for_us=delays[1],
        basis=replace(rule.basis, edition="战时", valid_from_us=pause.from_us, valid_to_us=pause.to_us),
        campaign=pause.campaign,
        base=rule.id,
    )  # fmt: skip


def campaigns_changed(g: "Generator", rules: list[Rule]) -> list[Rule]:
    """A campaign is prolonged or cut short, moves to other territories, or is called off."""
    what = g.random.choice(["span", "region", "off"])
    region, end = (g.random.choice(REGIONS),), g.moment()

    def pause(old: Pause) -> Pause:
        if what == "region":
            return replace(old, within=region)
        return replace(old, to_us=end) if end > old.from_us else old

    found = []
    for rule in rules:
        if what == "off":
            if rule.campaign is None:
                found.append(replace(rule, pauses=()))
        elif rule.campaign is not None:
            mine = pause(
                Pause(
                    rule.campaign,
                    rule.basis.valid_from_us,
                    rule.basis.valid_to_us,
                    rule.applies.within,
                )
            )
            found.append(
                replace(
                    rule,
                    applies=replace(rule.applies, within=mine.within),
                    basis=replace(rule.basis, valid_to_us=mine.to_us),
                )
            )
        else:
            found.append(replace(rule, pauses=tuple(pause(each) for each in rule.pauses)))
    return found
