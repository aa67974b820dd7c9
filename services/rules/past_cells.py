"""Past cells: the histories of everything that was amended, made anew from what is on disk."""

from collections.abc import Sequence

from services.rules.amender import MOST_REPORTS
from services.rules.core import history
from services.rules.core.told_episodes import History
from services.rules.history_store import HistoryStore
from shared.log.port import Bundles
from shared.model.configuration import decode_bundle

MOST_CELLS = 200
"""Amended stations and intervals of one answer, those of the first facilities; one takes up to
some 0.2 s. Ask for one facility to see the others."""


def amended_histories(
    store: HistoryStore,
    bundles: Bundles,
    facilities: Sequence[str] | None,
    keep_us: int,
    live: History,
) -> tuple[dict[history.Alert, list[history.Episode]], dict[history.Alert, int]]:
    """The episodes of amended alerts, and from when on each history is good."""
    final: dict[history.Alert, list[history.Episode]] = {}
    since: dict[history.Alert, int] = {}
    state = store.reader_state()
    cells = store.amended_cells(facilities)[:MOST_CELLS]
    if not cells or "bundle" not in state or "tick" not in state:
        return final, since
    bundle = decode_bundle(bundles.get(state["bundle"]))
    judged = {rule.id for rule in history.of_facility(bundle, "").rules}
    for key, kept in cells:
        last_us = kept.last_us
        since_us = -(1 << 62) if last_us is None else last_us - keep_us
        arrived = store.arrived(key, since_us, MOST_REPORTS)
        if not arrived:
            continue
        reports = history.settled(one.report for one in arrived)
        part = history.of_facility(bundle, key[0])
        own = history.episodes(history.transitions(part, reports, int(state["tick"])))
        own = {alert: spans for alert, spans in own.items() if alert[2:5:2] == key[1:]}
        final |= own
        first_us = min(one.report.observed_us for one in arrived)
        for alert in {*own, *live}:
            if (alert[1], alert[2], alert[4]) == key and alert[0] in judged:
                since[alert] = first_us
    return final, since
