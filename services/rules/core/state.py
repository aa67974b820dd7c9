"""The engine's state as bytes, cell by cell: what a restart reads instead of the whole log."""

from collections.abc import Iterable

import msgspec

from services.rules.core.cell import Cell, RatioState
from services.rules.core.clock import LogClock
from services.rules.core.engine import Engine
from services.rules.core.hold import Hold
from services.rules.core.missing import Watch
from services.rules.core.rollup import Member
from services.rules.core.territory import Territory

STATE_FORMAT = 6
"""2: holds with the memory of derived conditions; 3: with that of conditions about time and
discipline, and of rules on several stations; 4: cells with their part in roll-ups; 5:
with the memory of edits and of companions, and watches over whole facilities; 6: with that of
neighbours. A site without such rules goes on writing what the programs before this one read."""


class SavedSeries(msgspec.Struct, array_like=True):
    indicator: str
    newest_us: int
    value: float
    flag: str
    heard_us: int | None
    holds: dict[str, Hold]
    watches: dict[str, Watch]


class SavedRatio(msgspec.Struct, array_like=True):
    rule: str
    hold: Hold
    final_us: int
    last_unknown: bool


class SavedCell(msgspec.Struct, array_like=True):
    facility: str
    station: str
    interval: str
    received_us: int | None
    series: list[SavedSeries]
    ratios: list[SavedRatio]
    ended: list[tuple[str, str, int, int]] = []
    roll: Member | Territory | None = None


class SavedHead(msgspec.Struct, array_like=True):
    """What is not of one cell."""

    format: int
    bundle: str | None
    clock: LogClock
    judged: int
    emitted: int


_CELL = msgspec.msgpack.Decoder(SavedCell)
_HEAD = msgspec.msgpack.Decoder(SavedHead)


def save_head(engine: Engine) -> bytes:
    return msgspec.msgpack.encode(
        SavedHead(
            _format(engine),
            engine.bundle_name,
            engine.clock,
            engine.judged,
            engine.emitted,
        )
    )


def _format(engine: Engine) -> int:
    """The oldest that says everything there is."""
    book = engine.book
    if book is None:
        return 1
    if book.has_besides:
        return 6
    if book.has_edits or book.has_silents or book.has_companions():
        return 5
    if book.rollups is not None:
        return 4
    if book.has_group_rules() or book.has_timed_rules():
        return 3
    return 2 if book.has_derived_rules() else 1


def save_cell(cell: Cell) -> bytes:
    cell.settle()
    return msgspec.msgpack.encode(
        SavedCell(
            cell.facility,
            cell.station,
            cell.interval,
            cell.received_us,
            [
                SavedSeries(
                    series.indicator, series.newest_us, series.value, series.flag, series.heard_us,
                    {judging.rule.id: hold for judging, hold in series.holds},
                    {judging.rule.id: watch for judging, watch in series.watches},
                )
                for series in cell.series.values()
            ],
            [
                SavedRatio(r.judging.rule.id, r.hold, r.final_us, r.last_unknown) for r in cell.ratios
            ],
            [(*key, steps) for key, steps in cell.ended.items()],
            cell.roll,
        )
    )  # fmt: skip


def restore(engine: Engine, head: bytes, cells: Iterable[bytes]) -> None:
    """Put a saved state into a fresh engine.

    Raises:
        ValueError: the state has a newer format than this program knows.
    """
    if not restore_head(engine, head):
        return
    for body in cells:
        cell = open_cell(engine, body)
        engine.cells[cell.station, cell.interval] = cell
    engine.rebuild_due()


def restore_head(engine: Engine, head: bytes) -> bool:
    """The part that is not of one cell; False when nothing was active, so there are no cells.

    Raises:
        ValueError: the state has a newer format than this program knows.
    """
    saved = _HEAD.decode(head)
    if saved.format > STATE_FORMAT:
        raise ValueError(
            f"rules state has format {saved.format}, this program knows {STATE_FORMAT}"
        )
    engine.clock, engine.judged, engine.emitted = saved.clock, saved.judged, saved.emitted
    if saved.bundle is None:
        return False
    engine.open_book(saved.bundle)
    return True


def open_cell(engine: Engine, body: bytes) -> Cell:
    """A saved cell with the rules of the book that is open."""
    return _cell(engine, _CELL.decode(body))


def _cell(engine: Engine, kept: SavedCell) -> Cell:
    assert engine.book is not None
    rules = engine.book.rules_of(kept.station)
    grouped = engine.book.at_home(kept.facility, kept.station)
    cell = Cell(kept.facility, kept.station, kept.interval, rules, grouped)
    cell.received_us, cell.roll = kept.received_us, kept.roll
    cell.ended = {(indicator, rule, start): steps for indicator, rule, start, steps in kept.ended}
    for item in kept.series:
        series = cell.series_of(item.indicator)
        series.newest_us, series.value = item.newest_us, item.value
        series.flag, series.heard_us = item.flag, item.heard_us
        series.holds = tuple(
            [(judging, item.holds.get(judging.rule.id, hold)) for judging, hold in series.holds]
        )
        series.watches = tuple(
            [
                (engine.book.judging(kept.station, rule), watch)
                for rule, watch in sorted(item.watches.items())
                if rule in engine.book.rules
            ]
        )
    for ratio in cell.ratios:
        for saved in kept.ratios:
            if saved.rule == ratio.judging.rule.id:
                _fill(ratio, saved)
    return cell


def _fill(ratio: RatioState, saved: SavedRatio) -> None:
    ratio.hold, ratio.final_us = saved.hold, saved.final_us
    ratio.last_unknown = saved.last_unknown


__all__ = ["STATE_FORMAT", "open_cell", "restore", "restore_head", "save_cell", "save_head"]
