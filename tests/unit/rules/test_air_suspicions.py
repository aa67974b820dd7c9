"""The trial of the shipped pack: neighbours without the fault stand beside the one that has it."""

from datetime import datetime
from random import Random

from tests.air.stations import ZONE, Station
from tests.air.suspicions import tables, tried
from tests.unit.rules.test_air_faults import BEGIN_US
from tests.unit.rules.test_air_faults import daily as noisy


def city() -> list[Station]:
    """Four stations that see the same air, each with a little noise of its own."""
    begin = datetime.fromtimestamp(BEGIN_US // 1_000_000, ZONE)
    rng = Random(5)
    air = noisy(150)
    found = []
    for name in ("Dong", "Xi", "Nan", "Bei"):
        own = [None if v is None else round(v * rng.uniform(0.95, 1.05), 1) for v in air]
        found.append(Station(name, begin, {"a34004": own}))
    return found


def test_the_pack_finds_what_one_station_does_alone() -> None:
    """Every kind but the clock that is ahead is found by its own condition; hardly a word else."""
    found = tried(city(), each=4)
    by_kind: dict[str, set[str]] = {}
    for trial in (trial for each in found for trial in each.trials):
        by_kind.setdefault(trial.fault.kind, set()).update(trial.hours)
    assert "beside: difference" in by_kind["spike"]
    assert "beside: 24 h share" in by_kind["jump down"] & by_kind["unit ÷1000"]
    assert "beside: 72 h share" in by_kind["drift down"]
    assert "flatline" in by_kind["flatline"]
    assert "missing" in by_kind["silence"] & by_kind["clock 8 h ahead"]
    assert "discipline: late" in by_kind["clock 8 h behind"]
    assert sum(len(each.unprovoked) for each in found) <= 8
    assert "| all | 28 |" in "\n".join(tables(found))
