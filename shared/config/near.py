"""Near: which keys may stand at a place of a file, and which of them was probably meant."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from shared.config.schema.base import Model
from shared.config.schema.files import FILES

_HOMES = {
    field.alias or name: file
    for file, model in FILES.items()
    for name, field in model.model_fields.items()
}
CLOSE = 0.6
MOST_NAMED = 12
"""Keys in one message."""


def keys_at(root: type[Model], path: tuple[int | str, ...]) -> list[str]:
    """The keys of the models that may stand there, needed ones in front; empty: not a model.

    `path` is pydantic's: what is no key of a model (a place, a key of a mapping, the mark of a
    union) leads nowhere else.
    """
    here = [root]
    for part in path:
        if not isinstance(part, str):
            continue
        inner = [
            model
            for each in here
            for name, field in each.model_fields.items()
            if part in (field.alias, name)
            for model in _models(field.annotation)
        ]
        is_key = any(
            part in (field.alias, name)
            for each in here
            for name, field in each.model_fields.items()
        )
        if is_key:
            here = inner
    fields = [(f.alias or name, f) for each in here for name, f in each.model_fields.items()]
    needed = [name for name, field in fields if field.is_required()]
    return list(dict.fromkeys([*needed, *(name for name, _ in fields)]))


def meant(name: str, keys: list[str], *, at_head: bool) -> str:
    """In brackets after `delete it or correct it`; empty where nothing can be said."""
    if at_head and name in _HOMES and name not in keys:
        return f" ({name} stands in {_HOMES[name]}.yaml)"
    close = get_close_matches(name, keys, 1, CLOSE)
    if close:
        return f" ({close[0]}?)"
    return f" (known: {', '.join(keys)})" if 0 < len(keys) <= MOST_NAMED else ""


def named(keys: list[str]) -> str:
    """The keys that may stand there, after `give keys and values`."""
    if not keys:
        return ""
    more = ", …" if len(keys) > MOST_NAMED else ""
    return f": {', '.join(keys[:MOST_NAMED])}{more}"


def _models(annotation: Any) -> Iterator[type[Model]]:
    """Every model in an annotation, through lists, mappings, unions and their marks."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)
