"""Band: what is usual for a value is what it was, and the longer ago the less.

    high  ─────────●╮                          place of a value:
                    ╰──────────╮                 high ->  1
    mid   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ╰───────         mid  ->  0
                    ╭───────────────────         low  -> -1
    low   ──────●───╯                            1.2: a tenth of the whole band above high

Only sums, differences, products and quotients of binary64, in the order written here, so that
every program that follows it finds the same number.
"""

from math import isfinite

from services.rules.core.memory import Band

FEWEST = 21
"""Values before a band says anything, and the time they must span: one day."""
SHORTEST_US = 86_400_000_000


def place(band: Band, memory_us: int, at_us: int, value: float) -> float | None:
    """Where a value stands in the band; None while the band is young, or has no width."""
    high, low = edges(band, memory_us, at_us)
    if band.count < FEWEST or at_us - band.first_us < SHORTEST_US or not low < high:
        return None
    # Halves first: ends near the largest number must not add up to infinity.
    return (value - (high / 2 + low / 2)) / (high / 2 - low / 2)


def learn(band: Band, memory_us: int, at_us: int, value: float) -> None:
    """The value is usual from here on; one beyond all numbers never is."""
    if not isfinite(value):
        return
    if band.count == 0:
        band.first_us, band.high, band.low = at_us, value, value
    else:
        high, low = edges(band, memory_us, at_us)
        band.high, band.low = max(high, value), min(low, value)
    band.newest_us = at_us
    band.count = min(band.count + 1, FEWEST)


def edges(band: Band, memory_us: int, at_us: int) -> tuple[float, float]:
    """The band at a later time: both ends have moved towards the middle."""
    kept = memory_us / (memory_us + (at_us - band.newest_us))
    middle = band.high / 2 + band.low / 2
    return middle + (band.high - middle) * kept, middle + (band.low - middle) * kept
