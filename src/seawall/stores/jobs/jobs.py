"""Where jobs stand; see `core.jobs.Jobs`. One for both databases."""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from seawall.core.jobs import (
    Frame,
    Job,
    JobAnswer,
    JobAsk,
    JobEnding,
    JobFigures,
    JobRules,
    Line,
    News,
    NewsOf,
    Stage,
)
from seawall.core.state import Owner
from seawall.stores.jobs import figures, recovery, rows, transitions
from seawall.stores.jobs.lanes import ALL_TOGETHER
from seawall.stores.jobs.recovery import Lost
from seawall.stores.jobs.transaction import JobHome

PURGED_A_BATCH = 50


class StoredJobs:
    """Jobs of one home; see `core.jobs.Jobs`."""

    def __init__(self, home: JobHome) -> None:
        self._home = home

    async def accept(self, asked: JobAsk, rules: JobRules) -> JobAnswer:
        """Accept a job and hold its money, or do neither."""
        accounts = () if asked.ask is None else asked.ask.accounts.keys
        answer: JobAnswer = await self._home.submit(partial(transitions.accept, asked, rules), accounts)
        return answer

    async def start(self, job_id: str, carrier: int, now: float) -> Job | None:
        """Begin a run; its hold passes to this process."""
        job: Job | None = await self._home.submit(partial(transitions.start, job_id, carrier, now))
        return job

    async def append(self, job_id: str, run: int, stage: Stage, frames: Sequence[bytes]) -> bool:
        """Note how far a run has come, and add to the stream."""
        counts: bool = await self._home.submit(partial(transitions.append, job_id, run, stage, frames))
        return counts

    async def finish(
        self, job_id: str, run: int, ending: JobEnding, now: float, rules: JobRules, news: News | None = None
    ) -> bool:
        """End a job, announce it, and hand over the next of its lane."""
        step = partial(transitions.finish, (job_id, run), ending, now, rules, news)
        counts: bool = await self._home.submit(step)
        return counts

    async def again(
        self, job_id: str, run: int, due_at: float, why: str, rules: JobRules, *, is_failure: bool = True
    ) -> bool:
        """Put a job back to wait for another run."""
        step = partial(transitions.again, (job_id, run), due_at, why, rules, is_failure)
        counts: bool = await self._home.submit(step)
        return counts

    async def cancel(self, job_id: str, now: float, rules: JobRules, news: News | None = None) -> Job | None:
        """Cancel a job that waits, and tell a running one to stop."""
        job: Job | None = await self._home.submit(partial(transitions.cancel, job_id, now, rules, news))
        return job

    async def get(self, job_id: str, owner: Owner | None = None, *, is_whole: bool = True) -> Job | None:
        """Return a job, with an owner only where it is its own."""
        found = await self._home.ask(rows.BY_ID, (job_id,))
        if not found:
            return None
        job = rows.job_of(found[0])
        if owner is not None and job.owner != owner:
            return None
        if not is_whole:
            return job
        return rows.job_of(found[0], dict(await self._home.ask(rows.BODIES, (job_id,))))

    async def lost(self, runs: Sequence[tuple[str, int]]) -> list[str]:
        """Return the ids of those runs that do not count any more, or are to be cancelled."""
        if not runs:
            return []
        question = rows.STILL_COUNT.format(", ".join("?" * len(runs)))
        still = set(await self._home.ask(question, [job_id for job_id, _ in runs]))
        return [run[0] for run in runs if run not in still]

    async def forget(self, job_id: str) -> bool:
        """Forget one job, which is at its end."""
        is_gone = False
        while await self._home.submit(partial(recovery.drop_ended, (job_id,))):
            is_gone = True
        return is_gone

    async def frames(self, job_id: str, after: int, at_most: int) -> list[Frame]:
        """Return pieces of a stream with higher numbers than `after`, in their order."""
        found = await self._home.ask(rows.FRAMES, (job_id, after, at_most))
        return [Frame(number, bytes(data)) for number, data in found]

    async def line(self, job: Job | None = None) -> Line:
        """Return how long the line is.

        Before a job with the engine are those that are there before it; before one that waits are all of
        them, and those of its own lane that go first: other lanes keep nobody waiting for long.
        """
        [(waiting, running, took_s)] = await self._home.ask(ALL_TOGETHER) or [(0, 0, None)]
        ahead = 0 if job is None else await self._ahead(job)
        return Line(waiting=waiting, running=running, ahead=ahead, took_s=took_s)

    async def _ahead(self, job: Job) -> int:
        found = await self._home.ask(rows.BY_ID, (job.id,))
        standing = rows.standing_of(found[0]) if found else None
        if standing is None or standing.place in (None, "running"):
            return 0
        if standing.place == "handed":
            values: tuple[object, ...] = (job.priority, job.priority, standing.carrier)
            [(count,)] = await self._home.ask(rows.HANDED_BEFORE, values)
            return int(count)
        values = (job.lane, job.priority, job.priority, job.accepted_at, job.id)
        [(count,)] = await self._home.ask(rows.WAITING_BEFORE, values)
        [(handed,)] = await self._home.ask(rows.HANDED) or [(0,)]
        return int(count) + int(handed)

    async def figures(self, failed_since: float, rules: JobRules) -> JobFigures:
        """Return how jobs stand in all."""
        ask = self._home.ask
        oldest = [*await ask(figures.OLDEST), *await ask(figures.OLDEST_HANDED)]
        found = figures.figures_of(await ask(figures.ALL), oldest, await ask(figures.FAILED, (failed_since,)))
        sums = figures.sums_of(await ask(figures.SUMS))
        return replace(found, sums=sums, workers=await self._home.workers(rules.stall_s))

    async def ended(self, owner: Owner, after: float, after_id: str, limit: int) -> list[Job]:
        """Return an owner's jobs that ended after a moment and a job, the oldest end first; as `find`."""
        values = (owner.end_user, owner.key_id, after, after_id, limit)
        return [rows.job_of(row) for row in await self._home.ask(rows.ENDED_AFTER, values)]

    async def find(
        self,
        *,
        state: str | None = None,
        owner: Owner | None = None,
        user: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """List jobs, the newest first."""
        whose = {} if owner is None else {"end_user": owner.end_user, "key_id": owner.key_id}
        if owner is None and user is not None:
            whose["end_user"] = user
        return [rows.job_of(row) for row in await self._home.ask(*rows.listing(state, whose, before, limit))]

    async def retry(self, job_id: str, now: float, rules: JobRules) -> Job | None:
        """Take a failed or cancelled job up again; one in another state is returned as it is."""
        job: Job | None = await self._home.submit(partial(transitions.retry, job_id, now, rules))
        return job

    async def purge(self, *, state: str | None, before: float) -> int:
        """Forget jobs at their end that ended before, in small batches."""
        ids = [job_id for (job_id,) in await self._home.ask(*rows.ended_before(state, before))]
        for start in range(0, len(ids), PURGED_A_BATCH):
            batch = ids[start : start + PURGED_A_BATCH]
            while await self._home.submit(partial(recovery.drop_ended, batch)):
                pass
        return len(ids)

    async def hand_due(self, now: float, rules: JobRules) -> int:
        """Hand over what waited for its time."""
        count, is_more = 0, True
        while is_more:
            handed, is_more = await self._home.submit(partial(recovery.hand_due, now, rules))
            count += handed
        return count

    async def recover(
        self, stalled: Sequence[int], now: float, rules: JobRules, news_of: NewsOf | None = None
    ) -> int:
        """Put back what dead workers, and those of these carriers, were at."""
        lost = Lost(stalled, await self._home.ask(rows.WITHOUT_CARRIER))
        count: int = await self._home.submit(partial(recovery.recover, lost, now, rules, news_of))
        return count

    async def to_renew(self, day: str, at_most: int) -> list[Job]:
        """Return jobs that wait with a hold on the accounts of an earlier day."""
        return [rows.job_of(row) for row in await self._home.ask(rows.TO_RENEW, (day, at_most))]

    async def renew(self, job_id: str, asked: JobAsk) -> bool:
        """Move the hold of a job that waits to other accounts, where it fits."""
        accounts = () if asked.ask is None else asked.ask.accounts.keys
        lies_there: bool = await self._home.submit(partial(recovery.renew, job_id, asked), accounts)
        return lies_there

    async def trim(self, now: float) -> int:
        """Forget what has expired, in a small batch."""
        count: int = await self._home.submit(partial(recovery.trim, now))
        return count
