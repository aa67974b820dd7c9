"""The desk house, and running a coroutine to its end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.unit.notify_api.desk_house import DeskHouse

Go = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def desk_house() -> DeskHouse:
    return DeskHouse()


@pytest.fixture
def go() -> Go:
    return asyncio.run
