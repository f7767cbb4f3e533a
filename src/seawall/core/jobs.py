"""Slow work: what a job is, where it stands, and what may become of it.

A job is a call or a task that was accepted now and is done later, by a worker. Its row says all there is to
know; the engine only carries its id to a worker.

| State | Means | Shown as |
|---|---|---|
| waiting | accepted; its lane has enough with the engine, or its time has not come | queued |
| handed | with the engine, about to be started | queued |
| running | a worker is at it | in_progress |
| completed, incomplete, failed, cancelled | at its end, which never changes | the same |

Invariants:
- Accepting a job and holding its money is one transaction: an accepted job is on disk and can be paid.
- Every start of a job has a number, its `run`; whatever a run writes later counts only while the job is still
  at that run. A worker that was taken for dead and wakes up changes nothing.
- Of one lane at most `per_lane_at_once` jobs are handed or running: one user's thousand keep nobody waiting.
- A job ends once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

from msgspec import Struct

from seawall.core.events import Channel, Event
from seawall.core.ledger import Ask, Busy, Exhausted, NeedsCount
from seawall.core.money import Money
from seawall.core.state import Owner

JobKind = Literal["call", "task"]
JobState = Literal["waiting", "handed", "running", "completed", "incomplete", "failed", "cancelled"]
Ended = Literal["completed", "incomplete", "failed", "cancelled"]
Stage = Literal["queued", "thinking", "writing", "checking", "done"]


PRIORITY_MAX = 9
"""From 0, the usual, to this: the higher goes first."""


class JobCaller(Struct, frozen=True, kw_only=True):
    """Who a call is made for when its worker makes it: nobody shows a key then.

    `kind` says what was shown at acceptance, `tier` what a token claimed, `address` the end user's.
    `key_name` is what the key was called then, and `mail_to` who is mailed at the end ("" for nobody).
    """

    kind: Literal["key", "token"] = "key"
    tier: str | None = None
    address: str | None = None
    key_name: str = ""
    mail_to: str = ""


class JobHold(Struct, frozen=True, kw_only=True):
    """The money of a job that waits: a hold of nobody's process, passed to the worker's when the job starts.

    `input_tokens` and `output_tokens` are the bounds that were held for, `route` names account and model of
    the provider, `day` is the day (UTC) on whose accounts it lies.
    """

    id: str
    amount: Money
    input_tokens: int
    output_tokens: int
    route: str
    day: str


class JobDraft(Struct, frozen=True, kw_only=True):
    """A job as it is handed in. Moments in Unix seconds.

    `id` is `job_` and what a call's id has after `call_`. `lane` says whose turn it takes. `endpoint` is the
    address that was called, or the name of a task's target. `request` holds what the worker needs to do it:
    JSON that only the kind's own code reads. `delivery` names the schedule and moment of a job that nobody
    asked for, so that it is made once.
    """

    id: str
    kind: JobKind
    owner: Owner
    lane: str
    endpoint: str
    request: bytes
    accepted_at: float
    due_at: float
    caller: JobCaller = JobCaller()
    model: str = ""
    stream: bool = False
    priority: int = 0
    idempotency_key: str | None = None
    request_hash: bytes = b""
    delivery: str | None = None
    notify: bool = True


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands. Moments in Unix seconds.

    `run` counts its starts, `failures` those of them that ended in trouble which another run may mend.
    `answer` is what its owner gets of it, with `status` as the HTTP status of that; `code` and `why` say why
    it failed. `stage` is how far its run has come.
    """

    id: str
    kind: JobKind
    owner: Owner
    lane: str
    endpoint: str
    model: str
    stream: bool
    priority: int
    state: JobState
    stage: Stage
    accepted_at: float
    due_at: float
    expires_at: float
    started_at: float | None = None
    ended_at: float | None = None
    run: int = 0
    failures: int = 0
    caller: JobCaller = JobCaller()
    hold: JobHold | None = None
    is_cancelling: bool = False
    notify: bool = True
    status: int = 0
    code: str | None = None
    why: str | None = None
    request: bytes = b""
    answer: bytes = b""

    @property
    def call_id(self) -> str:
        """Return the id of its call in the log."""
        return f"call_{self.id.removeprefix('job_')}"

    @property
    def has_ended(self) -> bool:
        """Say whether it is at its end."""
        return self.state in ENDED

    @property
    def shown_state(self) -> str:
        """Return the state in the words of the Responses API."""
        return SHOWN.get(self.state, self.state)


