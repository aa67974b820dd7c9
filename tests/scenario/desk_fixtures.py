"""Fixtures that run a test once on SQLite and, where a server is installed, once on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.scenario.desks import Desks, Houses
from tests.scenario.house import House

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]


@pytest.fixture(params=KINDS)
def desks(request: pytest.FixtureRequest) -> Iterator[Desks]:
    with Desks(request.param) as made:
        yield made


@pytest.fixture
def houses(desks: Desks) -> Houses:
    return Houses(desks)


@pytest.fixture
def house(houses: Houses) -> House:
    return houses()
