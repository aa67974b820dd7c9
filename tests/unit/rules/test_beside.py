"""Beside: a station is set against the others of its facility, slot by slot."""

from random import Random

import pytest

from services.rules.core import state, view
from services.rules.core.verdict_group import of_group
from shared.model.beside import Beside
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator
from shared.model.facility import Facility, Station, Territory
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import Across, Comparison, Level, Rule
from shared.model.severity import Severity
from tests.reference.cases import Case
from tests.reference.compare import cut_and_restarted, in_one_piece
from tests.reference.evaluator import evaluate
from tests.unit.rules.conftest import Desk, make_rule

DAY = 86_400_000_000
FOUR = ("a", "b", "c", "d")


def share(over: int = 1, least: int = 2, **more: object) -> Beside:
    return Beside("cod", "day", "share", over, 28 * DAY, least=least, **more)  # type: ignore[arg-type]


def desk_of(condition: Beside, stations: tuple[str, ...] = FOUR, **more: str) -> Desk:
    desk = Desk()
    desk.activate(make_rule(condition, **more), stations=stations)
    desk.tick(0)
    return desk


def day(desk: Desk, number: int, **values: float | str) -> None:
    for station, value in values.items():
        said = (0.0, value) if isinstance(value, str) else (value, "N")
        desk.report(1440 * number, {"cod": said}, "day", station)


def weeks(desk: Desk, days: int = 8) -> None:
    """Days on which d has half of what the others have, however much that is."""
    for number in range(days):
        level = 40.0 + 300 * (number % 3)
        day(desk, number, a=level, b=level * 1.1, c=level * 0.9, d=level / 2)


def test_what_moves_all_of_them_is_no_deviation_of_one() -> None:
    desk = desk_of(share(), yellow="> 20")
    weeks(desk, 20)
    assert desk.heard() == []


def test_one_that_falls_beside_the_others_is_told_as_itself() -> None:
    """d is usually -1/3 (half of its neighbours); a tenth of them is -9/11: 48.5 % farther."""
    desk = desk_of(share(), yellow="> 20")
    weeks(desk)
    day(desk, 8, a=400.0, b=440.0, c=360.0, d=40.0)
    assert [t.station for t in desk.said] == ["d"]
    assert desk.heard() == ["firing raised yellow @11520 48.4848 > 20"]


@pytest.mark.parametrize("own, told", [(200.0, []), (0.0, ["d"]), (100.0, []), (80.0, ["d"])])
def test_the_limit_from_both_sides(own: float, told: list[str]) -> None:
    """Of 400: 100 is 26.7 % farther than usual, 80 is 33.3 %."""
    desk = desk_of(share(side="low"), yellow="> 30")
    weeks(desk)
    day(desk, 8, a=400.0, b=400.0, c=400.0, d=own)
    assert [t.station for t in desk.said] == told


def test_nothing_is_said_before_seven_days_are_known() -> None:
    desk = desk_of(share(), yellow="> 20")
    weeks(desk, 7)
    assert {a.state for a in view.alerts(desk.engine)} == {"unknown"}
    day(desk, 7, a=400.0, b=440.0, c=360.0, d=200.0)
    assert {a.state for a in view.alerts(desk.engine)} == {"normal"}


def test_too_few_neighbours_known_is_unknown_and_never_clears() -> None:
    desk = desk_of(share(), yellow="> 20")
    weeks(desk)
    day(desk, 8, a=400.0, b=440.0, c=360.0, d=1.0)
    desk.heard()
    day(desk, 9, a="D", b=440.0, c="D", d=200.0)
    assert desk.heard() == []
    day(desk, 10, a=400.0, b=440.0, c=360.0, d=200.0)
    assert desk.heard() == ["resolved cleared yellow @14400 0 > 20"]


def test_a_facility_of_few_stations_has_no_such_rule() -> None:
    """It pays nothing: its cells stay on the quiet path, and nothing stands as unknown."""
    desk = desk_of(share(), stations=("a", "b"), yellow="> 20")
    day(desk, 0, a=1.0, b=1.0)
    assert view.alerts(desk.engine) == []
    assert all(cell.quiet for cell in desk.engine.cells.values())


