import pytest

from tests.scenario.house import House


@pytest.fixture
def house() -> House:
    return House()
