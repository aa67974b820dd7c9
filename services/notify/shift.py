"""Shift: moves everything that waits when the clock was set, once for each step."""

import structlog
from sqlalchemy import select, update

from services.notify.core import incident as fold
from services.notify.core.owed import due
from services.notify.desk import tables as t
from services.notify.desk.unit import Unit
from shared.model.instants import Instant

log = structlog.get_logger()


def shift(unit: Unit, by_us: int, now: Instant, min_step_gap_us: int, *, with_leases: bool) -> None:
    """In a unit alone. `now` is by the new clock; `with_leases` when that is the leases' too."""
    log.warning("clock_stepped", seconds=by_us / 1e6)
    o, i, r = t.outbox.c, t.incidents.c, t.replicas.c
    unit.connection.execute(
        update(t.outbox).where(o.due_us.is_not(None)).values(due_us=o.due_us + by_us)
    )
    if with_leases:
        unit.connection.execute(
            update(t.replicas).values(
                renewed_us=r.renewed_us + by_us, alive_until_us=r.alive_until_us + by_us
            )
        )
    waits = (i.state == "open") | i.due_us.is_not(None)
    ids = list(unit.connection.execute(select(i.id).where(waits)).scalars())
    unit.expect(ids)
    for id_ in ids:
        incident = unit.incident(id_)
        assert incident is not None
        unit.put(fold.shifted(incident, by_us))
        if due(incident, min_step_gap_us) is not None:
            unit.write(id_, now, "clock_stepped", reason=f"{by_us / 1e6:+.1f} s")
    unit.set_meta("shifted_us", unit.meta("shifted_us") + by_us)
    if by_us < 0:
        # What is written already looks later than now; the next start must not shift for it again.
        unit.set_meta("set_back_from", max(unit.meta("set_back_from"), now - by_us))
        unit.set_meta("set_back_to", now)
