"""Commands about silences: which are in force, a new one, the end of one."""

from typing import Annotated

import typer

from services.cli.groups import silences
from services.cli.options import DEFAULT_URL, JsonOption, TokenOption, UrlOption

PersonOption = Annotated[str, typer.Option("--person", help="Who answers for it (people.yaml).")]


@silences.command("list")
def silences_list(
    ended: Annotated[
        bool, typer.Option("--ended", help="Also those that ended within seven days.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Those in force, the one that ends first in front, and how many incidents each hid."""
    from services.notify.clients import run_silences

    raise typer.Exit(run_silences(url, token, ended=ended, as_json=as_json))


@silences.command("show")
def silences_show(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """One silence and every incident it hid; with --json its ledger too."""
    from services.notify.clients import run_silence

    raise typer.Exit(run_silence(url, token, id_, as_json=as_json))


@silences.command("add")
def silences_add(
    reason: Annotated[str, typer.Option("--reason", help="Why, in at most 200 characters.")],
    until: Annotated[str, typer.Option("--until", help="RFC 3339; at most 30 days ahead.")],
    person: PersonOption,
    begin: Annotated[str | None, typer.Option("--from", help="RFC 3339; now when absent.")] = None,
    facility: Annotated[str | None, typer.Option("--facility")] = None,
    territory: Annotated[
        str | None, typer.Option("--territory", help="With those below it.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option("--rule", help="Only this rule; may stand several times.")
    ] = None,
    up_to: Annotated[
        str, typer.Option("--up-to", help="blue, yellow, orange or red: what is worse is told.")
    ] = "orange",
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Tell nobody of a facility or territory until an instant. Red is told unless --up-to red."""
    from services.notify.clients import run_silences_add

    if (facility is None) == (territory is None):
        raise typer.BadParameter("give --facility or --territory, one of them")
    place: dict[str, object] = (
        {"facility": facility} if facility is not None else {"territory": territory}
    )
    order = {
        "match": place | ({"rule": rule} if rule else {}), "reason": reason, "until": until,
        "person": person, "up_to": up_to, **({"from": begin} if begin else {}),
    }  # fmt: skip
    raise typer.Exit(run_silences_add(url, token, order, as_json=as_json))


@silences.command("end")
def silences_end(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    person: PersonOption,
    url: UrlOption = DEFAULT_URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Over now: what still fires is told at once. Prints every incident it hid."""
    from services.notify.clients import run_silences_end

    raise typer.Exit(run_silences_end(url, token, id_, person, as_json=as_json))
