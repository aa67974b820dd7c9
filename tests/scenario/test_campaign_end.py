"""When a campaign has ended, those whom it names hear of it once."""

from pathlib import Path

import pytest

from shared.config.load import ConfigErrors, load
from shared.model.configuration import Configuration
from tests.scenario.campaign_site import FILES
from tests.scenario.house import House


def site(folder: Path, *, to: str, report_to: str) -> Configuration:
    """The house's clock begins at noon of 2026-02-03."""
    text = FILES["campaigns"].replace("to: 2020-04-01", f'to: "{to}"')
    for name, content in {**FILES, "campaigns": f"{text}    report_to: {report_to}\n"}.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return load(folder, {})


WANG = "{notify: [{person: wang}], by: [sms]}"


def test_it_is_told_at_the_end_and_never_again(tmp_path: Path) -> None:
    """Not before; not by the next tick, nor by the next start."""
    house = House(site(tmp_path, to="2026-02-03T13:00", report_to=WANG))
    house.fast_forward("59m")
    house.no_other_messages()
    house.fast_forward("1m")
    text = house.phone("wang").expect().text
    assert text == (
        "【预警】行动“疫情防控”2月3日13:00结束，报告：yujing campaigns report epidemic-2020"
    )
    house.fast_forward("2h")
    house.restart()
    house.fast_forward("2h")
    house.no_other_messages()


def test_a_role_of_its_territories_is_told(tmp_path: Path) -> None:
    """Climbing as for any step: the nation's duty officer holds it for the province."""
    report_to = "{notify: [{role: duty_officer}, {person: li}], by: [sms]}"
    house = House(site(tmp_path, to="2026-02-03T13:00", report_to=report_to))
    house.fast_forward("61m")
    house.phone("li").expect("结束")
    house.no_other_messages()


def test_what_ended_long_ago_is_not_news(tmp_path: Path) -> None:
    house = House(site(tmp_path, to="2026-01-20", report_to=WANG))
    house.fast_forward("1h")
    house.no_other_messages()


def test_whom_it_names_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"campaigns.yaml:\d+: person 'nobody' does not exist"):
        site(tmp_path, to="2026-02-03", report_to="{notify: [{person: nobody}], by: [sms]}")
