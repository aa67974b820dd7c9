"""Detected: what each condition found of each kind of fault, missed, and told without a fault."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from statistics import median

from tests.air.faults import EACH, KINDS, plan
from tests.air.stations import Station
from tests.air.trial import Series, Trial, rules, series

SEED = 633


def tried(stations: list[Station], seed: int = SEED, each: int = EACH) -> list[Series]:
    """Every series of every station, each with its share of the faults."""
    every = [(s.begin_us, values) for s in stations for values in s.series.values() if any(values)]
    faults = plan(Random(seed), [values for _, values in every], each)
    judged = rules()
    return [
        series(begin_us, values, mine, judged)
        for (begin_us, values), mine in zip(every, faults, strict=True)
    ]


def tables(found: list[Series]) -> Iterator[str]:
    """In the Markdown of docs/detectors.md."""
    yield from lines(found, list(rules()))


def lines(found: list[Series], names: list[str]) -> Iterator[str]:
    trials = [trial for each in found for trial in each.trials]
    yield f"| fault | put in | {' | '.join(names)} | detected by any | missed | hours until told (median) |"
    yield "|---|---:|" + "---:|" * (len(names) + 3)
    for kind in [kind for kinds in KINDS.values() for kind in kinds]:
        mine = [trial for trial in trials if trial.fault.kind == kind]
        if mine:
            yield _line(kind, mine, names)
    yield _line("all", trials, names)
    days = sum(each.days for each in found)
    counted = Counter(rule for each in found for rule, _, _ in each.unprovoked)
    yield ""
    yield "| told without a fault | " + " | ".join(names) + " | all |"
    yield "|---|" + "---:|" * (len(names) + 1)
    each_of = [counted[name] for name in names]
    yield f"| in {days:,.0f} days of series | {' | '.join(map(str, each_of))} | {sum(each_of)} |"
    a_year = [f"{365 * count / days:.1f}" for count in (*each_of, sum(each_of))]
    yield f"| per series and year | {' | '.join(a_year)} |"


def _line(kind: str, mine: list[Trial], names: list[str]) -> str:
    by = [sum(name in trial.hours for trial in mine) for name in names]
    first = [min(trial.hours.values()) for trial in mine if trial.hours]
    after = f"{median(first):.0f}" if first else "-"
    return (
        f"| {kind} | {len(mine)} | {' | '.join(map(str, by))} | {len(first)} "
        f"| {len(mine) - len(first)} | {after} |"
    )
