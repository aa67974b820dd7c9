"""Past units: the histories of everything that was amended, made anew from what is on disk."""

from collections.abc import Sequence

from services.rules.core import history
from services.rules.core.book import Book
from services.rules.core.cell_history import Key, settled
from services.rules.core.history_units import Unit, Units
from services.rules.core.told_episodes import History
from services.rules.history_port import AmendedPart
from services.rules.history_store import Kept
from services.rules.unit_readings import readings_of
from shared.log.port import Bundles
from shared.model.configuration import decode_bundle

MOST_UNITS = 200
"""Amended stations and intervals, facilities and roll-ups of one answer, the first by name; one
takes up to some 0.2 s, a large roll-up longer. Ask for one facility to see the others."""


def amended_histories(
    store: AmendedPart,
    bundles: Bundles,
    facilities: Sequence[str] | None,
    keep_us: int,
    live: History,
) -> tuple[dict[history.Alert, list[history.Episode]], dict[history.Alert, int]]:
    """The episodes of amended alerts, and from when on each history is good."""
    final: dict[history.Alert, list[history.Episode]] = {}
    since: dict[history.Alert, int] = {}
    state = store.reader_state()
    kept = store.kept(facilities)
    amended = [key for key, each in kept.items() if each.is_amended][:MOST_UNITS]
    if not amended or "bundle" not in state or "tick" not in state:
        return final, since
    bundle = decode_bundle(bundles.get(state["bundle"]))
    units = Units(bundle, Book(bundle))
    for key in amended:
        unit = _unit(units, key, kept)
        if unit is None:
            continue
        cells = kept if key[0] or facilities is None else store.kept(None)
        arrived = readings_of(store, unit, cells, keep_us)
        if not arrived:
            continue
        said = history.transitions(unit.part, settled(arrived, unit.part), int(state["tick"]))
        own = {
            alert: spans
            for alert, spans in history.episodes(said).items()
            if unit.owns(alert) and (facilities is None or alert[1] in facilities)
        }
        final |= own
        first_us = min(one.report.observed_us for one in arrived)
        judged = {rule.id for rule in unit.part.rules}
        for alert in {*own, *live}:
            if unit.owns(alert) and alert[0] in judged:
                since[alert] = first_us
    return final, since


def _unit(units: Units, key: Key, kept: dict[Key, Kept]) -> Unit | None:
    if not key[0]:
        return units.of_rollup(key[1]) if units.has_rollup(key[1]) else None
    if not key[1]:
        return units.of_facility(key[0], [cell for cell in kept if cell[0] == key[0] and cell[1]])
    return units.of_cell(key)
