"""CloudEvents 1.0: a report as the data of an event, in structured, batched or binary mode.

The event says where it comes from; what counts is the report inside, with its own identity. An
event delivered twice is a duplicate like any report sent twice.
"""

import base64
import binascii
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from services.ingest.bodies import BROKEN, Item, Refused, check_count, decoded, read_items, why
from shared.reports.candidate import Candidate, Rejection
from shared.reports.parse import parse_report, rejection

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
REQUIRED = ("id", "source", "type")
_EVENT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_events(
    body: bytes, media: str, headers: Mapping[str, str], zone: ZoneInfo
) -> list[Item]:  # fmt: skip
    """The reports of a body, in order; `headers` are those of the request, names in lower case.

    Raises:
        Refused: 400 for what is not JSON or no event, 413 for too many.
    """
    if media not in (STRUCTURED, BATCH):
        missing = [name for name in ("specversion", *REQUIRED) if not headers.get(f"ce-{name}")]
        if missing or headers["ce-specversion"] != "1.0":
            raise Refused(
                400,
                "bad-field",
                f"no event: send {STRUCTURED}, or binary mode with ce-specversion: 1.0 and "
                f"ce-id, ce-source, ce-type (missing: {', '.join(missing) or 'none'})",
            )
        return read_items(body, False, zone)
    try:
        events = msgspec.json.decode(body, type=list[msgspec.Raw]) if media == BATCH else [body]
    except (msgspec.MsgspecError, *BROKEN) as error:
        raise Refused(400, "bad-json", f"the body is not JSON: {why(error)}") from error
    check_count(len(events))
    if media == STRUCTURED:
        try:
            msgspec.json.decode(body)
        except BROKEN as error:
            raise Refused(400, "bad-json", f"the body is not JSON: {why(error)}") from error
    return [_item(bytes(event), zone) for event in events]


def is_event(value: bytes) -> bool:
    """Whether bytes without a media type look like an event in structured mode."""
    return b'"specversion"' in value and value.lstrip()[:1] == b"{"


def event_item(value: bytes, zone: ZoneInfo) -> Item:
    """The report of one event in structured mode."""
    return _item(value, zone)


def _item(event: bytes, zone: ZoneInfo) -> Item:
    try:
        fields = _EVENT.decode(event)
        attributes = {
            name: decoded(bytes(fields[name]))
            for name in ("specversion", *REQUIRED, "datacontenttype")
            if name in fields
        }
    except (msgspec.MsgspecError, *BROKEN) as error:
        return rejection("bad-json", f"this is no event: {why(error)}"), event
    if attributes.get("specversion") != "1.0":
        shown = f"{attributes.get('specversion')!r}"[:40]
        return _bad("specversion", f"specversion is {shown}; 1.0 is understood"), event
    for name in REQUIRED:
        if not isinstance(attributes.get(name), str) or not attributes[name]:
            return _bad(name, f"{name} is missing or empty; every event carries it"), event
    kind = attributes.get("datacontenttype", "application/json")
    media = str(kind).partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        return _bad("datacontenttype", f"datacontenttype is {media[:64]!r}; send JSON"), event
    data = _data(fields)
    if isinstance(data, Rejection):
        return data, event
    try:
        found = parse_report(decoded(data), zone)
    except BROKEN as error:
        return rejection("bad-json", f"data is not JSON: {why(error)}", "/data"), data
    if isinstance(found, Candidate):
        return found, data
    return replace(found, pointer=f"/data{found.pointer}"), data


def _data(fields: dict[str, msgspec.Raw]) -> bytes | Rejection:
    if "data" in fields:
        return bytes(fields["data"])
    if "data_base64" not in fields:
        return _bad("data", "the event has no data; put the report there")
    try:
        text = msgspec.json.decode(fields["data_base64"], type=str)
        return base64.b64decode(text, validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return _bad("data_base64", "data_base64 is not Base64")


def _bad(name: str, detail: str) -> Rejection:
    return rejection("bad-field", detail, f"/{name}")
