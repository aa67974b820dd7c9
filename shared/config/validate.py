"""One file against its schema: what is wrong becomes findings, what is right goes on.

Items of a list that are wrong are left out and remembered, so that the rest of the directory
can still be checked, and a reference to such an item is not reported as a second error.
"""

from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.config.near import keys_at, meant, named
from shared.config.nodes import Document, Finding, Indirect, KeyPath
from shared.config.scalars import as_text
from shared.config.schema.base import Model

_SECRET = frozenset(("token", "secret_key", "password", "address"))
_CHANNEL_KINDS = frozenset(("kannel", "smtp", "local"))
_LONGEST_SHOWN = 60
_PLAIN = (
    ("Input should be", "give"),
    ("String should have", "give"),
    ("greater than or equal to", "at least"),
    ("greater than", "more than"),
    ("less than or equal to", "at most"),
)
KEYS = "give keys and values"
_WORDS = {
    "string_type": "give text",
    "list_type": "give a list",
    "dict_type": KEYS,
    "model_type": KEYS,
    "model_attributes_type": KEYS,
}


class Left(msgspec.Struct):
    """What could not be checked: ids by list, and lists of which nothing is known."""

    ids: dict[str, set[str]] = {}
    lists: set[str] = set()

    def knows(self, key: str, name: str) -> bool:
        """Whether `name` may be one of those that were left out."""
        return key in self.lists or name in self.ids.get(key, ())


def validate(
    model: type[Model], document: Document, findings: list[Finding], left: Left
) -> Any | None:
    """The file as `model`, without what is wrong in it; None when nothing of it can be used."""
    value = {} if document.value is None else document.value
    # A value that could not be read has its finding already.
    told = {finding.line for finding in findings if finding.file == document.file}
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    findings += [f for f in (_finding(model, document, d) for d in details) if f.line not in told]
    rest = _without(document, value, details, left)
    if rest is not None:
        try:
            return model.model_validate(rest)
        except ValidationError:
            pass
    left.lists |= {field.alias or name for name, field in model.model_fields.items()}
    return None


def _without(
    document: Document, value: Any, details: list[ErrorDetails], left: Left
) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    rest = dict(value)
    bad: dict[str, set[int]] = {}
    for detail in details:
        match detail["loc"]:
            case (str(key), int(place), *_):
                bad.setdefault(key, set()).add(place)
            case (str(key),) if detail["type"] == "extra_forbidden":
                rest.pop(key, None)
            case _:
                return None
    for key, places in bad.items():
        items = value[key]
        document.kept[key] = [place for place in range(len(items)) if place not in places]
        rest[key] = [items[place] for place in document.kept[key]]
        for place in places:
            name = items[place].get("id") if isinstance(items[place], dict) else None
            if name is None:
                left.lists.add(key)
            else:
                left.ids.setdefault(key, set()).add(str(as_text(name)))
    return rest


def _finding(model: type[Model], document: Document, detail: ErrorDetails) -> Finding:
    path = _known_path(detail["loc"])
    name = _name(path)
    line = document.line(path)
    match detail["type"]:
        case "missing":
            text = f"{name} is missing; add it"
        case "extra_forbidden":
            keys = keys_at(model, detail["loc"][:-1])
            hint = meant(name, keys, at_head=len(detail["loc"]) == 1)
            text = f"unknown key {name!r}; delete it or correct it{hint}"
        case "union_tag_not_found":
            text = "kind is missing; add one of kannel, smtp, local"
        case "union_tag_invalid":
            text = f"kind {detail['ctx']['tag']!r} is not known; give one of kannel, smtp, local"
        case _:
            text = f"{name}{_shown(path, detail['input'])}: {_reason(detail)}"
            if text.endswith(KEYS):
                text += named(keys_at(model, detail["loc"]))
    return Finding(document.file, line, text)


def _reason(detail: ErrorDetails) -> str:
    kind, seen = detail["type"], detail["input"]
    if kind == "value_error":
        text = str(detail["ctx"]["error"])
        return text.replace(repr(str(seen)), "this") if isinstance(seen, Indirect) else text
    if kind in _WORDS:
        return _WORDS[kind]
    if kind.endswith(("too_short", "too_long")):
        what = (
            "item" if isinstance(seen, list) else "key" if isinstance(seen, dict) else "character"
        )
        short = kind.endswith("too_short")
        bound = detail["ctx"]["min_length" if short else "max_length"]
        return f"give at {'least' if short else 'most'} {bound} {what}{'s' if bound > 1 else ''}"
    text = detail["msg"]
    for old, new in _PLAIN:
        text = text.replace(old, new)
    return text


def _shown(path: KeyPath, seen: object) -> str:
    """What was seen, unless it is a secret, comes from a variable or file, or is no single value."""
    hidden = any(str(part) in _SECRET for part in path) or isinstance(seen, Indirect)
    if hidden or seen is None or isinstance(seen, dict | list):
        return ""
    text = repr(as_text(seen))
    return " is " + (text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "...")


def _name(path: KeyPath) -> str:
    """What to call the place: its key, or for an item of a list the key of the list."""
    for part in reversed(path):
        if isinstance(part, str):
            return part if part == path[-1] else f"an item of {part}"
    return "this file"


def _known_path(loc: tuple[int | str, ...]) -> KeyPath:
    """pydantic's path without the marks of unions and of keys that it puts between our keys."""
    return tuple(part for part in loc if part not in _CHANNEL_KINDS and part != "[key]")
