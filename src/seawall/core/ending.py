"""Ends the tasks that a process has going for itself."""

import asyncio
from typing import Any

AGAIN_S = 3.0
"""How long a task may take to clear up before it is told again."""


async def end(task: "asyncio.Task[Any] | None", *, again_s: float = AGAIN_S) -> None:
    """Cancel a task and wait until it has ended; `None` is none.

    It is told again where it goes on: `asyncio.wait_for` of Python 3.11, by which psycopg's pool waits, loses
    a cancellation where what it waits for comes at the same moment.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)
