"""Positions: how far each partition of a topic has been taken, beside what was made of it.

Whoever holds the row of a partition takes what is next of it. There is no group and no owner: a
replica that dies lets go of its rows, and any other reads on.
"""

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.notify.desk import tables as t
from services.notify.desk.unit import Unit
from shared.log.port import ALERTS


def positions(connection: Connection, topic: str = ALERTS) -> dict[int, int]:
    """Where to read on, of every partition that was read before."""
    p = t.positions.c
    rows = connection.execute(select(p.partition, p.next).where(p.topic == topic))
    return {partition: next_ for partition, next_ in rows}  # noqa: C416  rows are no pairs to mypy


def hold_position(unit: Unit, partition: int, topic: str = ALERTS) -> int | None:
    """Where this partition is read on; None while another unit has it. Never waits for long."""
    p = t.positions.c
    query = select(p.next).where(p.topic == topic, p.partition == partition)
    locked = query.with_for_update(skip_locked=True)
    found = unit.connection.execute(locked).scalar()
    if found is None and unit.connection.execute(query).scalar() is None:
        dialect = unit.connection.dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        order = insert(t.positions).values(topic=topic, partition=partition, next=0)
        unit.connection.execute(order.on_conflict_do_nothing())
        found = unit.connection.execute(locked).scalar()
    return None if found is None else int(found)


def move_position(unit: Unit, partition: int, next_: int, topic: str = ALERTS) -> None:
    p = t.positions.c
    order = update(t.positions).where(p.topic == topic, p.partition == partition)
    unit.connection.execute(order.values(next=next_))
