"""Campaign writer: in a cluster one replica of notify has the report of a campaign made, once.

The command line's own report, on the judged log, by a process of its own: judging weeks of log
again would hold up the threads that tell.
"""

import tempfile
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from services.notify.report_shelf import ReportShelf
from shared.beside import run_beside
from shared.clock import Clock, real_monotonic
from shared.errors import Unavailable
from shared.model.campaign import LATE_US, owes_report
from shared.model.instants import Instant
from shared.model.rule import Campaign

LOOK_S = 2.0
AGAIN_S = 600.0
"""After a report that could not be made."""
Make = Callable[[Campaign, Path, Callable[[], bool]], bool]
"""Writes a report into a file while the third, asked often, says go on; False: it could not."""

log = structlog.get_logger()


class CampaignWriter:
    """One per replica; `turn` now and then. `log_time` is how far ingest has listened."""

    def __init__(
        self,
        campaigns: Collection[Campaign],
        shelf: ReportShelf,
        make: Make,
        log_time: Callable[[], Instant | None],
    ) -> None:
        self._shelf, self._make, self._log_time = shelf, make, log_time
        self._campaigns = list(campaigns)
        self._written: set[tuple[str, int]] = set()

    def turn(self, now_us: int) -> bool:
        """Have made what is owed and ours; False when something could not be made.

        Raises:
            Unavailable: the database or the broker does not answer now.
        """
        done = True
        for each in self._campaigns:
            if (each.id, each.to_us) in self._written or not owes_report(each, now_us):
                continue
            if self._shelf.report(each) is not None:
                self._written.add((each.id, each.to_us))
            elif self._all_in(each) and self._shelf.claim(each):
                done = self._write(each) and done
        return done

    def _all_in(self, campaign: Campaign) -> bool:
        """The log reaches over the last day: ingest may have been away."""
        reached = self._log_time()
        return reached is not None and reached >= campaign.to_us + LATE_US

    def _write(self, campaign: Campaign) -> bool:
        with tempfile.TemporaryDirectory(prefix="yujing-campaign-") as folder:
            path = Path(folder) / "report.txt"
            if not self._make(campaign, path, self._keeping(campaign)):
                return False
            if self._shelf.put(campaign, path.read_text(encoding="utf-8", errors="replace")):
                log.info("campaign_report_written", campaign=campaign.id)
            return True

    def _keeping(self, campaign: Campaign) -> Callable[[], bool]:
        """Renews the lease in time; False when it is another's."""
        every_s = self._shelf.lease_us / 4e6
        next_s = real_monotonic() + every_s

        def keep() -> bool:
            nonlocal next_s
            if real_monotonic() < next_s:
                return True
            next_s = real_monotonic() + every_s
            try:
                return self._shelf.renew(campaign)
            except Unavailable:
                return True  # should the lease run out meanwhile, `put` writes nothing

        return keep


def from_kafka(config: Path, kafka: str, stop: threading.Event) -> Make:
    """`yujing campaigns report` on the log of the cluster, as the user that this service is."""

    def make(campaign: Campaign, path: Path, keep: Callable[[], bool]) -> bool:
        arguments = [
            "campaigns", "report", campaign.id, "--config", str(config), "--kafka", kafka,
        ]  # fmt: skip
        done = run_beside(arguments, path, go_on=lambda: not stop.is_set() and keep())
        if done.code and not stop.is_set():
            log.error(
                "campaign_report_failed", campaign=campaign.id, code=done.code, detail=done.said
            )
        return done.code == 0

    return make


def run(writer: CampaignWriter, clock: Clock, stop: threading.Event) -> None:
    """Until `stop`."""
    again_at = 0.0
    while not stop.wait(LOOK_S):
        if real_monotonic() < again_at:
            continue
        try:
            done = writer.turn(clock.now())
        except (Unavailable, OSError) as error:
            log.error("campaign_report_failed", detail=str(error))
            done = False
        again_at = 0.0 if done else real_monotonic() + AGAIN_S
