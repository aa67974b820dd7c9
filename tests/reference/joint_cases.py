"""Random indices and limits by a second indicator, with limits that their values reach."""

from typing import TYPE_CHECKING

from shared.model.air_index import TABLES
from shared.model.rule import Comparison, Index, Joint, Level, Limited
from shared.model.timed import TimeToClear

if TYPE_CHECKING:
    from tests.reference.cases import Generator

JOINT = ("index", "limited", "time_to_clear")
POLLUTANTS = ("a21026", "a34004")


def joint(g: "Generator", kind: str) -> tuple[Joint, tuple[Level, ...]]:
    if kind == "time_to_clear":
        return _time_to_clear(g)
    return _index(g) if kind == "index" else _limited(g)


def _time_to_clear(g: "Generator") -> tuple[Joint, tuple[Level, ...]]:
    intake = g.random.choice(["mw.generated_t", "mw.disposed_t"])
    capacity = g.random.choice(["mw.capacity_t", "mw.capacity_t", "mw.disposed_t"])
    if capacity == intake:
        capacity = "w01018"
    shown, scale = g.random.choice([("d", 0.1), ("h", 2.4), ("min", 144.0)])
    horizon = g.random.choice([1, 28]) * 86_400_000_000
    condition = TimeToClear("mw.backlog_t", intake, capacity, g.interval, horizon, shown)
    g.codes = list(dict.fromkeys([*g.codes, *condition.parts]))[-6:]
    return condition, g.levels(scale, g.random.random() < 0.9)


def _own(code: str) -> str:
    return {"a21026": "mg/m³", "a34004": "µg/m³", "w01018": "mg/L", "residual_chlorine": "mg/L"}[
        code
    ]


def _index(g: "Generator") -> tuple[Index, tuple[Level, ...]]:
    of = tuple(g.random.sample(POLLUTANTS, g.random.choice([1, 2, 2])))
    g.codes = list(dict.fromkeys([*g.codes, *of]))[-6:]
    table = g.random.choice(sorted(TABLES))
    condition = Index(table, g.interval, of, tuple(_own(code) for code in of))
    return condition, g.levels(g.random.choice([1, 20, 40]), upwards=True)


def _limited(g: "Generator") -> tuple[Limited, tuple[Level, ...]]:
    code, by = g.random.sample(["w01018", "residual_chlorine"], 2)
    g.codes = list(dict.fromkeys([*g.codes, code, by]))[-6:]
    tests = [
        Comparison("<=", 0.2, "<= 0.2"),
        Comparison(">", 4.0, "> 4"),
        Comparison("<", 9.0, "< 9"),
    ]
    limits = tuple((test, g.random.choice([5.0, 8.0])) for test in g.random.sample(tests, 2))
    unit = g.random.choice(["mg/L", "mg/L", "µg/L"])
    condition = Limited(code, g.interval, by, limits, "mg/L", unit)
    return condition, g.levels(12 * (1000 if unit == "µg/L" else 1), g.random.random() < 0.9)
