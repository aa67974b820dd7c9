"""The edition that a campaign makes of a rule: the rule as written, with what the campaign says."""

from msgspec.structs import replace

from shared.config import rules
from shared.config.assembly import Assembly, Item
from shared.config.schema.campaigns import CampaignModel, CampaignRuleModel
from shared.config.schema.conditions import ConditionModel
from shared.config.schema.rules import RuleModel
from shared.model.facility import Territory
from shared.model.instants import Instant
from shared.model.rule import Basis, Condition, Joint, Pause, Rule


def edition(
    a: Assembly,
    part: Item,
    campaign: CampaignModel,
    written: RuleModel,
    base: Rule,
    pause: Pause,
    territories: dict[str, Territory],
) -> Rule | None:
    """`RULE@CAMPAIGN`, or None when nothing can be made of it, which has been said."""
    condition = _condition(a, part, written)
    if condition is None:
        return None
    model: CampaignRuleModel = part.model
    given = {key for key in ("levels", "for_", "keep_firing_for", "unknown", "title", "action")
             if getattr(model, key) is not None}  # fmt: skip
    changed = {"condition": condition, **{key: getattr(model, key) for key in given}}
    whole = Item(part.document, part.path, written.model_copy(update=changed))
    made = rules.one(a, whole, territories, None)
    if made is None:
        return None
    if _series(made.condition) != _series(base.condition):
        text = "the condition looks at another series; indicator and interval stay, or it is a rule of its own"
        a.fail(part, text, "condition")
    if not model.model_fields_set - {"rule"}:
        text = (
            f"nothing of rule {base.id} differs here; say what does (levels, for, condition …) or "
            "delete the entry"
        )
        a.warn(part, text, "rule")
    basis = _basis(a, part, campaign, base.basis, pause)
    zh, en = made.title_zh, made.title_en
    if model.title is None:
        zh, en = f"{zh}（{campaign.title.zh}）", f"{en} ({campaign.title.en or campaign.title.zh})"
    return replace(
        made,
        id=f"{base.id}@{campaign.id}",
        title_zh=zh,
        title_en=en,
        applies=replace(made.applies, within=pause.within),
        basis=basis,
        campaign=campaign.id,
        base=base.id,
    )


def _condition(a: Assembly, part: Item, written: RuleModel) -> ConditionModel | None:
    """Another condition of the same kind, or the same with another frequency."""
    model: CampaignRuleModel = part.model
    times = {key: getattr(model, key) for key in ("every", "due", "grace")
             if getattr(model, key) is not None}  # fmt: skip
    condition = model.condition or written.condition
    if _kind(condition) != _kind(written.condition):
        text = (
            f"rule {written.id!r} is a {_kind(written.condition)} rule; a campaign changes its "
            "figures, not its kind: add a rule of its own"
        )
        a.fail(part, text, "condition")
        return None
    if not times:
        return condition
    if condition.silent is not None and "due" not in times:
        return condition.model_copy(update={"silent": condition.silent.model_copy(update=times)})
    if condition.missing is None:
        key = next(iter(times))
        a.fail(part, f"{key} goes with a missing rule; give a condition instead", key)
        return None
    # One takes the place of the other: a report is due by a clock, or so often.
    other = {"every": "due", "due": "every"}
    emptied = {other[key]: None for key in times if key in other and other[key] not in times}
    missing = condition.missing.model_copy(update={**emptied, **times})
    return condition.model_copy(update={"missing": missing})


def _kind(condition: ConditionModel) -> str:
    return next(kind for kind in type(condition).model_fields if getattr(condition, kind))


def _series(condition: Condition) -> tuple[str, str]:
    own = condition.lead if isinstance(condition, Joint) else condition.indicator
    return own, condition.interval


def _basis(a: Assembly, part: Item, campaign: CampaignModel, base: Basis, pause: Pause) -> Basis:
    """The campaign's, for as long as both it and the rule are in force."""
    begin = Instant(max(base.valid_from_us, pause.from_us))
    end = pause.to_us if base.valid_to_us is None else Instant(min(base.valid_to_us, pause.to_us))
    if end <= begin:
        text = f"rule {part.model.rule!r} is not in force while this campaign runs; delete it here"
        a.fail(part, text, "rule")
    own = campaign.basis
    return Basis(own.standard, own.edition, own.clause, begin, end, own.status)
