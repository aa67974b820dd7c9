"""Levels: the tests that raise and clear, and what a ladder of them must keep to."""

from itertools import pairwise

from shared.config.assembly import Assembly, Item
from shared.config.schema.conditions import CompositeModel, FlatlineModel
from shared.config.schema.rules import LevelModel
from shared.config.schema.timed import FlaggedModel
from shared.model.rule import Comparison, Condition, Level, Missing, Op, Range, Silent, number_text
from shared.model.severity import Severity
from shared.model.timed import SHOWN_US

_OPS: tuple[Op, ...] = (">=", "<=", ">", "<")
"""Longer ones first: `>=` begins with `>`."""


def levels(a: Assembly, item: Item, condition: Condition) -> tuple[Level, ...]:
    """Ascending by severity, whatever the order in the file."""
    bare = isinstance(condition, Range | Missing | Silent)
    kind = str(condition.__struct_config__.tag)
    if bare and len(item.model.levels) != 1:
        text = f"a {kind} rule has exactly one level; delete the others"
        a.fail(item, text, "levels", 1)
    seen: set[Severity] = set()
    built: list[tuple[int, Level]] = []
    for place, level in enumerate(item.model.levels):
        if level.severity in seen:
            text = f"severity {level.severity.value} stands twice in this rule; keep one"
            a.fail(item, text, "levels", place, "severity")
        seen.add(level.severity)
        built.append((place, _bare(a, item, place, kind) if bare else _level(a, item, place)))
    built.sort(key=lambda entry: entry[1].severity.rank)
    if not bare:
        _ladder(a, item, built)
    return tuple(level for _, level in built)


def comparison(text: str) -> Comparison:
    """`text` has passed the schema: one of the four signs and a number."""
    text = text.strip()
    op = next(op for op in _OPS if text.startswith(op))
    return Comparison(op, float(text[len(op) :]), text)


def _bare(a: Assembly, item: Item, place: int, kind: str) -> Level:
    level: LevelModel = item.model.levels[place]
    for key, value in (("raise", level.raise_), ("clear", level.clear)):
        if value is not None:
            a.fail(item, f"a {kind} level has no {key}; delete it", "levels", place, key)
    return Level(level.severity)


def _level(a: Assembly, item: Item, place: int) -> Level:
    level: LevelModel = item.model.levels[place]
    raise_ = level.raise_
    stands = item.model.condition.flatline or item.model.condition.flagged
    if raise_ is None and stands is not None and stands.over and place == 0:
        raise_ = f">= {_stood(stands)}"
    if (needed := _needed(item.model.condition.composite)) is not None:
        if raise_ is not None or len(item.model.levels) != 1:
            text = "any, all and at_least have exactly one level without raise; give rules alone"
            a.fail(item, text, "levels", place)
        raise_ = f">= {needed}"
    if raise_ is None:
        text = f'raise is missing for {level.severity.value}; add one such as raise: ">= 80"'
        a.fail(item, text, "levels", place)
        return Level(level.severity)
    raises = comparison(raise_)
    clears = comparison(level.clear) if level.clear is not None else None
    if clears is not None and not _are_apart(raises, clears):
        text = (
            f"clear {clears.text!r} and raise {raises.text!r} can hold for one value; "
            "clear lies on the other side: swap them or delete clear"
        )
        a.fail(item, text, "levels", place, "clear")
    return Level(level.severity, raises, clears)


def _needed(composite: CompositeModel | None) -> int | None:
    """How many rules must fire; None: the levels say it."""
    if composite is None:
        return None
    if composite.any:
        return 1
    return len(composite.all) if composite.all else composite.at_least


def _stood(stands: FlatlineModel | FlaggedModel) -> str:
    """`over` of a condition about how long, in the unit its value has."""
    return number_text((stands.over or 0) / SHOWN_US[stands.shown_in])


def _are_apart(raises: Comparison, clears: Comparison) -> bool:
    """No value may raise and clear at once."""
    if raises.op[0] == clears.op[0]:
        return False
    low, high = (clears, raises) if raises.op[0] == ">" else (raises, clears)
    touching = "=" in low.op and "=" in high.op
    return low.limit < high.limit or (low.limit == high.limit and not touching)


def _ladder(a: Assembly, item: Item, built: list[tuple[int, Level]]) -> None:
    """Fewer values raise a higher severity: else the lower one could never be held."""
    for (_, lower), (place, higher) in pairwise(built):
        low, high = lower.raises, higher.raises
        if low is None or high is None or lower.severity == higher.severity:
            continue
        if low.op[0] != high.op[0]:
            text = "levels look to both sides; all raise with > or >=, or all with < or <="
            a.fail(item, text, "levels", place, "raise")
        elif low == high or (low.op, low.limit) == (high.op, high.limit):
            text = f"{lower.severity.value} raises where {higher.severity.value} does; delete one"
            a.warn(item, text, "levels", place, "raise")
        elif _is_wider(high, low):
            text = (
                f"{higher.severity.value} {high.text!r} raises earlier than "
                f"{lower.severity.value} {low.text!r}; swap their limits"
            )
            a.fail(item, text, "levels", place, "raise")


def _is_wider(high: Comparison, low: Comparison) -> bool:
    """Some value raises `high` but not `low`; both look to the same side."""
    if high.limit == low.limit:
        return "=" in high.op and "=" not in low.op
    return high.limit < low.limit if high.op[0] == ">" else high.limit > low.limit
