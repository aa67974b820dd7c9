"""Bytes to gateway through a whole cluster: the same load and the same limit as in one process.

One broker, PostgreSQL with fsync, ingest, rules and notify as processes; 1,000 reports/s by HTTP,
one a request, one in 200 above the limit. On two cores all of it shares what one process has.
"""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from shared.log.security import Security
from shared.log.topics import Topics, read_topics
from shared.testing.cluster import Service
from shared.testing.parts.gateway import Gateway
from shared.testing.parts.kafka import Broker
from shared.testing.parts.postgres import Postgres
from shared.testing.program import free_ports, until
from tests.bench.bench_thread import (
    ONE_IN,
    RATE,
    SECONDS,
    bare_posts,
    bench_site,
    fsync_ms,
    latencies,
    quantile,
    stream,
)
from tests.bench.table import Row


def run() -> list[Row]:
    """p50 and p99 in milliseconds."""
    with Gateway() as gateway, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = sorted(asyncio.run(bare_posts(gateway, 200)))
        flush_ms = fsync_ms(folder)
        already = len(gateway.got)
        http_port, hj212_port = free_ports(2)
        site = bench_site(gateway, http_port, hj212_port)
        broker = stack.enter_context(Broker(folder / "kafka"))
        topics = Topics(broker.bootstrap, Security(), read_topics())
        topics.apply()
        topics.close()
        postgres = Postgres().start()
        stack.callback(postgres.stop)
        for verb in ("ingest", "rules", "notify"):
            stack.enter_context(
                Service(
                    verb, site, folder / "services", kafka=broker.bootstrap,
                    database_url=postgres.url(),
                    http_port=site.http_port if verb == "ingest" else None,
                )
            )  # fmt: skip
        firing = RATE * SECONDS // ONE_IN
        sent_at, rate = asyncio.run(stream(site, firing))
        until(lambda: len(gateway.got) >= already + firing, 120.0, what="all told")
        waits = latencies(gateway, site, sent_at, already)
    limit_p50, limit_p99 = quantile(bare, 0.5) + flush_ms, quantile(bare, 0.99) + flush_ms
    note = f"{len(waits)} alerts among {rate:,.0f} reports/s, cluster on the same two cores"
    name = "bytes → gateway, 1,000 reports/s offered"
    return [
        Row(f"{name}, p50", quantile(waits, 0.5), "ms", "bare POST + fsync, p50", limit_p50, note),
        Row(f"{name}, p99", quantile(waits, 0.99), "ms", "bare POST + fsync, p99", limit_p99, note),
    ]
