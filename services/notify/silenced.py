"""Silenced: what each silence hid, read from the ledger, and whether its own chain holds."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from services.notify.core.ledger import broken
from services.notify.core.silence import Hid, Silence
from services.notify.desk import tables as t
from services.notify.silencing import in_force
from services.notify.views import read_chain
from shared.model.instants import Instant
from shared.model.severity import Severity

MOST_READ = 10_000
"""Entries of the ledger in one answer: about 4 MB."""


def hid_by(connection: Connection, silences: Sequence[Silence]) -> dict[str, list[Hid]]:
    """For each silence the incidents it hid, the first in front. Of two that hold, the one named."""
    found: dict[str, dict[str, Hid]] = {each.id: {} for each in silences}
    if not silences:
        return {}
    first_us = min(each.from_us for each in silences)
    i, e = t.incidents.c, t.ledger.c
    query = (
        select(e.incident, e.at_us, e.detail, i.facility, i.severity, i.state, i.resolved_us)
        .join_from(t.incidents, t.ledger, i.id == e.incident)
        .where(
            or_(i.state != "resolved", i.resolved_us >= first_us),
            e.kind == "withheld",
            e.at_us >= first_us,
            e.detail.like('%"silence":"%'),
        )
        .order_by(e.at_us, e.incident, e.n)
        .limit(MOST_READ)
    )
    for id_, at_us, detail, facility, severity, state, resolved_us in connection.execute(query):
        said = json.loads(detail)
        of_silence = found.get(said["silence"])
        if of_silence is None:
            continue
        worst = Severity(said.get("severity", severity))
        rules = set(said.get("rules", ()))
        known = of_silence.get(id_)
        if known is not None:
            worst = max(worst, known.severity, key=lambda each: each.rank)
            rules |= set(known.rules)
        of_silence[id_] = Hid(
            id_, facility, worst, tuple(sorted(rules)),
            Instant(at_us) if known is None else known.since_us,
            1 if known is None else known.times + 1, state, resolved_us,
        )  # fmt: skip
    return {id_: list(hidden.values()) for id_, hidden in found.items()}


def broken_silences(connection: Connection) -> dict[str, str | None]:
    """Each silence that has a chain, with the place where it breaks."""
    return {
        each.id: broken(read_chain(connection, each.id), each.head, each.entries)
        for each in in_force(connection, 0)
        if each.entries
    }
