"""`yujing doctor` in a cluster: a campaign that is longer than its log is named, with what to do."""

from pathlib import Path

import pytest
import yaml

from services.doctor_reach import examine_reach
from shared.config.load import load
from shared.log.topics import FILE
from shared.model.campaign import LATE_US, STALE_US
from shared.model.configuration import Configuration
from tests.scenario.campaign_site import FILES, write_campaign_site

DAY_MS = 86_400_000


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """72 days, from 20 January 2020 to 1 April."""
    return load(write_campaign_site(tmp_path / "config"), {})


def kept(tmp_path: Path, retention_ms: int) -> Path:
    body = yaml.safe_load(FILE.read_text("utf-8"))
    body["topics"]["yujing.reports.v1"]["config"]["retention.ms"] = retention_ms
    path = tmp_path / "topics.yaml"
    path.write_text(yaml.safe_dump(body), "utf-8")
    return path


def said(configuration: Configuration, topics: Path | None, now_us: int) -> list[str]:
    return [line.text() for line in examine_reach(configuration, topics, now_us)]


def test_a_campaign_longer_than_the_log_is_named(
    configuration: Configuration, tmp_path: Path
) -> None:
    (campaign,) = configuration.campaigns.values()
    (line,) = said(configuration, None, campaign.from_us)
    assert line.startswith("warn  campaign epidemic-2020: it lasts 72 days and ")
    assert "keeps 7: its report will not have its beginning" in line
    assert f"retention.ms of yujing.reports.v1 in topics.yaml: {74 * DAY_MS} or more" in line
    (line,) = said(configuration, kept(tmp_path, 74 * DAY_MS - 1), campaign.from_us)
    assert line.startswith("warn")


@pytest.mark.parametrize("retention_ms", [74 * DAY_MS, -1])
def test_a_log_that_is_long_enough_is_well(
    configuration: Configuration, tmp_path: Path, retention_ms: int
) -> None:
    (campaign,) = configuration.campaigns.values()
    (line,) = said(configuration, kept(tmp_path, retention_ms), campaign.from_us)
    assert line == "ok    campaigns: yujing.reports.v1 reaches back over 1 of 1"


def test_what_nobody_waits_for_is_not_spoken_of(
    configuration: Configuration, tmp_path: Path
) -> None:
    (campaign,) = configuration.campaigns.values()
    assert said(configuration, None, campaign.to_us + LATE_US + STALE_US) == []
    plain = tmp_path / "plain"
    plain.mkdir()
    for name, content in FILES.items():
        if name != "campaigns":
            (plain / f"{name}.yaml").write_text(content, encoding="utf-8")
    assert said(load(plain, {}), None, campaign.from_us) == []


def test_a_topics_file_that_cannot_be_read_is_a_line(
    configuration: Configuration, tmp_path: Path
) -> None:
    (line,) = said(configuration, tmp_path / "none.yaml", 0)
    assert line.startswith("fail  topics file: ")
