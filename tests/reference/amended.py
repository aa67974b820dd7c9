"""The history of a set of readings, the slow way: look for what counts, sort, evaluate as a log.

`python -m tests.reference.amended [COUNT]` shuffles the reports of random cases.
"""

import sys
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from services.rules.core import history
from shared.model.configuration import Bundle, encode_bundle
from shared.model.instants import window_end
from shared.model.report import Activate, Record, Report, Tick
from shared.model.transition import Transition
from tests.reference.cases import make_case
from tests.reference.compare import bare
from tests.reference.evaluator import evaluate

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


def expected(bundle: Bundle, reports: list[Report], now: int) -> list[Transition]:
    """The reference evaluator on a log in which every reading came when its window was over."""
    bundle = msgspec.structs.replace(bundle, deaf_after_us=1 << 61)
    name, _ = encode_bundle(bundle)
    records: list[Record] = [Activate(name)]
    newest = None
    for report in final(reports):
        end = window_end(report.observed_us, report.interval, ZoneInfo(bundle.timezone))
        if newest is None or end > newest:
            records.append(Tick(end))
            newest = end
        records.append(report)
    records.append(Tick(max(now, newest or now)))
    return evaluate(records, {name: bundle})


def check(seed: int) -> int:
    """Two orders of arrival and the reference; how many transitions they had."""
    random = Random(seed)
    case = make_case(seed)
    bundle = next(iter(case.bundles.values()))
    reports = numbered([r for r in case.records if isinstance(r, Report)], random)
    now = max((r.at_us for r in case.records if isinstance(r, Tick)), default=0)
    shuffled = random.sample(reports, len(reports))
    said = 0
    for cell in sorted({(r.facility, r.station, r.interval) for r in reports}):
        one = history.of_facility(bundle, cell[0])
        first, second = _of(cell, reports), _of(cell, shuffled)
        wanted = expected(one, first, now)
        for order in (first, second):
            got = [bare(t) for t in history.transitions(one, history.settled(order), now)]
            assert got == wanted, f"seed {seed}, {cell}:\n{got}\n{wanted}"
        assert history.episodes(wanted) == history.episodes(got)
        said += len(wanted)
    return said


def _of(cell: Cell, reports: list[Report]) -> list[Report]:
    return [r for r in reports if (r.facility, r.station, r.interval) == cell]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{count} cases agree, {sum(check(seed) for seed in range(count))} transitions")
