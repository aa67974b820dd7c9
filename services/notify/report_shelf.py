"""Report shelf: reports of campaigns in the database of a cluster, each written once.

One replica at a time makes a report, under a lease in the server's time; when it dies another
makes it after the lease. Who has lost the lease writes nothing.
"""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from services.notify.desk.server import server_now
from services.notify.desk.unit import Unit
from shared.model.rule import Campaign

LEASE_US = 60_000_000
LONGEST = 256 * 1024
"""Characters of a report that are kept: a province with its cities and people has some 20 KB."""


class ReportShelf:
    """Thread-safe. `replica` names the process among those on one server."""

    def __init__(self, desk: Desk, replica: str, lease_us: int = LEASE_US) -> None:
        self._desk, self._replica, self.lease_us = desk, replica, lease_us

    def report(self, campaign: Campaign) -> str | None:
        """None while there is none.

        Raises:
            Unavailable: the server does not answer now.
        """
        r = t.campaign_reports.c
        query = select(r.body).where(r.campaign == campaign.id, r.to_us == campaign.to_us)
        with self._desk.read() as connection:
            body: str | None = connection.execute(query).scalar()
        return body

    def claim(self, campaign: Campaign) -> bool:
        """Whether it is ours to make now: nobody has, and nobody is at it.

        A lease under our own name is one that we left when we died.
        """
        r = t.campaign_reports.c
        with self._desk.unit() as unit:
            row = insert(t.campaign_reports).values(
                campaign=campaign.id, to_us=campaign.to_us, replica=self._replica, until_us=0
            )
            unit.connection.execute(row.on_conflict_do_nothing())
            is_free = (r.until_us < server_now()) | (r.replica == self._replica)
            return self._set(
                unit, campaign, is_free, replica=self._replica,
                until_us=server_now() + self.lease_us,
            )  # fmt: skip

    def renew(self, campaign: Campaign) -> bool:
        """Whether it is still ours."""
        with self._desk.unit() as unit:
            return self._set(
                unit, campaign, t.campaign_reports.c.replica == self._replica,
                until_us=server_now() + self.lease_us,
            )  # fmt: skip

    def put(self, campaign: Campaign, body: str) -> bool:
        """Whether it was still ours and nobody had written it; it stays as it is from now on."""
        with self._desk.unit() as unit:
            mine = t.campaign_reports.c.replica == self._replica
            return self._set(unit, campaign, mine, body=body[:LONGEST])

    @staticmethod
    def _set(unit: Unit, campaign: Campaign, also: ColumnElement[bool], **values: object) -> bool:
        r = t.campaign_reports.c
        order = update(t.campaign_reports).where(
            r.campaign == campaign.id, r.to_us == campaign.to_us, r.body.is_(None), also
        )
        return unit.connection.execute(order.values(**values)).rowcount == 1
