"""Commands that run: one process, the services of a cluster, the story."""

import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.groups import app, rules_group
from services.cli.options import (
    DEFAULT_HJ212,
    DEFAULT_HTTP,
    EXIT_FAILED,
    ClockOption,
    ConfigOption,
    DatabaseOption,
    DataOption,
    Hj212Option,
    HttpOption,
    InstanceOption,
    KafkaOption,
    RulesConfig,
    RulesData,
    ServiceTopics,
)


@app.command()
def serve(
    config: ConfigOption,
    data: DataOption,
    http: HttpOption = DEFAULT_HTTP,
    hj212: Hj212Option = DEFAULT_HJ212,
    clock: ClockOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Let a browser on this machine in without a token.")
    ] = False,
) -> None:
    """Ingest, rules and notify in one process on SQLite."""
    from services.embedded import serve as run
    from shared.options import Options

    raise typer.Exit(run(Options(config, data, http, hj212, clock, demo)))


@app.command()
def ingest(
    config: ConfigOption,
    data: DataOption,
    http: HttpOption = DEFAULT_HTTP,
    hj212: Hj212Option = DEFAULT_HJ212,
    clock: ClockOption = None,
    kafka: KafkaOption = "",
    database_url: DatabaseOption = "",
    topics_file: ServiceTopics = None,
    instance: InstanceOption = "",
) -> None:
    """One ingest of a cluster: HTTP, HJ 212 and the inbox topic into the judged log."""
    from services.ingest.service import run
    from shared.options import Options

    options = Options(
        config, data, http, hj212, clock, kafka=kafka, database_url=database_url,
        topics=topics_file, instance=instance,
    )  # fmt: skip
    raise typer.Exit(run(options))


@rules_group.callback()
def rules(
    context: typer.Context,
    config: RulesConfig = None,
    data: RulesData = None,
    http: HttpOption = "127.0.0.1:8622",
    clock: ClockOption = None,
    kafka: KafkaOption = "",
    database_url: DatabaseOption = "",
    topics_file: ServiceTopics = None,
    instance: InstanceOption = "",
) -> None:
    """One rules worker of a cluster: its share of the judged log becomes transitions.

    With test or diff: try rules before they count.
    """
    if context.invoked_subcommand is not None:
        return
    from services.rules.service import run
    from shared.options import Options

    if config is None or data is None:
        missing = "--config" if config is None else "--data"
        raise typer.BadParameter(f"rules needs {missing}; give it", context)
    options = Options(
        config, data, http, clock=clock, kafka=kafka, database_url=database_url,
        topics=topics_file, instance=instance,
    )  # fmt: skip
    raise typer.Exit(run(options))


@app.command()
def notify(
    config: ConfigOption,
    data: DataOption = Path(),
    http: HttpOption = "127.0.0.1:8623",
    clock: ClockOption = None,
    kafka: KafkaOption = "",
    database_url: DatabaseOption = "",
    topics_file: ServiceTopics = None,
    instance: InstanceOption = "",
    demo: Annotated[
        bool, typer.Option("--demo", help="Let a browser on this machine in without a token.")
    ] = False,
) -> None:
    """One notify of a cluster: incidents, escalation, the page; state in PostgreSQL."""
    from services.notify.service import run
    from shared.options import Options

    options = Options(
        config, data, http, clock=clock, demo=demo, kafka=kafka, database_url=database_url,
        topics=topics_file, instance=instance,
    )  # fmt: skip
    raise typer.Exit(run(options))


@app.command()
def story(
    config: Annotated[Path | None, typer.Option("--config", envvar="YUJING_CONFIG")] = None,
    data: Annotated[Path, typer.Option("--data", envvar="YUJING_DATA")] = Path("var/story"),
    http: HttpOption = DEFAULT_HTTP,
    hj212: Hj212Option = DEFAULT_HJ212,
    clock: ClockOption = None,
    once: Annotated[bool, typer.Option("--once", help="End after the summary.")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="On Kafka and PostgreSQL, started here.")
    ] = False,
) -> None:
    """What `make run` does: play 2020-2022 through the real ports, then go on serving."""
    if cluster:
        from services.story.run_kafka import run as run_kafka

        raise typer.Exit(run_kafka(config, data, http, hj212, once=once))
    from services.story.run import run

    raise typer.Exit(run(config, data, http, hj212, clock, once=once))


@app.command()
def doctor(
    config: ConfigOption,
    data: DataOption = Path(),
    kafka: KafkaOption = "",
    database_url: DatabaseOption = "",
    topics_file: ServiceTopics = None,
) -> None:
    """Gateway, mail, clock, disk, database, broker, roster: one line each, and what to do."""
    from services.doctor import examine
    from shared.clock import SystemClock
    from shared.config.load import load

    configuration, clock = load(config, os.environ), SystemClock()
    lines = list(examine(configuration, data, clock))
    if kafka:
        from services.doctor_cluster import examine_broker
        from services.doctor_reach import examine_reach
        from shared.log.security import Security

        lines += examine_broker(kafka, Security.from_environment(os.environ), topics_file)
        lines += examine_reach(configuration, topics_file, clock.now())
    if database_url:
        from services.doctor_cluster import examine_database

        lines.append(examine_database(database_url))
    for line in lines:
        typer.echo(line.text())
    raise typer.Exit(EXIT_FAILED if any(line.state == "fail" for line in lines) else 0)
