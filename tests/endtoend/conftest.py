"""A simulated site logs a lot, and none of it is news."""

from collections.abc import Iterator

import pytest
import structlog


def _drop(_logger: object, _method: str, _event: object) -> str:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Errors on purpose are not printed."""
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
