"""`/openapi.json`: every route that programs use, with what goes in and what comes out.

Written by hand: the routes answer from values, not from models that a generator could read.
A test holds it against the routes there are.
"""

from typing import Any

from shared.http.openapi_schemas import FILE, SCHEMAS, TEXT, TIME, WHOLE, Schema, list_of, ref


def _answer(description: str, schema: str | None = None, media: str = "application/json") -> Schema:
    content = {"content": {media: {"schema": ref(schema)}}} if schema else {}
    return {"description": description} | content


def _problems(*statuses: int) -> Schema:
    return {
        str(status): _answer(_STATUS[status], "Problem", "application/problem+json")
        for status in statuses
    }


_STATUS = {
    400: "The request cannot be read.",
    401: "A token is needed; see WWW-Authenticate.",
    403: "This kind of token, or this address, may not do that.",
    404: "There is none, or none for you.",
    409: "It is over.",
    413: "Too large; nothing was taken.",
    415: "Another content type or encoding.",
    422: "Nothing of it could be taken.",
    429: "Wait as Retry-After says.",
    503: "It cannot be written now; try again as Retry-After says.",
}


def _parameter(name: str, place: str = "query", schema: Schema | None = None) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema or TEXT}


def _get(
    summary: str, schema: str | None, *parameters: Schema, problems: tuple[int, ...] = (401, 403)
) -> Schema:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": _answer("As asked.", schema)} | _problems(*problems),
    }


def _open(operation: Schema) -> Schema:
    """An operation without a token."""
    return operation | {"security": []}


