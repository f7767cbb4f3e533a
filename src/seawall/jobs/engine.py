"""The engine: procrastinate, which carries the ids of jobs to this process, and is kept running.

Invariants:
- It knows a job by its id alone: what becomes of a job is decided by whoever performs it.
- It never tries a job again by itself. What a worker was at when it died stays with that worker, until
  `stalled` tells of it.
- While anything runs, during a drain too, the others hear that this worker is alive.
- Its worker ends when it is stopped, and not before: one that fails is followed by another.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from msgspec import Struct
from procrastinate import App, JobContext
from procrastinate.connector import BaseAsyncConnector
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

from seawall.jobs.patient import AGAIN_S, TROUBLE, PatientJobManager
from seawall.stores.carriers import TASK

log = logging.getLogger("seawall.engine")

QUEUES = ("calls", "tasks")
SCHEDULES = "schedules"
"""The queue of what is done at its time."""
SCHEDULE_PRIORITY = 100
POLL_S = 0.5
"""How often a worker looks for what it was not told of, as processes that share a file cannot tell."""
NEVER_S = 1e9
PAUSE_MAX_S = 10.0
CLOSE_S = 5.0

Perform = Callable[[str, int], Awaitable[None]]
"""Does the job of this id, as this carrier says; must not raise."""


class Schedule(Struct, frozen=True):
    """Periodic work, which one process of all that know it does at each tick.

    `cron` has five fields, or a sixth for seconds, in UTC; see `every`.
    """

    name: str
    cron: str
    run: Callable[[], Awaitable[None]]


def every(seconds: int) -> str:
    """Write as cron what is done every so many seconds; they must divide a minute, an hour or a day."""
    if seconds > 0 and 60 % seconds == 0:
        return f"* * * * * */{seconds}" if seconds < 60 else "* * * * *"
    minutes, rest = divmod(seconds, 60)
    if not rest and minutes > 0 and 60 % minutes == 0:
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"
    hours, rest = divmod(minutes, 60)
    if seconds % 3_600 == 0 and hours > 0 and 24 % hours == 0:
        return f"0 */{hours} * * *" if hours < 24 else "0 0 * * *"
    raise ValueError(f"{seconds} seconds divide neither a minute, nor an hour, nor a day")


class Engine:
    """One worker of procrastinate in the loop that runs now; `stall_s` is when a silent one counts as dead.

    `queues` are those it takes from, all where none are named.
    """

    def __init__(
        self,
        connector: BaseAsyncConnector,
        perform: Perform,
        *,
        concurrency: int,
        stall_s: float,
        queues: Sequence[str] | None = None,
        schedules: Sequence[Schedule] = (),
    ) -> None:
        self._connector, self._perform = connector, perform
        self._jobs = PatientJobManager(connector)
        self._concurrency, self._stall_s = concurrency, stall_s
        self._queues = [*(queues or QUEUES), *([SCHEDULES] if schedules else [])]
        self._schedules = schedules
        self._stopping = asyncio.Event()
        self._worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None
        logging.getLogger("procrastinate").setLevel(logging.WARNING)  # It tells of every job several times.

    async def start(self) -> None:
        """Begin to take jobs, where any may run at once."""
        if self._concurrency:
            self._task = asyncio.create_task(self._run(), name="engine")

    async def stop(self, drain_s: float) -> None:
        """Take nothing new, wait so long for what runs, and cancel what still does."""
        self._jobs.is_ending = True
        self._stopping.set()
        if self._task is None:
            return
        if self._worker is not None:
            self._worker.shutdown_graceful_timeout = drain_s
            self._worker.stop()  # type: ignore[no-untyped-call] # procrastinate's
        else:
            self._task.cancel()  # It waits for a database that is away.
        await asyncio.wait([self._task], timeout=drain_s + CLOSE_S)
        self._task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._connector.close_async()

    async def stalled(self) -> list[int]:
        """Return the carriers of workers that nobody has heard of for `stall_s`; none while that is unknown.

        What such a worker did for a schedule is dropped: the next tick comes.
        """
        jobs = JobManager(self._connector)
        try:
            found = await jobs.get_stalled_jobs(seconds_since_heartbeat=self._stall_s)
            for job in found:
                if job.task_name != TASK:
                    await jobs.finish_job(job, Status.ABORTED, delete_job=True)
        except TROUBLE:
            return []
        return [job.id for job in found if job.task_name == TASK and job.id is not None]

    async def _run(self) -> None:
        pause_s = AGAIN_S
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                await self._connector.open_async()
                await self._work()
            except Exception:
                log.exception("the worker has failed")
            if self._stopping.is_set():
                return
            pause_s = AGAIN_S if time.monotonic() - begun > PAUSE_MAX_S else min(2 * pause_s, PAUSE_MAX_S)
            log.warning("the worker is started again", extra={"fields": {"again_in_s": pause_s}})
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()

    async def _work(self) -> None:
        app = self._make_app()
        worker = self._worker = Worker(
            app,
            queues=self._queues,
            concurrency=self._concurrency,
            fetch_job_polling_interval=POLL_S,
            abort_job_polling_interval=NEVER_S,  # A job is told to stop by its own row.
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=NEVER_S,  # It would stop before what runs does.
            stalled_worker_timeout=self._stall_s,
        )
        heart = asyncio.create_task(self._beat(worker), name="heart")
        try:
            if not self._stopping.is_set():
                await worker.run()  # type: ignore[no-untyped-call] # procrastinate's
        finally:
            heart.cancel()
            self._worker = None

    async def _beat(self, worker: Worker) -> None:
        while True:
            await asyncio.sleep(self._stall_s / 3)
            if worker.worker_id is not None:
                await self._jobs.update_heartbeat(worker.worker_id)

    def _make_app(self) -> App:
        app = App(connector=self._connector)
        app.job_manager = self._jobs

        @app.task(name=TASK, pass_context=True)
        async def run(context: JobContext, job: str) -> None:
            assert context.job.id is not None
            await self._perform(job, context.job.id)

        for schedule in self._schedules:
            _add(app, schedule)
        return app


def _add(app: App, schedule: Schedule) -> None:
    """Let an app do something at its time: never twice at once, and with one tick waiting at most."""

    @app.periodic(cron=schedule.cron)
    @app.task(
        name=schedule.name,
        queue=SCHEDULES,
        priority=SCHEDULE_PRIORITY,
        lock=schedule.name,
        queueing_lock=schedule.name,
    )
    async def tick(timestamp: int) -> None:
        await schedule.run()
