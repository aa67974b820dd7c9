"""Notation: promtool's series and values, `w01018{station="s1"}` and `1+1x10 _x5 20x3 stale`.

    a+bxn   a, a+b … a+n·b: n+1 values      a-bxn   the same downwards
    axn     a, n+1 times                    _, _xn  no reading, once or n times
    stale   a reading without evidence (flag B): the value is unknown from here on

As in the documentation of Prometheus (unit testing for rules). Numbers are computed as if
exactly (contract §2), so `0+0.1x3` ends with 0.3; NaN, Inf and histograms are refused.
"""

import re
from decimal import Decimal

import msgspec

from shared.model.numbers import add, exact, multiply, rounded

MOST_VALUES = 1_000_000
"""Of one series: two years of minutes; a slip such as x99999999 must not fill the memory."""
STALE_FLAG = "B"
"""HJ 212: the link to the instrument is broken."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TERM = re.compile(
    rf"({_NUMBER})(?:([-+])((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))?(?:x(\d+))?\Z", re.ASCII
)
_GAP = re.compile(r"_(?:x(\d+))?\Z", re.ASCII)
_SERIES = re.compile(r"\s*([^\s{}\"]+)\s*(?:\{(.*)\}\s*)?\Z", re.DOTALL)
_LABEL = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*\"((?:[^\"\\]|\\.)*)\"\s*(,|\Z)")
LABELS = ("facility", "station", "interval", "unit", "flag")


class Stale(msgspec.Struct, frozen=True):
    """A reading is sent, and says nothing."""


Value = float | Stale | None
"""None: nothing is sent."""


def values(text: str) -> list[Value]:
    """
    The values of one series, one per step of `interval`.

    Raises:
        ValueError: what is wrong with which term.
    """
    found: list[Value] = []
    for term in text.split():
        found += _values_of(term, MOST_VALUES - len(found))
    return found


def _values_of(term: str, room: int) -> list[Value]:
    if term == "stale":
        return [Stale()]
    if gap := _GAP.match(term):
        return [None] * _count(term, int(gap[1]) if gap[1] else 1, room)
    match = _TERM.match(term)
    if match is None or (match[2] and match[4] is None):
        raise ValueError(f"{term!r} is no value; give a number, a+bxn, a-bxn, axn, _, _xn or stale")
    first, sign, step, times = match.groups()
    count = _count(term, int(times) + 1 if times else 1, room)
    start = exact(float(first))
    move = exact(float(step)) if step else Decimal(0)
    if not (start.is_finite() and move.is_finite()):
        raise ValueError(f"{term!r} is too large to be held; give a smaller number")
    if sign == "-":
        move = -move
    return [rounded(add([start, multiply(move, Decimal(n))])) for n in range(count)]


def _count(term: str, count: int, room: int) -> int:
    if count > room:
        raise ValueError(f"{term!r}: more than {MOST_VALUES:,} values; make the series shorter")
    return count


def series(text: str) -> tuple[str, dict[str, str]]:
    """
    Indicator and labels of `w01018{facility="f1",interval="hour"}`.

    Raises:
        ValueError: not such a series, or a label nobody knows.
    """
    match = _SERIES.match(text)
    if match is None:
        raise ValueError(f'{text!r} is no series; write w01018{{facility="f1",interval="hour"}}')
    labels: dict[str, str] = {}
    rest = (match[2] or "").strip()
    while rest:
        label = _LABEL.match(rest)
        if label is None:
            raise ValueError(f'{rest!r} is no label; write facility="f1"')
        name, value = label[1], re.sub(r"\\(.)", r"\1", label[2])
        if name not in LABELS:
            raise ValueError(f"label {name!r} is not known; known are {', '.join(LABELS)}")
        if name in labels:
            raise ValueError(f"label {name!r} stands twice; keep one")
        labels[name] = value
        rest = rest[label.end() :].strip()
    return match[1], labels