def _body(*contents: tuple[str, Schema]) -> Schema:
    return {"required": True, "content": {media: {"schema": schema} for media, schema in contents}}


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ID = _parameter("id", "path")
_NUMBER = _parameter("id", "path", WHOLE)
_AFTER = _parameter("after", schema={"type": "integer", "minimum": 0, "default": 0})
_LIMIT = _parameter(
    "limit", schema={"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
)


def _paths() -> dict[str, dict[str, Schema]]:
    return {
        "/v1/reports": {
            "post": {
                "summary": "Reports: one, an array, or NDJSON; gzip allowed. Token: upstream.",
                "parameters": [_parameter("dry_run", schema={"type": "string", "enum": ["1"]})],
                "requestBody": _body(
                    (
                        "application/json",
                        {"oneOf": [ref("Report"), {**list_of(ref("Report")), "maxItems": 10_000}]},
                    ),
                    ("application/x-ndjson", TEXT),
                ),
                "responses": {"202": _answer("The log has it durably.", "ReportsAnswer")}
                | _problems(400, 401, 403, 413, 415, 422, 429, 503),
            }
        },
        "/v1/events": {
            "post": {
                "summary": "The same report as the data of CloudEvents 1.0. Token: upstream.",
                "parameters": [_parameter("dry_run", schema={"type": "string", "enum": ["1"]})],
                "requestBody": _body(
                    ("application/cloudevents+json", ref("Event")),
                    ("application/cloudevents-batch+json",
                     {**list_of(ref("Event")), "maxItems": 10_000}),
                    ("application/json", ref("Report")),
                ),
                "responses": {"202": _answer("The log has it durably.", "ReportsAnswer")}
                | _problems(400, 401, 403, 413, 415, 422, 429, 503),
            }
        },
        "/v1/sheets/{template}": {
            "get": {
                "summary": "The template as an empty workbook. Token: upstream.",
                "parameters": [_parameter("template", "path")],
                "responses": {
                    "200": {"description": "To fill in.", "content": {_XLSX: {"schema": FILE}}}
                }
                | _problems(401, 403, 404),
            },
            "post": {
                "summary": "A filled-in sheet, CSV or .xlsx; a refused item says row and cell. "
                "Token: upstream.",
                "parameters": [
                    _parameter("template", "path"),
                    _parameter("dry_run", schema={"type": "string", "enum": ["1"]}),
                ],
                "requestBody": _body(("text/csv", TEXT), (_XLSX, FILE)),
                "responses": {"202": _answer("The log has it durably.", "ReportsAnswer")}
                | _problems(400, 401, 403, 404, 413, 415, 422, 429, 503),
            },
        },
        "/v1/dead-letters": {
            "get": _get("What was refused, oldest first. Token: operator.", "DeadLetters", _AFTER, _LIMIT)
        },
        "/v1/dead-letters/{id}": {
            "get": _get("One refused item with its bytes.", "DeadLetter", _NUMBER, problems=(401, 403, 404))
        },
        "/v1/dead-letters/{id}/redrive": {
            "post": {
                "summary": "Judge a refused report again, with the rights its sender has now.",
                "parameters": [_NUMBER],
                "responses": {"202": _answer("The log has it durably.", "ReportsAnswer")}
                | _problems(400, 401, 403, 404, 422, 429, 503),
            }
        },
        "/v1/transitions": {
            "get": _get("Transitions by rising seq; `after` is exclusive.", "Transitions", _AFTER, _LIMIT,
                        problems=(400, 401, 403))
        },
        "/v1/facilities": {"get": _get("Facilities as they stand.", "Facilities")},
        "/v1/alerts": {
            "get": _get("Alerts as they stand.", "Alerts",
                        *(_parameter(name) for name in ("facility", "rule", "state")))
        },
        "/v1/episodes": {
            "get": _get("Episodes, newest first, at most 1,000: the amended history and what was said.",
                        "Episodes", _parameter("facility"), _parameter("rule"))
        },
        "/v1/amendments": {
            "get": _get("What late, corrected or withdrawn readings changed, by rising seq.",
                        "Amendments", _parameter("facility"), _AFTER, _LIMIT, problems=(400, 401, 403))
        },
        "/v1/incidents": {
            "get": _get("Incidents, newest first, at most 1,000.", "Incidents",
                        _parameter("state"), _parameter("facility"), problems=(400, 401, 403))
        },
        "/v1/incidents/{id}": {
            "get": _get("One incident with its timeline.", "Incident", _ID, problems=(401, 403, 404))
        },
        "/v1/incidents/{id}/acknowledgements": {
            "post": {
                "summary": "Acknowledge for a person; again is no harm.",
                "parameters": [_ID],
                "requestBody": _body(("application/json", ref("Order"))),
                "responses": {"200": _answer("The incident as it is now.", "Incident")}
                | _problems(400, 401, 403, 404, 409, 413, 422, 503),
            }
        },
        "/v1/silences": {
            "get": _get("What nobody is to be told of, and until when; with `ended=1` also what ended "
                        "within seven days.", "Silences", _parameter("ended")),
            "post": {
                "summary": "Do not tell of a facility or territory until an instant; again is no harm.",
                "parameters": [],
                "requestBody": _body(("application/json", ref("SilenceOrder"))),
                "responses": {"201": _answer("The silence in force.", "Silence")}
                | _problems(400, 401, 403, 404, 413, 422, 503),
            },
        },
        "/v1/silences/{id}": {
            "get": _get("One silence, every incident it hid, and its ledger.", "Silence", _ID,
                        problems=(401, 403, 404))
        },
        "/v1/silences/{id}/end": {
            "post": {
                "summary": "End a silence before its time.",
                "parameters": [_ID],
                "requestBody": _body(("application/json", ref("SilenceEnd"))),
                "responses": {"200": _answer("The silence as it ended.", "Silence")}
                | _problems(400, 401, 403, 404, 413, 422, 503),
            }
        },
        "/v1/duty": {
            "get": _get("Who holds which role; without `at`, now.", "Duty", _parameter("territory"),
                        _parameter("role"), _parameter("at", schema=TIME), problems=(400, 401, 403, 404))
        },
        "/v1/why/series": {
            "get": _get("Which rules looked at a series at an instant, and which stage said no.", "Why",
                        *(_parameter(name) for name in ("facility", "station", "indicator", "interval")),
                        _parameter("at", schema=TIME), _parameter("by"),
                        problems=(400, 401, 403, 404, 503))
        },
        "/v1/why/person": {
            "get": _get("What a person had been told at an instant, and why not.", "Why",
                        _parameter("person"), _parameter("at", schema=TIME), problems=(400, 401, 403, 404, 503))
        },
        "/v1/why/{id}": {
            "get": _get("The reasons before and after a report, transition, incident or notification.",
                        "Why", _ID, problems=(401, 403, 404))
        },
        "/v1/texts": {
            "get": _get("The newest texts that a provider took, newest last. Token: operator.",
                        "Texts", problems=(401, 403))
        },
        "/v1/audit": {"get": _get("Check every hash chain. Token: operator.", "Audit")},
        "/v1/audit/{id}": {
            "get": _get("The ledger of one incident.", "Ledger", _ID, problems=(401, 403, 404))
        },
        "/a/{token}": {
            method: _open(
                {
                    "summary": "A signed link: what is so now; only POST acknowledges.",
                    "parameters": [_parameter("token", "path")],
                    "responses": {"200": _answer("A page."), "404": _answer("Not a genuine link.")},
                }
            )
            for method in ("get", "head", "post")
        },
        "/gateway/{channel}/receipt": {
            "get": _open(_get("A receipt of the gateway.", None, _parameter("channel", "path"),
                              _parameter("id"), _parameter("status", schema=WHOLE), problems=(400, 403, 404)))
        },
        "/gateway/{channel}/reply": {
            "get": _open(_get("A reply from a phone.", None, _parameter("channel", "path"),
                              *(_parameter(name) for name in ("from", "to", "text")), problems=(400, 403, 404)))
        },
        "/healthz": {"get": _open(_get("The process lives.", None, problems=()))},
        "/readyz": {"get": _open(_get("Reports can be taken.", None, problems=(503,)))},
        "/metrics": {"get": _open(_get("Prometheus metrics.", None, problems=()))},
        "/openapi.json": {"get": _open(_get("This document.", None, problems=()))},
        "/problems/{name}": {
            "get": _open(_get("What a problem means and what to do.", None, _parameter("name", "path"),
                              problems=(404,)))
        },
    }  # fmt: skip


def document(version: str) -> dict[str, Any]:
    """OpenAPI 3.1; made anew at each call."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yujing 预警", "version": version},
        "paths": _paths(),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }
