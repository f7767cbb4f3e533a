"""Procrastinate's dealings with a database that may be away for a while: nothing of a worker ends for that.

Invariants:
- What is done is noted until it is on disk: no carrier stays with a worker that has finished with it.
- A carrier whose fetching was committed, of which nobody heard, is found again by the worker that has it.
- A notice that comes while a worker looks and finds nothing makes it look again.
- A worker that has ended is on no list: whatever else it wanted to say of itself, its end comes last.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import AppNotOpen, ConnectorException
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback

from seawall.core.errors import Overloaded

log = logging.getLogger("seawall.engine")

AGAIN_S = 0.5
"""How long the database is left alone after trouble."""
TROUBLE = (ConnectorException, AppNotOpen, Overloaded)

T = TypeVar("T")


class PatientJobManager(JobManager):
    """See procrastinate's; of one worker. Once it `is_ending` everything is tried only once."""

    def __init__(self, connector: BaseAsyncConnector) -> None:
        super().__init__(connector)
        self.is_ending = False
        self._at_work: set[int] = set()
        self._alive: int | None = None
        self._saying = asyncio.Lock()
        self._notices = 0
        self._is_unsure = False
        self._is_away = False

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next carrier; `None` where there is none, or the database is away."""
        while True:
            notices = self._notices
            try:
                job = await self._next(queues, worker_id)
            except TROUBLE as error:
                self._is_unsure = True
                self._note_away(error)
                return None
            self._note_back()
            if job is not None and job.id is not None:
                self._at_work.add(job.id)
                return job
            if notices == self._notices:
                return None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Note that a carrier has done its work, as often as it takes."""
        finish = super().finish_job
        await self._insist(lambda: finish(job, status, delete_job))
        if job.id is not None:
            self._at_work.discard(job.id)

    async def defer_periodic_job(self, job: Job, periodic_id: str, defer_timestamp: int) -> int | None:
        """Put what is to be done at a tick, where nobody has; as often as it takes."""
        defer = super().defer_periodic_job
        return await self._insist(lambda: defer(job, periodic_id, defer_timestamp))

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Tell of every carrier that is put, from the moment on that the database is there."""

        async def heard(*, channel: str, notification: Notification) -> None:
            self._notices += 1
            await on_notification(channel=channel, notification=notification)

        while True:
            with suppress(*TROUBLE):
                await super().listen_for_jobs(on_notification=heard, queues=queues)
            await asyncio.sleep(AGAIN_S)

    async def register_worker(self) -> int:
        """Say that a worker begins; returns its number."""
        self._alive = await super().register_worker()
        return self._alive

    async def update_heartbeat(self, worker_id: int) -> None:
        """Say that a worker is alive, where that can be said; one that has ended is not."""
        async with self._saying:
            if worker_id == self._alive:
                with suppress(*TROUBLE):
                    await super().update_heartbeat(worker_id)

    async def unregister_worker(self, worker_id: int) -> None:
        """Say that a worker has ended; where that cannot be said it is taken for dead in time."""
        async with self._saying:
            self._alive = None
            with suppress(*TROUBLE):
                await super().unregister_worker(worker_id)

    async def _next(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        if self._is_unsure:
            at_work = frozenset(self._at_work)  # The answer may name one that has ended before it is here.
            for job in await self.list_jobs_async(status="doing", worker_id=worker_id):
                if job.id not in at_work:
                    return job
            self._is_unsure = False
        return await super().fetch_job(queues, worker_id)

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        while True:
            try:
                return await ask()
            except TROUBLE as error:
                self._note_away(error)
            if self.is_ending:
                return None
            await asyncio.sleep(AGAIN_S)

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            why = {"fields": {"why": type(error.__cause__ or error).__name__}}
            log.warning("jobs are not taken while the database is away", extra=why)
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            log.warning("the database is back, and jobs are taken again")
        self._is_away = False
