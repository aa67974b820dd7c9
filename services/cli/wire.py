"""Commands about what comes in: decode, replay, dead letters."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.groups import app, dead_letters
from services.cli.options import (
    DEFAULT_URL,
    EXIT_FAILED,
    JsonOption,
    LettersConfig,
    LettersData,
    TokenOption,
    UrlOption,
)

if TYPE_CHECKING:
    from services.ingest.clients import Letters


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
