"""Day bars: how many messages a person gets on each day, as two SVG paths (all, of them by night)."""

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from services.authoring.chart import WIDTH, Axis
from shared.model.instants import local_day, local_midnight

BAR_HEIGHT = 100
MOST_BARS = 720


class Bars(msgspec.Struct, frozen=True):
    all: str
    night: str


def day_bars(days: Counter[date], nights: Counter[date], axis: Axis, zone: ZoneInfo) -> Bars:
    """The highest bar fills the height; of more days than columns the highest of each is kept."""
    most = max(days.values(), default=1)
    count = (local_day(axis.to_us, zone) - local_day(axis.from_us, zone)).days + 1
    wide = max(WIDTH // min(count, MOST_BARS) - 1, 2)
    return Bars(_path(days, most, wide, axis, zone), _path(nights, most, wide, axis, zone))


def _path(days: Counter[date], most: int, wide: int, axis: Axis, zone: ZoneInfo) -> str:
    columns: dict[int, int] = {}
    for day, count in days.items():
        x = axis.x(local_midnight(day, zone))
        columns[x] = max(columns.get(x, 0), count)
    parts = []
    for x, count in sorted(columns.items()):
        high = max(round(count * BAR_HEIGHT / most), 1) if count else 0
        parts.append(f"M{x} {BAR_HEIGHT}v-{high}h{wide}v{high}z")
    return "".join(parts)
