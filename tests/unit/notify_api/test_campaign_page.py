"""The page of campaigns: what runs, what it changes, and its report for those it is about."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from services.authoring.campaign_reports import FOLDER, report_path, written_report
from services.notify.api.app import notify_routes
from services.notify.pages.campaign_words import EN, ZH
from services.notify.pages.report_blocks import report_blocks
from shared.clock import VirtualClock
from shared.config.load import load
from shared.model.configuration import Access, Configuration
from shared.model.instants import parse_instant
from tests.scenario.campaign_site import write_campaign_site
from tests.unit.notify_api.conftest import Go
from tests.unit.notify_api.paper_desk import PaperDesk

ACCESS = """access:
  - {id: wuhan, kind: officer, token: officer-token-0000000000, territory: "420100"}
  - {id: hunan, kind: officer, token: hunan-token-000000000000, territory: "430000"}
  - {id: ops, kind: operator, token: operator-token-000000000}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    folder = write_campaign_site(tmp_path / "config")
    (folder / "access.yaml").write_text(ACCESS, encoding="utf-8")
    return load(folder, {})


def seen(c: Configuration, go: Go, data: Path, at: str, who: str = "ops") -> str:
    clock = VirtualClock(parse_instant(at, c.site.zone))
    app = Starlette(
        routes=notify_routes(
            PaperDesk(c), c, clock, read_link=lambda _: None, read_status=lambda _: "delivered",
            campaign_report=lambda campaign: written_report(data, campaign, c.site.zone),
        )
    )  # fmt: skip
    access: Access = next(each for each in c.access if each.id == who)

    async def look() -> str:
        headers = {"Authorization": f"Bearer {access.token}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            return str((await client.get("/campaigns")).text)

    return go(look())  # type: ignore[no-any-return]


def test_what_runs_says_what_it_changes(
    configuration: Configuration, go: Go, tmp_path: Path
) -> None:
    """The limit now, the limit otherwise, the order it stands on, and that others are told."""
    page = seen(configuration, go, tmp_path, "2020-02-01T08:00", "wuhan")
    assert 'data-state="running"' in page
    assert "2020-01-20 00:00 至 2020-04-01 00:00 · 依据 环党组〔2020〕6号 二" in page
    assert '橙色 ≥ 60 % <span class="quiet">平时 蓝色 ≥ 80 %，橙色 ≥ 100 %</span>' in page
    assert ZH["campaign_policies"] in page
    assert ZH["campaigns_none"] in seen(configuration, go, tmp_path, "2020-02-01T08:00", "hunan")


def test_its_report_is_shown_to_those_who_see_all_of_it(
    configuration: Configuration, go: Go, tmp_path: Path
) -> None:
    """It counts in every city, so it is not for the officer of one."""
    after = "2020-04-03T08:00"
    assert ZH["campaign_waits"] in seen(configuration, go, tmp_path, after)
    (campaign,) = configuration.campaigns.values()
    path = report_path(tmp_path / FOLDER, campaign, configuration.site.zone)
    path.parent.mkdir()
    path.write_text("合计：报警 +2 −0 <b>", encoding="utf-8")
    assert "合计：报警 +2 −0 &lt;b&gt;" in seen(configuration, go, tmp_path, after)
    assert "合计" not in seen(configuration, go, tmp_path, after, "wuhan")
    assert "合计" not in seen(configuration, go, tmp_path, "2020-03-31T23:59")


def test_a_report_of_the_terminal_becomes_tables() -> None:
    """Columns stand in cells, whatever the browser's font; what is no table stays a sentence."""
    text = "行动：a 至 b\n数据  到此\n\n城市    报警  增加\n武汉市     0    +2\n黄石 市    1    −0\n\n合计\n"
    said, table, sum_ = report_blocks(text)
    assert said.lines == ("行动：a 至 b", "数据  到此")
    assert (table.head, table.rows) == (
        ("城市", "报警", "增加"), (("武汉市", "0", "+2"), ("黄石 市", "1", "−0")),
    )  # fmt: skip
    assert sum_.lines == ("合计",)
    assert report_blocks("") == []


def test_both_languages_have_the_same_campaign_words() -> None:
    assert list(ZH) == list(EN)
