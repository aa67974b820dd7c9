"""Rules of the configuration and of the packs it switches on."""

from shared.config.assembly import Assembly, Item
from shared.config.conditions import condition
from shared.config.levels import levels
from shared.config.schema.rules import RuleModel
from shared.model.configuration import Indicator
from shared.model.facility import Territory
from shared.model.rule import Applies, Basis, Missing, Rule, Silent
from shared.model.units import spelled


def switch_packs_on(a: Assembly) -> None:
    """Take the indicators of the packs that are switched on."""
    for item in _switched(a):
        if item.model not in a.packs:
            text = f"pack {item.model!r} does not exist; shipped are {', '.join(a.packs)}"
            a.fail(item, text)
            a.left.lists.add("packs")
            continue
        for code, meaning in a.packs[item.model][1].indicators.items():
            a.indicators.setdefault(code, Indicator(code, meaning.zh, spelled(meaning.unit)))


def _switched(a: Assembly) -> list[Item]:
    """Every entry of every `packs` list; its model is the name."""
    found = []
    for document, model in a.parts["rules"]:
        places = document.places("packs", len(model.packs))
        found += [
            Item(document, ("packs", place), name)
            for place, name in zip(places, model.packs, strict=True)
        ]
    return found


def names(a: Assembly) -> set[str]:
    """The ids of all rules, also of those that are wrong."""
    own = {item.model.id for item in a.items("rules")}
    packs = [a.packs[item.model][1] for item in _switched(a) if item.model in a.packs]
    return own.union(*({rule.id for rule in pack.rules} for pack in packs))


def models(a: Assembly) -> dict[str, RuleModel]:
    """Every rule as it is written, by id; the configuration's own come before those of packs."""
    found: dict[str, RuleModel] = {}
    for switch in _switched(a):
        if switch.model in a.packs:
            found |= {rule.id: rule for rule in a.packs[switch.model][1].rules}
    return found | {item.model.id: item.model for item in a.items("rules")}


def build(a: Assembly, territories: dict[str, Territory]) -> dict[str, Rule]:
    """Every rule by id: the configuration's own, then those of its packs."""
    own = a.unique("rule", a.items("rules"))
    rules = {}
    for code, item in own.items():
        rule = one(a, item, territories, None)
        if rule is not None:
            rules[code] = rule
    for switch in _switched(a):
        if switch.model not in a.packs:
            continue
        document, pack = a.packs[switch.model]
        for place, entry in enumerate(pack.rules):
            if entry.id in own:
                text = f"rule {entry.id!r} is one of pack {switch.model}; give yours another id"
                a.fail(own[entry.id], text, "id")
                continue
            rule = one(a, Item(document, ("rules", place), entry), territories, switch.model)
            if rule is not None:
                rules[entry.id] = rule
    return rules


def one(
    a: Assembly, item: Item, territories: dict[str, Territory], pack: str | None
) -> Rule | None:
    """One rule, wherever it stands; None when nothing can be made of it."""
    model: RuleModel = item.model
    tested = condition(a, item)
    built_levels = levels(a, item, tested)
    if isinstance(tested, Missing | Silent):
        kind = "silent" if isinstance(tested, Silent) else "missing"
        delays = {
            "for": model.for_,
            "keep_firing_for": model.keep_firing_for,
            "unknown": model.unknown,
        }
        for key, value in delays.items():
            if value is not None:
                a.fail(item, f"a {kind} rule has no {key}; use grace, and delete {key}", key)
    if model.applies.territory is not None:
        a.known(item, "territory", model.applies.territory, territories, "applies", "territory")
    basis = _basis(a, item)
    if basis is None:
        return None
    title, action, applies = model.title, model.action, model.applies
    return Rule(
        id=model.id,
        title_zh=title.zh if title else model.id,
        title_en=(title.en or title.zh) if title else model.id,
        action_zh=action.zh if action else None,
        action_en=(action.en or action.zh) if action else None,
        applies=Applies(
            applies.kind,
            applies.territory,
            applies.facility,
            applies.point,
            dict(applies.attributes),
        ),
        condition=tested,
        levels=built_levels,
        for_us=model.for_ or 0,
        keep_firing_for_us=model.keep_firing_for or 0,
        unknown=model.unknown or "hold",
        basis=basis,
        pack=pack,
    )


def _basis(a: Assembly, item: Item) -> Basis | None:
    basis = item.model.basis
    begin = a.moment(item, basis.valid_from, "basis", "valid_from")
    end = None
    if basis.valid_to is not None:
        end = a.moment(item, basis.valid_to, "basis", "valid_to")
        if begin is not None and end is not None and end <= begin:
            a.fail(item, "valid_to is not after valid_from; swap them", "basis", "valid_to")
    if begin is None:
        return None
    return Basis(basis.standard, basis.edition, basis.clause, begin, end, basis.status)
