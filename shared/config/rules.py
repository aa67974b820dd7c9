"""Rules of the configuration and of packs: do they make sense, and what do they become."""

from __future__ import annotations

import ipaddress
from datetime import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.config.schema import AppliesModel, ConditionModel, LevelModel, RuleModel
from shared.model.configuration import Indicator
from shared.model.facility import Territory
from shared.model.instants import INTERVAL_US, Instant, local_midnight, parse_instant
from shared.model.rule import (
    Applies,
    Basis,
    Comparison,
    Condition,
    Level,
    Missing,
    Op,
    Range,
    Ratio,
    Rule,
    Threshold,
)
from shared.model.units import UnknownUnit, factor, spelled

if TYPE_CHECKING:
    from shared.config.assemble import Assembly, Item

__all__ = ["build", "convertible", "is_network", "spelled", "switch_packs_on"]


def convertible(from_unit: str, to_unit: str) -> bool:
    try:
        factor(from_unit, to_unit)
    except UnknownUnit:
        return False
    return True


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def switch_packs_on(a: Assembly) -> None:
    """Take the indicators of the packs that are switched on."""
    for document, model in a.parts["rules"]:
        for index, name in enumerate(model.packs):
            if name not in a.packs:
                from shared.config.assemble import Item

                known = ", ".join(a.packs) or "none"
                a.fail(
                    Item(document, ("packs", index), None),
                    f"pack {name!r} does not exist; shipped are {known}",
                )
                continue
            for code, meaning in a.packs[name][1].indicators.items():
                a.indicators.setdefault(code, Indicator(code, meaning.zh, spelled(meaning.unit)))


def build(a: Assembly, territories: dict[str, Territory]) -> dict[str, Rule]:
    """Every rule by id: the configuration's own, then those of its packs."""
    from shared.config.assemble import Item

    rules: dict[str, Rule] = {}
    for item in a.items("rules"):
        rule = _rule(a, item, territories, None)
        if item.model.id in rules:
            a.fail(item, f"rule {item.model.id!r} exists already; give another id", "id")
        elif rule:
            rules[rule.id] = rule
    for document, model in a.parts["rules"]:
        for index, name in enumerate(model.packs):
            if name not in a.packs:
                continue
            pack_document, pack = a.packs[name]
            for number, entry in enumerate(pack.rules):
                rule = _rule(a, Item(pack_document, ("rules", number), entry), territories, name)
                if entry.id in rules:
                    if rules[entry.id].pack != name:
                        a.fail(
                            Item(document, ("packs", index), None),
                            f"pack {name} has a rule {entry.id!r} too; rename yours",
                        )
                elif rule:
                    rules[rule.id] = rule
    return rules


def _rule(
    a: Assembly, item: Item, territories: dict[str, Territory], pack: str | None
) -> Rule | None:
    model: RuleModel = item.model
    before = len(a.findings)
    condition = _condition(a, item, model.condition)
    levels = _levels(a, item, model, condition)
    if isinstance(condition, Missing):
        for key, value in (
            ("for", model.for_),
            ("keep_firing_for", model.keep_firing_for),
            ("unknown", model.unknown),
        ):
            if value is not None:
                a.fail(item, f"a missing rule has no {key}; use grace, and delete {key}", key)
    if model.applies.territory is not None:
        a.known(item, "territory", model.applies.territory, territories, "applies", "territory")
    basis = _basis(a, item, model)
    if len(a.findings) > before or condition is None or basis is None:
        return None
    title = model.title
    return Rule(
        id=model.id,
        title_zh=title.zh if title else model.id,
        title_en=(title.en or title.zh) if title else model.id,
        action_zh=model.action.zh if model.action else None,
        action_en=model.action.en if model.action else None,
        applies=_applies(model.applies),
        condition=condition,
        levels=levels,
        for_us=model.for_ or 0,
        keep_firing_for_us=model.keep_firing_for or 0,
        unknown=model.unknown or "hold",
        basis=basis,
        pack=pack,
    )


def _applies(model: AppliesModel) -> Applies:
    return Applies(model.kind, model.territory, model.facility, model.point, dict(model.attributes))


def _basis(a: Assembly, item: Item, model: RuleModel) -> Basis | None:
    begin = _edition(a, item, model.basis.valid_from, "valid_from")
    end = None
    if model.basis.valid_to is not None:
        end = _edition(a, item, model.basis.valid_to, "valid_to")
        if begin is not None and end is not None and end <= begin:
            a.fail(item, "valid_to is not after valid_from; swap them", "basis", "valid_to")
    if begin is None:
        return None
    b = model.basis
    return Basis(b.standard, b.edition, b.clause, begin, end, b.status)


def _edition(a: Assembly, item: Item, text: str, key: str) -> Instant | None:
    """A date means its first instant in site time."""
    from datetime import date

    try:
        if len(text) == len("2026-03-01"):
            return local_midnight(date.fromisoformat(text), a.zone)
        return parse_instant(text, a.zone)
    except (TypeError, ValueError) as error:
        a.fail(item, f"{key}: {error}; give a date or a time", "basis", key)
        return None


