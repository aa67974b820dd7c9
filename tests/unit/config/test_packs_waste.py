"""Medical waste between ward and furnace: what a calm load does not show."""

from pathlib import Path

import pytest

from shared.model.configuration import Configuration
from tests.unit.config.pack_site import configured, day, judged, lines

PLACES = """
facilities:
  - {id: mw, name: 医废厂, territory: "420100", kind: medical_waste, capacity: [{from: 2020-01-19, t_per_day: 100.5}]}
"""
NUMBERS = {
    "mw-collection-ratio": "< 95, < 90, < 80, < 60",
    "mw-disposal-ratio": "< 98",
    "mw-storage-days": "> 100, > 200",
    "mw-carry-over": "> 0",
    "mw-epidemic-present": "> 0",
    "mw-epidemic-inconsistent": "> 100",
}


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    return configured(tmp_path / "config", ("mw-load", "mw-flow"), PLACES)


def test_every_number_is_a_product_default(config: Configuration) -> None:
    """No clause was found for any of them."""
    rules = {code: rule for code, rule in config.rules.items() if rule.pack == "mw-flow"}
    texts = {
        code: ", ".join(level.raises.text for level in rule.levels if level.raises)
        for code, rule in rules.items()
    }
    assert texts == NUMBERS
    assert {rule.basis.status for rule in rules.values()} == {"product default"}


def test_a_calm_load_does_not_hide_waste_that_nobody_collected(
    config: Configuration, tmp_path: Path
) -> None:
    """57 of 100.5 t are a load of 57 %; of 90 t generated (a simulated figure) 47 were collected."""
    report = day(
        "mw", "2020-02-11", generated_t=90, collected_t=47, disposed_t=57, stored_t=0, carry_over_t=0
    )  # fmt: skip
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert lines(said) == ["firing red mw-collection-ratio 2020-02-11"]


def test_what_was_carried_over_is_told_and_a_few_in_a_thousand_left_are_not(
    config: Configuration, tmp_path: Path
) -> None:
    """The nation's figures of 2020-03-09: 3006 t collected, 3001.9 disposed, 4.1 to the next day."""
    said, refused = judged(
        tmp_path,
        config,
        [
            day("mw", "2020-03-09", collected_t=3006, disposed_t=3001.9, carry_over_t=4.1),
            day("mw", "2020-03-10", collected_t=3006, disposed_t=3006, carry_over_t=0),
        ],
    )
    assert refused == ""
    mine = [line for line in lines(said) if "load" not in line]
    assert mine == [
        "firing blue mw-carry-over 2020-03-09",
        "resolved blue mw-carry-over 2020-03-10",
    ]


def test_stock_of_more_than_two_days_is_older_than_48_hours(
    config: Configuration, tmp_path: Path
) -> None:
    """Full, then growing: yellow at more than one day's collection, orange at more than two."""
    days = [
        day("mw", f"2020-02-{date}", collected_t=50, disposed_t=49.5, stored_t=stock)
        for date, stock in ((20, 50), (21, 51), (22, 100), (23, 101), (24, 10))
    ]
    said, refused = judged(tmp_path, config, days)
    assert refused == ""
    assert lines(said) == [
        "firing yellow mw-storage-days 2020-02-21",
        "firing orange mw-storage-days 2020-02-23",
        "resolved orange mw-storage-days 2020-02-24",
    ]


def test_nothing_collected_is_unknown_and_not_calm(config: Configuration, tmp_path: Path) -> None:
    """A divisor of zero raises nothing and clears nothing."""
    days = [
        day("mw", "2020-02-20", collected_t=50, disposed_t=50, stored_t=120),
        day("mw", "2020-02-21", collected_t=0, disposed_t=0, stored_t=120),
    ]
    said, refused = judged(tmp_path, config, days)
    assert refused == ""
    assert lines(said) == ["firing orange mw-storage-days 2020-02-20"]


def test_epidemic_waste_is_told_when_it_appears(config: Configuration, tmp_path: Path) -> None:
    """One open state for as long as it lasts; more of it than of the whole is a contradiction."""
    days = [
        day("mw", f"2020-02-{date}", collected_t=47, disposed_t=47, epidemic_t=part)
        for date, part in ((10, 0), (11, 12), (12, 47), (13, 48))
    ]
    said, refused = judged(tmp_path, config, days)
    assert refused == ""
    assert lines(said) == [
        "firing blue mw-epidemic-present 2020-02-11",
        "firing yellow mw-epidemic-inconsistent 2020-02-13",
    ]


@pytest.mark.parametrize(("unit", "value"), [("kg", 106_000), ("t", 106)])
def test_mass_is_converted(config: Configuration, tmp_path: Path, unit: str, value: float) -> None:
    """kg against a capacity in t is no thousandfold load."""
    report = day("mw", "2020-02-11", disposed_t=value)
    report["readings"][0]["unit"] = unit
    said, refused = judged(tmp_path, config, [report])
    assert refused == ""
    assert [f"{t['value']:.5g}" for t in said] == ["105.47"]
