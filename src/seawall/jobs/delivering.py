"""Delivers tasks: a signed POST to a target that the operator has named, until it says done.

Invariants:
- A task has one id for all of its deliveries, the job's, by which receivers tell that they know it already:
  a crash between their answer and our note of it delivers it again.
- What is noted of a run counts only while the job is at that run; else nothing is done any more.
- A task that is given up says why. It stays as a dead letter until it is taken up again or expires.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from seawall.core.contracts import Gateway
from seawall.core.errors import Overloaded
from seawall.core.jobs import Job, JobEnding, News
from seawall.core.tasks import TaskRequest, TaskTarget, first_due
from seawall.jobs.webhook import Posted, Undelivered, Webhook

log = logging.getLogger("seawall.jobs")

ANSWER_BYTES_MAX = 64 * 1024
BACKOFF_S, BACKOFF_S_MAX, BACKOFF_FACTOR = 5.0, 21_600.0, 3.0
TOLD_S_MAX = 3_600.0
"""For how long a target may tell us to wait."""
BUSY_S = 1.0
"""When a task is looked at again whose target gets as many already as may be at once."""
WRITE_AGAIN_S = 0.5
UNDELIVERED = "task_undelivered"
NO_STATUS = 502
_RETRIED = frozenset({408, 409, 425, 429})

_decode = msgspec.json.Decoder(TaskRequest).decode
Tell = Callable[[Job, JobEnding], News | None]


class Trouble(Struct, frozen=True):
    """Why one delivery failed; `is_final` says that no other can help, `told_s` when we are told to come."""

    why: str
    status: int = NO_STATUS
    is_final: bool = False
    told_s: float | None = None


class Delivering:
    """Does the jobs of the kind `task`; `tell` says what is announced of one at its end.

    `targets` say where each target is. `jitter` returns a number from 0 to 1.
    """

    def __init__(
        self,
        targets: Mapping[str, tuple[TaskTarget, Webhook]],
        gateway: Gateway,
        *,
        jitter: Callable[[], float] = random.random,
        tell: Tell = lambda job, ending: None,
    ) -> None:
        self._targets, self._gateway = targets, gateway
        self._jitter, self._tell = jitter, tell
        self._running: dict[str, tuple[int, asyncio.Task[Any]]] = {}
        self._stopped: set[str] = set()
        self._at_once: Counter[str] = Counter()

    def running(self) -> list[tuple[str, int]]:
        """Return the jobs that are done here now, each with its run."""
        return [(job_id, run) for job_id, (run, _) in self._running.items()]

    def stop(self, job_id: str) -> None:
        """Break off a run that does not count any more, or whose job is to be cancelled."""
        found = self._running.get(job_id)
        if found is not None and job_id not in self._stopped:
            self._stopped.add(job_id)
            found[1].cancel()

    async def run(self, job: Job) -> None:
        """Deliver once, and note what became of it."""
        task = asyncio.current_task()
        assert task is not None
        self._running[job.id] = (job.run, task)
        try:
            await self._run(job)
        except asyncio.CancelledError:
            await self._broken_off(job)
            raise
        except Exception:
            log.exception("a task failed", extra={"fields": {"id": job.id}})
            await self._fail(job, Trouble("this gateway could not send it"))
        finally:
            del self._running[job.id]
            self._stopped.discard(job.id)
            self._gateway.job_wakes.wake(job.id)

    async def _run(self, job: Job) -> None:
        found = self._targets.get(job.endpoint)
        if found is None:
            await self._fail(job, Trouble("there is no such target any more"))
            return
        target, webhook = found
        if job.failures >= target.attempts:  # The last ones ended with their worker, which notes nothing.
            await self._fail(job, Trouble(f"its worker was lost after {job.failures} attempts"))
            return
        if self._at_once[target.name] >= target.at_once:
            await self._again(job, BUSY_S, "its target gets as many as may be at once", is_failure=False)
            return
        self._at_once[target.name] += 1
        try:
            await self._deliver(job, target, webhook)
        finally:
            self._at_once[target.name] -= 1

    async def _deliver(self, job: Job, target: TaskTarget, webhook: Webhook) -> None:
        request = _decode(job.request)
        more = (("seawall-task", target.name), ("seawall-attempt", str(job.failures + 1)))
        try:
            posted = await webhook.post(job.id, bytes(request.body), self._gateway.now(), more)
        except Undelivered as error:
            trouble = Trouble(error.why, is_final=error.is_final)
        else:
            if posted.is_taken:
                ending = JobEnding(state="completed", status=posted.status, answer=answer_of(posted))
                await self._finish(job, ending)
                return
            trouble = trouble_of(posted, self._gateway.now())
        await self._retry(job, target, request, trouble)

    async def _retry(self, job: Job, target: TaskTarget, request: TaskRequest, trouble: Trouble) -> None:
        """Put the job back, or give it up where that cannot help any more."""
        attempts = job.failures + 1
        pause_s = pause_after(attempts, trouble.told_s, self._jitter())
        is_late = self._gateway.now() + pause_s > first_due(job, request) + target.give_up_s
        if trouble.is_final or attempts >= target.attempts or is_late:
            tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            await self._fail(job, replace(trouble, why=f"{trouble.why} after {tries}"))
        else:
            await self._again(job, pause_s, trouble.why)

    async def _again(self, job: Job, pause_s: float, why: str, *, is_failure: bool = True) -> None:
        """Put the job back to wait, unless it is to be cancelled."""
        gateway = self._gateway
        again, due_at = gateway.jobs.again, gateway.now() + pause_s
        write = partial(again, job.id, job.run, due_at, why, gateway.job_rules, is_failure=is_failure)
        if not await _until_written(write):
            await self._cancel(job)

    async def _fail(self, job: Job, trouble: Trouble) -> None:
        ending = JobEnding(state="failed", status=trouble.status, code=UNDELIVERED, why=trouble.why)
        await self._finish(job, ending)

    async def _cancel(self, job: Job) -> None:
        """End a job that was cancelled meanwhile; where the run does not count, nothing is done."""
        found = await self._gateway.jobs.get(job.id, is_whole=False)
        if found is not None and found.is_cancelling:
            await self._finish(job, JobEnding(state="cancelled", status=0))

    async def _broken_off(self, job: Job) -> None:
        """End a job that is to be cancelled; what this process has no time for any more waits for another."""
        if job.id in self._stopped:
            await self._cancel(job)
        else:
            await self._again(job, 0.0, "the worker was stopped", is_failure=False)

    async def _finish(self, job: Job, ending: JobEnding) -> None:
        gateway, news = self._gateway, self._tell(job, ending)
        finish, now = gateway.jobs.finish, gateway.now()
        await _until_written(partial(finish, job.id, job.run, ending, now, gateway.job_rules, news))


async def _until_written(write: Callable[[], Awaitable[bool]]) -> bool:
    """Write what would be lost with this process, however long a store that is down takes to come back."""
    while True:
        try:
            return await write()
        except Overloaded:
            await asyncio.sleep(WRITE_AGAIN_S)


def pause_after(attempts: int, told_s: float | None, jitter: float) -> float:
    """Return how many seconds to wait after so many attempts: as told, within an hour, or longer each time.

    `jitter` from 0 to 1 moves it by up to a fifth, so that what failed together does not come back together.
    """
    usual_s = min(BACKOFF_S * BACKOFF_FACTOR ** (attempts - 1), BACKOFF_S_MAX) * (0.8 + 0.4 * jitter)
    if told_s is None:
        return usual_s
    return min(max(told_s, 1.0), TOLD_S_MAX) + jitter


def trouble_of(posted: Posted, now: float) -> Trouble:
    """Say what an answer other than 2xx means for the task."""
    status = posted.status
    if 300 <= status < 400:
        return Trouble(f"status {status} (redirects are not followed)", status)
    is_final = 400 <= status < 500 and status not in _RETRIED
    return Trouble(f"status {status}", status, is_final, posted.retry_after_s(now))


def answer_of(posted: Posted) -> bytes:
    """Return the answer where it is JSON, which alone is kept."""
    try:
        msgspec.json.decode(posted.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    return posted.body
