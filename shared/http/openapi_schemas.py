"""Schemas of what programs send and get, for `/openapi.json`."""

from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(required: str, optional: str = "", **properties: Schema) -> Schema:
    """An object; fields that are not described are strings."""
    names = [*required.split(), *optional.split()]
    found = {name: properties.get(name, TEXT) for name in dict.fromkeys([*names, *properties])}
    return {"type": "object", "required": required.split(), "properties": found}


def list_of(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


TEXT: Schema = {"type": "string"}
FILE: Schema = {"type": "string", "format": "binary"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
FREE: Schema = {"type": "object", "additionalProperties": True}
INTERVAL = one_of("realtime", "minute", "hour", "day")
SEVERITY = one_of("blue", "yellow", "orange", "red")

SCHEMAS: dict[str, Schema] = {
    "Reading": object_of(
        "indicator", "value unit flag withdrawn", value=MAYBE_NUMBER, withdrawn=FLAG
    ),
    "Report": object_of(
        "facility observed_at interval readings",
        "id station revision withdrawn",
        revision={**WHOLE, "minimum": 0},
        withdrawn=FLAG,
        observed_at=TIME,
        interval=INTERVAL,
        readings={**list_of(ref("Reading")), "minItems": 1},
    ),
    "Event": object_of(
        "specversion id source type", "datacontenttype data data_base64", data=ref("Report")
    ),
    "ItemProblem": object_of("index type title detail pointer", "row cell", index=WHOLE, row=WHOLE),
    "ReportsAnswer": object_of(
        "accepted duplicates rejected",
        accepted=WHOLE,
        duplicates=WHOLE,
        rejected=list_of(ref("ItemProblem")),
    ),
    "Problem": object_of("type title status detail", status=WHOLE),
    "DeadLetter": object_of(
        "id at listener principal reason title detail pointer facility", "raw", id=WHOLE, at=TIME
    ),
    "DeadLetters": {
        "type": "object",
        "required": ["dead-letters", "next"],
        "properties": {"dead-letters": list_of(ref("DeadLetter")), "next": WHOLE},
    },
    "Transition": object_of(
        "id seq rule facility station indicator interval episode step state severity cause at "
        "value limit unit basis",
        seq=WHOLE,
        interval=INTERVAL,
        episode=TIME,
        step=WHOLE,
        state=one_of("pending", "firing", "resolved", "withdrawn"),
        severity=SEVERITY,
        cause=one_of("raised", "rose", "fell", "cleared", "withdrawn", "missing", "reported"),
        at=TIME,
        value=MAYBE_NUMBER,
        limit=MAYBE_TEXT,
        unit=MAYBE_TEXT,
        basis=object_of("standard edition clause"),
    ),
    "Transitions": object_of(
        "transitions next", transitions=list_of(ref("Transition")), next=WHOLE
    ),
    "Facility": object_of(
        "id name territory kind last_heard series rules",
        last_heard=MAYBE_TIME,
        series=list_of(
            object_of(
                "station indicator interval observed_at value unit flag",
                interval=INTERVAL,
                observed_at=TIME,
                value=NUMBER,
            )
        ),
        rules=list_of(
            object_of(
                "rule station indicator interval state severity",
                state=one_of("normal", "pending", "firing", "unknown"),
                severity=MAYBE_TEXT,
            )
        ),
    ),
    "Facilities": object_of("facilities", facilities=list_of(ref("Facility"))),
    "Alerts": object_of("alerts", alerts=list_of(FREE)),
    "Episodes": object_of("episodes", episodes=list_of(FREE)),
    "Amendments": object_of("amendments next", amendments=list_of(FREE), next=WHOLE),
    "Incident": object_of(
        "id state severity facility territory opened_at acknowledged_at acknowledged_by "
        "resolved_at step next_step_at alerts timeline",
        state=one_of("open", "acknowledged", "resolved"),
        severity=SEVERITY,
        opened_at=TIME,
        acknowledged_at=MAYBE_TIME,
        acknowledged_by=MAYBE_TEXT,
        resolved_at=MAYBE_TIME,
        step={"type": ["integer", "string", "null"]},
        next_step_at=MAYBE_TIME,
        alerts=list_of(FREE),
        timeline=list_of(
            object_of(
                "at kind person channel reason notification",
                at=TIME,
                person=MAYBE_TEXT,
                channel=MAYBE_TEXT,
                reason=MAYBE_TEXT,
                notification=MAYBE_TEXT,
            )
        ),
    ),
    "Incidents": object_of("incidents", incidents=list_of(ref("Incident"))),
    "Order": object_of("person", "note"),
    "Duty": object_of("duty", duty=list_of(FREE)),
    "SilenceOrder": object_of("match reason until person", "up_to from", match=FREE, until=TIME),
    "SilenceEnd": object_of("person"),
    "Silence": object_of(
        "id match reason person from until state hid_count",
        "up_to ended_by",
        match=FREE,
        until=TIME,
        hid_count=WHOLE,
        hid=list_of(FREE),
        ledger=list_of(FREE),
    ),
    "Silences": object_of("silences", silences=list_of(ref("Silence"))),
    "Why": FREE,
    "Texts": object_of("texts", texts=list_of(FREE)),
    "Audit": object_of("audit intact", audit=list_of(FREE), intact={"type": "boolean"}),
    "Ledger": object_of("incident ledger", ledger=list_of(FREE)),
}
