"""Why of a silent facility, of edits, and of hours that a plant ran under a mark."""

from pathlib import Path

from tests.scenario.why_house import BASIS, WhyHouse


def rule(name: str, condition: str, level: str) -> str:
    return (
        f"  - {{id: {name}, title: {{zh: 疑似{name}}}, applies: {{kind: hospital_wastewater}}, "
        f"condition: {{{condition}}}, levels: [{{severity: yellow{level}}}], {BASIS}}}\n"
    )


SILENT = rule("silent", "silent: {every: 10m, grace: 5m}", "")
EDITS = rule(
    "edits",
    "discipline: {indicator: w01018, interval: realtime, of: edits, within: 10}",
    ', raise: ">= 10"',
)
RAN = rule(
    "ran",
    "flagged: {indicator: w01018, interval: realtime, flags: [F], "
    "while: {indicator: w00000, runs: '> 1', max_age: 1h}}",
    ', raise: ">= 0.5"',
)


def test_when_the_silence_of_a_facility_would_be_told_and_since_when_it_is(tmp_path: Path) -> None:
    house = WhyHouse(tmp_path, SILENT)
    house.listen("03:05", 0)
    house.read("03:05", 1)
    house.tick(*(f"03:{m:02}:{s:02}" for m in range(5, 31) for s in (0, 20, 40)))
    before = house.rule("silent", "03:10")
    assert (before["stage"], before["until"]) == ("silence", "2026-03-02T03:20:00+08:00")
    after = house.rule("silent", "03:25")
    assert (after["stage"], after["since"]) == ("firing", "2026-03-02T03:15:00+08:00")
    asked = {"station": "ww", "indicator": "facility.readings"}
    itself = house.rule("silent", "03:25", **asked)
    assert itself["last_transition"]["at"] == "2026-03-02T03:20:00+08:00"


def test_which_readings_were_edited(tmp_path: Path) -> None:
    house = WhyHouse(tmp_path, EDITS)
    house.listen("03:00", 5)
    for minute in range(5, 9):
        house.read(f"03:{minute:02}", minute)
        house.listen(f"03:{minute:02}", 1)
    house.read("03:06", 1)
    house.listen("03:09", 5)
    said = house.rule("edits", "03:12")
    assert (said["stage"], said["severity"]) == ("firing", "yellow")
    shown = said["derived"]
    assert (shown["seen"], shown["counted"]) == (4, 1)
    assert shown["edited"] == ["2026-03-02T03:06:00+08:00"]
    assert shown["newest"]["value"] == 10


def test_how_long_the_plant_ran(tmp_path: Path) -> None:
    house = WhyHouse(tmp_path, RAN)
    house.listen("03:00", 1)
    for minute in range(5, 45, 10):
        house.read(f"03:{minute:02}", 5, indicator="w00000")
        house.read(f"03:{minute:02}", 1, "F")
        house.listen(f"03:{minute:02}", 10)
    said = house.rule("ran", "03:40")
    assert said["stage"] == "firing"
    assert said["derived"]["ran_s"] == 1800
    assert said["derived"]["partial"] is False
