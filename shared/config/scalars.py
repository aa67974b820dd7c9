"""Single values of the configuration: text, ids, durations, times, numbers, and what to say if not.

Every reader takes what `nodes` gives: text, numbers that remember how they were written, and
`Indirect` text from a variable or a file, which counts as if it stood in the file.
"""

import re
from datetime import date, time
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.config.nodes import Indirect, WrittenFloat, WrittenInt, number_or_text
from shared.model.instants import parse_duration
from shared.model.severity import Severity

LONGEST_US = 36_500 * 86_400_000_000
"""100 years: instants stay within the calendar, and numbers within 64 bits."""
_SIDES = r"^\s*(>=|<=|>|<)\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$"


def as_text(value: Any) -> Any:
    """A number that was written where text belongs is the text that was written."""
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.text
    return str(value) if isinstance(value, Indirect) else value


def _text(value: Any) -> str:
    text = as_text(value)
    if not isinstance(text, str):
        raise ValueError("give text")
    return text


def _text_or_nothing(value: Any) -> str:
    return "" if value is None else _text(value)


def _identifier(value: Any) -> str:
    text = _text(value)
    if not text or len(text) > 128 or any(c.isspace() or c in "/?#" for c in text):
        raise ValueError("an id has 1 to 128 characters and no blank, /, ? or #")
    return text


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("give a duration such as 500ms, 2s, 5m, 4h or 1d")
    duration = parse_duration(value)
    if duration > LONGEST_US:
        raise ValueError("longer than 100 years; give a shorter one")
    return duration


def _clock(value: Any) -> time:
    try:
        hours, minutes = str(value).split(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise ValueError("give a local time such as 08:00") from error


def _day(value: Any) -> date:
    try:
        if len(value) != len("2026-01-01"):
            raise ValueError
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("give a date such as 2026-01-01") from error


def _number(value: Any) -> float:
    if isinstance(value, Indirect):
        value = number_or_text(value)
    if not isinstance(value, int | float):
        raise ValueError("give a number")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, Indirect):
        value = number_or_text(value)
    if not isinstance(value, int):
        raise ValueError("give a whole number")
    return int(value)


def _link(value: Any) -> str:
    text = _text(value)
    parts = urlsplit(text)
    bad = any(c.isspace() or c in "?#" for c in text)
    if bad or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give an address such as http://127.0.0.1:8620, without ? and #")
    if parts.port == 0:
        raise ValueError("port 0 cannot be reached")
    return text


def _sides(value: Any) -> str:
    if not isinstance(value, str) or not re.match(_SIDES, value, re.ASCII):
        raise ValueError('give a test such as ">= 80": one of > >= < <= and a number')
    return value.strip()


def _severity(value: Any) -> Severity:
    try:
        return Severity(value)
    except ValueError as error:
        raise ValueError("give one of blue, yellow, orange, red") from error


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"})
_STRING_SCHEMA = WithJsonSchema({"type": "string"})

Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=1000)]
Optional = Annotated[str, BeforeValidator(_text_or_nothing), Field(max_length=1000)]
Id = Annotated[str, BeforeValidator(_identifier)]
Code = Id
"""Of a territory: six digits as a rule, which name the parent; any id when the parent is given."""
Duration = Annotated[int, BeforeValidator(_duration), _DURATION_SCHEMA]
Span = Annotated[int, BeforeValidator(_duration), Field(gt=0), _DURATION_SCHEMA]
"""A duration above zero."""
Clock = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}$"}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[str, BeforeValidator(_text)]
Number = Annotated[
    float, BeforeValidator(_number), Field(allow_inf_nan=False), WithJsonSchema({"type": "number"})
]
Whole = Annotated[int, BeforeValidator(_whole)]
Link = Annotated[str, BeforeValidator(_link), _STRING_SCHEMA]
Sides = Annotated[
    str, BeforeValidator(_sides), WithJsonSchema({"type": "string", "pattern": _SIDES})
]
"""One side test such as `>= 80`."""
Colour = Annotated[Severity, BeforeValidator(_severity)]
