"""The one thread of a process that writes to the database.

Invariants:
- All waiting operations are committed together: one transaction, one flush to disk for many callers.
- An operation is answered only after the commit that holds it, in the order in which it was handed over.
- Where an operation fails, its batch is rolled back and every operation is run again alone, so that one
  bad operation cannot fail its neighbours. Trouble with the database itself fails all of them at once.
- An operation that must not be lost is kept and tried again until it is on disk.
- What nobody waits for rides along with the next commit, or goes alone after a few milliseconds.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from seawall.core.histograms import Commits
from seawall.stores.down import StoreDown

log = logging.getLogger("seawall.store")

BATCH_MAX = 1_000
WAITING_MAX = 20_000
RIDE_S = 0.005
"""How long an operation that nobody waits for may wait for another to share its commit."""
GATHER_FROM = 4
"""Where the last commit served so many callers, the next waits `gather_s` for more: fewer, larger commits."""
RETRY_S = 0.5

Operation = Callable[[Any], Any]
"""What is done inside of a transaction, to the batch of the database."""


class Engine(Protocol):
    """One connection to a database; after it is made only the writer thread uses it."""

    def transact(self, operations: Sequence[Operation]) -> list[Any]:
        """Run operations in one transaction and return their results; what it raises has changed nothing."""

    def why_down(self, error: BaseException) -> str | None:
        """Return what is wrong with the database; `None` for an error of the operation itself."""

    def is_trouble(self, error: BaseException) -> bool:
        """Say whether every operation would fail now, so that none needs to be tried alone."""

    def close(self) -> None:
        """Close the connection."""


class _Job:
    """An operation, and where its answer goes."""

    __slots__ = ("error", "future", "loop", "must", "operation", "result")

    def __init__(self, operation: Operation, *, must: bool) -> None:
        self.operation = operation
        self.must = must
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None


class Writer:
    """Runs operations in batches on a thread of its own; start it once, stop it once.

    `gather_s` is for a database whose commits are so quick that few callers would share one.
    """

    def __init__(self, engine: Engine, *, gather_s: float = 0.0) -> None:
        self._engine, self._gather_s = engine, gather_s
        self.commits = Commits()
        self._jobs: deque[_Job] = deque()
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_woken = False
        self._ride: asyncio.TimerHandle | None = None
        self._owed: list[_Job] = []
        self._last_size = 0
        self._is_stopping = False
        self._closed_because: str | None = None
        self._thread = threading.Thread(target=self._run, name="seawall-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(
        self, operation: Operation, *, must: bool = False, rides: bool = False
    ) -> "asyncio.Future[Any]":
        """Hand an operation over and return its answer to come; leaving the answer does not undo it.

        `must` is for what may not be lost and nobody waits for, `rides` for what nobody waits for. Raises
        StoreDown where too many wait already, except for those.
        """
        if not must and self._closed_because is not None:
            raise StoreDown(self._closed_because)
        if not must and len(self._jobs) > WAITING_MAX:
            raise StoreDown("too many operations wait for the writer thread")
        job = _Job(operation, must=must)
        self._jobs.append(job)
        if not must and not rides:
            self._wake()
        elif self._ride is None and not self._is_woken:
            self._ride = job.loop.call_later(RIDE_S, self._wake)
        return job.future

    def close_door(self, why: str) -> None:
        """Take no more operations but those that must not be lost; raises StoreDown with the reason."""
        self._closed_because = why
        raise StoreDown(why)

    def stop(self, timeout_s: float) -> bool:
        """Finish what waits and close the database; false where something could not be written in time."""
        self._is_stopping = True
        self._wakes.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._owed

    def _wake(self) -> None:
        if self._ride is not None:
            self._ride.cancel()
            self._ride = None
        if not self._is_woken:
            self._is_woken = True
            self._wakes.put(None)

    def _run(self) -> None:
        while not self._is_stopping or self._jobs:
            jobs = self._next()
            if not jobs:
                continue
            error = self._try(jobs)
            if error is not None and not self._engine.is_trouble(error):
                for job in jobs:
                    self._try([job])
            self._answer(jobs)
        self._engine.close()

    def _next(self) -> list[_Job]:
        """Wait for work; what is owed goes first."""
        if not self._jobs:
            with suppress(queue.Empty):
                self._wakes.get(timeout=RETRY_S if self._owed else None)
        if self._gather_s and self._last_size >= GATHER_FROM and not self._is_stopping:
            time.sleep(self._gather_s)
        self._is_woken = False
        jobs, self._owed = self._owed, []
        while self._jobs and len(jobs) < BATCH_MAX:
            jobs.append(self._jobs.popleft())
        self._last_size = len(jobs)
        return jobs

    def _try(self, jobs: list[_Job]) -> BaseException | None:
        """Run the operations in one transaction; returns why it was rolled back, where it was."""
        begun = time.perf_counter()
        try:
            results = self._engine.transact([job.operation for job in jobs])
        except Exception as error:
            self.commits.failed += 1
            for job in jobs:
                job.error = error
            return error
        self.commits.note(time.perf_counter() - begun, len(jobs))
        for job, result in zip(jobs, results, strict=True):
            job.result, job.error = result, None
        return None

    def _answer(self, jobs: list[_Job]) -> None:
        """Give every caller its answer, waking each loop once."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in jobs:
            if job.error is not None:
                why = self._engine.why_down(job.error)
                if why is not None and job.must and not self._is_stopping:
                    log.error("a settlement could not be written and is tried again", exc_info=job.error)
                    self._owed.append(job)
                    continue
                if why is not None:
                    job.error = StoreDown(why)
            by_loop.setdefault(job.loop, []).append(job)
        for loop, answered in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, answered)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)
