"""The judge: a candidate becomes a report, or a rejection with one reason. Pure.

It looks at the source's rights first, so that an outsider learns nothing about what exists.
"""

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from shared.model.configuration import Configuration
from shared.model.instants import Instant, Interval, instant_text, window_end, window_start
from shared.model.report import Report
from shared.model.units import UnknownUnit, convert, spelled
from shared.reports.candidate import Candidate, CandidateReading, Rejection
from shared.reports.parse import rejection

AHEAD_US = 600_000_000
"""A window may start 10 minutes ahead of our clock: devices' clocks differ (contract §3)."""

LATEST_US = 253_399_622_400_000_000
"""9999-12-01: windows of a day or a month after a reading must still be instants."""


@lru_cache(maxsize=65_536)
def _is_one_of(facility: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(facility, pattern) for pattern in patterns)


class Judge:
    """Judges against one configuration; holds look-ups made from it once."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._zone = configuration.site.zone
        self._flags = configuration.flags
        self._stations: dict[str, list[str]] = {}
        rolled = configuration.rolled_stations()
        self._rolled = {configuration.stations[station].facility for station in rolled}
        for station in configuration.stations.values():
            self._stations.setdefault(station.facility, []).append(station.id)

    def judge(
        self,
        candidate: Candidate,
        now_us: int | None,
        facilities: Sequence[str] | None = None,
        listener: str = "http",
    ) -> Report | Rejection:
        """Fit to count, or why not.

        Args:
            now_us: ingest's clock; None switches `in-the-future` off (backtest).
            facilities: patterns the source may report for; None: any.

        """
        if facilities is not None and not _is_one_of(candidate.facility, tuple(facilities)):
            return rejection(
                "not-yours",
                f"facility {candidate.facility!r} is outside the facilities of this "
                "token; use the token that was given for it",
                "/facility",
            )
        if candidate.facility in self._rolled:
            return rejection(
                "unknown-facility",
                f"{candidate.facility!r} is a territory that is rolled up; "
                "only its members report, to their own facilities",
                "/facility",
            )
        if candidate.facility not in self._configuration.facilities:
            return rejection(
                "unknown-facility",
                f"facility {candidate.facility!r} is not configured; "
                "check the id or add it to facilities.yaml",
                "/facility",
            )
        station = self._station(candidate)
        if isinstance(station, Rejection):
            return station
        start = self.window(candidate.observed_us, candidate.interval)
        if start is None:
            return rejection(
                "bad-time",
                "observed_at is at the edge of the calendar (years 1 to 9999); check the sender",
                "/observed_at",
            )
        if now_us is not None and start > now_us + AHEAD_US:
            return rejection(
                "in-the-future",
                f"the window starts at {instant_text(start, self._zone)}, our "
                f"clock says {instant_text(now_us, self._zone)}; set the sender's clock",
                "/observed_at",
            )
        indicators, values, fit = [], [], True
        for index, reading in enumerate(candidate.readings):
            value = self._value(reading, index)
            if isinstance(value, Rejection):
                return value
            indicators.append(reading.indicator)
            values.append(value)
            fit = fit and reading.flag == "N"
        flags = None
        meanings = self._flags.get(station)
        if meanings is not None or not fit:
            known = meanings or {}
            said = tuple(known.get(each.flag, each.flag) for each in candidate.readings)
            flags = None if said.count("N") == len(said) else said
        return Report(
            facility=candidate.facility,
            station=station,
            interval=candidate.interval,
            observed_us=start,
            indicators=tuple(indicators),
            values=tuple(values),
            flags=flags,
            received_us=Instant(now_us if now_us is not None else start),
            listener=listener,
            id=candidate.id,
            revision=candidate.revision,
        )

    def window(self, observed_us: int, interval: Interval) -> Instant | None:
        """Where the window begins in which that lies; None: at the edge of the calendar."""
        try:
            start = window_start(observed_us, interval, self._zone)
            window_end(start, interval, self._zone)
        except (OverflowError, ValueError):
            return None
        return start if start <= LATEST_US else None

    def is_own_unit(self, indicator: str, unit: str) -> bool:
        """Is it that of the indicator, however it is spelled?"""
        known = self._configuration.indicators.get(indicator)
        return known is not None and spelled(unit) == spelled(known.unit)

    def _station(self, candidate: Candidate) -> str | Rejection:
        known = self._stations.get(candidate.facility, [])
        if candidate.station is None:
            if len(known) == 1:
                return known[0]
            return rejection(
                "unknown-station",
                f"facility {candidate.facility!r} has {len(known)} stations; "
                "say which one in `station`",
                "/station",
            )
        if candidate.station not in known:
            return rejection(
                "unknown-station",
                f"facility {candidate.facility!r} has no station "
                f"{candidate.station!r}; check the id or add it to facilities.yaml",
                "/station",
            )
        return candidate.station

    def _value(self, reading: CandidateReading, index: int) -> float | Rejection:
        indicator = self._configuration.indicators.get(reading.indicator)
        if indicator is None:
            return rejection(
                "unknown-indicator",
                f"indicator {reading.indicator!r} is not known; use an "
                "HJ 212 code or a name of the configuration",
                f"/readings/{index}/indicator",
            )
        if reading.unit is None:
            return reading.value
        try:
            value = (
                reading.value
                if reading.unit == indicator.unit
                else convert(reading.value, reading.unit, indicator.unit)
            )
        except UnknownUnit:
            return rejection(
                "unknown-unit",
                f"unit {reading.unit!r} of {reading.indicator} cannot be "
                f"converted to {indicator.unit!r}; send it in {indicator.unit!r}",
                f"/readings/{index}/unit",
            )
        if not math.isfinite(value):
            return rejection(
                "bad-number",
                f"{reading.value!r} {reading.unit} is too large to be held in {indicator.unit!r}",
                f"/readings/{index}/value",
            )
        return value
