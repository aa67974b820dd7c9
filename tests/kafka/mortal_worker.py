"""A rules worker that dies at a given place: `python -m tests.kafka.mortal_worker JSON`."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from services.rules.alerts_out import ConfluentOut
from services.rules.core.engine import Engine
from services.rules.faust_app import FaustRules, die
from services.rules.keeper import Keeper
from services.rules.partition import Alert, Applied, Cut, Partition
from services.rules.partition_store import PartitionStore
from services.rules.shares import Shares
from services.rules.statuses import Statuses
from shared.clock import SystemClock
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.port import REPORTS
from shared.log.security import Security
from shared.model.report import Report
from shared.observe import logs
from shared.observe.metrics import Metrics


class Fate:
    """Counts visits to the place and ends everything at the nth."""

    def __init__(self, place: str, nth: int) -> None:
        self.place, self.left = place, nth

    def at(self, place: str) -> None:
        if place == self.place:
            self.left -= 1
            if self.left == 0:
                os._exit(9)


class MortalStore(PartitionStore):
    fate: Fate

    def publish(self, partition: int, epoch: int, alerts: Sequence[Alert]) -> list[Alert]:
        self.fate.at("publish")
        found = super().publish(partition, epoch, alerts)
        self.fate.at("published")
        return found

    def save(self, partition: int, epoch: int, cut: Cut) -> None:
        self.fate.at("save")
        super().save(partition, epoch, cut)
        self.fate.at("saved")


class FaultyEngine(Engine):
    """The third report breaks it, once."""

    seen = 0

    def _judge(self, report: Report) -> None:
        FaultyEngine.seen += 1
        if FaultyEngine.seen == 3:
            raise ZeroDivisionError("a fault of ours")
        super()._judge(report)


class MortalPartition(Partition):
    fate: Fate

    def apply(self, value: bytes | None, offset: int) -> Applied:
        applied = super().apply(value, offset)
        self.fate.at("apply")
        return applied


async def main(given: dict[str, Any]) -> None:
    fate = Fate(given["place"], given["nth"])
    metrics, log = Metrics(CollectorRegistry()), KafkaLog(given["bootstrap"])
    assert log.partitions(REPORTS) == given["partitions"]
    store = MortalStore(given["url"])
    store.fate = fate
    out = ConfluentOut(given["bootstrap"], Security())
    faust = FaustRules(
        bootstrap=given["bootstrap"],
        security=Security(),
        instance="mortal",
        metrics=metrics,
        die=die,
    )
    shares = Shares(KafkaBundles(log), given["partitions"])

    def make(number: int) -> Partition:
        partition = MortalPartition(number, given["partitions"], shares.of)
        partition.fate = fate
        if given["place"] == "engine":
            partition.engine = FaultyEngine(lambda name: shares.of(name, number))
        return partition

    async def commit(partition: int, offset: int) -> None:
        await faust.commit(partition, offset)
        fate.at("committed")

    keeper = Keeper(
        make=make, checkpoints=store, out=out, statuses=Statuses(out, given["partitions"], metrics),
        clock=SystemClock(), metrics=metrics, commit=commit, behind=faust.behind,
        checkpoint_s=0.3,
    )  # fmt: skip
    await faust.start(keeper)
    async with asyncio.timeout(40):
        while given["place"] != "engine" or not has_judged(keeper, given):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await faust.stop()
    out.close()
    os._exit(9)


def has_judged(keeper: Keeper, given: dict[str, Any]) -> bool:
    """The activation and the five minutes of every partition."""
    owned = keeper.owned.values()
    return len(owned) == given["partitions"] and all(own.machine.next >= 6 for own in owned)


if __name__ == "__main__":
    logs.configure("warning")
    asyncio.run(main(json.loads(sys.argv[1])))
