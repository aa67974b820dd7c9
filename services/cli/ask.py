"""Commands that ask a running notify, and the ledger."""

from typing import Annotated

import typer

from services.cli.groups import app, audit
from services.cli.options import DEFAULT_URL, JsonOption, TokenOption, UrlOption


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
