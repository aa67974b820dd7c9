"""A message that has to wait goes on where it waits: the way around Faust's four tasks each."""

import asyncio

import pytest

from services.rules.faust_app import Rest


async def handed(gates: list[asyncio.Future[str]]) -> list[str]:
    """Waits twice, and cleans up when it may not."""
    said = []
    try:
        for gate in gates:
            said.append(await gate)
    except ValueError as error:
        said.append(str(error))
    return said


async def begun(gates: list[asyncio.Future[str]]) -> asyncio.Future[list[str]]:
    work = handed(gates)
    return asyncio.ensure_future(Rest(work, work.send(None)))


def gates(count: int) -> list[asyncio.Future[str]]:
    loop = asyncio.get_running_loop()
    return [loop.create_future() for _ in range(count)]


def test_it_goes_on_where_it_waits() -> None:
    async def run() -> list[str]:
        two = gates(2)
        rest = await begun(two)
        await asyncio.sleep(0)
        two[0].set_result("a")
        await asyncio.sleep(0)
        assert not rest.done()
        two[1].set_result("b")
        return await rest

    assert asyncio.run(run()) == ["a", "b"]


def test_what_it_waits_for_may_fail() -> None:
    async def run() -> list[str]:
        (one,) = gates(1)
        rest = await begun([one])
        one.set_exception(ValueError("no"))
        return await rest

    assert asyncio.run(run()) == ["no"]


def test_it_can_be_cancelled() -> None:
    async def run() -> None:
        two = gates(2)
        rest = await begun(two)
        await asyncio.sleep(0)
        rest.cancel()
        await rest

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
