"""A day after its end a campaign's report stands in a file, once, made by our own command."""

import threading
from pathlib import Path

import pytest

from services.authoring.campaign_reports import CampaignReports, by_command_line
from shared.config.load import load
from shared.log.port import REPORTS
from shared.log.sqlite import SqliteLog
from shared.model.configuration import Configuration, encode_bundle
from shared.model.instants import Instant
from shared.model.report import Activate, Report, Tick, encode_envelope
from tests.scenario.campaign_site import write_campaign_site

DAY = 86_400_000_000


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return load(write_campaign_site(tmp_path / "config"), {})


class Press:
    """Makes reports, or not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.works = True

    def __call__(self, campaign: str, path: Path) -> bool:
        self.asked.append(campaign)
        path.write_text(f"report of {campaign}")
        return self.works


def test_a_report_is_made_once_when_all_is_in(configuration: Configuration, tmp_path: Path) -> None:
    """Not at the end: the last day's figures come on the day after. Not after a week: nobody waits."""
    (campaign,) = configuration.campaigns.values()
    press = Press()
    reports = CampaignReports(
        configuration.campaigns, configuration.site.zone, tmp_path / "data", press
    )
    (tmp_path / "data").mkdir()
    end = campaign.to_us
    for at in (end - 1, end, end + DAY - 1, end + 9 * DAY):
        assert reports.turn(at)
    assert press.asked == []
    press.works = False
    assert not reports.turn(end + DAY)
    press.works = True
    assert reports.turn(end + DAY)
    assert reports.turn(end + DAY + 1)
    assert press.asked == [campaign.id] * 2
    (written,) = (tmp_path / "data" / "campaigns").glob("*.txt")
    assert written.name == "epidemic-2020-20200401T0000.txt"
    assert written.read_text() == f"report of {campaign.id}"


def test_the_report_is_that_of_the_command(configuration: Configuration, tmp_path: Path) -> None:
    """On a data directory whose program goes on running; 70 % is one alert more with the campaign."""
    data = tmp_path / "data"
    data.mkdir()
    bundle = configuration.bundle()
    name, body = encode_bundle(bundle)
    (campaign,) = configuration.campaigns.values()
    at = Instant(campaign.from_us + DAY)
    log = SqliteLog(data / "log.db")
    log.put(name, body)
    report = Report("wuhan", "wuhan", "day", at, ("mw.disposed_t",), (35.0,), None, at, "http")
    records = [Activate(name), Tick(at), report, Tick(Instant(campaign.to_us + 2 * DAY))]
    log.append(REPORTS, [("k", encode_envelope(records))])
    stop = threading.Event()
    make = by_command_line(tmp_path / "config", data, stop)
    try:
        assert make(campaign.id, tmp_path / "out.partial")
        said = (tmp_path / "out.partial").read_text(encoding="utf-8")
        assert "疫情防控" in said
        assert "合计：报警 +1 −0" in said, said
        assert not make("no-such", tmp_path / "none.partial")
        stop.set()
        assert not make(campaign.id, tmp_path / "ended.partial")
    finally:
        log.close()
