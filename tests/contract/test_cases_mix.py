"""The random cases mix everything: a condition nobody thought of here would never be compared."""

from typing import get_args

from shared.model.report import WITHDRAWN, Report
from shared.model.rule import Condition, Rule
from tests.reference.cases import Case, make_case
from tests.reference.rollup_cases import make_province

CASES = 600


def test_the_cases_hold_every_condition_there_is() -> None:
    """Each of them at least ten times, and paused by a campaign and beside a changed configuration."""
    counted: dict[type, int] = dict.fromkeys(get_args(Condition), 0)
    for seed in range(CASES):
        for rule in _rules(make_case(seed)):
            counted[type(rule.condition)] += 1
    assert not {kind.__name__: n for kind, n in counted.items() if n < 10}


def test_the_cases_hold_campaigns_and_changed_configurations() -> None:
    cases = [make_case(seed) for seed in range(CASES)]
    editions = {type(r.condition) for c in cases for r in _rules(c) if r.campaign is not None}
    changed = sum(len(case.bundles) > 1 for case in cases)
    assert editions == set(get_args(Condition))
    assert changed > CASES // 10


def test_the_cases_hold_flags_and_late_corrected_and_withdrawn_readings() -> None:
    seen: set[str] = set()
    for seed in range(CASES):
        newest: dict[tuple[str, str], int] = {}
        for record in make_case(seed).records:
            seen.add(type(record).__name__)
            if isinstance(record, Report):
                series = record.station, record.interval
                late = record.observed_us < newest.get(series, record.observed_us)
                again = record.observed_us == newest.get(series)
                newest[series] = max(newest.get(series, 0), record.observed_us)
                seen |= set(record.flags or ("N",))
                seen |= {"late"} if late else set()
                seen |= {"corrected"} if again and record.revision else set()
    kinds = {"Report", "Tick", "Activate", "late", "corrected", WITHDRAWN}
    assert kinds | set("NTSDB?") <= seen


def test_the_provinces_hold_late_silent_and_unknown_members() -> None:
    absent = 0
    for seed in range(100):
        bundle, records = make_province(seed)
        members = {station.facility for station in bundle.stations}
        members -= {node.territory for rollup in bundle.rollups for node in rollup.nodes}
        absent += bool(members - {r.facility for r in records if isinstance(r, Report)})
    assert absent > 10


def _rules(case: Case) -> list[Rule]:
    return [rule for bundle in case.bundles.values() for rule in bundle.rules]
