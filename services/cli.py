"""The command line: `yujing`. Every command says what it needs and what to do when it fails."""

from pathlib import Path
from typing import Annotated

import typer

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
dead_letters = typer.Typer(help="What was refused, why, and again.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(dead_letters, name="dead-letters")

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
UrlOption = Annotated[str, typer.Option("--url", envvar="YUJING_URL", help="Where notify answers.")]
TokenOption = Annotated[
    str, typer.Option("--token", envvar="YUJING_TOKEN", help="Token of an officer or operator.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON as the API gives it.")]
