"""The commands `ack incidents on-call why audit` as clients of a running notify.

Each asks over HTTP and prints for people, or with `--json` what the API said. They give an exit
code: 0, or 1 with one sentence on stderr that says what to do.
"""

import sys
from collections.abc import Callable, Mapping
from urllib.parse import quote

import httpx

from services.notify import printing
from shared.http.client import Answer, Ask, Failed, answer_of

Show = Callable[[Answer], None]


def run_ack(
    url: str, token: str, incident: str, person: str, note: str = "", *, as_json: bool = False
) -> int:
    """`yujing ack INCIDENT --person P`."""
    path = f"/v1/incidents/{_segment(incident)}/acknowledgements"

    def ask(client: httpx.Client) -> httpx.Response:
        return client.post(path, json={"person": person, "note": note})

    return _run(url, token, ask, printing.acknowledged, as_json)


def run_incidents(
    url: str,
    token: str,
    state: str | None = None,
    facility: str | None = None,
    *,
    as_json: bool = False,
) -> int:
    """`yujing incidents [--state open] [--facility F]`."""
    wanted = _given(state=state, facility=facility)
    return _run(
        url, token, lambda client: client.get("/v1/incidents", params=wanted),
        printing.incidents, as_json,
    )  # fmt: skip


def run_on_call(
    url: str,
    token: str,
    territory: str | None = None,
    role: str | None = None,
    at: str | None = None,
    *,
    as_json: bool = False,
) -> int:
    """`yujing on-call [--territory T] [--at TIME]`; without a time, now."""
    wanted = _given(territory=territory, role=role, at=at)
    return _run(
        url, token, lambda client: client.get("/v1/duty", params=wanted), printing.duty, as_json
    )


def run_why(url: str, token: str, id_: str, *, as_json: bool = False) -> int:
    """`yujing why ID` for a report, transition, incident or notification."""
    return _run(
        url, token, lambda client: client.get(f"/v1/why/{_segment(id_)}"), printing.why, as_json
    )


def run_audit_export(url: str, token: str, incident: str, *, as_json: bool = False) -> int:
    """`yujing audit export INCIDENT`: the ledger, one JSON object a line, as it was hashed.

    People and programs get the same: what is printed can be checked again.
    """
    show = printing.plain if as_json else printing.ledger
    path = f"/v1/audit/{_segment(incident)}"
    return _run(url, token, lambda client: client.get(path), show, as_json)


def run_audit_verify(url: str, token: str, *, as_json: bool = False) -> int:
    """`yujing audit verify`: 0 when every chain holds, 1 with the broken places when not."""
    intact = True

    def show(answer: Answer) -> None:
        nonlocal intact
        intact = bool(answer["intact"])
        (printing.plain if as_json else printing.audit)(answer)

    code = _run(url, token, lambda client: client.get("/v1/audit"), show, as_json=False)
    return code if intact else 1


def run_silences(url: str, token: str, *, ended: bool, as_json: bool = False) -> int:
    """`yujing silences list [--ended]`."""
    wanted = {"ended": "1"} if ended else {}
    return _run(
        url, token, lambda client: client.get("/v1/silences", params=wanted),
        printing.silences, as_json,
    )  # fmt: skip


def run_silence(url: str, token: str, id_: str, *, as_json: bool = False) -> int:
    """`yujing silences show ID`."""
    path = f"/v1/silences/{_segment(id_)}"
    return _run(url, token, lambda client: client.get(path), printing.silence, as_json)


def run_silences_add(
    url: str, token: str, order: Mapping[str, object], *, as_json: bool = False
) -> int:
    """`yujing silences add`; saying it again is no harm."""
    return _run(
        url, token, lambda client: client.post("/v1/silences", json=order),
        printing.silence, as_json,
    )  # fmt: skip


def run_silences_end(url: str, token: str, id_: str, person: str, *, as_json: bool = False) -> int:
    """`yujing silences end ID`: over now, with all that it hid."""
    path = f"/v1/silences/{_segment(id_)}/end"
    return _run(
        url, token, lambda client: client.post(path, json={"person": person}),
        printing.silence, as_json,
    )  # fmt: skip


def _run(url: str, token: str, ask: Ask, show: Show, as_json: bool) -> int:
    try:
        answer = answer_of(url, token, ask)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    (printing.plain if as_json else show)(answer)
    return 0


def _segment(text: str) -> str:
    return quote(text, safe="")


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
