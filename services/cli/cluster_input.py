"""Cluster input: what `--kafka` and `--since` mean where recorded inputs are wanted."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.rules.input_files import Input

SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="With --kafka: from about this log time on, not all of the log."),
]


def chosen(
    inputs: list[Path] | None, kafka: str, since: str | None, config: Path
) -> Sequence[Input]:
    """The files that were named; without any, the judged log of the cluster."""
    if since is not None and (inputs or not kafka):
        raise typer.BadParameter("--since is for the log of a cluster; give --kafka and no INPUT")
    if inputs:
        return inputs
    if not kafka:
        raise typer.BadParameter("give INPUT, or --kafka HOST:PORT to read the log of a cluster")
    from services.authoring.absent import with_stand_ins
    from services.rules.from_cluster import ClusterLog
    from shared.config.load import load
    from shared.log.security import Security
    from shared.model.instants import parse_instant

    since_us = None
    if since is not None:
        zone = load(config, with_stand_ins(os.environ)).site.zone
        try:
            since_us = parse_instant(since, zone)
        except ValueError as error:
            raise typer.BadParameter(f"--since: {error}") from error
    return [ClusterLog(kafka, Security.from_environment(os.environ), since_us=since_us)]
