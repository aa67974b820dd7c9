"""The history of a set of readings, the slow way: look for what counts, sort, evaluate as a log.

`python -m tests.reference.amended [COUNT]` shuffles the reports of random cases.
"""

import sys
from math import gcd
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core import history
from services.rules.core.book import Book
from services.rules.core.history_units import Unit, Units
from shared.model.configuration import Bundle, encode_bundle
from shared.model.instants import Instant, window_end
from shared.model.report import Activate, Record, Report, Tick
from shared.model.rule import Composite
from shared.model.transition import Transition
from tests.reference.cases import make_case
from tests.reference.compare import bare
from tests.reference.evaluator import evaluate
from tests.reference.rollup_cases import make_province
from tests.reference.rollups import evaluate_rolled

Cell = tuple[str, str, str]


def numbered(reports: list[Report], random: Random) -> list[Report]:
    """Give every saying of one identity a revision of its own, as a sender that counts would."""
    given: dict[tuple[str, str, str, int], int] = {}
    found = []
    for report in reports:
        key = (report.facility, report.station, report.interval, report.observed_us)
        given[key] = given.get(key, -1) + random.randint(1, 2)
        found.append(msgspec.structs.replace(report, revision=given[key]))
    return found


def final(reports: list[Report]) -> list[Report]:
    """One report per instant with what counts; no reading looks at any other but its rivals."""
    found = []
    for at in sorted({report.observed_us for report in reports}):
        rivals = [report for report in reports if report.observed_us == at]
        kept: dict[str, tuple[float, str]] = {}
        for name in sorted({name for report in rivals for name in report.indicators}):
            said = [
                (report.revision or 0, order, report.values[place], report.flag(place))
                for order, report in enumerate(rivals)
                for place, own in enumerate(report.indicators)
                if own == name
            ]
            _, _, value, flag = max(said)
            if flag != "withdrawn":
                kept[name] = (value, flag)
        if kept:
            found.append(
                msgspec.structs.replace(
                    rivals[0], indicators=tuple(kept), revision=None, id="",
                    values=tuple(value for value, _ in kept.values()),
                    flags=tuple(flag for _, flag in kept.values()),
                )
            )  # fmt: skip
    return found


def as_log(bundle: Bundle, cells: list[list[Report]], now: int) -> list[Record]:
    """What counts in each cell, as if every reading had come when its window was over."""
    zone = ZoneInfo(bundle.timezone)
    name, _ = encode_bundle(bundle)
    records: list[Record] = [Activate(name)]
    newest = None
    waiting = [report for reports in cells for report in final(reports)]
    while waiting:
        end = min(window_end(report.observed_us, report.interval, zone) for report in waiting)
        now_over = [r for r in waiting if window_end(r.observed_us, r.interval, zone) == end]
        waiting = [r for r in waiting if r not in now_over]
        if newest is None or end > newest:
            records.append(Tick(end))
            newest = end
        records += sorted(
            now_over, key=lambda r: (r.observed_us, r.facility, r.station, r.interval)
        )
    records.append(Tick(max(now, newest or now)))
    return records


def expected(bundle: Bundle, cells: list[list[Report]], now: int) -> list[Transition]:
    """The reference evaluator on that log."""
    bundle = msgspec.structs.replace(bundle, deaf_after_us=1 << 61)
    name, _ = encode_bundle(bundle)
    log = as_log(bundle, cells, now)
    if any(isinstance(rule.condition, Composite) for rule in bundle.rules):
        log = with_every_moment(bundle, log)
    return evaluate(log, {name: bundle})


def with_every_moment(bundle: Bundle, log: list[Record]) -> list[Record]:
    """A tick at every step of the grid on which all times of a case lie, until nothing waits."""
    ticks = [record.at_us for record in log if isinstance(record, Tick)]
    rules = bundle.rules
    times = [at - ticks[0] for at in ticks]
    times += [r.observed_us - ticks[0] for r in log if isinstance(r, Report)]
    times += [time for rule in rules for time in (rule.for_us, rule.keep_firing_for_us)]
    times += [getattr(rule.condition, "grace_us", 0) for rule in rules]
    grid = gcd(*times) or 1
    found: list[Record] = []
    for record in log:
        if isinstance(record, Tick) and found and isinstance(found[-1], Report | Tick):
            last = max(each.at_us for each in found if isinstance(each, Tick))
            for at in range(last, max(record.at_us, last + 1), grid):
                found += [Tick(Instant(at))] * 3
        found.append(record)
    return found


def check(seed: int) -> int:
    """Two orders of arrival and the reference; how many transitions they had."""
    random = Random(seed)
    case = make_case(seed)
    bundle = next(iter(case.bundles.values()))
    reports = numbered([r for r in case.records if isinstance(r, Report)], random)
    now = max((r.at_us for r in case.records if isinstance(r, Tick)), default=0)
    orders = reports, random.sample(reports, len(reports))
    units = Units(bundle, Book(bundle))
    cells = sorted({(r.facility, r.station, r.interval) for r in reports})
    said = 0
    for unit in [
        *(units.of_cell(cell) for cell in cells),
        *(units.of_facility(facility, cells) for facility in sorted({cell[0] for cell in cells})),
    ]:
        if not unit.cells:
            continue
        first, second = ([_of(cell, order) for cell in unit.cells] for order in orders)
        wanted = [t for t in expected(unit.part, first, now) if unit.owns(t.alert)]
        for order in (first, second):
            got = history_of(unit, order, now)
            assert got == wanted, f"seed {seed}, {unit.key}:\n{got}\n{wanted}"
        assert history.episodes(wanted) == history.episodes(got)
        said += len(wanted)
    return said


def check_province(seed: int) -> int:
    """The same of the territories of a roll-up."""
    random = Random(seed)
    bundle, records = make_province(seed)
    reports = numbered([r for r in records if isinstance(r, Report)], random)
    reports += [
        msgspec.structs.replace(r, values=tuple(v + 1 for v in r.values), revision=(r.revision or 0) + 1_000)
        for r in reports
        if random.random() < 0.2
    ]  # fmt: skip
    now = max((r.at_us for r in records if isinstance(r, Tick)), default=0)
    unit = Units(bundle, Book(bundle)).of_rollup(bundle.rollups[0].id)
    patient = msgspec.structs.replace(unit.part, deaf_after_us=1 << 61)
    said = 0
    wanted: list[Transition] | None = None
    for order in (reports, random.sample(reports, len(reports))):
        own = [_of(cell, order) for cell in unit.cells]
        got = history_of(unit, own, now)
        if wanted is None:
            _, *log = as_log(patient, own, now)
            found = evaluate_rolled([Activate(""), *log], patient)
            wanted = [t for each in found.values() for t in each if unit.owns(t.alert)]
        assert history.by_alert(got) == history.by_alert(wanted), f"seed {seed}"
        said += len(got)
    return said


def history_of(unit: Unit, cells: list[list[Report]], now: int) -> list[Transition]:
    one_log = history.together([history.settled(each) for each in cells], unit.part)
    said = history.transitions(unit.part, one_log, now)
    return [bare(t) for t in said if unit.owns(t.alert)]


def _of(cell: Cell, reports: list[Report]) -> list[Report]:
    return [r for r in reports if (r.facility, r.station, r.interval) == cell]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{count} cases agree, {sum(check(seed) for seed in range(count))} transitions")
    told = sum(check_province(seed) for seed in range(count))
    print(f"{count} provinces agree, {told} transitions")
