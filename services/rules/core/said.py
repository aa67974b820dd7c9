"""What a change of a hold says to the world: the transition, and the order of those of a record."""

from services.rules.core import territory
from services.rules.core.book import Judging
from services.rules.core.cell import Cell
from services.rules.core.hold import Change
from shared.model.instants import Instant
from shared.model.report import Report
from shared.model.rule import Missing, Silent
from shared.model.transition import Transition


def transition(cell: Cell, judging: Judging, change: Change, report: Report | None) -> Transition:
    """`report`: the one that caused it; None when time did."""
    told = 0
    if cell.ended:
        key = (judging.indicator, judging.rule.id, change.episode_us)
        told = cell.ended.get(key, 0)
    bare = isinstance(judging.rule.condition, Missing | Silent)
    limit = judging.ladder.limits[change.level] if change.shows_limit and not bare else None
    basis = judging.rule.basis
    return Transition(
        rule=judging.rule.id,
        facility=cell.facility,
        station=cell.station,
        indicator=judging.indicator,
        interval=judging.interval,
        episode_us=Instant(change.episode_us),
        step=told + change.step,
        state=change.state,
        severity=judging.ladder.severities[change.level],
        cause=change.cause,
        at_us=Instant(change.at_us),
        value=change.value,
        limit=limit,
        unit=None if bare else judging.unit,
        standard=basis.standard,
        edition=basis.edition,
        clause=basis.clause,
        report_id=report.id if report else "",
        received_us=report.received_us if report else None,
        members=territory.members(cell),
    )


def order(t: Transition) -> tuple[object, ...]:
    """Within one record: by time, then by name (contract §8.17)."""
    return (t.at_us, t.facility, t.station, t.rule, t.indicator, t.interval, t.episode_us, t.step)
