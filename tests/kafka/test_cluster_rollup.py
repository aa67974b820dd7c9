"""A province whose plants stand in several partitions: figures of both cities, and who is missing.

Two workers of rules, one of them killed in the middle; what is said equals the backtest of the
same log, and the mail of the province names the plant that never reports.
"""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from shared.model.partition import partition_of
from shared.model.rollup import Contribution
from shared.testing.cluster import Cluster
from shared.testing.configs import STATION_CODE, Facility, Site, step
from shared.testing.parts.exim import Exim
from shared.testing.parts.gateway import Gateway
from shared.testing.program import ROOT, free_ports, until
from tests.kafka.cluster_load import ZONE
from tests.kafka.cluster_truth import Body, alerts, by_facility, judged_log

pytestmark = [pytest.mark.needs("postgres", "exim"), pytest.mark.timeout(400)]
PARTITIONS, SLOTS = 4, 8
START = datetime(2020, 2, 24, 8, tzinfo=ZONE)
SPEED = 480
"""An hour, which is a slot, in seven and a half seconds: reports are in time on a busy machine."""


def province(rng: Random, gateway: Gateway, mail: Exim) -> Site:
    """Three plants in each of two cities, in three partitions at least; the last never reports."""
    site = Site(rng, *free_ports(2))
    site.timing.update(deaf_after="2h")
    site.add_sms(gateway.url)
    site.add_mail(mail.port)
    other = f"{site.province[:2]}9000"
    site.documents["territories"]["territories"].append({"id": other, "name": "他市"})
    while True:
        site.facilities.clear()
        both = site.documents["facilities"]
        both["facilities"], both["stations"] = [], []
        for number in range(6):
            city = site.city if number < 3 else other
            site.add_facility(territory=city, kind="sewage_plant")
        used = {partition_of(f.id, PARTITIONS) for f in site.facilities}
        if len(used) >= 3 and not used >= {partition_of(site.province, PARTITIONS)}:
            break
    officer = site.add_person(territory=site.province)
    site.add_roster(site.province, {"duty_officer": [officer]})
    site.add_policy(
        step("duty_officer", wait="240h") | {"by": ["sms", "mail"]},
        match={"territory": site.province},
    )
    site.documents["rollups"] = {
        "rollups": [
            {"id": "cod", "applies": {"kind": "sewage_plant"}, "interval": "hour",
             "mean": [STATION_CODE], "levels": ["city", "province"], "grace": "15m",
             "complete": 0.6}
        ]
    }  # fmt: skip
    site.add_threshold(
        applies={"kind": "territory"},
        condition={"threshold": {"indicator": STATION_CODE, "interval": "hour", "unit": "mg/L"}},
        levels=[{"severity": "yellow", "raise": f"> {site.low:g}", "clear": f"<= {site.low * 0.9:g}"}],
    )  # fmt: skip
    return site


def told_of_hour(cluster: Cluster, plant: Facility, at: datetime, value: float) -> None:
    """Again until it is acknowledged."""
    body = {
        "facility": plant.id, "station": plant.station, "observed_at": at.isoformat(),
        "interval": "hour",
        "readings": [{"indicator": STATION_CODE, "value": value, "unit": "mg/L"}],
    }  # fmt: skip

    def taken() -> bool:
        answer = cluster.ingest.post(body)
        assert answer.status_code != 202 or not answer.json()["rejected"], answer.text
        return answer.status_code == 202

    until(taken, 30, 0.2, "a report acknowledged")


def now(cluster: Cluster) -> float:
    return cluster.ingest.metrics()["yujing_clock_seconds"]


def backtested(cluster: Cluster) -> list[Body]:
    """By `yujing backtest` on the log of the cluster itself."""
    done = subprocess.run(
        [sys.executable, "-m", "services", "backtest", "--config", str(cluster.ingest.config),
         "--kafka", cluster.bootstrap],
        cwd=ROOT, env=os.environ | cluster.ingest.child_environment(), capture_output=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_province_is_judged_across_partitions_and_says_who_is_missing(
    rng: Random, tmp_path: Path, gateway: Gateway
) -> None:
    """High for half of the hours, then low again; kill -9 of a worker in between."""
    with Exim(tmp_path / "exim") as mail:
        site = province(rng, gateway, mail)
        clock = f"{START.isoformat()},x{SPEED}"
        with Cluster(
            site, tmp_path, partitions=PARTITIONS, arguments=("--clock", clock)
        ) as cluster:
            until(cluster.tend, 60, 0.2, "ready")
            *speaking, silent = site.facilities
            first = datetime.fromtimestamp(now(cluster), ZONE).replace(minute=0, second=0)
            for slot in range(SLOTS):
                at = first + timedelta(hours=slot)
                until(lambda at=at: now(cluster) >= at.timestamp(), 60, 0.1)  # type: ignore[misc]  # bound now
                high = SLOTS // 4 <= slot < SLOTS // 2
                for plant in speaking:
                    value = site.low * (rng.uniform(1.2, 1.9) if high else rng.uniform(0.2, 0.6))
                    told_of_hour(cluster, plant, at, round(value, 2))
                if slot == SLOTS // 4:
                    cluster.kill("rules-0")
                if slot == SLOTS // 4 + 1:
                    cluster.begin("rules-0")
                cluster.tend()
            end = first + timedelta(hours=SLOTS + 1)
            until(lambda: now(cluster) > end.timestamp(), 60, 0.2)
            until(cluster.tend, 60, 0.2, "ready again")
            assert cluster.stop("ingest") == 0
            expected = by_facility(backtested(cluster))
            cities = {site.city, f"{site.province[:2]}9000"}
            assert set(expected) == {*cities, site.province}
            (rules, *_) = cluster.all("rules")
            count = sum(map(len, expected.values()))
            until(lambda: cluster.tend() and len(rules.transitions()) >= count, 60, 0.5, "all")
            assert by_facility(rules.transitions()) == expected
            assert alerts(cluster)[0] == expected, "the topic of alerts"
            assert dict(cluster.ended) == {}
            for territory, said in expected.items():
                assert [t["state"] for t in said] == ["firing", "resolved"], territory
            assert expected[site.city][0]["members"]["unknown"] == []
            missing = {"known": 5, "of": 6, "unknown": [silent.station]}
            assert expected[site.province][0]["members"] == missing
            log = judged_log(cluster.bootstrap)
            homes = {
                n for n, inside in log.items() if any(isinstance(r, Contribution) for r in inside)
            }
            assert homes, "no member spoke to its territory through the log"
            by_mail = [str(each.get_content()) for each in mail.wait_for(1, 60)
                       if not each.is_multipart()]  # fmt: skip
            by_mail += [
                str(part.get_content())
                for each in mail.mails() if each.is_multipart()
                for part in each.walk() if part.get_content_type() == "text/plain"
            ]  # fmt: skip
            words = f"6 家中已知 5 家，未知：{silent.short_name}"
            until(lambda: gateway.texts(site.people[0].phone), 30, 0.2, "the text")
            assert any(words in text for text in by_mail), by_mail
            assert any("缺1家" in text for text in gateway.texts(site.people[0].phone))
