"""Rules on a real broker and a real PostgreSQL, judged by what the pure engine says of the log.

The house writes the judged log itself, envelope by envelope, and judges it as it does; so the
expected transitions are those of a backtest of the very same log.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml
from kafka import KafkaAdminClient

from services.rules.core.engine import Engine
from services.rules.partition_store import PartitionStore
from services.rules.shares import Shares
from shared.config.load import load
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.memory import MemoryBundles
from shared.log.port import (
    ALERTS,
    AMENDMENTS,
    DEAD_LETTERS,
    FACILITIES,
    REPORTS,
    Addition,
    Position,
)
from shared.log.security import Security
from shared.log.topics import FILE, Topics, read_topics
from shared.model.alert import decode_alert
from shared.model.configuration import encode_bundle
from shared.model.partition import partition_of
from shared.model.report import Activate, Record, Report, Tick, encode_envelope
from shared.model.transition import transition_id, transition_object
from shared.reports.dead_letter import DeadLetter, decode
from shared.testing.cluster import Service
from shared.testing.configs import STATION_CODE, Site
from shared.testing.program import until

MINUTE = 60_000_000
BEGIN = 1_582_473_600_000_000
ROUNDS = int(os.environ.get("ROUNDS", "3"))


class RulesHouse:
    """`partitions` of the judged log; `worker` starts one more `yujing rules`."""

    def __init__(
        self, folder: Path, bootstrap: str, database_url: str, *, seed: int = 1,
        partitions: int = 4, facilities: int = 40, fresh: bool = False,
    ) -> None:  # fmt: skip
        self.folder, self.bootstrap, self.url = folder, bootstrap, database_url
        self.random = Random(seed)
        self.partitions = partitions
        self.site = Site(rng=self.random, http_port=8620, hj212_port=8621)
        for _ in range(facilities):
            self.site.add_facility()
        self.site.add_threshold(**{"for": "2m", "keep_firing_for": "3m"})
        self.site.add_silence("20m", "1m")
        self.site.timing["deaf_after"] = "10m"
        if fresh:
            delete_topics(bootstrap)
        self.topics = self._topics()
        self.log = KafkaLog(bootstrap)
        config = load(self.site.write(folder / "config"), self.site.environment)
        self.zone = config.site.zone
        self.bundle = config.bundle()
        self.name, body = encode_bundle(self.bundle)
        self._bundles = MemoryBundles()
        self._bundles.put(self.name, body)
        KafkaBundles(self.log).put(self.name, body)
        shares = Shares(self._bundles, partitions)
        self._engines = [
            Engine(lambda name, number=number: shares.of(name, number))
            for number in range(partitions)
        ]
        self._should: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.minute = 0
        self.workers: list[Service] = []
        self.everywhere(Activate(self.name))

    def _topics(self) -> Path:
        """The shipped topics, with fewer partitions so that a rebalance is quick."""
        body = yaml.safe_load(FILE.read_text())
        for name in (REPORTS, ALERTS, AMENDMENTS, FACILITIES):
            body["topics"][name]["partitions"] = self.partitions
        path = self.folder / "topics.yaml"
        path.write_text(yaml.safe_dump(body, sort_keys=False))
        topics = Topics(self.bootstrap, Security(), read_topics(path))
        topics.apply()
        topics.close()
        return path

    # -- the log -----------------------------------------------------------------------------

    def everywhere(self, *records: Record) -> None:
        self.append({number: list(records) for number in range(self.partitions)})

    def append(self, records: dict[int, list[Record]]) -> None:
        """Good records: written, and judged here as well."""
        for number, some in records.items():
            self._judge(number, some)
        self.raw([(number, encode_envelope(some)) for number, some in records.items()])

    def raw(self, values: Iterable[tuple[int, bytes]], key: str = "") -> None:
        self.log.append_all([Addition(REPORTS, key, value, number) for number, value in values])

    def minutes(self, count: int, spread: float = 2.4) -> None:
        """So many minutes of everybody's readings, with ticks; one envelope a minute each."""
        for _ in range(count):
            self.append(self.minute_of_readings(spread))

    def minute_of_readings(self, spread: float = 2.4) -> dict[int, list[Record]]:
        self.minute += 1
        at = BEGIN + self.minute * MINUTE
        found: dict[int, list[Record]] = defaultdict(list)
        for n, facility in enumerate(self.site.facilities):
            if (self.minute + n) % 50 < 24 and n % 8 == 0:
                continue  # silent for a while
            value = self.site.low * self.random.choice((0.2, 0.5, 0.7, 0.97, 1.1, spread))
            found[partition_of(facility.id, self.partitions)].append(
                Report(facility.id, facility.station, "realtime", at, (STATION_CODE,), (value,),
                       None, at, "http", f"r-{n}-{self.minute}")
            )  # fmt: skip
        for number in range(self.partitions):
            found[number].append(Tick(at))
        return found

    def calm(self, facility: int, *, value: float = 0.2) -> Report:
        one = self.site.facilities[facility]
        at = BEGIN + self.minute * MINUTE
        return Report(one.id, one.station, "realtime", at, (STATION_CODE,), (value,), None, at, "http")  # fmt: skip

    # -- what must be said -------------------------------------------------------------------

    def expected(self) -> dict[str, list[dict[str, Any]]]:
        """By facility, in order: what the pure engine said of what was written, in its order."""
        return self._should

    def _judge(self, number: int, records: list[Record]) -> None:
        for transition in self._engines[number].apply(records):
            name = transition_id(transition, self.zone)
            self._should[transition.facility].append(
                {"id": name} | transition_object(transition, self.zone)
            )

    def entries(self, topic: str, number: int) -> Iterator[bytes]:
        start = Position(0)
        while (batch := self.log.read(topic, number, start)).entries:
            start = batch.next
            yield from (entry.value for entry in batch.entries)

    # -- what was said -----------------------------------------------------------------------

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """By facility: what stands in PostgreSQL; numbers without gaps, identities once."""
        store = PartitionStore(self.url)
        try:
            said = store.read(0, 1_000_000)
        finally:
            store.close()
        assert [seq for seq, _ in said] == list(range(1, len(said) + 1))
        names = [transition_id(t, self.zone) for _, t in said]
        assert len(set(names)) == len(names)
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for name, (_, transition) in zip(names, said, strict=True):
            found[transition.facility].append(
                {"id": name} | transition_object(transition, self.zone)
            )
        return found

    def alerts(self) -> tuple[dict[str, list[dict[str, Any]]], int]:
        """By facility: what stands on the topic, without repeats; and how many repeats there were."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        seen: set[str] = set()
        repeats = 0
        for number in range(self.partitions):
            for value in self.entries(ALERTS, number):
                transition = decode_alert(value)
                assert partition_of(transition.facility, self.partitions) == number
                name = transition_id(transition, self.zone)
                if name in seen:
                    repeats += 1
                    continue
                seen.add(name)
                found[transition.facility].append(
                    {"id": name} | transition_object(transition, self.zone)
                )
        return found, repeats

    def letters(self) -> list[DeadLetter]:
        return [decode(value) for value in self.entries(DEAD_LETTERS, 0)]

    def everything_is_said(self, within_s: float = 60.0) -> int:
        """Rows and topic equal the backtest; returns how many repeats the topic had."""
        expected = self.expected()
        count = sum(map(len, expected.values()))
        until(lambda: self.count_rows() >= count, within_s, what=f"{count} transitions")
        rows, (alerts, repeats) = self.rows(), self.alerts()
        assert rows == expected
        assert alerts == expected
        return repeats

    def count_rows(self) -> int:
        from services.rules.postgres import Session

        session = Session(self.url, 10)
        try:
            with session.transaction() as cursor:
                row = cursor.execute("SELECT last FROM yujing_rules.counter").fetchone()
                return int(row[0]) if row else 0
        finally:
            session.close()

    def positions(self) -> dict[int, int]:
        """Where the checkpoints stand."""
        from services.rules.postgres import Session

        session = Session(self.url, 10)
        try:
            with session.transaction() as cursor:
                query = "SELECT partition, next FROM yujing_rules.partitions WHERE next IS NOT NULL"
                return dict(cursor.execute(query).fetchall())
        finally:
            session.close()

    # -- workers -----------------------------------------------------------------------------

    def worker(self, name: str = "rules-0", *, start: bool = True, **more: Any) -> Service:
        arguments = ("--topics", str(self.topics), *more.pop("arguments", ()))
        worker = Service(
            "rules", self.site, self.folder / "services", kafka=self.bootstrap,
            database_url=self.url, name=name, arguments=arguments, **more,
        )  # fmt: skip
        self.workers.append(worker)
        return worker.start() if start else worker

    def owned(self, worker: Service) -> int:
        return int(worker.metrics().get("yujing_partitions_owned", 0))

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.log.close()


def delete_topics(bootstrap: str) -> None:
    """Every topic of ours, and the group that read them: the next house begins anew."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        mine = [name for name in admin.list_topics() if name.startswith("yujing.")]
        if mine:
            admin.delete_topics(mine)
        until(lambda: not any(t.startswith("yujing.") for t in admin.list_topics()), 20)
    finally:
        admin.close()
