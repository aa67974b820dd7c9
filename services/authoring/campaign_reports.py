"""Campaign reports: a day after a campaign has ended, what it made different stands in a file.

The command line's own report, made by a program of its own: judging months of log again would
hold up the threads that listen and tell. A file that stands there is never made again.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from services.authoring.campaign_difference import LATE_US
from shared.clock import Clock, real_monotonic
from shared.model.instants import to_datetime
from shared.model.rule import Campaign

STALE_US = 7 * 86_400_000_000
"""A campaign that was over longer ago has no report; the command still makes one."""
LOOK_S = 2.0
AGAIN_S = 600.0
"""After a report that could not be made."""
FOLDER = "campaigns"
LOW_PRIORITY, POLL_S = 10, 0.2
Make = Callable[[str, Path], bool]
"""Writes the report of a campaign into a file; False: it could not be made now."""

log = structlog.get_logger()


LONGEST_READ = 256 * 1024
"""Of a report that is shown: a province with its cities and people has some 20 KB."""


def report_path(folder: Path, campaign: Campaign, zone: ZoneInfo) -> Path:
    end = to_datetime(campaign.to_us, zone)
    return folder / f"{campaign.id}-{end:%Y%m%dT%H%M}.txt"


def written_report(directory: Path, campaign: Campaign, zone: ZoneInfo) -> str | None:
    """The report that stands in a data directory; None: not yet, or not any more."""
    try:
        with report_path(directory / FOLDER, campaign, zone).open("rb") as file:
            return file.read(LONGEST_READ).decode("utf-8", "replace")
    except OSError:
        return None


class CampaignReports:
    """One per process that has the log; `turn` now and then."""

    def __init__(
        self, campaigns: Mapping[str, Campaign], zone: ZoneInfo, directory: Path, make: Make
    ) -> None:
        self._campaigns, self._zone = campaigns, zone
        self._directory, self._make = directory / FOLDER, make

    def owed(self, now_us: int) -> Iterator[tuple[Campaign, Path]]:
        """Campaigns that are over, all their reports in, and nobody wrote about."""
        for each in self._campaigns.values():
            over_us = each.to_us + LATE_US
            if over_us <= now_us < over_us + STALE_US:
                path = report_path(self._directory, each, self._zone)
                if not path.exists():
                    yield each, path

    def turn(self, now_us: int) -> bool:
        """Write what is owed; False when something could not be made."""
        done = True
        for campaign, path in list(self.owed(now_us)):
            self._directory.mkdir(exist_ok=True)
            partial = path.with_suffix(".partial")
            if self._make(campaign.id, partial):
                partial.replace(path)
                log.info("campaign_report_written", campaign=campaign.id, file=path.name)
            else:
                done = False
        return done


def by_command_line(config: Path, data: Path, stop: threading.Event) -> Make:
    """`yujing campaigns report` on the data directory, with low priority; ended by `stop`."""

    def make(campaign: str, path: Path) -> bool:
        command = [
            sys.executable, "-m", "services", "campaigns", "report", campaign, str(data),
            "--config", str(config),
        ]  # fmt: skip
        with path.open("wb") as out, path.with_suffix(".err").open("w+b") as err:
            child = subprocess.Popen(command, stdout=out, stderr=err)  # noqa: S603  our own program
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.pid, LOW_PRIORITY)
            while (code := child.poll()) is None:
                if stop.wait(POLL_S):
                    child.kill()
            err.seek(0)
            said = err.read()[-500:].decode(errors="replace")
        path.with_suffix(".err").unlink()
        if code and not stop.is_set():
            log.error("campaign_report_failed", campaign=campaign, code=code, detail=said)
        return code == 0

    return make


def run(reports: CampaignReports, clock: Clock, stop: threading.Event) -> None:
    """Until `stop`."""
    again_at = 0.0
    while not stop.wait(LOOK_S):
        if real_monotonic() < again_at:
            continue
        try:
            done = reports.turn(clock.now())
        except OSError as error:
            log.error("campaign_report_failed", detail=str(error))
            done = False
        again_at = 0.0 if done else real_monotonic() + AGAIN_S
