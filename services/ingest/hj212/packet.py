"""Packets: a data segment taken apart, in whatever order, case and separators it was written.

Nothing is escaped in HJ 212. Items of CP are separated by `;`, fields inside an item by `,`;
free text stands between `//` and `//` and may hold both. Keys may repeat (several `PolId`), so
CP stays an ordered list of groups. Nothing here fails: what cannot be read is simply absent.
"""

import re

import msgspec

Group = list[tuple[str, str]]

_NAMES = {
    name.upper(): name for name in ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF")
}
_EXACT = frozenset(_NAMES.values())
_CP = re.compile(r"CP\s*=\s*&&?", re.IGNORECASE)
_FREE_TEXT = re.compile(r"=\s*//.*?//(?=\s*(?:[,;]|\Z))", re.DOTALL)
_BLANKS = " \t\r\n,;"
_SECRETS = re.compile(rb"((?:PW|NewPW|OldPW)\s*=)[^;,&\r\n]*", re.IGNORECASE)


class Packet(msgspec.Struct, frozen=True):
    """The header fields that were present, by their standard names, and CP."""

    header: dict[str, str]
    groups: list[Group]

    def get(self, name: str) -> str:
        """A header field; the empty text when it is absent."""
        return self.header.get(name, "")

    @property
    def flag(self) -> int:
        """Bit 0 A: answer wanted; bit 1 D: split; bits 2-7: version. 0 when absent or odd."""
        text = self.header.get("Flag", "")
        return int(text) & 0xFF if text.isascii() and text.isdigit() and len(text) < 4 else 0

    @property
    def wants_answer(self) -> bool:
        return bool(self.flag & 1)

    @property
    def version(self) -> int:
        """0: 2005, 1: 2017, 2: 2025 (and since 2019 surface-water stations), as Flag says."""
        return self.flag >> 2


def parse_packet(segment: bytes) -> Packet:
    """Take a data segment apart."""
    text = _text(segment)
    at = text.find("CP=&&")
    if at >= 0:
        head, area = text[:at], text[at + 5 :]
    elif (match := _CP.search(text)) is not None:
        head, area = text[: match.start()], text[match.end() :]
    else:
        head, area = text, ""
    if area.endswith("&&"):
        area = area[:-2]
    return Packet(_header(head), split_area(area))


def plain_header(segment: bytes) -> dict[str, str]:
    """The header exactly as it was written: no stray comma, odd case or lost `;` forgiven."""
    head = _text(segment).partition("CP=")[0]
    header: dict[str, str] = {}
    for item in head.split(";"):
        key, _, value = item.partition("=")
        if key.strip() in _EXACT:
            header[key.strip()] = value.strip()
    return header


def _text(segment: bytes) -> str:
    try:
        return segment.decode("utf-8")
    except UnicodeDecodeError:
        # Loggers with a Chinese Windows inside write GBK, of which GB 18030 is the whole.
        return segment.decode("gb18030", errors="replace")


def _header(head: str) -> dict[str, str]:
    if "," in head:
        # `PW=123456;,MN=…` and `QN=…,ST=32` both stand in print or in the field.
        head = head.replace(",", ";")
    header: dict[str, str] = {}
    for item in head.split(";"):
        key, equals, value = item.partition("=")
        if equals:
            name = _NAMES.get(key) or _NAMES.get(key.strip(_BLANKS).upper())
            if name is not None:
                header.setdefault(name, value.strip())
    return header


def split_area(area: str) -> list[Group]:
    """CP as groups of (key, value); an item without `=` has an empty value."""
    texts: list[str] = []
    if "//" in area:
        area = _set_texts_aside(area, texts)
    groups: list[Group] = []
    for item in area.split(";"):
        group = [_field(field) for field in item.split(",") if field and not field.isspace()]
        if group:
            groups.append(group)
    if texts:
        return [[(key, _restored(value, texts)) for key, value in group] for group in groups]
    return groups


def _field(field: str) -> tuple[str, str]:
    key, _, value = field.partition("=")
    return key.strip(), value.strip()


def _set_texts_aside(area: str, texts: list[str]) -> str:
    """Free text is put aside under a mark that cannot occur in it, and comes back whole."""

    def aside(match: re.Match[str]) -> str:
        texts.append(match[0][1:].strip())
        return f"=\0{len(texts) - 1}"

    return _FREE_TEXT.sub(aside, area.replace("\0", ""))


def _restored(value: str, texts: list[str]) -> str:
    return texts[int(value[1:])] if value.startswith("\0") else value


def nested(groups: list[Group]) -> dict[str, str | dict[str, str]]:
    """CP as `{"DataTime": …, "w01018": {"Rtd": …}}`; a repeated key keeps its last value."""
    area: dict[str, str | dict[str, str]] = {}
    for group in groups:
        for key, value in group:
            code, dash, field = key.partition("-")
            if not dash:
                area[key] = value
                continue
            fields = area.get(code)
            if isinstance(fields, dict):
                fields[field] = value
            else:
                area[code] = {field: value}
    return area


def redacted(raw: bytes, password: str = "") -> bytes:
    """Bytes as they may be kept: every password replaced.

    With the password of an upload at hand, which has no other, plain text search does it.
    """
    if password and raw.count(written := b"PW=" + password.encode()) == 1:
        return raw.replace(written, b"PW=<hidden>")
    return _SECRETS.sub(rb"\1<hidden>", raw)
