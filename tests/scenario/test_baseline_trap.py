"""A facility that always stands at 85 % is one open state, not a page a day.

In the ordinary year 2018 more than a third of the cities stood above 90 % of their capacity: a
limit that rings each day it is exceeded would ring there every day, and nobody would listen.
"""

from pathlib import Path
from random import Random

import pytest

from services.rules.core.engine import Engine
from shared.config.load import load
from shared.model.configuration import encode_bundle
from shared.model.instants import Instant, parse_instant
from shared.model.report import Activate, Report, Tick
from tests.scenario.desks import Houses
from tests.scenario.house import House
from tests.scenario.test_conditions import FILES

DAY = 86_400_000_000
SITE = {
    **FILES,
    "facilities": "facilities:\n  - {id: mw, name: 武汉示例医废处置中心, short_name: 武汉医废, territory: '420100', kind: medical_waste, capacity: [{from: 2020-01-01, t_per_day: 100}]}\n",
    "people": 'people:\n  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: "13900000001"}]}\n  - {id: chen, name: 陈班, territory: "420100", contacts: [{id: chen-sms, channel: sms, address: "13900000003"}]}\n',
    "rosters": 'rosters:\n  - {id: wuhan, territory: "420100", roles: {duty_officer: {people: [li]}, shift_leader: {people: [chen]}}}\n',
    "policies": "policies:\n  - id: all\n    steps:\n      - {notify: [{role: duty_officer}], by: [sms], wait: 15m}\n      - {notify: [{role: shift_leader}], by: [sms], wait: 15m}\n",
    "rules": "packs: [mw-load, mw-flow]\n",
}  # fmt: skip


class Plant:
    """One facility that reports yesterday's tonnes each noon."""

    def __init__(self, houses: Houses, folder: Path, **files: str) -> None:
        for name, content in {**SITE, **files}.items():
            (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
        configuration = load(folder, {})
        bundle = configuration.bundle()
        name, _ = encode_bundle(bundle)
        self.zone = configuration.site.zone
        self.engine = Engine({name: bundle}.__getitem__)
        self.engine.apply([Activate(name)])
        self.house: House = houses(configuration)
        self.midnight = parse_instant("2026-02-02T00:00", self.zone)
        self.said = 0

    def day(self, load: float | None, flag: str = "N", *, times: int = 1) -> None:
        """A day passes; with a load, it was reported."""
        at = Instant(self.midnight)
        self.midnight = Instant(self.midnight + DAY)
        now = self.house.now
        report = Report(
            "mw", "mw", "day", at,
            ("mw.collected_t", "mw.disposed_t", "mw.generated_t", "mw.stored_t"),
            (load or 0.0, load or 0.0, load or 0.0, 0.0), (flag,) * 4, now, "http",
        )  # fmt: skip
        records = [report] * times if load is not None else []
        transitions = self.engine.apply([*records, Tick(now)])
        self.house.take(*enumerate(transitions, self.said + 1))
        self.said += len(transitions)
        self.house.fast_forward("1d")

    def told(self) -> list[str]:
        """What reached phones since the last look."""
        found = [
            f"{each.message.person} {each.text.removeprefix('【预警】')}"
            for each in self.house.wire.sent
            if not each.is_expected
        ]
        for each in self.house.wire.sent:
            each.is_expected = True
        return found


@pytest.fixture
def plant(houses: Houses, tmp_path: Path) -> Plant:
    return Plant(houses, tmp_path)


def test_sixty_days_at_85_percent_are_one_incident_and_one_message_a_step(plant: Plant) -> None:
    """Also with days that were not reported, not measured, or reported twice."""
    rng = Random(85)
    plant.day(85.0)
    first = plant.told()
    assert [line.split("负荷")[0] for line in first] == ["li 武汉医废：处置", "chen 武汉医废：处置"]
    assert "85%（限≥80）" in first[0]
    plant.house.phone("chen").reply("1")
    plant.house.send()
    assert plant.house.incident("mw")["state"] == "acknowledged"
    plant.told()
    for n in range(59):
        load = round(rng.uniform(76.0, 89.0), 1)
        if n % 11 == 5:
            plant.day(None)
        elif n % 13 == 7:
            plant.day(load, "D")
        else:
            plant.day(load, times=1 + (n % 7 == 0))
        if n % 20 == 10:
            plant.house.restart()
    assert plant.told() == []
    incidents = plant.house.notify.incidents(None, None, lambda _: True)
    assert [each["state"] for each in incidents] == ["acknowledged"]
    assert [each["rule"] for each in incidents[0]["alerts"]] == ["mw-official-load"]
    plant.day(93.0)
    assert [line[:11] for line in plant.told()] == ["li 武汉医废：处置负", "chen 武汉医废：处"]
    plant.house.acknowledge("chen", "mw")
    plant.day(86.0)
    plant.day(84.0)
    plant.day(85.0)
    assert plant.told() == []
    plant.day(74.0)
    assert [line.split("：")[0] for line in plant.told()] == [
        "li 恢复武汉医废",
        "chen 恢复武汉医废",
    ]
    assert len(plant.house.notify.incidents(None, None, lambda _: True)) == 1


def test_nobody_answers_for_sixty_days(plant: Plant) -> None:
    """Each step once; a policy that wants to go on has its catch-all for it."""
    for _ in range(60):
        plant.day(85.0)
    assert len(plant.told()) == 2
    assert len(plant.house.notify.incidents(None, None, lambda _: True)) == 1


def test_a_plant_that_swings_around_its_clear_level_is_one_state_when_asked(
    houses: Houses, tmp_path: Path
) -> None:
    """Up on one day and down on the next: by the letter a new incident every other day."""

    def messages(plant: Plant) -> int:
        for n in range(60):
            plant.day(82.0 if n % 2 == 0 else 74.0)
            if plant.house.incident("mw")["state"] == "open":
                plant.house.acknowledge("chen", "mw")
        plant.told()
        return len(plant.house.wire.sent)

    assert messages(Plant(houses, tmp_path)) == 30 * 4
    state = Plant(
        houses, tmp_path,
        site=SITE["site"] + "timing: {reopen_within: 2d}\n",
        policies=SITE["policies"] + "    flapping: {reopenings: 3, within: 14d, calm: 3d}\n",
    )  # fmt: skip
    # 反复 to both at once, and step 2 a quarter of an hour later, since nobody had answered.
    assert messages(state) == 3 * 4 + 3
    for _ in range(4):
        state.day(70.0)
    assert sorted(line[:7] for line in state.told()) == ["chen 恢复", "li 恢复武汉"]
    assert state.house.incident("mw")["state"] == "resolved"
