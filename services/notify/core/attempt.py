"""Attempt: one try at a notice, and what its outcome means for what comes next.

```
queued ──claim──▶ sending ──accepted──▶ accepted ──receipt──▶ delivered | failed
   ▲                 │ retry: 1, 2, 4 … 30 s          ▲ receipt
   └──── retry ◀─────┤                                │
                     ├─ lost, crash ─▶ unknown ──hold─┴─▶ sending (marked, once) ─ lost ─▶ failed
                     └─ refused ─────▶ failed            withheld: not sent, with a reason
```
"""

from typing import Literal

import msgspec

from shared.model.instants import Instant

NoticeState = Literal[
    "queued", "retry", "sending", "unknown", "accepted", "delivered", "failed", "withheld"
]
UNFINISHED: tuple[NoticeState, ...] = ("queued", "retry", "sending", "unknown")
TOLD: tuple[NoticeState, ...] = ("accepted", "delivered")

FIRST_RETRY_US = 1_000_000
LONGEST_RETRY_US = 30_000_000
LONGEST_WISH_US = 600_000_000
"""A provider may ask for more patience than we have; ten minutes are the most it gets."""
NEXT_WAY_AT_FAILURE = 3


class After(msgspec.Struct, frozen=True):
    """What becomes of the notice: its state, when it is due again, and whom else to try."""

    state: NoticeState
    due_us: Instant | None = None
    try_next_way: bool = False


def after_retry(failures: int, wish_us: int | None, now: Instant) -> After:
    """The `failures`-th failure that may pass: 1, 2, 4 … 30 s, or what the provider asked."""
    pause = min(FIRST_RETRY_US << min(failures - 1, 10), LONGEST_RETRY_US)
    if wish_us is not None:
        pause = min(max(wish_us, 0), LONGEST_WISH_US)
    return After("retry", Instant(now + pause), failures >= NEXT_WAY_AT_FAILURE)


def after_unknown(is_resend: bool, has_receipt: bool, hold_us: int, now: Instant) -> After:
    """An answer was lost: wait for a receipt; the second time it has failed."""
    if has_receipt:
        return After("accepted")
    if is_resend:
        return After("failed", None, True)
    return After("unknown", Instant(now + hold_us))
