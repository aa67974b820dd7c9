"""Commands about the topics of a cluster."""

import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.groups import topics
from services.cli.options import EXIT_FAILED, KafkaOption, TopicsOption


@topics.command("apply")
def topics_apply(kafka: KafkaOption, file: TopicsOption = None) -> None:
    """Make the topics that are missing and set what differs; 1 when something cannot be mended."""
    from shared.log.security import Security
    from shared.log.topics import Topics, read_topics

    cluster = Topics(kafka, Security.from_environment(os.environ), read_topics(file))
    if cluster.remark:
        typer.echo(f"note: {cluster.remark}")
    for line in cluster.apply():
        typer.echo(line)
    _show_differences([str(each) for each in cluster.differences()])


@topics.command("diff")
def topics_diff(kafka: KafkaOption, file: TopicsOption = None) -> None:
    """What the cluster has otherwise than topics.yaml; 1 when anything differs."""
    from shared.log.security import Security
    from shared.log.topics import Topics, read_topics

    cluster = Topics(kafka, Security.from_environment(os.environ), read_topics(file))
    _show_differences([str(each) for each in cluster.differences()])


@topics.command("allow")
def topics_allow(
    kafka: KafkaOption,
    file: Annotated[Path | None, typer.Option("--file", help="Another acls.yaml.")] = None,
) -> None:
    """Grant each service's user what deploy/kafka/acls.yaml says."""
    from shared.log.acls import allow, read_acls
    from shared.log.security import Security

    for line in allow(kafka, Security.from_environment(os.environ), read_acls(file)):
        typer.echo(line)


def _show_differences(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
    if lines:
        raise typer.Exit(EXIT_FAILED)
    typer.echo("ok: the topics are as topics.yaml says")
