"""The schema of access.yaml, people.yaml and rosters.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config.scalars import Clock, Code, Day, Id, Moment, Optional, Span, Text
from shared.config.schema.base import Items, Model, OneOrMore


class AccessModel(Model):
    id: Id
    kind: Literal["upstream", "officer", "operator"]
    token: Text
    facilities: Annotated[list[Text], OneOrMore] | None = None
    territory: Code | None = None


class AccessFile(Model):
    access: Annotated[list[AccessModel], Items] = []


class ContactModel(Model):
    id: Id
    channel: Id
    address: Text


class PersonModel(Model):
    id: Id
    name: Text
    title: Optional = ""
    territory: Code
    contacts: Annotated[list[ContactModel], Items] = []


class PeopleFile(Model):
    people: Annotated[list[PersonModel], Items] = []


class RotationModel(Model):
    people: Annotated[list[Id], Field(min_length=1)]
    every: Span
    handover: Clock
    first: Day


class RoleModel(Model):
    rotation: RotationModel | None = None
    people: list[Id] | None = None

    @model_validator(mode="after")
    def _one(self) -> "RoleModel":
        if (self.rotation is None) == (self.people is None):
            raise ValueError("give either rotation or people")
        return self


class OverrideModel(Model):
    role: Id
    person: Id
    from_: Moment = Field(alias="from")
    to: Moment


class RosterModel(Model):
    id: Id
    territory: Code
    roles: dict[str, RoleModel] = {}
    overrides: Annotated[list[OverrideModel], Items] = []


class RostersFile(Model):
    rosters: Annotated[list[RosterModel], Items] = []
