"""The worker of a process: takes jobs from the engine, and looks after those that nobody is at.

Invariants:
- Every start of a job ends by what its handler says, by the fence, which lets nothing of it count, or by
  `recover`.
- Nothing here is lost with the process: what it was at is taken up by another one.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from seawall import tasks
from seawall.core.contracts import Gateway
from seawall.core.ending import end
from seawall.core.errors import SeawallError
from seawall.core.jobs import Job, JobKind
from seawall.core.periods import day_of
from seawall.core.running import RunningJobs
from seawall.homes import Store
from seawall.server.background import BackgroundCalls
from seawall.settings import Settings

if TYPE_CHECKING:
    from seawall.jobs.engine import Engine

log = logging.getLogger("seawall.jobs")

LOOK_S = 1.0
RECOVER_S = 2.0
RENEW_S = 30.0
RENEWED_AT_ONCE = 100

Handler = Callable[[Job], Awaitable[None]]
"""Does a job that has just been started, and ends its run."""


def working_of(
    settings: Settings,
    gateway: Gateway,
    store: Store,
    *,
    queues: tuple[str, ...] | None = None,
    periodic: Sequence["Periodic"] = (),
) -> "Working":
    """Put the worker of a process together, from the settings; `queues` are `None` for all."""
    running = RunningJobs()
    calls = BackgroundCalls(gateway, running, settings.server.messages_max)
    deliveries = tasks.delivering_of(settings, gateway, running)
    handlers: dict[JobKind, Handler] = {"call": calls.run, "task": deliveries.run}
    stated = settings.jobs
    terms = WorkTerms(stated.concurrency, stated.stall_s, settings.server.grace_s, queues, tuple(periodic))
    care = Care(calls.renew, tasks.scheduling_of(settings, gateway).look)
    return Working(gateway, store, handlers, running, care, terms)


class Care(Struct, frozen=True):
    """What is looked after beside the jobs: money that lies on an earlier day, and tasks of schedules."""

    renew: Callable[[Job], Awaitable[bool]]
    schedule: Callable[[], Awaitable[int]]


class Periodic(Struct, frozen=True):
    """What one process of all does every so many seconds; see `jobs.engine.every`. Must not raise."""

    name: str
    every_s: int
    run: Callable[[], Awaitable[None]]


class WorkTerms(Struct, frozen=True):
    """How much one process does: `queues` are `None` for all, `drain_s` is for what runs when it stops."""

    concurrency: int
    stall_s: float
    drain_s: float
    queues: tuple[str, ...] | None = None
    periodic: tuple[Periodic, ...] = ()


class Working:
    """Works from `start` to `stop`; a process without concurrency only looks after what waits."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        handlers: Mapping[JobKind, Handler],
        running: RunningJobs,
        care: Care,
        terms: WorkTerms,
    ) -> None:
        self._gateway, self._handlers, self._running = gateway, handlers, running
        self._care, self._terms = care, terms
        self._engine = _engine_of(store, self.perform, terms) if terms.concurrency else None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work."""
        if self._engine is not None:
            await self._engine.start()
        self._looking = asyncio.create_task(self._look_after())

    async def stop(self) -> None:
        """Take nothing new, and wait for what runs; what does not end in time waits for another worker."""
        await end(self._looking)
        if self._engine is not None:
            await self._engine.stop(self._terms.drain_s)

    async def perform(self, job_id: str, carrier: int) -> None:
        """Do the job that a carrier has brought, where there is still something to be done."""
        gateway = self._gateway
        try:
            job = await gateway.jobs.start(job_id, carrier, gateway.now())
        except SeawallError as error:
            log.error("a job could not be started", extra={"fields": {"id": job_id, "why": error.private}})
            return
        if job is None:
            return
        gateway.job_wakes.wake(job_id)
        try:
            with self._running.doing(job):
                await self._handlers[job.kind](job)
        finally:
            gateway.job_wakes.wake(job_id)

    async def _look_after(self) -> None:
        clock = time.monotonic
        recover_at = renew_at = clock()
        while True:
            try:
                await self._stop_lost()
                now, rules = self._gateway.now(), self._gateway.job_rules
                await self._care.schedule()
                await self._gateway.jobs.hand_due(now, rules)
                if clock() >= recover_at:
                    recover_at = clock() + RECOVER_S
                    stalled = await self._engine.stalled() if self._engine is not None else ()
                    if await self._gateway.jobs.recover(stalled, now, rules, self._gateway.news_of):
                        self._gateway.lines.freed()
                if clock() >= renew_at:
                    renew_at = clock() + RENEW_S
                    await self._renew_holds()
            except SeawallError as error:
                log.error("the store of jobs is down", extra={"fields": {"why": error.private}})
            except OSError as error:
                log.error("the engine of jobs is down", extra={"fields": {"why": type(error).__name__}})
            await asyncio.sleep(LOOK_S)

    async def _stop_lost(self) -> None:
        """Break off runs that were taken away, or whose jobs are to be cancelled."""
        runs = self._running.runs()
        for job_id in await self._gateway.jobs.lost(runs) if runs else ():
            self._running.stop(job_id)

    async def _renew_holds(self) -> None:
        """Move the money of jobs that have waited past midnight to the accounts of today."""
        day = day_of(self._gateway.now())
        for job in await self._gateway.jobs.to_renew(day, RENEWED_AT_ONCE):
            with suppress(SeawallError):  # Whoever is refused now is told when the job is done.
                await self._care.renew(job)


def _engine_of(store: Store, perform: Callable[[str, int], Awaitable[None]], terms: WorkTerms) -> "Engine":
    # 80 ms and 11 MB for those who do no jobs.
    from seawall.jobs.engine import Engine, Schedule, every  # noqa: PLC0415

    return Engine(
        store.engine_connector(),
        perform,
        queues=terms.queues,
        concurrency=terms.concurrency,
        stall_s=terms.stall_s,
        schedules=[Schedule(each.name, every(each.every_s), each.run) for each in terms.periodic],
    )
