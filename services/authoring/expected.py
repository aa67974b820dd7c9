"""Expected: what a case says an alert or a transition looks like; keys it leaves out may be anything."""

from typing import Any

from shared.config.scalars import as_text

TEXTS = frozenset(
    {
        "rule",
        "facility",
        "station",
        "indicator",
        "interval",
        "state",
        "severity",
        "cause",
        "limit",
        "unit",
    }
)
TIMES = frozenset({"at", "episode"})
KNOWN = (*sorted(TEXTS), "episode", "step", "at", "value")
STATES = ("pending", "firing", "resolved", "withdrawn")


def words_of_expected(item: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The expectation in plain values, and (key, what is wrong). `exp_labels` are taken in."""
    words: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    labels = item.get("exp_labels")
    given = {**item, **labels} if isinstance(labels, dict) else item
    for key, value in given.items():
        if key == "exp_labels":
            continue
        if key not in KNOWN:
            wrong.append((key, f"unknown key {key!r}; known are {', '.join(KNOWN)}"))
        elif key in ("value", "step"):
            number = _number(value)
            if value is not None and number is None:
                wrong.append((key, f"{key} is {value!r}; give a number"))
            words[key] = number
        elif key == "state" and value not in STATES:
            wrong.append((key, f"state is {value!r}; give one of {', '.join(STATES)}"))
        elif key in TEXTS and not isinstance(as_text(value), str | None):
            wrong.append((key, f"{key} is {value!r}; give text"))
        else:
            words[key] = as_text(value)
    return words, wrong


def _number(value: Any) -> float | None:
    """What was written, or None when it is no number that can be held."""
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None
