"""What composites judge: the alerts of other rules, counted again after every record."""

from typing import TYPE_CHECKING

from shared.model.report import Tick
from shared.model.rule import Composite
from shared.model.transition import Transition
from tests.reference.history import History, Life
from tests.reference.judged import Judged

if TYPE_CHECKING:
    from tests.reference.evaluator import Found


def depth(life: Life, lives: list[Life]) -> int:
    """Composites come after the rules they count, in whatever form those ever were."""
    condition = life.rule.condition
    if not isinstance(condition, Composite):
        return 0
    named = [o for o in lives if (o.rule.base or o.rule.id) in condition.rules]
    return 1 + max((depth(other, lives) for other in named), default=0)


def composed(history: History, life: Life, found: list["Found"]) -> list[Judged]:
    condition = life.rule.condition
    assert isinstance(condition, Composite)
    said = [(f.index, f.transition) for f in found if f.transition.facility == life.facility]
    names: dict[object, str] = {}
    counted = []
    for index, t in said:
        if begins(t) and written(history, t.rule, index) in condition.rules:
            names[t.alert] = written(history, t.rule, index)
            counted.append((index, t))
        elif ends(t) and names.pop(t.alert, None):
            counted.append((index, t))
    judged: list[Judged] = []
    for i in range(life.begin, len(history.records) if life.end is None else life.end):
        here = [t for index, t in counted if index == i]
        firing: dict[object, Transition] = {}
        for index, t in counted:
            if index <= i and begins(t):
                firing[t.alert] = t
            elif index <= i:
                del firing[t.alert]
        value = float(len({written(history, t.rule, i) for t in firing.values()}))
        if i == life.begin:
            if not firing:
                continue
            now = history.log_time(i, looking_ahead=False)
            at = now if now is not None else max(t.episode_us for t in firing.values())
        elif here:
            at = max([t.at_us for t in here] + [j.at for j in judged[-1:]])
        else:
            continue
        index = i - 0.4 if isinstance(history.records[i], Tick) else float(i)
        judged.append(Judged(index, at, "known", value))
    return judged


def written(history: History, rule: str, index: float) -> str:
    """An edition of a campaign counts as the rule it stands for."""
    bundle = history.bundle(int(index))
    assert bundle is not None
    return next((r.base for r in bundle.rules if r.id == rule and r.base), rule)


def begins(t: Transition) -> bool:
    return t.state == "firing" and t.cause in ("raised", "missing")


def ends(t: Transition) -> bool:
    return t.state in ("resolved", "withdrawn")
