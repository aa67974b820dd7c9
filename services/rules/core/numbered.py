"""Numbered: time in numbered slots of one length; slots of a day are days of site time."""

from datetime import date
from zoneinfo import ZoneInfo

from shared.model.instants import local_day, local_midnight

DAY_US = 86_400_000_000


class Slots:
    def __init__(self, length_us: int, zone: ZoneInfo) -> None:
        self.length_us, self.zone = length_us, zone

    def number(self, at_us: int) -> int:
        if self.length_us == DAY_US:
            return local_day(at_us, self.zone).toordinal()
        return at_us // self.length_us

    def start(self, number: int) -> int:
        if self.length_us == DAY_US:
            return local_midnight(date.fromordinal(number), self.zone)
        return number * self.length_us
