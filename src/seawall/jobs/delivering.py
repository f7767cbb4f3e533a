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
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from seawall.core.contracts import Gateway
from seawall.core.jobs import Job, JobEnding
from seawall.core.running import RunningJobs, finish, put_back
from seawall.core.tasks import TaskRequest, TaskTarget, first_due
from seawall.jobs.webhook import Posted, Undelivered, Webhook

log = logging.getLogger("seawall.jobs")

ANSWER_BYTES_MAX = 64 * 1024
BACKOFF_S, BACKOFF_S_MAX, BACKOFF_FACTOR = 5.0, 21_600.0, 3.0
TOLD_S_MAX = 3_600.0
"""For how long a target may tell us to wait."""
BUSY_S = 1.0
"""When a task is looked at again whose target gets as many already as may be at once."""
UNDELIVERED = "task_undelivered"
NO_STATUS = 502
_RETRIED = frozenset({408, 409, 425, 429})

_decode = msgspec.json.Decoder(TaskRequest).decode


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
        running: RunningJobs,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._targets, self._gateway, self._running, self._jitter = targets, gateway, running, jitter
        self._at_once: Counter[str] = Counter()

    async def run(self, job: Job) -> None:
        """Deliver once, and note what became of it."""
        try:
            await self._run(job)
        except asyncio.CancelledError:
            await self._running.break_off(job, self._gateway)
            raise
        except Exception:
            log.exception("a task failed", extra={"fields": {"id": job.id}})
            await self._fail(job, Trouble("this gateway could not send it"))

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
            await put_back(
                job, self._gateway, BUSY_S, "its target gets as many as may be at once", is_failure=False
            )
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
                await finish(job, self._gateway, ending)
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
            await put_back(job, self._gateway, pause_s, trouble.why)

    async def _fail(self, job: Job, trouble: Trouble) -> None:
        ending = JobEnding(state="failed", status=trouble.status, code=UNDELIVERED, why=trouble.why)
        await finish(job, self._gateway, ending)


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
