"""Not told: what a person had heard of an incident by an instant, or why he had not.

named by the policy? ── his step begun? ── on turn then? ── a contact? ── sent? ── arrived?
"""

from zoneinfo import ZoneInfo

import msgspec

from services.notify.core.ledger import Entry
from services.notify.core.notice import first_ways, next_way
from services.notify.core.past_incident import PastIncident
from services.notify.core.responsible import House, responsible, role_holders
from shared.model.configuration import lineage
from shared.model.instants import Instant, instant_text
from shared.model.people import Target

NOTICES = ("queued", "accepted", "delivered", "failed", "unknown", "repeated", "withheld")
ZH = {
    "acknowledged": "事件已被确认", "resolved": "事件已恢复", "superseded": "被更新的消息取代",
    "budget": "当天该渠道的条数预算已用完", "told by another way": "已由另一渠道送到",
    "too late": "已经过时",
}  # fmt: skip


class Reason(msgspec.Struct, frozen=True):
    """One word for programs, a sentence for people in Chinese and English."""

    stage: str
    zh: str
    en: str


def reason(past: PastIncident, person: str, house: House, at: Instant) -> Reason:
    """Where the way from this incident to this person stood."""
    own = [each for each in past.entries if each.person == person and each.kind in NOTICES]
    found = _sent(own, house.zone) if own else _unsent(past, person, house, at)
    muted = [each for each in past.muted if not own or each.at_us > own[-1].at_us]
    if not muted:
        return found
    zh, en = _muted(muted, house.zone)
    return Reason(found.stage, f"{found.zh}；{zh}", f"{found.en}; {en}")


def _muted(muted: list[Entry], zone: ZoneInfo) -> tuple[str, str]:
    """Changes of which nobody is told: it flaps, another rule hides them, or it is silenced."""
    when, reasons = instant_text(muted[0].at_us, zone), [each.reason or "" for each in muted]
    silenced = [each for each in reasons if each.startswith("silenced by ")]
    if silenced:
        who, _, until = silenced[-1].removeprefix("silenced by ").partition(" until ")
        end, _, why = until.partition(": ")
        return f"静默（{who} 设至 {end}：{why}）", silenced[-1]
    by = sorted(
        {each.split()[2].rstrip(",") for each in reasons if each.startswith("inhibited by ")}
    )
    zh, en = "按反复处理", "are flapping"
    if by:
        zh, en = f"由 {'、'.join(by)} 掩盖", f"are hidden by {', '.join(by)}"
    return (
        f"{when} 起的 {len(muted)} 次变化{zh}，不通知任何人",
        f"{len(muted)} changes from {when} on {en}, nobody is told of them",
    )


def _sent(own: list[Entry], zone: ZoneInfo) -> Reason:
    """He was owed messages: how the luckiest of them stood."""
    newest = {entry.notification: entry for entry in own}
    for kind, stage in (
        ("delivered", "told"), ("accepted", "told"), ("unknown", "unknown"),
        ("repeated", "unknown"), ("queued", "queued"), ("withheld", "withheld"),
        ("failed", "failed"),
    ):  # fmt: skip
        for entry in newest.values():
            if entry.kind == kind:
                return _one(entry, stage, instant_text(entry.at_us, zone))
    raise AssertionError(own)


def _one(entry: Entry, stage: str, at: str) -> Reason:
    way, why = entry.channel or "-", entry.reason or ""
    zh = {
        "told": f"已通知：{at} 由 {way} {'送达' if entry.kind == 'delivered' else '发出'}",
        "unknown": f"{at} 由 {way} 发出后没有回音，结果未知",
        "queued": f"{at} 已排队（{way}），还没有发出",
        "withheld": f"{at} 未发（{way}）：{ZH.get(why, why)}",
        "failed": f"{at} 没有送到（{way}）：{why}",
    }[stage]
    en = {
        "told": f"told: {entry.kind} at {at} by {way}",
        "unknown": f"sent at {at} by {way}, the answer was lost",
        "queued": f"queued at {at} ({way}), not sent yet",
        "withheld": f"withheld at {at} ({way}): {why}",
        "failed": f"failed at {at} ({way}): {why}",
    }[stage]
    return Reason(stage, zh, en)


