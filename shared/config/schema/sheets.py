"""The schema of sheets.yaml."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.config.scalars import Id, Text
from shared.config.schema.base import Items, Model
from shared.config.schema.words import TitleModel
from shared.model.instants import Interval
from shared.model.sheet import SheetField


class SheetIndicatorModel(Model):
    indicator: Id
    unit: Text | None = None


class SheetFlagModel(Model):
    flag_of: Id


def _column_kind(value: Any) -> str:
    if isinstance(value, dict):
        return "flag" if "flag_of" in value else "indicator"
    if isinstance(value, SheetFlagModel):
        return "flag"
    return "indicator" if isinstance(value, SheetIndicatorModel) else "column"


SheetMeaning = Annotated[
    Annotated[SheetField, Tag("column")]
    | Annotated[SheetIndicatorModel, Tag("indicator")]
    | Annotated[SheetFlagModel, Tag("flag")],
    Discriminator(_column_kind),
]


class SheetModel(Model):
    """How a table that people fill in becomes reports: a report a row."""

    id: Id
    title: TitleModel | None = None
    tab: Text | None = None
    interval: Interval
    facility: Id | None = None
    columns: Annotated[dict[Text, SheetMeaning], Field(min_length=1, max_length=500)]
    others: Literal["refuse", "ignore"] = "refuse"
    window_label: Literal["start", "end"] = "start"


class SheetsFile(Model):
    sheets: Annotated[list[SheetModel], Items] = []
