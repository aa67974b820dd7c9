"""The report of a campaign on a server: one replica makes it, whoever dies, and it stands once."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.notify.campaign_writer import CampaignWriter
from services.notify.report_shelf import ReportShelf
from shared.config.load import load
from shared.model.campaign import LATE_US, STALE_US
from shared.model.instants import Instant
from shared.model.rule import Campaign
from shared.testing.program import until
from tests.scenario.campaign_site import write_campaign_site
from tests.scenario.desks import Desks

pytestmark = pytest.mark.needs("postgres")
LONG, SHORT = 600_000_000, 200_000


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    (found,) = load(write_campaign_site(tmp_path / "config"), {}).campaigns.values()
    return found


@pytest.fixture
def shelves() -> Iterator[Callable[..., ReportShelf]]:
    with Desks("postgres") as desks:
        url = desks.url()
        yield lambda name, lease_us=LONG: ReportShelf(desks.open(url), name, lease_us)


def test_one_makes_it_and_all_have_it(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    one, other = shelves("one"), shelves("other")
    assert one.claim(campaign)
    assert not other.claim(campaign)
    assert (one.report(campaign), other.report(campaign)) == (None, None)
    assert not other.put(campaign, "not mine")
    assert one.put(campaign, "合计")
    assert (one.report(campaign), other.report(campaign)) == ("合计", "合计")
    for each in (one, other):
        assert not each.claim(campaign)
        assert not each.put(campaign, "again")
    longer = replace(campaign, to_us=Instant(campaign.to_us + 1))
    assert other.report(longer) is None
    assert other.claim(longer)


def test_what_a_dead_replica_began_another_ends(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    """After its lease; should it live after all, it writes nothing."""
    dead, other = shelves("dead", SHORT), shelves("other")
    assert dead.claim(campaign)
    assert dead.renew(campaign)
    until(lambda: other.claim(campaign), 10, 0.02)
    assert not dead.renew(campaign)
    assert not dead.put(campaign, "too late")
    assert other.put(campaign, "合计")


def test_a_replica_that_is_back_takes_up_its_own(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    """Under its name, at once."""
    assert shelves("one").claim(campaign)
    assert shelves("one").claim(campaign)
    assert not shelves("other").claim(campaign)


def test_of_many_that_ask_at_once_one_makes_it(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    replicas = [shelves(f"replica-{n}") for n in range(4)]
    start, won = threading.Barrier(4), list[bool]()

    def ask(shelf: ReportShelf) -> None:
        start.wait(10)
        won.append(shelf.claim(campaign))

    threads = [threading.Thread(target=ask, args=(each,)) for each in replicas]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sorted(won) == [False, False, False, True]


class Press:
    """Makes reports, or not, and asks whether to go on."""

    def __init__(self) -> None:
        self.asked, self.works = 0, True
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, campaign: Campaign, path: Path, keep: Callable[[], bool]) -> bool:
        self.asked += 1
        path.write_text(f"{campaign.id} {self.asked}", encoding="utf-8")
        self.meanwhile()
        return self.works and keep()


def test_it_is_made_once_when_the_log_has_the_last_day(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    """Not while ingest has not got there, whatever the clock says; and not after a week."""
    press, shelf, log_us = Press(), shelves("one"), [Instant(campaign.to_us)]
    over = campaign.to_us + LATE_US
    writer = CampaignWriter([campaign], shelf, press, lambda: log_us[0])
    assert all(writer.turn(at) for at in (campaign.to_us, over - 1, over, over + STALE_US))
    assert press.asked == 0
    log_us[0] = Instant(over)
    press.works = False
    assert not writer.turn(over)
    press.works = True
    assert writer.turn(over)
    assert writer.turn(over + 1)
    assert CampaignWriter([campaign], shelves("other"), press, lambda: log_us[0]).turn(over)
    assert (press.asked, shelf.report(campaign)) == (2, f"{campaign.id} 2")


def test_who_lost_it_while_making_it_writes_nothing(
    campaign: Campaign, shelves: Callable[..., ReportShelf]
) -> None:
    press, slow, quick = Press(), shelves("slow", SHORT), shelves("quick")
    over = Instant(campaign.to_us + LATE_US)

    def overtaken() -> None:
        until(lambda: quick.claim(campaign), 10, 0.02)
        quick.put(campaign, "of the other")

    press.meanwhile = overtaken
    CampaignWriter([campaign], slow, press, lambda: over).turn(over)
    assert slow.report(campaign) == "of the other"