ENDED = frozenset({"completed", "incomplete", "failed", "cancelled"})
SHOWN = {"waiting": "queued", "handed": "queued", "running": "in_progress"}


class JobRules(Struct, frozen=True, kw_only=True):
    """How many jobs may wait, and how long they are kept. Money in nano-dollars; `None` is no cap.

    `runs_max` bounds how often a job is tried after trouble, `give_up_s` for how long. A worker that has been
    silent for `stall_s` is taken for dead.
    """

    per_lane_at_once: int = 4
    waiting_max: int = 10_000
    waiting_max_per_lane: int = 100
    waiting_money: Money | None = None
    waiting_money_per_lane: Money | None = None
    keep_s: float = 86_400.0
    runs_max: int = 5
    give_up_s: float = 86_400.0
    stall_s: float = 30.0


class TooMany(Struct, frozen=True):
    """Too much is waiting already: of the lane or of all, jobs or money."""

    is_lane: bool
    is_money: bool
    waiting: int


class Known(Struct, frozen=True):
    """The idempotency key was used before; `is_same` says whether for the same request."""

    job: Job
    is_same: bool


class Accepted(Struct, frozen=True):
    """The job is on disk, with its money."""

    job: Job


JobAnswer = Accepted | Known | TooMany | NeedsCount | Busy | Exhausted


class JobAsk(Struct, frozen=True):
    """A job that wants to be accepted, with what it has to hold; `ask` is `None` where it costs nothing."""

    draft: JobDraft
    ask: Ask | None = None
    route: str = ""
    day: str = ""


class JobEnding(Struct, frozen=True, kw_only=True):
    """How a job ends; see Job. `answer` is empty where it has none."""

    state: Ended
    status: int
    answer: bytes = b""
    code: str | None = None
    why: str | None = None


class Frame(Struct, frozen=True):
    """One piece of a job's stream, numbered from 0 without gaps across all of its runs."""

    number: int
    data: bytes


class Line(Struct, frozen=True):
    """How long the line is: jobs waiting and running in all, and how the last hundred went.

    `ahead` are the jobs before the one that was asked for. `took_s` is the mean time of a run, `None` where
    nothing was measured yet.
    """

    waiting: int
    running: int
    ahead: int = 0
    took_s: float | None = None


class Labels(Struct, frozen=True):
    """What each stage is called before people."""

    queued: str = "Waiting in line"
    thinking: str = "Thinking"
    writing: str = "Writing"
    checking: str = "Checking"
    done: str = "Done"

    def of(self, stage: Stage) -> str:
        """Return the label of a stage."""
        label: str = getattr(self, stage)
        return label


class Telling(Struct, frozen=True):
    """How people are told of progress: the labels of the stages, and the longest silence in seconds."""

    labels: Labels = Labels()
    heartbeat_s: float = 15.0


