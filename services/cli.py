"""The command line: `yujing`. Every command says what it needs and what to do when it fails."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.errors import ConfigError, InUse, NewerData, YujingError

if TYPE_CHECKING:
    from services.ingest.clients import Letters

EXIT_FAILED, EXIT_CONFIG, EXIT_IN_USE, EXIT_NEWER = 1, 2, 3, 4
DEFAULT_HTTP, DEFAULT_HJ212 = "127.0.0.1:8620", "127.0.0.1:8621"
DEFAULT_URL = "http://127.0.0.1:8620"

app = typer.Typer(
    name="yujing",
    help="预警: from a reading's bytes to an official's acknowledgement.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
audit = typer.Typer(help="Check and print the ledger of who was told what.", no_args_is_help=True)
topics = typer.Typer(help="Kafka topics: make them, compare them.", no_args_is_help=True)
rules_group = typer.Typer(invoke_without_command=True, no_args_is_help=False)
dead_letters = typer.Typer(help="What was refused, why, and again.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(topics, name="topics")
app.add_typer(rules_group, name="rules")
campaigns = typer.Typer(
    help="Dated regimes: which run, and what they made different.", no_args_is_help=True
)
app.add_typer(campaigns, name="campaigns")

ConfigOption = Annotated[
    Path, typer.Option("--config", envvar="YUJING_CONFIG", help="Configuration directory.")
]
DataOption = Annotated[Path, typer.Option("--data", envvar="YUJING_DATA", help="Data directory.")]
HttpOption = Annotated[
    str, typer.Option("--http", envvar="YUJING_HTTP", help="HTTP address, HOST:PORT.")
]
Hj212Option = Annotated[
    str, typer.Option("--hj212", envvar="YUJING_HJ212", help="HJ 212 address, HOST:PORT.")
]
ClockOption = Annotated[
    str | None,
    typer.Option("--clock", envvar="YUJING_CLOCK", help="Scenario clock: START[,xSPEED]."),
]
KafkaOption = Annotated[
    str, typer.Option("--kafka", envvar="YUJING_KAFKA", help="Brokers, HOST:PORT[,HOST:PORT].")
]
DatabaseOption = Annotated[
    str,
    typer.Option("--database-url", envvar="YUJING_DATABASE_URL", help="postgresql://HOST/DATABASE"),
]
TopicsOption = Annotated[
    Path | None, typer.Option("--file", envvar="YUJING_TOPICS", help="Another topics.yaml.")
]
ServiceTopics = Annotated[
    Path | None, typer.Option("--topics", envvar="YUJING_TOPICS", help="Another topics.yaml.")
]
InstanceOption = Annotated[
    str,
    typer.Option("--instance", envvar="YUJING_INSTANCE", help="A stable name of this replica."),
]
UrlOption = Annotated[str, typer.Option("--url", envvar="YUJING_URL", help="Where notify answers.")]
TokenOption = Annotated[
    str, typer.Option("--token", envvar="YUJING_TOKEN", help="Token of an officer or operator.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON as the API gives it.")]

# Needed by the worker only; `rules test` and `rules diff` have none of them.
RulesConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="YUJING_CONFIG", help="Configuration directory."),
]
RulesData = Annotated[
    Path | None, typer.Option("--data", envvar="YUJING_DATA", help="Data directory.")
]
AckAfter = Annotated[
    str,
    typer.Option(
        "--ack-after", help="Each cause is acknowledged so long after its first message, or never."
    ),
]

LettersData = Annotated[
    Path | None,
    typer.Option("--data", envvar="YUJING_DATA", help="Without a token: read the log in here."),
]
LettersConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="YUJING_CONFIG", help="With --data: for the time zone."),
]


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
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...")],
    config: ConfigOption,
    out: Annotated[Path | None, typer.Option("--out", help="Write here instead of stdout.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Also write a page for people here.")
    ] = None,
    ack_after: AckAfter = "10m",
    history: Annotated[
        bool,
        typer.Option("--history", help="Final episodes instead, whatever the order of the lines."),
    ] = False,
) -> None:
    """Recorded reports through the rules in virtual time; one transition a line."""
    from shared.config.load import load

    if history and report is not None:
        raise typer.BadParameter("--history writes episodes and --report a page; give one of them")
    configuration = load(config, os.environ)
    if report is None:
        from services.rules.backtest import backtest as transitions
        from services.rules.backtest import run
        from services.rules.final_history import final_history

        raise typer.Exit(run(configuration, inputs, out, final_history if history else transitions))
    from services.authoring.run_report import run as run_report

    if out is None:
        raise typer.Exit(
            run_report(configuration, inputs, report, ack_after, sys.stdout.buffer, sys.stderr)
        )
    with out.open("wb") as lines:
        raise typer.Exit(run_report(configuration, inputs, report, ack_after, lines, sys.stderr))


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
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Recorded inputs, or a data directory.")
    ],
    config: ConfigOption,
    ack_after: AckAfter = "10m",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one object.")] = False,
) -> None:
    """Its period judged again with and without it: alerts, messages, night pages, by city."""
    from services.authoring.run_campaigns import run_report

    raise typer.Exit(
        run_report(
            config, campaign, inputs, ack_after, os.environ, sys.stdout, sys.stderr,
            as_json=as_json,
        )
    )  # fmt: skip


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
def replay(
    file: Path,
    to: Annotated[str, typer.Option("--to", help="URL of a running ingest.")] = DEFAULT_URL,
    speed: Annotated[
        float | None, typer.Option("--speed", min=0.001, help="Recorded time runs N times faster.")
    ] = None,
    token: TokenOption = "",
) -> None:
    """Post recorded reports (JSONL) to a running ingest, with a progress bar."""
    from services.replay import run

    raise typer.Exit(run(file, to, token, speed))


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

    lines = list(examine(load(config, os.environ), data, SystemClock()))
    if kafka:
        from services.doctor_cluster import examine_broker
        from shared.log.security import Security

        lines += examine_broker(kafka, Security.from_environment(os.environ), topics_file)
    if database_url:
        from services.doctor_cluster import examine_database

        lines.append(examine_database(database_url))
    for line in lines:
        typer.echo(line.text())
    raise typer.Exit(EXIT_FAILED if any(line.state == "fail" for line in lines) else 0)


@app.command()
def decode(
    protocol: Annotated[str, typer.Argument(help="hj212")],
    file: Annotated[str, typer.Argument(help="A file, or - for standard input.")] = "-",
) -> None:
    """One JSON object per frame; what is no frame becomes {"error": ...}."""
    from services.ingest.decode import decode_stream

    if protocol != "hj212":
        typer.echo(f"decode: {protocol!r} is not known; give hj212", err=True)
        raise typer.Exit(EXIT_FAILED)
    if file == "-":
        raise typer.Exit(decode_stream(sys.stdin.buffer, sys.stdout))
    try:
        with Path(file).open("rb") as source:
            raise typer.Exit(decode_stream(source, sys.stdout))
    except OSError as error:
        typer.echo(f"decode: {file}: {error.strerror}", err=True)
        raise typer.Exit(EXIT_FAILED) from error


@app.command()
def ack(
    incident: str,
    person: Annotated[str, typer.Option("--person", help="Who acknowledges (people.yaml).")],
    note: Annotated[str, typer.Option("--note")] = "",
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Acknowledge an incident: nobody else is told."""
    from services.notify.clients import run_ack

    raise typer.Exit(run_ack(url, token, incident, person, note, as_json=as_json))


