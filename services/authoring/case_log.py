"""Case log: what a case sends, as one log in the order in which it would arrive.

A report arrives at the end of its window (`realtime`: at its instant), as in a backtest, or at
the time that `arrives` names; a tick stands at every step, at every arrival and at every
question, as if ingest had listened all the time.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from services.authoring.case_file import Case, moment_of, within_reach
from services.authoring.notation import STALE_FLAG, Stale, series, values
from services.rules.given import Note
from services.rules.inputs import read_inputs
from shared.config.nodes import Finding
from shared.config.scalars import as_text
from shared.model.configuration import Configuration
from shared.model.instants import Instant, instant_text, window_end
from shared.model.report import Report, Tick
from shared.reports.candidate import Candidate, Rejection
from shared.reports.judge import Judge
from shared.reports.parse import parse_report

MOST_TICKS = 2_000_000
"""Of one case: four years of minutes."""


class Arrival(msgspec.Struct, frozen=True):
    """A report, when it comes, and where in the file it is written."""

    at_us: Instant
    report: Report
    origin: str


def arrivals(case: Case, configuration: Configuration) -> tuple[list[Arrival], list[Finding]]:
    """All reports of a case by time of arrival; what ingest would refuse is a finding."""
    found: list[Arrival] = []
    findings: list[Finding] = []
    judge = Judge(configuration)
    for line, origin, at, report in [*_series_reports(case, configuration, findings), *_own(case)]:
        zone = configuration.site.zone
        candidate = parse_report(report, zone)
        judged: Candidate | Report | Rejection = candidate
        if not isinstance(candidate, Rejection):
            judged = judge.judge(candidate, None, None, "case")
        if isinstance(judged, Rejection):
            said = f"{origin}: {judged.reason}: {judged.detail}"
            findings.append(Finding(str(case.file), line, said))
            continue
        assert isinstance(judged, Report)
        try:
            within_reach(judged.observed_us)
            at_us = _arrival(judged, configuration)
            if at is not None:
                at_us = moment_of(at, case.start_us, zone)
        except ValueError as error:
            findings.append(Finding(str(case.file), line, f"{origin}: {error}"))
            continue
        found.append(Arrival(at_us, judged, f"{origin}, line {line}"))
    found += _recorded(case, configuration, findings)
    return sorted(found, key=lambda arrival: arrival.at_us), findings


def tick_times(case: Case, until_us: int) -> Iterator[Instant]:
    """Every step of the case from its start on.

    Raises:
        ValueError: too many to be meant.
    """
    if (until_us - case.start_us) // case.interval_us > MOST_TICKS:
        raise ValueError(
            f"more than {MOST_TICKS:,} steps of `interval`; give a longer interval or shorter inputs"
        )
    for at_us in range(case.start_us, until_us + 1, case.interval_us):
        yield Instant(at_us)


def _arrival(report: Report, configuration: Configuration) -> Instant:
    return window_end(report.observed_us, report.interval, configuration.site.zone)


def _own(case: Case) -> Iterator[tuple[int, str, Any, dict[str, Any]]]:
    """The reports that are written out."""
    for number, written in enumerate(case.model.reports):
        report = _plain(written)
        at = report.pop("arrives", None)
        yield case.line_of("reports", number), f"reports[{number}]", at, report


def _plain(value: Any) -> Any:
    """YAML's values as JSON would have them: a bare 420100 is an id, a value is a number."""
    if isinstance(value, dict):
        return {
            key: float(each) if key == "value" and isinstance(each, int | float) else _plain(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return as_text(value)


def _series_reports(
    case: Case, configuration: Configuration, findings: list[Finding]
) -> Iterator[tuple[int, str, Any, dict[str, Any]]]:
    """Samples of one station, interval and instant are one report, as rows of a CSV are."""
    zone = configuration.site.zone
    reports: dict[tuple[int, Any, Any, str], tuple[int, str, dict[str, Any]]] = {}
    for number, given in enumerate(case.model.input_series):
        line = case.line_of("input_series", number)
        try:
            indicator, labels = series(given.series)
            row = values(given.values)
            facility = labels.get("facility") or _only_facility(configuration)
            within_reach(case.start_us + len(row) * case.interval_us)
        except ValueError as error:
            findings.append(Finding(str(case.file), line, f"input_series[{number}]: {error}"))
            continue
        interval = labels.get("interval", "realtime")
        for step, value in enumerate(row):
            if value is None:
                continue
            at_us = case.start_us + step * case.interval_us
            key = (at_us, facility, labels.get("station"), interval)
            if key not in reports:
                head: dict[str, Any] = {"facility": facility, "interval": interval, "readings": []}
                head["observed_at"] = instant_text(at_us, zone)
                if "station" in labels:
                    head["station"] = labels["station"]
                reports[key] = (line, f"input_series[{number}] value {step + 1}", head)
            reports[key][2]["readings"].append(_reading(indicator, labels, value))
    for (_, *_), (line, origin, report) in sorted(reports.items(), key=lambda pair: pair[0][0]):
        yield line, origin, None, report


def _reading(indicator: str, labels: dict[str, str], value: float | Stale) -> dict[str, Any]:
    stale = isinstance(value, Stale)
    reading: dict[str, Any] = {"indicator": indicator, "value": 0.0 if stale else value}
    if "unit" in labels:
        reading["unit"] = labels["unit"]
    if stale or "flag" in labels:
        reading["flag"] = STALE_FLAG if stale else labels["flag"]
    return reading


def _only_facility(configuration: Configuration) -> str:
    if len(configuration.facilities) != 1:
        raise ValueError('say which facility: w01018{facility="f1"}')
    return next(iter(configuration.facilities))


def _recorded(
    case: Case, configuration: Configuration, findings: list[Finding]
) -> Iterator[Arrival]:
    """Files of `inputs`, and the rows under `csv`, in their own order."""
    paths = [case.file.parent / name for name in case.model.inputs]
    for path in [path for path in paths if not path.is_file()]:
        findings.append(Finding(str(case.file), case.line_of("inputs"), f"{path}: no such file"))
        paths.remove(path)
    yield from _read(paths, configuration, findings, {})
    if case.model.csv:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_text(case.model.csv, encoding="utf-8")
            yield from _read(
                [path], configuration, findings, {str(path): (str(case.file), case.line_of("csv"))}
            )


def _read(
    paths: list[Path], configuration: Configuration, findings: list[Finding],
    shown: dict[str, tuple[str, int]],
) -> Iterator[Arrival]:  # fmt: skip
    own_time: Instant | None = None
    latest = Instant(-(10**18))
    count = 0
    for item in read_inputs(paths, configuration):
        if isinstance(item, Note):
            file, above = shown.get(item.file, (item.file, 0))
            findings.append(Finding(file, item.line + above, item.text))
        elif isinstance(item, Tick):
            own_time = item.at_us
        else:
            count += 1
            try:
                within_reach(item.observed_us)
            except ValueError as error:
                findings.append(Finding(str(paths[0]), 1, f"report {count}: {error}"))
                continue
            at_us = _arrival(item, configuration) if own_time is None else own_time
            at_us = latest = max(latest, at_us)  # as the file has them, also what is late
            name = Path(shown.get(str(paths[0]), (str(paths[0]), 0))[0]).name
            origin = (
                f"report {count} of the rows"
                if shown
                else f"report {count} of inputs from {name} on"
            )
            yield Arrival(at_us, item, origin)
