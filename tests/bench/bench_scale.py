"""What a reading costs with more rules on its series, and with more series.

    python -m tests.bench.bench_scale

Quiet data as in bench_rules. The same readings are judged with 3 and with 30 rules on every
series, then by engines of 1,000 to 1,000,000 series: what grows is what must be looked up.
"""

from functools import partial
from time import process_time

import msgspec

from services.rules.core.engine import Engine
from shared.model.configuration import Bundle
from shared.model.report import Activate, decode_envelope
from shared.model.rule import Range, Threshold
from tests.bench.bench_rules import CODES, bundle, decoded, entries, judged, rate
from tests.bench.table import Row, markdown

SERIES = (1_000, 10_000, 100_000, 1_000_000)
AT_LEAST = 1_000_000
"""Readings of one measurement."""


def with_rules(stations: int, count: int) -> Bundle:
    """`count` rules on every series: the two of bench_rules again and again, each its own."""
    plain = bundle(stations)
    rules = []
    for n in range(count * len(CODES)):
        pattern = plain.rules[n % len(plain.rules)]
        condition = pattern.condition
        assert isinstance(condition, Threshold | Range)
        rules.append(msgspec.structs.replace(pattern, id=f"{pattern.id}-{n}"))
    return msgspec.structs.replace(plain, rules=tuple(rules))


def rules(seconds: float) -> list[Row]:
    bodies = entries(500, len(CODES), 100, 40)
    limit = rate(partial(decoded, bodies, len(CODES)), seconds)
    return [
        Row(f"rules: quiet readings judged, {count} rules on every series",
            rate(partial(judged, bodies, with_rules(500, count), 5), seconds),
            "readings/s of one core", "decode only", limit)
        for count in (3, 30)
    ]  # fmt: skip


def cost(series: int) -> float:
    """Nanoseconds a reading with its decoding; the best of five."""
    stations = series // len(CODES)
    engine = Engine({"b": bundle(stations)}.__getitem__)
    engine.apply([Activate("b")])
    rounds = max(1, AT_LEAST // series)
    bodies = entries(stations, len(CODES), min(100, stations), 1 + 5 * rounds)
    per_minute = len(bodies) // (1 + 5 * rounds)
    for body in bodies[:per_minute]:
        engine.apply(decode_envelope(body))
    found = []
    for n in range(5):
        first = per_minute * (1 + n * rounds)
        own = bodies[first : first + per_minute * rounds]
        before, start = engine.judged, process_time()
        for body in own:
            engine.apply(decode_envelope(body))
        found.append((process_time() - start) / (engine.judged - before) * 1e9)
    return min(found)


def scale() -> list[Row]:
    few = cost(SERIES[0])
    return [
        Row(f"rules: a quiet reading among {series:,} series", cost(series), "ns",
            f"among {SERIES[0]:,}", few)
        for series in SERIES[1:]
    ]  # fmt: skip


def run(seconds: float = 3.0) -> list[Row]:
    return rules(seconds) + scale()


if __name__ == "__main__":
    print(markdown(run()))
