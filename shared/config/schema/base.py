"""Base: strict models; an unknown key is an error, and nothing behind a key is an empty list."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _none_is_empty(value: Any) -> Any:
    """`rules:` with nothing behind it is a list without items."""
    return [] if value is None else value


Items = BeforeValidator(_none_is_empty)
OneOrMore = BeforeValidator(_several)
