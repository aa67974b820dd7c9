"""Quick: a report like one that was judged fit before is decoded straight into what is logged.

Stations say the same columns all day. Whoever was let in once (facility, station, interval,
indicators; in the indicators' own units, nothing flagged, revised or withdrawn) is let in again
with other values at other times. Everything else takes the long way (`parse_report`, then
`Judge.judge`), which also has the words for what is wrong. Both ways give equal reports.
"""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, Interval, parse_instant
from shared.model.report import Report
from shared.reports.judge import Judge
from shared.reports.parse import LONGEST_ID
from shared.reports.plain import BROKEN, PlainReport

MOST_SHAPES = 200_000
"""Shapes remembered, about 500 bytes each; beyond, they are learnt anew."""
MOST_TIMES = 4_096
"""Times remembered as they were written, with the windows they lie in."""


_DECODER = msgspec.json.Decoder(PlainReport)


class Windows:
    """Where windows begin, by what is written of them."""

    def __init__(self, judge: Judge, zone: ZoneInfo) -> None:
        self._judge, self._zone = judge, zone
        self._known: dict[tuple[str, Interval], Instant] = {}

    def start(self, observed_at: str, interval: Interval) -> Instant | None:
        """None: no time, or one that is refused."""
        known = self._known.get((observed_at, interval))
        if known is not None:
            return known
        try:
            start = self._judge.window(parse_instant(observed_at, self._zone), interval)
        except ValueError:
            return None
        if start is not None:
            if len(self._known) >= MOST_TIMES:
                self._known.clear()
            self._known[observed_at, interval] = start
        return start


class Quick:
    """For one configuration and one listener, and without a clock: nothing lies in the future."""

    def __init__(self, judge: Judge, zone: ZoneInfo, listener: str) -> None:
        self._judge, self._listener = judge, listener
        self._shapes: dict[tuple[object, ...], tuple[str, str, tuple[str, ...]]] = {}
        self._own_units: set[tuple[str, str | None]] = set()
        self._windows = Windows(judge, zone)

    def read(self, line: bytes) -> Report | None:
        """The report of one line of JSON; None: it must take the long way."""
        try:
            item = _DECODER.decode(line)
        except BROKEN:
            return None
        codes, values = [], []
        for reading in item.readings:
            if reading.flag is not None and reading.flag != "N":
                return None
            if (
                reading.unit is not None
                and (reading.indicator, reading.unit) not in self._own_units
            ):
                return None
            codes.append(reading.indicator)
            values.append(reading.value)
        known = self._shapes.get((item.facility, item.station, item.interval, *codes))
        if known is None:
            return None
        start = self._windows.start(item.observed_at, item.interval)
        if start is None or not (item.id is None or 0 < len(item.id) <= LONGEST_ID):
            return None
        facility, station, indicators = known
        return Report(
            facility, station, item.interval, start, indicators, tuple(values), None,
            start, self._listener, item.id or "",
        )  # fmt: skip

    def learn(self, item: Any, report: Report) -> None:
        """`item` took the long way and became `report`: from now on its like is let in."""
        if report.flags is not None or report.revision is not None:
            return
        for reading in item["readings"]:
            unit = reading.get("unit")
            if unit is not None and self._judge.is_own_unit(reading["indicator"], unit):
                self._own_units.add((reading["indicator"], unit))
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        key = (item["facility"], item.get("station"), report.interval, *report.indicators)
        self._shapes[key] = report.facility, report.station, report.indicators