def _unsent(past: PastIncident, person: str, house: House, at: Instant) -> Reason:
    """No message to him was ever decided."""
    zone = house.zone
    named = [step for step in range(1, past.last + 1) if person in people_of(past, step, house, at)]
    due = [step for step in named if step > past.step]
    taken = [step for step in named if step <= past.step]
    for step in taken:
        if person in people_of(past, step, house, past.step_us.get(step, past.since_us)):
            return _no_way(past, step, person, house)
    if taken:
        begun = past.step_us.get(taken[0], past.since_us)
        others = "、".join(people_of(past, taken[0], house, begun)) or "无人"
        when = instant_text(begun, zone)
        return Reason(
            "not-on-turn", f"第 {taken[0]} 级在 {when} 通知，那时在岗的是 {others}",
            f"step {taken[0]} was told at {when}, when {others} held the role",
        )  # fmt: skip
    if due and past.state == "acknowledged":
        by, when = past.acknowledged_by, instant_text(past.acknowledged_us or at, zone)
        return Reason(
            "acknowledged", f"{by} 已于 {when} 确认，没有升级到第 {due[0]} 级",
            f"{by} acknowledged at {when}, before step {due[0]}",
        )  # fmt: skip
    if due:
        begins = past.begins_us(due[0])
        when = "-" if begins is None else instant_text(begins, zone)
        return Reason(
            "not-his-step", f"还没有轮到：第 {due[0]} 级才通知他，{when} 开始（现在第 {past.step} 级）",
            f"not his step yet: step {due[0]} begins at {when} (step {past.step} runs)",
        )  # fmt: skip
    return _unnamed(past, person, house, at)


def _no_way(past: PastIncident, step: int, person: str, house: House) -> Reason:
    known = house.people.get(person)
    call = past.call(step)
    by = call.by if call is not None else ()
    if known is None or (not first_ways(known, by) and next_way(known, set()) is None):
        return Reason(
            "no-contact", f"第 {step} 级该通知他，但他没有任何联系方式",
            f"step {step} names him, but he has no contact",
        )  # fmt: skip
    return Reason(
        "roster-changed", f"按现在的值班表第 {step} 级该通知他，但当时没有；值班表后来改过",
        f"by the roster of now step {step} names him; it was another then",
    )  # fmt: skip


def _unnamed(past: PastIncident, person: str, house: House, at: Instant) -> Reason:
    """No step of the policy means him; does one mean a role that he takes turns in?"""
    for step in range(1, past.last + 1):
        call = past.call(step)
        for target in call.notify if call is not None else ():
            if target.role is None or not may_hold(person, target.role, house):
                continue
            found = role_holders(target.role, start_of(target, past.territory, house), house, at)
            if found is not None and person not in found[1].people:
                others = "、".join(found[1].people)
                return Reason(
                    "not-on-turn", f"第 {step} 级通知 {target.role}，当时在岗的是 {others}（{found[0]}）",
                    f"step {step} tells {target.role}, which {others} of {found[0]} held",
                )  # fmt: skip
    return Reason(
        "not-named", f"策略 {past.policy.id} 没有一级通知他",
        f"no step of policy {past.policy.id} names him",
    )  # fmt: skip


def people_of(past: PastIncident, step: int, house: House, at: Instant) -> list[str]:
    """Whom a step means at an instant, by the rosters as they are configured now."""
    call = past.call(step)
    if call is None:
        return []
    told, _ = responsible(call.notify, call.by, past.territory, past.policy.catch_all, house, at)
    return [each.person for each in told]


def start_of(target: Target, territory: str, house: House) -> list[str]:
    """The territories in which a target's role is looked for."""
    if target.territory == "parent":
        return lineage(territory, house.territories)[1:]
    return lineage(target.territory or territory, house.territories)


def may_hold(person: str, role: str, house: House) -> bool:
    """Does any roster have him in this role, at whatever time?"""
    return any(
        person in rotation_of(roster.rotations.get(role))
        or person in roster.fixed.get(role, ())
        or any(each.role == role and each.person == person for each in roster.overrides)
        for roster in house.rosters.values()
    )


def rotation_of(rotation: object) -> tuple[str, ...]:
    return getattr(rotation, "people", ())