@app.command()
def incidents(
    state: Annotated[str | None, typer.Option("--state")] = None,
    facility: Annotated[str | None, typer.Option("--facility")] = None,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Incidents, newest first."""
    from services.notify.clients import run_incidents

    raise typer.Exit(run_incidents(url, token, state, facility, as_json=as_json))


@app.command("on-call")
def on_call(
    territory: Annotated[str | None, typer.Option("--territory")] = None,
    role: Annotated[str | None, typer.Option("--role")] = None,
    at: Annotated[str | None, typer.Option("--at", help="RFC 3339; now when absent.")] = None,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who is responsible at an instant."""
    from services.notify.clients import run_on_call

    raise typer.Exit(run_on_call(url, token, territory, role, at, as_json=as_json))


@app.command()
def why(
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID|FACILITY/STATION/INDICATOR]", show_default=False)
    ] = None,
    facility: Annotated[str | None, typer.Option("--facility")] = None,
    station: Annotated[
        str | None, typer.Option("--station", help="Needed where there are several.")
    ] = None,
    indicator: Annotated[str | None, typer.Option("--indicator")] = None,
    interval: Annotated[str, typer.Option("--interval")] = "realtime",
    at: Annotated[
        str | None, typer.Option("--at", help="RFC 3339: the minute asked about.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="With --at: what he was told, and why not.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="log: what had come in by then; observed: else.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Why somebody was told, or not.

    Of a report, transition, incident or notification by its ID; of a series and a minute with
    --facility --indicator --at, or FACILITY/STATION/INDICATOR --at; of a person and a minute with
    --person --at. ID --facility F asks a worker of rules in a cluster, also of a report that caused
    nothing; --at, about when it came in, makes that quick.
    """
    from services.notify.clients import run_why
    from services.why_ask import run_person, run_report, run_series, series_of

    if person is not None:
        if at is None:
            raise typer.BadParameter("why of a person needs --at")
        raise typer.Exit(run_person(url, token, person, at, as_json=as_json))
    if id_ is not None and facility is not None and indicator is None:
        query = {"facility": facility} | ({"at": at} if at else {})
        raise typer.Exit(run_report(url, token, id_, query, as_json=as_json))
    if at is None and facility is None:
        if id_ is None:
            raise typer.BadParameter("why needs an ID, or a series or --person, and --at")
        raise typer.Exit(run_why(url, token, id_, as_json=as_json))
    query = series_of(id_, facility, station, indicator) | {"interval": interval}
    query |= {name: value for name, value in (("at", at), ("by", by)) if value}
    for name in ("facility", "indicator", "at"):
        if name not in query:
            raise typer.BadParameter(f"why of a series needs --{name}")
    raise typer.Exit(run_series(url, token, query, as_json=as_json))


@audit.command("verify")
def audit_verify(
    url: UrlOption = DEFAULT_URL, token: TokenOption = "", as_json: JsonOption = False
) -> None:
    """Check every hash chain; 1 when one does not hold."""
    from services.notify.clients import run_audit_verify

    raise typer.Exit(run_audit_verify(url, token, as_json=as_json))


@audit.command("export")
def audit_export(
    incident: str,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Print the ledger of one incident."""
    from services.notify.clients import run_audit_export

    raise typer.Exit(run_audit_export(url, token, incident, as_json=as_json))


@dead_letters.command("list")
def dead_letters_list(
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    data: LettersData = None,
    config: LettersConfig = None,
    as_json: JsonOption = False,
) -> None:
    """What was refused, oldest first: number, time, reason, where from, detail."""
    from services.ingest.clients import run_list

    raise typer.Exit(run_list(_letters(url, token, data, config), as_json=as_json))


@dead_letters.command("show")
def dead_letters_show(
    number: int,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    data: LettersData = None,
    config: LettersConfig = None,
) -> None:
    """One refused item, and its bytes."""
    from services.ingest.clients import run_show

    raise typer.Exit(run_show(_letters(url, token, data, config), number))


@dead_letters.command("redrive")
def dead_letters_redrive(
    numbers: list[int],
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
) -> None:
    """Judge refused reports again, with the rights their senders have now."""
    from services.ingest.clients import run_redrive

    raise typer.Exit(run_redrive(_letters(url, token, None, None), numbers))


def _letters(url: str, token: str, data: Path | None, config: Path | None) -> "Letters":
    from services.ingest.clients import Letters
    from shared.config.load import load

    if token or data is None or config is None:
        return Letters(url, token, data)
    return Letters(url, token, data, load(config, os.environ).site.zone)


def main() -> None:
    """Run a command; errors become exit codes: 2 configuration, 3 in use, 4 newer data."""
    try:
        app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_CONFIG)
    except InUse as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_IN_USE)
    except NewerData as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NEWER)
    except YujingError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_FAILED)
