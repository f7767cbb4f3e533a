"""The jobs that this process does now: which they are, and how the run of one ends before its time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from seawall.core.contracts import Gateway
from seawall.core.errors import Overloaded
from seawall.core.jobs import Job, JobEnding

WRITE_AGAIN_S = 0.5


class RunningJobs:
    """Jobs that are done here now, each by a task of its own."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[int, asyncio.Task[Any]]] = {}
        self._stopped: set[str] = set()

    @contextmanager
    def doing(self, job: Job) -> Iterator[None]:
        """Count a job as done by the present task, until the block ends."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[job.id] = (job.run, task)
        try:
            yield
        finally:
            del self._tasks[job.id]
            self._stopped.discard(job.id)

    def runs(self) -> list[tuple[str, int]]:
        """Return the jobs, each with its run."""
        return [(job_id, run) for job_id, (run, _) in self._tasks.items()]

    def stop(self, job_id: str) -> None:
        """Break off a run that does not count any more, or whose job is to be cancelled."""
        found = self._tasks.get(job_id)
        if found is not None and job_id not in self._stopped:
            self._stopped.add(job_id)
            found[1].cancel()

    async def break_off(self, job: Job, gateway: Gateway) -> None:
        """End a job that was stopped; what this process has no time for any more waits for another."""
        if job.id in self._stopped:
            await _cancel(job, gateway)
        else:
            await put_back(job, gateway, 0.0, "the worker was stopped", is_failure=False)


async def put_back(job: Job, gateway: Gateway, pause_s: float, why: str, *, is_failure: bool = True) -> None:
    """Let a job wait for another run; one that is to be cancelled ends."""
    due_at, rules = gateway.now() + pause_s, gateway.job_rules
    again = partial(gateway.jobs.again, job.id, job.run, due_at, why, rules, is_failure=is_failure)
    if not await until_written(again):
        await _cancel(job, gateway)


async def _cancel(job: Job, gateway: Gateway) -> None:
    """End a job that is to be cancelled; where the run does not count, nothing is done."""
    found = await gateway.jobs.get(job.id, is_whole=False)
    if found is not None and found.is_cancelling:
        await finish(job, gateway, JobEnding(state="cancelled", status=0))


async def finish(job: Job, gateway: Gateway, ending: JobEnding) -> bool:
    """End a job, and announce it; false where the run does not count."""
    news, now, rules = gateway.news_of(job, ending), gateway.now(), gateway.job_rules
    return await until_written(partial(gateway.jobs.finish, job.id, job.run, ending, now, rules, news))


async def until_written(write: Callable[[], Awaitable[bool]]) -> bool:
    """Write what would be lost with this process, however long a store that is down takes to come back."""
    while True:
        try:
            return await write()
        except Overloaded:
            await asyncio.sleep(WRITE_AGAIN_S)
