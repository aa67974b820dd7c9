"""Words: titles and what to do, in Chinese and English."""

from typing import Annotated

from pydantic import Field

from shared.config.scalars import Text
from shared.config.schema.base import Model


class TitleModel(Model):
    zh: Text
    en: Text | None = None


class ActionModel(Model):
    zh: Annotated[Text, Field(max_length=12)]
    en: Text | None = None
