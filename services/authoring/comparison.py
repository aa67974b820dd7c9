"""Comparison: expected against happened, said so that the slip is found at once."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.authoring.case_file import Case, Question
from shared.model.instants import instant_text

ORDER = (
    "state", "cause", "severity", "rule", "facility", "station", "indicator", "interval", "value",
    "unit", "limit", "at", "episode", "step",
)  # fmt: skip
MOST_LINES = 200
"""Of one list of transitions that is shown."""


class Happened(msgspec.Struct, frozen=True):
    """An alert that stands or a transition that came; `reading` is the newest of its series."""

    words: dict[str, Any]
    reading: str


def matches(expected: dict[str, Any], happened: Happened) -> bool:
    return not differences(expected, happened)


def differences(expected: dict[str, Any], happened: Happened) -> list[str]:
    """The keys in which it is otherwise; keys that are not expected may be anything."""
    return [key for key, value in expected.items() if happened.words.get(key) != value]


def compare_alerts(
    case: Case, question: Question, standing: list[Happened],
    newest: Callable[[dict[str, Any]], str], zone: ZoneInfo,
) -> list[str]:  # fmt: skip
    """Every expected alert stands, and nothing else does."""
    left = list(standing)
    missing: list[tuple[int, dict[str, Any]]] = []
    for line, words in question.alerts:
        expected = {"state": "firing", **words}
        found = next((each for each in left if matches(expected, each)), None)
        if found is None:
            missing.append((line, expected))
        else:
            left.remove(found)
    if not missing and not left:
        return []
    of = f" of rule {question.rule}" if question.rule else ""
    at = instant_text(question.at_us, zone)
    lines = [f"{case.file}:{question.line}: {case.name}: at {question.written} ({at}){of}"]
    for line, expected in missing:
        lines.append(f"  expected  {text_of(expected, zone)}   (line {line})")
        near = _nearest(expected, left)
        if near is None:
            lines.append("  happened  nothing like it stands")
            lines.append(f"  reading   {newest(expected)}")
            continue
        left.remove(near)
        lines += _differing(expected, near, zone)
    for each in left:
        lines.append("  expected  nothing" if not missing else "  expected  nothing more")
        lines.append(f"  happened  {text_of(each.words, zone)}")
        lines.append(f"  reading   {each.reading}")
    return ["\n".join(lines)]


def compare_transitions(case: Case, happened: list[Happened], zone: ZoneInfo) -> list[str]:
    """The full list in order: no more, no less."""
    assert case.transitions is not None
    expected = [words for _, words in case.transitions]
    if len(expected) == len(happened) and all(map(matches, expected, happened)):
        return []
    line = case.line_of("transitions")
    lines = [
        f"{case.file}:{line}: {case.name}: {len(expected)} transitions expected, "
        f"{len(happened)} happened   (- expected, + happened)"
    ]
    for want, got in _aligned(expected, happened):
        if want is not None and got is not None and matches(want, got):
            lines.append(f"    {text_of(got.words, zone)}")
            continue
        if want is not None:
            lines.append(f"  - {text_of(want, zone)}")
        if got is not None:
            lines.append(f"  + {text_of(got.words, zone)}")
            lines.append(f"      reading {got.reading}")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"  … {len(lines) - MOST_LINES} lines more"]
    return ["\n".join(lines)]


def text_of(words: dict[str, Any], zone: ZoneInfo) -> str:
    """`firing raised yellow cod f1/s1/w01018/realtime value 65 limit > 60 at …`."""
    parts = [str(words[key]) for key in ("state", "cause", "severity", "rule") if key in words]
    place = [words.get(key) for key in ("facility", "station", "indicator", "interval")]
    if any(place):
        parts.append("/".join(each or "*" for each in place))
    for key in ("value", "unit", "limit"):
        if key in words and not (key == "unit" and words[key] is None):
            parts.append(
                shown(key, words[key], zone) if key == "unit" else _named(key, words, zone)
            )
    parts += [_named(key, words, zone) for key in ("at", "episode", "step") if key in words]
    return " ".join(parts)


def _named(key: str, words: dict[str, Any], zone: ZoneInfo) -> str:
    return f"{key} {shown(key, words[key], zone)}"


def shown(key: str, value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return "null"
    if key in ("at", "episode"):
        return instant_text(value, zone)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _differing(expected: dict[str, Any], near: Happened, zone: ZoneInfo) -> list[str]:
    lines = [f"  happened  {text_of(near.words, zone)}"]
    for key in ORDER:
        if key in expected and near.words.get(key) != expected[key]:
            want, got = expected[key], near.words.get(key)
            lines.append(
                f"    {key}: expected {shown(key, want, zone)}, happened {shown(key, got, zone)}"
            )
    lines.append(f"  reading   {near.reading}")
    return lines


def _nearest(expected: dict[str, Any], left: list[Happened]) -> Happened | None:
    """The alert of the same place that differs least; another place is another alert."""
    same = [
        each
        for each in left
        if not {"rule", "facility", "station", "indicator", "interval"}
        & {*differences(expected, each)}
    ]
    return min(same, key=lambda each: len(differences(expected, each)), default=None)


def _aligned(
    expected: list[dict[str, Any]], happened: list[Happened]
) -> list[tuple[dict[str, Any] | None, Happened | None]]:
    """Both lists side by side: what agrees stands together (longest common subsequence)."""
    head = 0
    while head < min(len(expected), len(happened)) and matches(expected[head], happened[head]):
        head += 1
    pairs: list[tuple[dict[str, Any] | None, Happened | None]] = []
    pairs += zip(expected[:head], happened[:head], strict=True)
    rest, came = expected[head:], happened[head:]
    if len(rest) * len(came) > 250_000:
        return [*pairs, *((want, None) for want in rest), *((None, got) for got in came)]
    best = [[0] * (len(came) + 1) for _ in range(len(rest) + 1)]
    for i in range(len(rest) - 1, -1, -1):
        for j in range(len(came) - 1, -1, -1):
            best[i][j] = (
                best[i + 1][j + 1] + 1
                if matches(rest[i], came[j])
                else max(best[i + 1][j], best[i][j + 1])
            )
    i = j = 0
    while i < len(rest) or j < len(came):
        if i < len(rest) and j < len(came) and matches(rest[i], came[j]):
            pairs.append((rest[i], came[j]))
            i, j = i + 1, j + 1
        elif j == len(came) or (i < len(rest) and best[i + 1][j] >= best[i][j + 1]):
            pairs.append((rest[i], None))
            i += 1
        else:
            pairs.append((None, came[j]))
            j += 1
    return pairs
