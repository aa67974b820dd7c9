"""The schema of channels.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from shared.config.scalars import Colour, Id, Link, Optional, Span, Text, Whole
from shared.config.schema.base import Items, Model, OneOrMore


class BudgetModel(Model):
    per_day: Annotated[Whole, Field(ge=0)]
    reserve: dict[Colour, Annotated[Whole, Field(ge=0)]] = {}


class KannelModel(Model):
    id: Id
    kind: Literal["kannel"]
    url: Link
    username: Text
    password: Text
    sender: Text
    signature: Text
    timeout: Span = 5_000_000
    callbacks_from: Annotated[list[Text], OneOrMore] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class SmtpModel(Model):
    id: Id
    kind: Literal["smtp"]
    host: Text
    port: Annotated[Whole, Field(ge=1, le=65535)] = 25
    tls: Literal["none", "starttls", "implicit"] = "none"
    from_: Text = Field(alias="from")
    username: Optional = ""
    password: Optional = ""
    ca_file: Optional = ""
    timeout: Span = 10_000_000
    budget: BudgetModel | None = None


class LocalModel(Model):
    id: Id
    kind: Literal["local"]
    signature: Text = "预警"
    callbacks_from: Annotated[list[Text], OneOrMore] = ["127.0.0.1"]
    budget: BudgetModel | None = None


class ChannelsFile(Model):
    channels: Annotated[
        list[Annotated[KannelModel | SmtpModel | LocalModel, Field(discriminator="kind")]], Items
    ] = []
