"""Tasks of a process end when they are told, also where the first time is lost."""

import asyncio
from contextlib import suppress

import pytest

from seawall.core.ending import end


async def deaf(times: int, heard: list[int]) -> None:
    """Lose a cancellation so often, as a driver does that fails while it lets go."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append(len(heard))
            if len(heard) > times:
                raise


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_a_task_that_loses_a_cancellation_is_told_again(times: int) -> None:
    heard: list[int] = []
    task = asyncio.create_task(deaf(times, heard))
    await asyncio.sleep(0)
    await end(task, again_s=0.01)
    assert task.cancelled()
    assert heard == list(range(times + 1))


async def test_a_task_that_clears_up_is_left_to_it() -> None:
    heard: list[int] = []

    async def clear_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            heard.append(1)
            await asyncio.sleep(0.05)
            heard.append(2)

    task = asyncio.create_task(clear_up())
    await asyncio.sleep(0)
    await end(task, again_s=60.0)
    assert heard == [1, 2]


async def test_what_has_ended_or_never_was_is_no_trouble() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    with suppress(ValueError):
        await task
    await end(task)
    await end(None)
