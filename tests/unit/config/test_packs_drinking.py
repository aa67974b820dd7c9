"""GB 5749: finished water by the day, and a disinfectant that must be neither too little nor too much."""

from pathlib import Path
from typing import Any

import pytest

from shared.model.rule import Range
from tests.unit.config.pack_site import configured, judged, lines, measured

PLACES = """
facilities:
  - {id: works, name: 水厂, territory: "420100", kind: water_source, attributes: {disinfectant: free_chlorine}}
stations:
  - {id: works-out, facility: works, point: plant_outlet}
  - {id: works-end, facility: works, point: network_end}
"""
DAILY = {
    "w20119": "0.01", "w20115": "0.005", "w20117": "0.05", "w20120": "0.01", "w20111": "0.001",
    "w21016": "0.05", "w21017": "1", "w21007": "10", "w01002": "15", "w01003": "1",
    "w20125": "0.3", "w20124": "0.1", "w20122": "1", "w20123": "1", "w21022": "250",
    "w21038": "250", "w01006": "1000", "w01019": "3", "w21003": "0.5",
}  # fmt: skip
BANDS = {
    "gb5749-ph": (6.5, 8.5), "gb5749-free-chlorine": (0.3, 2),
    "gb5749-residual-chlorine": (0.5, 3), "gb5749-chlorine-dioxide": (0.1, 0.8),
}  # fmt: skip
ENDS = {
    "gb5749-free-chlorine-end": "< 0.05", "gb5749-residual-chlorine-end": "< 0.05",
    "gb5749-chlorine-dioxide-end": "< 0.02", "gb5749-ozone-end": "< 0.02",
    "gb5749-ozone": "> 0.3",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path):
    return configured(tmp_path / "config", ["gb5749-2022"], PLACES)


def chlorine(station: str, *values: float) -> list[dict[str, Any]]:
    """Every five minutes from 08:00 on."""
    reports = []
    for place, value in enumerate(values):
        at = f"2024-02-20T08:{5 * place:02}:00+08:00"
        reports.append(measured("works", at, "realtime", "free_chlorine", value))
        reports[-1]["station"] = station
    return reports


def test_numbers_are_those_that_are_known_and_none_was_read(config) -> None:
    """Typed again; all of them product defaults until somebody reads the standard."""
    rules = config.rules
    bands = {
        code: (rule.condition.low, rule.condition.high)
        for code, rule in rules.items()
        if isinstance(rule.condition, Range)
    }
    assert bands == BANDS
    found = {code: r.levels[0].raises.text for code, r in rules.items() if code not in bands}
    assert found == {f"gb5749-{code}": f"> {limit}" for code, limit in DAILY.items()} | ENDS
    assert {rule.basis.status for rule in rules.values()} == {"product default"}


def test_chlorine_at_the_plant_has_two_sides(config, tmp_path: Path) -> None:
    """0.3 and 2 mg/L are both allowed; ten minutes below or above are told, a moment is not."""
    low = chlorine("works-out", 0.3, 2.0, 0.29, 0.8, 0.29, 0.28, 0.28, 0.8)
    said, refused = judged(tmp_path, config, low)
    assert refused == ""
    assert [(t["state"], t["at"][11:16]) for t in said] == [
        ("pending", "08:10"), ("pending", "08:20"), ("firing", "08:30"), ("resolved", "08:35"),
    ]  # fmt: skip
    high, _ = judged(tmp_path, config, chlorine("works-out", 2.01, 2.01, 2.01, 1.0))
    assert [(t["state"], t["limit"]) for t in high if t["state"] == "firing"] == [
        ("firing", "< 0.3 or > 2")
    ]


def test_the_end_of_the_network_has_a_floor_of_its_own(config, tmp_path: Path) -> None:
    """0.1 mg/L is too little at the plant and enough at the last tap."""
    said, refused = judged(
        tmp_path, config, chlorine("works-end", 0.1, 0.1, 0.05, 0.04, 0.04, 0.04)
    )
    assert refused == ""
    assert lines(said) == [
        "pending orange gb5749-free-chlorine-end 2024-02-20",
        "firing orange gb5749-free-chlorine-end 2024-02-20",
    ]


def test_the_disinfectant_that_is_not_in_use_is_not_judged(config, tmp_path: Path) -> None:
    """A works on free chlorine that also reports chlorine dioxide of zero."""
    reports = chlorine("works-out", 0.8, 0.8, 0.8)
    for report in reports:
        report["readings"].append({"indicator": "chlorine_dioxide", "value": 0})
    assert judged(tmp_path, config, reports) == ([], "")


def test_lead_in_micrograms_meets_its_limit_in_milligrams(config, tmp_path: Path) -> None:
    """10 µg/L is the limit and 11 is above it."""
    reports = [
        measured("works", f"2024-02-{date}T00:00:00+08:00", "day", "w20120", value)
        for date, value in ((20, 10), (21, 11))
    ]
    for report in reports:
        report["station"] = "works-out"
    said, refused = judged(tmp_path, config, reports)
    assert refused == ""
    assert lines(said) == ["firing orange gb5749-w20120 2024-02-21"]
