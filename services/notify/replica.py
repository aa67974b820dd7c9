"""Replica: this process among those that share a desk. A lease says who may be sending.

A claim carries the boot number of its process. While the number stands in `replicas` the claim
counts; when it does not, its outcome is unknown. On a file there is one replica and no lease.
"""

from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from services.notify.desk import tables as t
from services.notify.desk.server import server_now
from services.notify.desk.unit import Row, Unit
from shared.errors import Unavailable

FOR_EVER_US = (1 << 63) - 1


class _Lease(NamedTuple):
    boot: int
    alive_until_us: int
    now: int

    @property
    def left_us(self) -> int:
        return self.alive_until_us - self.now


class Replica:
    """
    `margin_us` is how long an attempt may take, at most, from its claim to its outcome. A claim
    is made only while the lease lasts longer than that; the lease is twice as long. It runs in
    the server's time, whatever clock the program has.
    """

    def __init__(self, name: str, margin_us: int, *, is_served: bool) -> None:
        self.name = name
        self.boot = 0
        self.margin_us = margin_us
        self._is_served = is_served
        self._unbroken_since_us = 0

    @property
    def beat_us(self) -> int:
        """How often the lease is to be renewed."""
        return self.margin_us // 2

    def enter(self, unit: Unit) -> None:
        """A new boot number; an earlier process of this name may speak no more."""
        number = unit.meta("boot") + 1  # held: nobody else enters meanwhile
        mine = self._mine(unit)
        if mine is not None and mine.boot == self.boot:
            return  # another thread of ours was quicker
        unit.set_meta("boot", number)
        unit.connection.execute(delete(t.replicas).where(t.replicas.c.id == self.name))
        now = self._now(unit)
        unit.connection.execute(
            insert(t.replicas).values(
                id=self.name, boot=number, renewed_us=now, alive_until_us=self._until(now)
            )
        )
        self.boot = number
        self._unbroken_since_us = now

    def stay(self, unit: Unit) -> None:
        """
        Before a claim: the lease outlasts the attempt, else it is renewed.

        Raises:
            Unavailable: another process has our name.

        """
        if not self._is_served:
            return
        mine = self._mine(unit)
        if mine is None or mine.boot != self.boot or mine.left_us < self.margin_us:
            self.renew(unit)

    def renew(self, unit: Unit) -> None:
        """
        A lease from now on. One that ran out and that nobody has taken over goes on; one that
        was taken over is a new boot: what was being sent under the old one is not ours any more.
        """
        if not self._is_served:
            return
        mine = self._mine(unit)
        if mine is None:
            self.enter(unit)
            return
        if mine.boot != self.boot:
            raise Unavailable(
                f"another process is replica {self.name!r} too (boot {mine.boot}, ours "
                f"{self.boot}); give each replica a name of its own"
            )
        if mine.left_us < 0:
            self._unbroken_since_us = mine.now
        r = t.replicas.c
        order = update(t.replicas).where(r.id == self.name, r.boot == self.boot)
        done = unit.connection.execute(
            order.values(renewed_us=mine.now, alive_until_us=self._until(mine.now))
        )
        if done.rowcount == 0:
            self.enter(unit)

    def leave(self, unit: Unit) -> None:
        r = t.replicas.c
        unit.connection.execute(delete(t.replicas).where(r.id == self.name, r.boot == self.boot))

    def bury(self, unit: Unit) -> list[str]:
        """
        Strike out the replicas whose lease is over; their names.

        Who was away himself (or has just come) waits for two beats of the others first: when
        the server was away, everybody's lease is over and nobody is dead.
        """
        now = self._now(unit)
        if not self._is_served or now - self._unbroken_since_us < 2 * self.beat_us:
            return []
        r = t.replicas.c
        is_over = (r.id != self.name) & (r.alive_until_us < now)
        query = select(r.id).where(is_over).with_for_update(skip_locked=True)
        dead = list(unit.connection.execute(query).scalars())
        if dead:
            unit.connection.execute(delete(t.replicas).where(r.id.in_(dead)))
        return dead

    @staticmethod
    def orphans(unit: Unit) -> list[Row]:
        """What a process was sending that is not there any more; held, as far as it is free."""
        o = t.outbox.c
        living = select(t.replicas.c.boot)
        query = select(t.outbox).where(o.state == "sending", o.boot.not_in(living)).order_by(o.id)
        rows = []
        for found in unit.connection.execute(query).mappings().all():
            row = unit.try_hold_notice(dict(found))
            if row is not None and (row["state"], row["boot"]) == ("sending", found["boot"]):
                rows.append(row)
        return rows

    def _mine(self, unit: Unit) -> "_Lease | None":
        r = t.replicas.c
        now = server_now() if self._is_served else r.renewed_us
        query = select(r.boot, r.alive_until_us, now).where(r.id == self.name)
        found = unit.connection.execute(query).first()
        return None if found is None else _Lease(*found)

    def _now(self, unit: Unit) -> int:
        return unit.connection.execute(select(server_now())).scalar_one() if self._is_served else 0

    def _until(self, now_us: int) -> int:
        return now_us + 2 * self.margin_us if self._is_served else FOR_EVER_US
