"""Run campaigns: `yujing campaigns list` and `report`; words in the site's language."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from services.authoring.absent import with_stand_ins
from services.authoring.campaign_difference import as_rows, by_city, campaign_difference
from services.authoring.difference import by_person, signed
from services.authoring.run_diff import EXIT_FAILED, notes_of, parse_answering
from services.authoring.table import table
from services.rules.input_files import Input, can_be_read_again
from shared.config.load import load
from shared.errors import InputError
from shared.model.campaign import state_of
from shared.model.configuration import Configuration
from shared.model.instants import instant_text, parse_instant
from shared.model.rule import Campaign

_STATES = {"planned": "未开始", "running": "进行中", "ended": "已结束"}
_FIRST_TICK_US = 2 * 86_400_000_000
"""Inputs without ticks begin with the end of their first window, a day after its beginning."""
_HEADS = {
    True: (
        ("城市", "报警（无）", "报警（有）", "增加", "减少", "级别不同", "短信", "夜间"),
        ("人员", "方式", "无", "有", "变化", "夜间（无）", "夜间（有）"),
        ("行动", "名称", "状态", "从", "到", "地区", "规则"),
    ),
    False: (
        ("city", "alerts without", "with", "added", "gone", "severity", "SMS", "night"),
        ("person", "channel", "without", "with", "change", "night without", "with"),
        ("campaign", "title", "state", "from", "to", "territories", "rules"),
    ),
}


def run_list(
    directory: Path, at: str | None, now_us: int, environ: Mapping[str, str], out: IO[str]
) -> int:
    """Every campaign with its state now, or at a time."""
    c = load(directory, with_stand_ins(environ))
    zone, zh = c.site.zone, c.site.language == "zh-CN"
    try:
        at_us = now_us if at is None else parse_instant(at, zone)
    except ValueError as error:
        raise InputError(f"--at: {error}") from error
    rows = []
    for each in sorted(c.campaigns.values(), key=lambda one: (one.from_us, one.id)):
        state = state_of(each, at_us)
        title, shown = (each.title_zh, _STATES[state]) if zh else (each.title_en, state)
        begin, end = instant_text(each.from_us, zone), instant_text(each.to_us, zone)
        places = " ".join(each.territories)
        rows.append((each.id, title, shown, begin, end, places, " ".join(each.rules) or "-"))
    if rows:
        print(table(_HEADS[zh][2], rows), file=out)
    else:
        print("没有专项行动" if zh else "there is no campaign", file=out)
    return 0


def run_report(
    directory: Path, name: str, inputs: Sequence[Input], ack_after: str, environ: Mapping[str, str],
    out: IO[str], err: IO[str], *, as_json: bool,
) -> int:  # fmt: skip
    """What the campaign made different; 1 when there is no such campaign or input."""
    ack_after_us, answering = parse_answering(ack_after)
    c = load(directory, with_stand_ins(environ))
    campaign = c.campaigns.get(name)
    if campaign is None:
        known = ", ".join(c.campaigns) or "none"
        print(f"campaign {name!r} is not in campaigns.yaml; there are {known}", file=err)
        return EXIT_FAILED
    missing = [path for path in inputs if not can_be_read_again(path)]
    for path in missing:
        print(f"{path}: no such file, and no data directory with a log.db", file=err)
    if missing:
        return EXIT_FAILED
    found = campaign_difference(c, campaign, inputs, ack_after_us)
    notes_of(found.new, err)
    first_us, last_us = found.new.first_us, found.new.last_us
    if as_json:
        body = {
            "campaign": name, "from": instant_text(campaign.from_us, c.site.zone),
            "to": instant_text(campaign.to_us, c.site.zone),
            "begun_late_at": (
                instant_text(first_us, c.site.zone)
                if first_us is not None and _late(campaign, first_us) else None
            ),
            "inputs_until": None if last_us is None else instant_text(last_us, c.site.zone),
            "answering": answering, "added": len(found.added), "gone": len(found.gone),
            "severity_changed": len(found.changed), "cities": as_rows(by_city(found)),
            "messages": by_person(found),
        }  # fmt: skip
        print(msgspec.json.encode(body).decode(), file=out)
        return 0
    print(_heading(c, campaign, first_us, last_us), file=out)
    zh = c.site.language == "zh-CN"
    cities = [
        (each.name, *each.alerts, f"+{each.added}", f"−{each.gone}", each.changed,
         signed(each.sms[1] - each.sms[0]), signed(each.night[1] - each.night[0]))
        for each in by_city(found)
    ]  # fmt: skip
    if cities:
        print("\n" + table(_HEADS[zh][0], cities), file=out)
    people = [
        (c.people[p["person"]].name if p["person"] in c.people else p["person"], p["channel"],
         p["old"], p["new"], signed(p["new"] - p["old"]), p["old_night"], p["new_night"])
        for p in by_person(found)
    ]  # fmt: skip
    if people:
        print("\n" + table(_HEADS[zh][1], people), file=out)
    (sms_old, sms_new), (night_old, night_new) = found.sms(), found.night()
    figures = (
        f"+{len(found.added)}", f"−{len(found.gone)}", len(found.changed),
        signed(sms_new - sms_old), signed(night_new - night_old),
    )  # fmt: skip
    words = (
        "合计：报警 {} {}，级别不同 {}，短信 {}，夜间 {}（{}）" if zh else
        "in all: alerts {} {}, {} with another severity, {} SMS, {} at night ({})"
    )  # fmt: skip
    said = _answering_zh(ack_after) if zh else answering
    print("\n" + words.format(*figures, said), file=out)
    return 0


def _answering_zh(ack_after: str) -> str:
    return "无人确认" if ack_after == "never" else f"每次通知 {ack_after} 后有人确认"


def _late(campaign: Campaign, first_us: int) -> bool:
    """The inputs do not reach back to its beginning, as when a broker has let go of it."""
    return first_us > campaign.from_us + _FIRST_TICK_US


def _heading(
    c: Configuration, campaign: Campaign, first_us: int | None, last_us: int | None
) -> str:
    zone, zh = c.site.zone, c.site.language == "zh-CN"
    begin, end = instant_text(campaign.from_us, zone), instant_text(campaign.to_us, zone)
    lines = [
        f"专项行动 {campaign.id} {campaign.title_zh}：{begin} 至 {end}，有无对比" if zh else
        f"campaign {campaign.id}, {campaign.title_en}: {begin} to {end}, without and with it"
    ]  # fmt: skip
    if first_us is not None and _late(campaign, first_us):
        at = instant_text(first_us, zone)
        lines.append(
            f"数据从 {at} 开始，行动此前的部分没有数据" if zh else
            f"the inputs begin at {at}, after the campaign did; what came before is not counted"
        )  # fmt: skip
    if last_us is None:
        lines.append("没有输入" if zh else "nothing was read")
    elif last_us < campaign.to_us:
        at = instant_text(last_us, zone)
        lines.append(
            f"数据到 {at} 为止，行动尚未结束" if zh else
            f"the inputs end at {at}, before the campaign does"
        )  # fmt: skip
    return "\n".join(lines)
