"""`yujing why` of a series or a person and a minute: asks over HTTP; zh-CN first."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.notify import printing
from shared.http.client import Failed, answer_of

STATES = {
    "resolved": "解除",
    "withdrawn": "撤销",
    "firing": "报警",
    "pending": "待定",
    "normal": "正常",
    "unknown": "未知",
}
STAGES = {
    "nothing-heard": "没有读数", "unknown": "读数未知", "window": "窗口未满", "over-range": "超量程",
    "level": "未越线", "deadband": "回差之内", "for": "持续时间未到", "firing": "已在报警",
    "keep_firing_for": "保持时间未到", "edition": "版本不适用", "silence": "还不算缺报",
    "no-tick": "没有时钟", "kind": "类别不同", "territory": "地区不同", "point": "点位不同",
    "facility": "设施不同", "attributes": "属性不同", "indicator": "指标不同", "interval": "时段不同",
    "station": "没有此站点",
}  # fmt: skip
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+")
SEVERITIES = {"blue": "蓝", "yellow": "黄", "orange": "橙", "red": "红"}
INCIDENTS = {"open": "待确认", "acknowledged": "已确认", "resolved": "已恢复"}
Show = Callable[[Mapping[str, Any]], None]
TONES = {"firing": "bold red", "pending": "yellow", "unknown": "magenta", "normal": "green"}


def series_of(
    path: str | None, facility: str | None, station: str | None, indicator: str | None
) -> dict[str, str]:
    """The series of a query: options, or FACILITY/STATION/INDICATOR, or FACILITY/INDICATOR."""
    names: list[str | None] = [facility, station, indicator]
    if path is not None:
        parts = path.split("/")
        given = [parts[0], None, parts[-1]] if len(parts) == 2 else parts
        names = [*given, None, None][:3] if len(given) <= 3 else [None, None, None]
    pairs = zip(("facility", "station", "indicator"), names, strict=True)
    return {name: value for name, value in pairs if value}


def run_series(url: str, token: str, query: Mapping[str, str], *, as_json: bool = False) -> int:
    """`yujing why --facility F --indicator I --at TIME`."""
    return _run(url, token, "/v1/why/series", query, show_series, as_json)


def run_person(url: str, token: str, person: str, at: str, *, as_json: bool = False) -> int:
    """`yujing why --person P --at TIME`."""
    query = {"person": person, "at": at}
    return _run(url, token, "/v1/why/person", query, show_person, as_json)


def run_report(
    url: str, token: str, id_: str, query: Mapping[str, str], *, as_json: bool = False
) -> int:
    """`yujing why ID --facility F`: of a worker of rules, also of what caused nothing."""
    path = f"/v1/why/{quote(id_, safe='')}"
    return _run(url, token, path, query, printing.why, as_json)


def _run(
    url: str, token: str, path: str, query: Mapping[str, str], show: Show, as_json: bool
) -> int:
    try:
        found = answer_of(url, token, lambda client: client.get(path, params=dict(query)))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    (printing.plain if as_json else show)(found)
    return 0


def show_person(answer: Mapping[str, Any]) -> None:
    """His roles then, then every incident with what he was told or why not."""
    out = _console()
    out.print(
        f"[bold]为什么[/] {_of(answer, 'name')}（{_of(answer, 'person')}，{_of(answer, 'title')}，"
        f"{_of(answer, 'territory')}） [bold]{_of(answer, 'at')}[/]"
    )
    for role in answer["roles"]:
        out.print(escape(f"在岗 {role['territory']} {role['role']}（{role['reason']}）"))
    for role in answer["roles_of_others"]:
        others = "、".join(role["held_by"]) or "无人"
        out.print(escape(f"[不在岗] {role['territory']} {role['role']}：当时是 {others}"))
    out.print(f"[bold]{_of(answer, 'summary')}[/]")
    if answer["incidents"]:
        out.print(_incidents(answer["incidents"]))
    for each in answer["told_nobody"]:
        out.print(
            escape(
                f"没有通知任何人 {_plain(each['at'])} {each['facility']} {each['rule']}："
                f"{each['reason']}"
            )
        )
    if answer["left_off"]:
        out.print(f"[yellow]注意[/] 还有 {answer['left_off']} 个更早的事件没有列出")


def _incidents(incidents: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("事件", "设施", "级别", "状态", "第几级", "为什么"):
        table.add_column(column, overflow="fold")
    for one in incidents:
        told = [f"{_plain(e['at'])} {e['kind']} {e['channel'] or ''}" for e in one["told"]]
        vacant = [f"无人在岗：{each}" for each in one["vacant"]]
        table.add_row(
            _of(one, "incident"), _of(one, "facility"),
            SEVERITIES.get(one["severity"], one["severity"]), INCIDENTS.get(one["state"], "-"),
            f"{one['step']}", escape("\n".join([_plain(one["reason"]), *told, *vacant])),
        )  # fmt: skip
    return table


def show_series(answer: Mapping[str, Any]) -> None:
    """The reading, then every rule that looked, then how many did not and why."""
    out = _console()
    out.print(
        f"[bold]为什么[/] {_of(answer, 'facility')} / {_of(answer, 'station')} / "
        f"{_of(answer, 'indicator')}（{_of(answer, 'interval')}） [bold]{_of(answer, 'at')}[/]"
    )
    way = "按日志时间：当时已收到的" if answer["by"] == "log" else "按观测时间：截至当时的读数"
    out.print(f"[dim]{way}；日志时间 {_of(answer, 'log_time')}[/]")
    out.print(_reading(answer["reading"]))
    for late in answer["not_newer"]:
        out.print(
            f"  未判读 {late['value']:g}（观测 {late['observed_at']}，收到 {_plain(late['received_at'])}）："
            f"{late['reason']}"
        )
    out.print(f"[bold]{escape(str(answer['summary']))}[/]")
    if answer["rules"]:
        out.print(_rules(answer["rules"]))
    for line in _others(answer["others"]):
        out.print(f"[dim]{escape(line)}[/]")
    if answer["read"]["note"]:
        out.print(
            f"[yellow]注意[/] {escape(answer['read']['note'])}（since {answer['read']['since']}）"
        )


def _reading(reading: Mapping[str, Any] | None) -> str:
    if reading is None:
        return "最新读数 无"
    return escape(
        f"最新读数 {reading['value']:g} {reading['unit'] or ''} 标记 {reading['flag']}，"
        f"观测 {reading['observed_at']}，判读 {_plain(reading['heard_at'] or '时钟开始之前')}"
    )


def _rules(rules: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("规则", "状态", "停在哪一步", "说明"):
        table.add_column(column, overflow="fold")
    for rule in rules:
        state = str(rule.get("state", "normal"))
        told = rule["reason"]
        if last := rule.get("last_transition"):
            told += f"\n上一次变化 {last['at']} {STATES.get(last['state'], last['state'])}（yujing why {last['id']}）"
        table.add_row(
            escape(f"{rule['title']}\n{rule['rule']}"),
            f"[{TONES.get(state, '')}]{STATES.get(state, state)}[/]",
            STAGES.get(rule["stage"], rule["stage"]),
            escape(_plain(told)),
        )
    return table


def _others(others: list[dict[str, Any]]) -> list[str]:
    """How many rules did not look, by what kept them away."""
    counts: dict[str, int] = {}
    for each in others:
        counts[each["stage"]] = counts.get(each["stage"], 0) + 1
    if not counts:
        return []
    told = "，".join(f"{STAGES.get(stage, stage)} {count}" for stage, count in counts.items())
    return [f"另有 {len(others)} 条规则不看这个序列：{told}（--json 逐条列出）"]


def _of(answer: Mapping[str, Any], name: str) -> str:
    return escape(_plain(answer.get(name)))


def _plain(value: object) -> str:
    """As people read it: no fractions of a second."""
    return _FRACTION.sub("", str(value or "-"))


def _console() -> Console:
    width = None if sys.stdout.isatty() else 200
    return Console(file=sys.stdout, width=width, highlight=False)