def test_a_difference_is_told_beside_usual_differences() -> None:
    """22 days between 0 and 10 beyond the middle; 100 beyond it is 19 half bands above theirs."""
    desk = desk_of(Beside("cod", "day", "difference", 1, 42 * DAY), yellow="> 2")
    for number in range(30):
        day(desk, number, a=50.0, b=50.0, c=50.0, d=50.0 + 10 * (number % 2))
    assert desk.heard() == []
    day(desk, 30, a=50.0, b=50.0, c=50.0, d=150.0)
    assert [line.rpartition(" @")[0] for line in desk.heard()] == ["firing raised yellow"]


def test_why_names_the_slot_and_who_was_in_it() -> None:
    desk = desk_of(share(), yellow="> 20")
    weeks(desk)
    day(desk, 8, a=400.0, b="D", c=360.0, d=40.0)
    assert desk.engine.book is not None
    (judging,) = desk.engine.book.rules.values()
    found = of_group(desk.engine, judging, "d")
    assert found.derived is not None
    assert (found.derived["known"], found.derived["unknown"]) == (["a", "c", "d"], ["b"])


def test_the_saved_state_says_that_it_is_newer() -> None:
    desk = desk_of(share(), yellow="> 20")
    assert state.save_head(desk.engine)[1] == 6
    plain = Desk()
    plain.activate(make_rule(Across("cod", "day", "mean"), yellow="> 20"), stations=FOUR)
    assert state.save_head(plain.engine)[1] == 3


def random_case(seed: int) -> Case:
    """Two months of days, or two days of hours beside a difference, of three or four stations."""
    random = Random(seed)
    interval = random.choice(["day", "day", "hour"])
    step = DAY if interval == "day" else DAY // 24
    names = "abcd"[: random.choice([3, 4])]
    of = random.choice(["share", "share", "difference"]) if interval == "day" else "difference"
    condition = Beside(
        "cod", interval, of, random.choice([1, 2, 5]) if of == "share" else 1,  # type: ignore[arg-type]
        random.choice([7, 14, 28]) * DAY, random.choice([0.0, 5.0]),
        random.choice([1, 2]), random.choice(["both", "high", "low"]),
        random.choice([0, 1, 2]) * step, random.choice([None, "µg/L"]),
    )  # fmt: skip
    limits = (10.0, 30.0) if of == "share" else (1.0, 1.5)
    levels = tuple(
        Level(severity, Comparison(">", limit, f"> {limit:g}"))
        for severity, limit in zip((Severity.BLUE, Severity.YELLOW), limits, strict=True)
    )
    made = make_rule(condition, yellow="> 1")
    fields = {name: getattr(made, name) for name in made.__struct_fields__} | {
        "levels": levels, "for_us": random.choice([0, 0, step]),
        "keep_firing_for_us": random.choice([0, step]), "unknown": random.choice(["hold", "alert"]),
    }  # fmt: skip
    bundle = Bundle(
        BUNDLE_FORMAT, "Asia/Shanghai", 3 * step, (Territory("420100", "市", None),),
        (Facility("f", "厂", "厂", "420100", "hospital_wastewater"),),
        tuple(Station(name, "f") for name in names), (Indicator("cod", "COD", "mg/L"),),
        (Rule(**fields),),
    )  # fmt: skip
    zero = 1_580_000_400_000_000 // DAY * DAY - 8 * DAY // 24
    records: list[Record] = [Activate("x"), Tick(zero)]  # type: ignore[arg-type]
    for number in range(random.choice([12, 45])):
        level = random.choice([10.0, 50.0, 200.0])
        now = zero + (number + 1) * step
        for name in random.sample(names, len(names)):
            if random.random() < 0.06:
                continue
            value = level * random.choice(
                [0.8, 1.0, 1.0, 1.2] + [0.1, 4.0] * (random.random() < 0.1)
            )
            flags = None if random.random() < 0.95 else (random.choice(["D", "T", "S"]),)
            at = zero + (number - (random.random() < 0.03)) * step
            records.append(Report("f", name, interval, at, ("cod",), (value,), flags, now, "t"))  # type: ignore[arg-type]
        if random.random() < 0.9:
            records.append(Tick(now))  # type: ignore[arg-type]
    return Case({"x": bundle}, records)


def test_random_months_agree_with_the_slow_evaluator() -> None:
    """In one piece, and cut at random with restarts between."""
    told = 0
    for seed in range(16):
        case = random_case(seed)
        expected = evaluate(case.records, case.bundles)
        assert in_one_piece(case) == expected, seed
        assert cut_and_restarted(case, Random(seed)) == expected, seed
        told += len(expected)
    assert told > 20
