"""How instants look on the page: short, in the site's zone, with the day only when needed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from shared.model.instants import Instant, parse_instant, to_datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Moment(msgspec.Struct, frozen=True):
    """`ms` is for the browser's countdown, `short` for people, `full` for the hover text."""

    ms: int
    short: str
    full: str


class Clockwork:
    """Writes moments as seen from `now`."""

    def __init__(self, now: Instant, zone: ZoneInfo, language: str = "zh-CN") -> None:
        self.now, self.zone, self._english = now, zone, language == "en"
        self.today = to_datetime(now, zone).date()

    def of_text(self, text: str | None) -> Moment | None:
        """A moment of the JSON surface (RFC 3339); None stays None."""
        return None if not text else self.of(parse_instant(text, self.zone))

    def of(self, instant: int) -> Moment:
        local = to_datetime(instant, self.zone)
        return Moment(instant // 1000, self._short(local), f"{local:%Y-%m-%d %H:%M:%S}")

    def _short(self, local: datetime) -> str:
        if local.date() == self.today:
            return f"{local:%H:%M}"
        day = f"{local.month}月{local.day}日"
        if self._english:
            # Not strftime: %b speaks the language of the process.
            day = f"{local.day} {_MONTHS[local.month - 1]}"
        return f"{day} {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else day
