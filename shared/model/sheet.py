"""Sheets: how the columns of a table that people fill in become reports."""

import unicodedata
from typing import Literal

import msgspec

from shared.model.facility import Facility
from shared.model.instants import Interval

SheetField = Literal[
    "observed_at", "facility", "facility_name", "station", "id", "revision", "withdrawn", "ignore"
]
READINGS = "readings"
"""The template that needs no configuration: a reading a row, under the names of the report."""


class SheetColumn(msgspec.Struct, frozen=True):
    """One column: a field of the report, or the value or the flag of an indicator."""

    header: str
    field: SheetField | None = None
    indicator: str | None = None
    unit: str | None = None
    """What its numbers are in; None: the unit of the indicator."""
    is_flag: bool = False


class Sheet(msgspec.Struct, frozen=True):
    """A template: a report a row."""

    id: str
    title: str
    tab: str | None
    """Name of the tab in a workbook; None: the first."""
    interval: Interval
    facility: str | None
    """When the whole sheet is of one facility."""
    columns: tuple[SheetColumn, ...]
    ignores_others: bool
    window_label: Literal["start", "end"] = "start"
    """Whether its times name the start of a window or its end."""


def plain(header: object) -> str:
    """A header as it is compared: width, blanks and line breaks do not count."""
    text = unicodedata.normalize("NFKC", str(header if header is not None else ""))
    return "".join(text.split()).casefold()


def facility_names(facilities: dict[str, Facility]) -> dict[str, str]:
    """Facility ids by the names people use for them; a name of two leads nowhere."""
    found: dict[str, set[str]] = {}
    for facility in facilities.values():
        for name in (facility.id, facility.name, facility.short_name):
            found.setdefault(plain(name), set()).add(facility.id)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}
