"""A campaign ends in a cluster: its report is written once, whoever is killed at it, for all to see."""

from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from services.notify.desk import tables as t
from services.notify.desk.desk import Desk
from shared.testing.cluster import Cluster
from shared.testing.configs import Site, duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import free_ports, until

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(300)]
CLOCK = ("--clock", "2026-03-31T12:00:00+08:00,x3600")
"""An hour a second: the report is owed 36 s later, and for three minutes."""
DAY = 86_400_000_000


def spring(rng: Random, sms_url: str) -> Site:
    site = duty_site(rng, http_port=free_ports(1)[0], hj212_port=free_ports(1)[0], sms_url=sms_url)
    (rule,) = site.documents["rules"]["rules"]
    site.documents["campaigns"] = {
        "campaigns": [
            {"id": "spring", "title": {"zh": "春季行动"}, "from": "2026-03-01", "to": "2026-04-01",
             "territories": [site.province],
             "rules": [{"rule": rule["id"],
                        "levels": [{"severity": "red", "raise": f"> {site.low / 2:g}"}]}],
             "basis": {"standard": "示例", "edition": "2026", "clause": "1"}}
        ]
    }  # fmt: skip
    return site


def test_the_report_is_written_once_though_its_writer_is_killed(
    rng: Random, tmp_path: Path, gateway: Gateway
) -> None:
    """kill -9 while it is being made; both replicas of notify show it, one of them wrote it."""
    site = spring(rng, gateway.url)
    with Cluster(site, tmp_path, rules=1, arguments=CLOCK) as cluster:
        cluster.ingest.report(site.facilities[0], site.low * 0.7, at="2026-03-31T12:01:00+08:00")
        desk = Desk.at_url(cluster.postgres.url())
        r = t.campaign_reports.c

        def rows() -> list[tuple[str, str | None]]:
            with desk.read() as connection:
                return [(n, b) for n, b in connection.execute(select(r.replica, r.body))]

        try:
            ((writer, body),) = until(rows, 120, 0.02, "somebody began the report")
            assert body is None, "it was made before it could be killed"
            cluster.kill(writer)
            assert rows() == [(writer, None)]
            cluster.begin(writer)
            until(lambda: cluster.tend() and rows()[0][1], 120, 0.2, "the report")
        finally:
            desk.close()
        replicas = cluster.all("notify")
        pages = [
            each.client.get("/campaigns", headers=each.authorization(site.operator_token)).text
            for each in replicas
        ]
        for page in pages:
            assert "合计" in page and "+1" in page, page
        said = [line for each in replicas for line in each.log_lines()
                if line["event"] == "campaign_report_written"]  # fmt: skip
        assert [line["campaign"] for line in said] == ["spring"]