class JobWakes:
    """Wakes those of this process who follow a job; whoever follows one of another process has to look."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.is_closed = False

    def close(self) -> None:
        """Let nobody follow a job any more: the process is about to stop."""
        self.is_closed = True
        for job_id in list(self._waiting):
            self.wake(job_id)

    def wake(self, job_id: str) -> None:
        """Wake all who wait for news of a job."""
        for event in self._waiting.get(job_id, ()):
            event.set()

    @contextmanager
    def listening(self, job_id: str) -> Iterator[asyncio.Event]:
        """Return an event that is set whenever there may be news; clear it before looking."""
        event = asyncio.Event()
        self._waiting.setdefault(job_id, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]


class JobSums(Struct, frozen=True):
    """How many jobs of one kind have ever come to one end, and how long they had waited and run, in seconds.

    A job has waited until its last run began, and one that ended before it was started has only waited.
    """

    kind: JobKind
    state: Ended
    jobs: int
    waited_s: float
    ran_s: float


class JobFailures(Struct, frozen=True):
    """How many jobs failed for one reason.

    `is_refusal` says that a call was not to be had: whoever asked can change that. A task is the operator's.
    """

    code: str
    is_refusal: bool
    jobs: int


class JobFigures(Struct, frozen=True, kw_only=True):
    """How jobs stand in all, whoever does them.

    `waiting` can begin as soon as there is room, `timed` wait for their time. `oldest_at` is since when, in
    Unix seconds, the job waits that has waited longest. `held` is the money of jobs that have not begun.
    `failed` says how many failed since a moment, the most frequent reason first. `workers` are the processes
    that do jobs and are alive.
    """

    waiting: int = 0
    timed: int = 0
    running: int = 0
    oldest_at: float | None = None
    held: Money = Money(0)
    failed: tuple[JobFailures, ...] = ()
    sums: tuple[JobSums, ...] = ()
    workers: int = 0


class News(Struct, frozen=True):
    """What is announced with the end of a job, in the transaction that ends it, and by which channels."""

    event: Event
    channels: tuple[Channel, ...]


NewsOf = Callable[[Job, JobEnding], News | None]
"""Says who is to hear of the end of a job."""


class Jobs(Protocol):
    """Where jobs stand. Everything raises Overloaded where the store is down; moments in Unix seconds.

    What hands jobs to the engine does so in the same transaction: no job is ever accepted and forgotten.
    `run` guards every write of a worker: where the job is at another run, or at its end, nothing is written.
    """

    async def accept(self, asked: JobAsk, rules: JobRules) -> JobAnswer:
        """Accept a job and hold its money, or do neither.

        A known idempotency key of the same owner and endpoint comes first, then the caps on what waits, then
        the hold. A `delivery` that was made before is answered as Known.
        """

    async def start(self, job_id: str, carrier: int, now: float) -> Job | None:
        """Begin a run, as the engine's `carrier` says; `None` where there is nothing to be done any more.

        Its hold passes to this process. Raise nothing for a carrier that is out of date: drop it.
        """

    async def append(self, job_id: str, run: int, stage: Stage, frames: Sequence[bytes]) -> bool:
        """Note how far a run has come, and add to the stream; false where the run does not count any more.

        It does not count either once the job is to be cancelled.
        """

    async def finish(
        self, job_id: str, run: int, ending: JobEnding, now: float, rules: JobRules, news: News | None = None
    ) -> bool:
        """End a job, announce it, and hand over the next of its lane; false where the run does not count."""

    async def again(
        self, job_id: str, run: int, due_at: float, why: str, rules: JobRules, *, is_failure: bool = True
    ) -> bool:
        """Put a job back to wait for another run; false where the run does not count."""

    async def cancel(self, job_id: str, now: float, rules: JobRules, news: News | None = None) -> Job | None:
        """Cancel a job: at once where it waits, its money given back; a running one is told to stop."""

    async def get(self, job_id: str, owner: Owner | None = None, *, is_whole: bool = True) -> Job | None:
        """Return a job, with an owner only where it is its own; request and answer only where it is whole."""

    async def lost(self, runs: Sequence[tuple[str, int]]) -> list[str]:
        """Return the ids of those runs that do not count any more, or are to be cancelled."""

    async def forget(self, job_id: str) -> bool:
        """Forget one job, which is at its end; false where there is none or it is not."""

    async def frames(self, job_id: str, after: int, at_most: int) -> list[Frame]:
        """Return pieces of a stream with higher numbers than `after`, in their order."""

    async def line(self, job: Job | None = None) -> Line:
        """Return how long the line is, and how many are before a job."""

    async def figures(self, failed_since: float, rules: JobRules) -> JobFigures:
        """Return how jobs stand in all."""

    async def ended(self, owner: Owner, after: float, after_id: str, limit: int) -> list[Job]:
        """Return an owner's jobs that ended after a moment and a job, the oldest end first; as `find`."""

    async def find(
        self,
        *,
        state: str | None = None,
        owner: Owner | None = None,
        user: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """List jobs, the newest first, without requests and answers; `state` is one as it is shown.

        `user` names an end user of whatever key.
        """

    async def retry(self, job_id: str, now: float, rules: JobRules) -> Job | None:
        """Take a failed or cancelled job up again, as if it were accepted now; `None` where there is none."""

    async def purge(self, *, state: str | None, before: float) -> int:
        """Forget jobs at their end that ended before; returns how many."""

    async def hand_due(self, now: float, rules: JobRules) -> int:
        """Hand over what waited for its time; returns how many are with the engine now that were not."""

    async def recover(
        self, stalled: Sequence[int], now: float, rules: JobRules, news_of: NewsOf | None = None
    ) -> int:
        """Put back what dead workers, and those of these carriers, were at; returns how many.

        What such a run held is settled in full in the same transaction: its call may have been billed. A job
        that ends by it is announced.
        """

    async def to_renew(self, day: str, at_most: int) -> list[Job]:
        """Return jobs that wait with a hold on the accounts of an earlier day."""

    async def renew(self, job_id: str, asked: JobAsk) -> bool:
        """Move the hold of a job that waits to other accounts, where it fits; says whether it lies there."""

    async def trim(self, now: float) -> int:
        """Forget what has expired, in a small batch; returns how many."""
