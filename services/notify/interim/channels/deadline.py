"""A hard end for a whole exchange: a gateway that drips bytes does not hold a sender."""

from email.utils import parsedate_to_datetime

import httpx

from shared.clock import real_monotonic, real_wall

LONGEST_WAIT_US = 3_600_000_000


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._end = real_monotonic() + seconds

    def left(self) -> float:
        return self._end - real_monotonic()

    def read(self, response: httpx.Response, most: int) -> str:
        """The beginning of a body.

        Raises:
            httpx.ReadTimeout: the time is over before the body is.
        """
        body = b""
        try:
            for chunk in response.iter_raw():
                body += chunk
                if len(body) >= most:
                    break
                if self.left() <= 0:
                    raise httpx.ReadTimeout("the answer took too long")
        finally:
            response.close()
        return body[:most].decode("utf-8", "replace")


def retry_after_us(header: str | None) -> int | None:
    """`Retry-After` in microseconds: seconds or an HTTP date; None when absent or nonsense."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return min(int(text) * 1_000_000, LONGEST_WAIT_US)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - real_wall()
    except (TypeError, ValueError):
        return None
    return min(max(0, int(seconds * 1e6)), LONGEST_WAIT_US)
