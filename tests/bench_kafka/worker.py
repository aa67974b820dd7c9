"""One rules worker of the bench, in a process of its own: judge up to given ends, say the price.

python -m tests.bench_kafka.worker '{"bootstrap": …, "url": …, "out": "confluent", …}'
"""

import asyncio
import json
import os
import sys
from collections import deque
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from prometheus_client import CollectorRegistry

from services.rules.alerts_out import Batch, ConfluentOut, Out
from services.rules.faust_app import FaustRules, die
from services.rules.keeper import Keeper
from services.rules.partition import Partition
from services.rules.partition_store import PartitionStore
from services.rules.shares import Shares
from services.rules.statuses import Statuses
from shared.clock import SystemClock
from shared.log.kafka import KafkaLog
from shared.log.kafka_bundles import KafkaBundles
from shared.log.security import Security
from shared.observe import logs
from shared.observe.metrics import Metrics


class AiokafkaOut:
    """Faust's own producer behind the same protocol: one task hands over, callbacks count."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._queue: deque[tuple[Batch, str, bytes, bytes | None, int | None]] = deque()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        from aiokafka import AIOKafkaProducer

        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, linger_ms=5,
            max_batch_size=131_072,
        )  # fmt: skip
        await self._producer.start()
        self._task = asyncio.ensure_future(self._pump())

    def send(
        self, batch: Batch, topic: str, key: bytes, value: bytes | None, partition: int | None
    ) -> None:
        self._queue.append((batch, topic, key, value, partition))
        batch.sent += 1
        self._some.set()

    async def _pump(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._queue:
                batch, topic, key, value, partition = self._queue.popleft()
                sent = await self._producer.send(topic, value, key, partition)
                sent.add_done_callback(
                    lambda done, batch=batch: batch.acknowledged(
                        None if done.exception() is None else str(done.exception())
                    )
                )

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def flush(self, within_s: float) -> int:
        return 0

    def close(self) -> None: ...


class Timed(Keeper):
    """Notes when every station has been heard once: from there on it is like every day."""

    warm: dict[int, int]
    began: tuple[float, float, int] | None = None

    async def take(
        self, partition: int, key: bytes | None, value: bytes | None, offset: int
    ) -> None:
        if self.began is None and self.is_at(self.warm):
            self.began = perf_counter(), process_time(), self.judged()
        await super().take(partition, key, value, offset)

    def judged(self) -> int:
        return sum(own.machine.engine.judged for own in self.owned.values())

    def is_at(self, ends: dict[int, int]) -> bool:
        return len(self.owned) == len(ends) and all(
            own.machine.next >= ends[number] for number, own in self.owned.items()
        )


def threads() -> dict[str, float]:
    """CPU seconds by thread."""
    found: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        name = (task / "comm").read_text().strip() + "-" + task.name
        found[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


async def main(given: dict[str, Any]) -> None:
    bootstrap, ends = given["bootstrap"], {int(k): v for k, v in given["ends"].items()}
    metrics, log = Metrics(CollectorRegistry()), KafkaLog(bootstrap)
    out: Out
    if given["out"] == "aiokafka":
        out = AiokafkaOut(bootstrap)
        await out.start()
    else:
        out = ConfluentOut(bootstrap, Security())
    store = PartitionStore(given["url"])
    faust = FaustRules(
        bootstrap=bootstrap, security=Security(), instance=None, metrics=metrics, die=die,
        group=given["group"],
    )  # fmt: skip
    shares = Shares(KafkaBundles(log), len(ends))
    keeper = Timed(
        make=lambda number: Partition(number, len(ends), shares.of), checkpoints=store, out=out,
        statuses=Statuses(out, len(ends), metrics), clock=SystemClock(), metrics=metrics,
        commit=faust.commit, behind=faust.behind,
    )  # fmt: skip
    keeper.warm = {int(k): v for k, v in given["warm"].items()}
    await faust.start(keeper)
    while not keeper.is_at(ends):  # noqa: ASYNC110  the keeper has no event for it
        await asyncio.sleep(0.02)
    for own in keeper.owned.values():
        await keeper._keep(own, checkpoint=False)
    wall, cpu = perf_counter(), process_time()
    assert keeper.began is not None
    said = {
        "wall": wall - keeper.began[0], "cpu": cpu - keeper.began[1],
        "readings": keeper.judged() - keeper.began[2],
    }  # fmt: skip
    for own in keeper.owned.values():
        await keeper._keep(own, checkpoint=True)
    said["checkpoint"] = perf_counter() - wall
    print(json.dumps(said), flush=True)
    if given.get("threads"):
        print(json.dumps(threads()), flush=True)
    await faust.stop()
    out.close()
    store.close()
    log.close()


if __name__ == "__main__":
    logs.configure("warning")
    asyncio.run(main(json.loads(sys.argv[1])))
