"""Options that several commands have, each with its twin in the environment."""

from pathlib import Path
from typing import Annotated

import typer

EXIT_FAILED, EXIT_CONFIG, EXIT_IN_USE, EXIT_NEWER = 1, 2, 3, 4

DEFAULT_HTTP, DEFAULT_HJ212 = "127.0.0.1:8620", "127.0.0.1:8621"

DEFAULT_URL = "http://127.0.0.1:8620"

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