def _condition(a: Assembly, item: Item, model: ConditionModel) -> Condition | None:
    if model.threshold:
        t = model.threshold
        _unit(a, item, t.indicator, t.unit, "threshold")
        return Threshold(t.indicator, t.interval, spelled(t.unit) if t.unit else None)
    if model.range:
        r = model.range
        _unit(a, item, r.indicator, r.unit, "range")
        if not r.low < r.high:
            a.fail(
                item,
                f"low {r.low} is not below high {r.high}; swap them",
                "condition",
                "range",
                "low",
            )
        elif 2 * r.deadband >= r.high - r.low:
            a.fail(
                item,
                f"with a deadband of {r.deadband} nothing between {r.low} and {r.high} "
                "would clear; make it smaller",
                "condition",
                "range",
                "deadband",
            )
        return Range(
            r.indicator, r.interval, r.low, r.high, r.deadband, spelled(r.unit) if r.unit else None
        )
    if model.ratio:
        q = model.ratio
        for name in (*q.of, q.over):
            _unit(a, item, name, None, "ratio")
        units = {a.indicators[name].unit for name in (*q.of, q.over) if name in a.indicators}
        if len(units) > 1:
            a.fail(
                item,
                f"the components are in different units ({', '.join(sorted(units))}); "
                "a ratio needs one",
                "condition",
                "ratio",
            )
        if len(set(q.of)) != len(q.of):
            a.fail(item, "an indicator stands twice in `of`", "condition", "ratio", "of")
        return Ratio(tuple(q.of), q.over, q.interval, q.unit)
    assert model.missing is not None
    return _missing(a, item, model.missing)


def _missing(a: Assembly, item: Item, m: Any) -> Missing:
    _unit(a, item, m.indicator, None, "missing")
    due, every = m.due, m.every
    if due is not None and every is not None:
        a.fail(item, "a missing rule has due or every, not both", "condition", "missing", "due")
    elif due is not None and m.interval != "day":
        a.fail(
            item,
            f"due goes with interval day, not {m.interval}; use every",
            "condition",
            "missing",
            "due",
        )
    elif due is None and every is None:
        if m.interval == "day":
            due = time(0, 0)
        elif m.interval == "realtime":
            a.fail(item, "a realtime missing rule needs every", "condition", "missing")
        else:
            every = INTERVAL_US[m.interval]
    return Missing(m.indicator, m.interval, due, every, m.grace)


def _unit(a: Assembly, item: Item, indicator: str, unit: str | None, kind: str) -> None:
    known = a.indicators.get(indicator)
    if known is None:
        a.fail(
            item,
            f"indicator {indicator!r} is not known; use an HJ 212 code, or a name that "
            "stands under codes of a station or in a pack",
            "condition",
            kind,
            "indicator",
        )
    elif unit is not None and not convertible(unit, known.unit):
        a.fail(
            item,
            f"unit {unit!r} cannot be compared with {indicator}, which is in {known.unit!r}",
            "condition",
            kind,
            "unit",
        )


def _levels(
    a: Assembly, item: Item, model: RuleModel, condition: Condition | None
) -> tuple[Level, ...]:
    if condition is None:
        return ()
    bare = isinstance(condition, Range | Missing)
    if bare and len(model.levels) != 1:
        a.fail(item, "a range or missing rule has exactly one level; delete the others", "levels")
    seen = set()
    built: list[Level] = []
    for index, level in enumerate(model.levels):
        if level.severity in seen:
            a.fail(
                item,
                f"severity {level.severity.value} stands twice; keep one",
                "levels",
                index,
                "severity",
            )
        seen.add(level.severity)
        if bare:
            for key, value in (("raise", level.raise_), ("clear", level.clear)):
                if value is not None:
                    a.fail(
                        item,
                        f"a range or missing level has no {key}; delete it",
                        "levels",
                        index,
                        key,
                    )
            built.append(Level(level.severity))
        else:
            built.append(_level(a, item, level, index))
    built.sort(key=lambda level: level.severity.rank)
    if not bare:
        _ladder(a, item, built)
    return tuple(built)


def _level(a: Assembly, item: Item, level: LevelModel, index: int) -> Level:
    if level.raise_ is None:
        a.fail(item, f'level {level.severity.value} needs raise, such as ">= 80"', "levels", index)
        return Level(level.severity)
    raises = comparison(level.raise_)
    clears = comparison(level.clear) if level.clear else None
    if clears and not _apart(raises, clears):
        a.fail(
            item,
            f"clear {clears.text!r} and raise {raises.text!r} can hold at once; clear must "
            "lie on the other side: swap them or delete clear",
            "levels",
            index,
            "clear",
        )
    return Level(level.severity, raises, clears)


def comparison(text: str) -> Comparison:
    text = text.strip()
    op: Op = ">="
    for candidate in (">=", "<=", ">", "<"):
        if text.startswith(candidate):
            op = candidate
            break
    return Comparison(op, float(text[len(op) :]), text)


def _apart(raises: Comparison, clears: Comparison) -> bool:
    """No value may raise and clear at once."""
    if raises.op[0] == clears.op[0]:
        return False
    low, high = (clears, raises) if raises.op[0] == ">" else (raises, clears)
    return low.limit < high.limit or (
        low.limit == high.limit and not (low.op == "<=" and high.op == ">=")
    )


def _ladder(a: Assembly, item: Item, levels: list[Level]) -> None:
    """A higher severity is raised by fewer values than a lower one."""
    for lower, higher in pairwise(levels):
        low, high = lower.raises, higher.raises
        if low is None or high is None:
            continue
        if low.op[0] != high.op[0]:
            a.fail(item, "levels look to different sides; all raise with > or all with <", "levels")
            return
        stricter = high.limit > low.limit if low.op[0] == ">" else high.limit < low.limit
        equal = high.limit == low.limit and "=" in low.op and "=" not in high.op
        if not (stricter or equal):
            a.fail(
                item,
                f"{higher.severity.value} {high.text!r} is not stricter than "
                f"{lower.severity.value} {low.text!r}; swap their limits",
                "levels",
            )
