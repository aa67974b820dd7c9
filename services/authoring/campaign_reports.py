"""Campaign reports: a day after a campaign has ended, what it made different stands in a file.

The command line's own report, made by a program of its own: judging months of log again would
hold up the threads that listen and tell. A file that stands there is never made again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from shared.beside import run_beside
from shared.clock import Clock, real_monotonic
from shared.model.campaign import owes_report
from shared.model.instants import to_datetime
from shared.model.rule import Campaign

LOOK_S = 2.0
AGAIN_S = 600.0
"""After a report that could not be made."""
FOLDER = "campaigns"
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
            if owes_report(each, now_us):
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
        arguments = ["campaigns", "report", campaign, str(data), "--config", str(config)]
        done = run_beside(arguments, path, go_on=lambda: not stop.is_set())
        if done.code and not stop.is_set():
            log.error("campaign_report_failed", campaign=campaign, code=done.code, detail=done.said)
        return done.code == 0

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
