"""Commands that try a configuration: check, backtest, cases, differences, campaigns."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.cluster_input import SinceOption, chosen
from services.cli.groups import app, campaigns, rules_group
from services.cli.options import EXIT_CONFIG, AckAfter, ConfigOption, KafkaOption


@app.command()
def check(config: ConfigOption) -> None:
    """Schema and lint of the whole configuration; exit 2 on errors."""
    from shared.config.load import check as check_configuration

    configuration, findings = check_configuration(config, os.environ)
    for finding in findings:
        typer.echo(str(finding), err=True)
    if configuration is None:
        raise typer.Exit(EXIT_CONFIG)
    typer.echo(
        f"ok: {len(configuration.facilities)} facilities, {len(configuration.stations)} stations, "
        f"{len(configuration.rules)} rules, {len(configuration.people)} people"
    )


@app.command()
def backtest(
    config: ConfigOption,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT...", help="Or --kafka: the log of a cluster."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write here instead of stdout.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Also write a page for people here.")
    ] = None,
    ack_after: AckAfter = "10m",
    history: Annotated[
        bool,
        typer.Option("--history", help="Final episodes instead, whatever the order of the lines."),
    ] = False,
    kafka: KafkaOption = "",
    since: SinceOption = None,
) -> None:
    """Recorded reports through the rules in virtual time; one transition a line."""
    from shared.config.load import load

    if history and report is not None:
        raise typer.BadParameter("--history writes episodes and --report a page; give one of them")
    configuration = load(config, os.environ)
    given = chosen(inputs, kafka, since, config)
    if report is None:
        from services.rules.backtest import backtest as transitions
        from services.rules.backtest import run
        from services.rules.final_history import final_history

        raise typer.Exit(run(configuration, given, out, final_history if history else transitions))
    from services.authoring.run_report import run as run_report

    if out is None:
        raise typer.Exit(
            run_report(configuration, given, report, ack_after, sys.stdout.buffer, sys.stderr)
        )
    with out.open("wb") as lines:
        raise typer.Exit(run_report(configuration, given, report, ack_after, lines, sys.stderr))


@rules_group.command("test")
def rules_test(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Also write JUnit XML here.")
    ] = None,
) -> None:
    """Cases of rules in YAML; 1 when one fails, 2 when a file is wrong."""
    from services.authoring.run_cases import run

    raise typer.Exit(run(files, junit, os.environ, sys.stdout, sys.stderr))


@rules_group.command("diff")
def rules_diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Configuration as it is.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Configuration as it would be.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...")],
    ack_after: AckAfter = "10m",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one object.")] = False,
) -> None:
    """Two configurations over the same recorded inputs: alerts, messages, night pages."""
    from services.authoring.run_diff import run

    raise typer.Exit(
        run(old, new, inputs, ack_after, os.environ, sys.stdout, sys.stderr, as_json=as_json)
    )


@campaigns.command("list")
def campaigns_list(
    config: ConfigOption,
    at: Annotated[str | None, typer.Option("--at", help="Another time than now.")] = None,
) -> None:
    """Every campaign: planned, running or ended."""
    from services.authoring.run_campaigns import run_list
    from shared.clock import SystemClock

    raise typer.Exit(run_list(config, at, SystemClock().now(), os.environ, sys.stdout))


@campaigns.command("report")
def campaigns_report(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN")],
    config: ConfigOption,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Recorded inputs, or a data directory; or --kafka: the log of a cluster.",
        ),
    ] = None,
    ack_after: AckAfter = "10m",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one object.")] = False,
    kafka: KafkaOption = "",
    since: SinceOption = None,
) -> None:
    """Its period judged again with and without it: alerts, messages, night pages, by city."""
    from services.authoring.run_campaigns import run_report

    raise typer.Exit(
        run_report(
            config, campaign, chosen(inputs, kafka, since, config), ack_after, os.environ,
            sys.stdout, sys.stderr, as_json=as_json,
        )
    )  # fmt: skip
