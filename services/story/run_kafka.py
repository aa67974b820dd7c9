"""`make run-kafka`: the same story on Kafka, Faust and PostgreSQL, with three services as processes."""

import os
from pathlib import Path

from rich.console import Console

from services.story.cluster import Cluster
from services.story.player import RACE
from services.story.run import FOLDER, START, Stage, make_secrets, perform
from shared.config.load import load
from shared.model.instants import parse_instant
from shared.observe import logs
from shared.options import split_address


def run(config: Path | None, data: Path, http: str, hj212: str, *, once: bool) -> int:
    """Start the cluster, play, serve until stopped; 1 when the story could not be played."""
    logs.configure("error")
    make_secrets(data)
    config = config or FOLDER / "config"
    configuration = load(config, os.environ)
    start = parse_instant(START, configuration.site.zone)
    cluster = Cluster(
        config, data, start, RACE,
        http_port=split_address(http, "--http")[1], hj212_port=split_address(hj212, "--hj212")[1],
    )  # fmt: skip
    Console(highlight=False).print("正在启动 Kafka、PostgreSQL 和三个服务……")
    with cluster:
        page = f"http://127.0.0.1:{cluster.ports['notify']}"
        stage = Stage(
            configuration, cluster.clock, cluster.client, page, ("127.0.0.1", cluster.hj212_port)
        )
        return perform(stage, once=once)
