"""Answers of the API as people read them in a terminal."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

TONES = {"red": "bold red", "orange": "dark_orange", "yellow": "yellow", "blue": "blue"}


def plain(answer: Any) -> None:
    """JSON as the API gave it, indented, Chinese as it is written."""
    print(json.dumps(answer, ensure_ascii=False, indent=2))


def acknowledged(incident: Mapping[str, Any]) -> None:
    _console().print(
        f"acknowledged: {_text(incident, 'id')} "
        f"({_text(incident, 'facility')}, {_text(incident, 'severity')}) "
        f"by {_text(incident, 'acknowledged_by')} at {_text(incident, 'acknowledged_at')}"
    )


def incidents(answer: Mapping[str, Any]) -> None:
    found = answer["incidents"]
    if not found:
        _console().print("no incident")
        return
    table = _table(
        "incident", "state", "severity", "facility", "opened", "step", "answered by, or next step"
    )
    for one in found:
        tone = TONES.get(str(one.get("severity")), "")
        severity = _text(one, "severity")
        table.add_row(
            _text(one, "id"),
            _text(one, "state"),
            f"[{tone}]{severity}[/]" if tone else severity,
            _text(one, "facility"),
            _text(one, "opened_at"),
            _text(one, "step"),
            _text(one, "acknowledged_by", "next_step_at"),
        )
    _console().print(table)


def silences(answer: Mapping[str, Any]) -> None:
    found = answer["silences"]
    if not found:
        _console().print("no silence; everything is told")
        return
    table = _table("silence", "state", "of", "up to", "until", "by", "hid", "reason")
    for one in found:
        table.add_row(
            _text(one, "id"), _text(one, "state"), escape(_match(one["match"])),
            _text(one, "up_to"), _text(one, "until"), _text(one, "ended_by", "person"),
            str(one["hid_count"]), _text(one, "reason"),
        )  # fmt: skip
    _console().print(table)


def silence(one: Mapping[str, Any]) -> None:
    """One silence, then each incident it hid."""
    console = _console()
    worst = f"up to {one['up_to']}" if one.get("up_to") else "of every severity"
    console.print(
        f"{_text(one, 'id')} {_text(one, 'state')}: {escape(_match(one['match']))}, {worst}, "
        f"{_text(one, 'from')} to {_text(one, 'until')}, by {_text(one, 'person')}: "
        f"{_text(one, 'reason')}"
    )
    if not one["hid"]:
        console.print("it hid nothing")
        return
    table = _table("hid incident", "severity", "facility", "rules", "since", "times", "now")
    for hid in one["hid"]:
        table.add_row(
            _text(hid, "incident"), _text(hid, "severity"), _text(hid, "facility"),
            _text(hid, "rules"), _text(hid, "since"), _text(hid, "times"),
            _text(hid, "resolved_at", "state"),
        )  # fmt: skip
    console.print(table)
    if one["hid_count"] > len(one["hid"]):
        console.print(f"and {one['hid_count'] - len(one['hid'])} more")


def _match(match: Mapping[str, Any]) -> str:
    place = str(match.get("facility") or f"territory {match.get('territory')}")
    return f"{place} {', '.join(match['rule'])}" if match.get("rule") else place


def duty(answer: Mapping[str, Any]) -> None:
    found = answer["duty"]
    if not found:
        _console().print("no role is listed for this; look at rosters.yaml")
        return
    names = list(dict.fromkeys(name for one in found for name in one))
    table = _table(*names)
    for one in found:
        table.add_row(*(_text(one, name) for name in names))
    _console().print(table)


def why(answer: Mapping[str, Any]) -> None:
    """Any answer as a tree: what it is, and what came before and after, with reasons."""
    tree = Tree(escape(str(answer.get("id", "why"))))
    _grow(tree, {key: value for key, value in answer.items() if key != "id"})
    _console().print(tree)


def ledger(answer: Mapping[str, Any]) -> None:
    for entry in answer["ledger"]:
        print(json.dumps(entry, ensure_ascii=False))


def audit(answer: Mapping[str, Any]) -> None:
    for place in answer["audit"]:
        print(f"broken: {place}")
    if answer["intact"]:
        print("ok: every hash chain holds")


def _grow(tree: Tree, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, Mapping | list) and inner:
                _grow(tree.add(f"[bold]{escape(str(key))}[/]"), inner)
            elif inner not in (None, "", [], {}):
                tree.add(f"[dim]{escape(str(key))}[/] {escape(str(inner))}")
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, Mapping):
                _grow(tree.add(escape(_headline(inner))), _rest(inner))
            else:
                tree.add(escape(str(inner)))


_HEAD = ("at", "kind", "person", "channel", "reason")


def _headline(entry: Mapping[str, Any]) -> str:
    return " ".join(str(entry[key]) for key in _HEAD if entry.get(key)) or "·"


def _rest(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in _HEAD}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _text(one: Mapping[str, Any], *keys: str) -> str:
    """The first of these that is there, harmless to the terminal."""
    for key in keys:
        if one.get(key) not in (None, "", []):
            return escape(_flat(one[key]))
    return "-"


def _flat(value: Any) -> str:
    """A cell: people by name and id, lists with commas."""
    if isinstance(value, list):
        return ", ".join(_flat(one) for one in value)
    if isinstance(value, Mapping):
        name, id_ = value.get("name"), value.get("id")
        return f"{name} ({id_})" if name and id_ else " ".join(str(v) for v in value.values())
    return str(value)


def _console() -> Console:
    # Wide when piped, so that a script never meets a cut id.
    width = None if sys.stdout.isatty() else 200
    return Console(file=sys.stdout, width=width, highlight=False)
