"""Explain: which rules look at a report, and what its values mean to them. Keeps every "no".

What is said here is of the report alone, without the level that was held at the time: that
part of the story is in the transitions, which name the report that caused them.
"""

from typing import Any

from services.rules.core.book import Book, Judging
from services.rules.core.levels import NONE
from shared.model import units
from shared.model.instants import instant_text
from shared.model.report import EVIDENCE_FLAGS, WITHDRAWN, Report
from shared.model.rule import Joint, Missing, Silent


def explain(book: Book, report: Report) -> list[dict[str, Any]]:
    """One object per rule of the station and interval: rule, indicator, and what it says."""
    found = []
    for judging in book.rules_of(report.station):
        if judging.interval != report.interval:
            continue
        found.append(
            {
                "rule": judging.rule.id,
                "indicator": judging.indicator,
                "reason": _reason(book, judging, report),
            }
        )
    return found


def _reason(book: Book, judging: Judging, report: Report) -> str:
    condition = judging.rule.condition
    if judging.indicator in report.indicators:
        place = report.indicators.index(judging.indicator)
        if report.flag(place) == WITHDRAWN:
            return "its sender took it back: the history is amended, the live stream is not"
    if isinstance(condition, Missing):
        return "a reading came, so nothing is missing from here on"
    if isinstance(condition, Silent):
        return "a reading came, so its facility is not silent from here on"
    if not judging.edition.holds(report.observed_us):
        campaign = judging.campaign_at(report.observed_us)
        if campaign is not None:
            return f"campaign {campaign} runs then; {judging.rule.id}@{campaign} judges instead"
        begin = instant_text(judging.rule.basis.valid_from_us, book.zone)
        return f"edition {judging.rule.basis.edition} is not in force then (from {begin})"
    if isinstance(condition, Joint):
        kind = condition.__struct_config__.tag
        shown = [name for name in condition.parts if name in report.indicators]
        return f"component of the {kind}: {', '.join(shown)}" if shown else "no component in it"
    looked = {judging.indicator}
    if judging.group is not None:
        looked = set(judging.group.indicators)
    if looked.isdisjoint(report.indicators):
        return "this indicator is not in the report"
    index = next(n for n, name in enumerate(report.indicators) if name in looked)
    value, flag = report.values[index], report.flag(index)
    if judging.group is not None:
        kind = condition.__struct_config__.tag
        return (
            f"{value:g} with flag {flag} goes into the {kind} of the facility, together with "
            "its other stations"
        )
    if judging.derive is not None:
        kind = condition.__struct_config__.tag
        return f"{value:g} with flag {flag} goes into the {kind}, together with those before it"
    if judging.convert is not None:
        value = units.convert(value, *judging.convert)
    seen = f"{value:g} {judging.unit or ''}".strip()
    if flag not in EVIDENCE_FLAGS:
        return f"flag {flag}: {seen} is no evidence, unknown"
    level = (
        judging.ladder.raised_at_least(value) if flag == "T" else judging.ladder.level(value, NONE)
    )
    if level == NONE:
        return f"{seen} is below every level"
    return (
        f"{seen} raises {judging.ladder.severities[level].value} ({judging.ladder.limits[level]})"
    )
