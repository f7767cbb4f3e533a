"""Delivering a task: what the target sees of it, and what becomes of the job after each answer."""

import asyncio
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook as Standard
from tests.fixtures.gateways import WEBHOOK_SECRET
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.receivers import Receiver, receiving

from seawall.core.contracts import Gateway
from seawall.core.errors import Overloaded
from seawall.core.jobs import Job, JobEnding, JobRules
from seawall.core.running import RunningJobs
from seawall.core.state import Owner
from seawall.core.tasks import TaskRequest, TaskTarget
from seawall.jobs.delivering import ANSWER_BYTES_MAX, Delivering, pause_after
from seawall.jobs.webhook import Webhook, read_secret

BODY = b'{"to":"ada@example.com","text":"It is ready."}'
NOON = 1_795_262_400.0


@dataclass
class FakeJobs:
    """One job that is running; notes how its run ends. `is_down` many writes fail first."""

    job: Job
    endings: list[JobEnding] = field(default_factory=list)
    pauses: list[tuple[float, str, bool]] = field(default_factory=list)
    is_down: int = 0

    async def finish(
        self, job_id: str, run: int, ending: JobEnding, now: float, rules: JobRules, news: Any = None
    ) -> bool:
        if self.is_down:
            self.is_down -= 1
            raise Overloaded
        if run == self.job.run:
            self.endings.append(ending)
        return run == self.job.run

    async def again(
        self, job_id: str, run: int, due_at: float, why: str, rules: JobRules, *, is_failure: bool = True
    ) -> bool:
        counts = run == self.job.run and not self.job.is_cancelling
        if counts:
            self.pauses.append((due_at, why, is_failure))
        return counts

    async def get(self, job_id: str, owner: Owner | None = None, *, is_whole: bool = True) -> Job:
        return self.job


def a_job(**fields: Any) -> Job:
    stated: dict[str, Any] = {
        "id": "job_1", "kind": "task", "owner": Owner("key_1"), "lane": "key_1/ mail", "endpoint": "mail",
        "model": "", "stream": False, "priority": 0, "state": "running", "stage": "thinking",
        "accepted_at": NOON, "due_at": NOON, "expires_at": NOON + 86_400, "run": 1,
        "request": msgspec.json.encode(TaskRequest(Raw(BODY), NOON)),
    }  # fmt: skip
    return Job(**stated | fields)


@dataclass
class Desk:
    """One target at a receiver, a job, and a clock that the test turns."""

    receiver: Receiver
    jobs: FakeJobs
    target: TaskTarget = field(default_factory=lambda: TaskTarget(name="mail"))
    timeout_s: float = LONGER
    allow_private: bool = True
    now: float = NOON
    running: RunningJobs = field(default_factory=RunningJobs)

    def __post_init__(self) -> None:
        webhook = Webhook(
            self.receiver.url,
            read_secret(WEBHOOK_SECRET),
            self.allow_private,
            timeout_s=self.timeout_s,
            setting="tasks.mail.allow_private",
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        gateway = SimpleNamespace(
            jobs=self.jobs, job_rules=JobRules(), now=lambda: self.now, news_of=lambda job, ending: None
        )
        self.delivering = Delivering(
            {"mail": (self.target, webhook)}, cast(Gateway, gateway), self.running, jitter=lambda: 0.5
        )

    async def run(self) -> JobEnding | tuple[float, str, bool]:
        """Run the job once; returns its ending, or when and why it is tried again."""
        await self.deliver(self.jobs.job)
        [outcome] = [
            *self.jobs.endings,
            *((due - self.now, why, is_f) for due, why, is_f in self.jobs.pauses),
        ]
        return outcome

    async def deliver(self, job: Job) -> None:
        """Run a job once, as a worker does."""
        with self.running.doing(job):
            await self.delivering.run(job)


def undelivered(why: str, status: int = 502) -> JobEnding:
    return JobEnding(state="failed", status=status, code="task_undelivered", why=why)


async def test_a_target_can_verify_what_it_gets_and_tell_deliveries_apart() -> None:
    async with receiving() as receiver:
        now = time.time()  # The library compares with the clock of the machine.
        await Desk(receiver, FakeJobs(a_job(failures=2)), now=now).run()
    [head], [body] = receiver.heads, receiver.bodies
    assert Standard(WEBHOOK_SECRET).verify(body, head) == {"to": "ada@example.com", "text": "It is ready."}
    assert (head["webhook-id"], head["seawall-task"], head["seawall-attempt"]) == ("job_1", "mail", "3")
    assert body == BODY


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b'{"sent": true}', b'{"sent": true}'),
        (b"", b""),
        (b"thanks", b""),
        (b"[" + b"1," * ANSWER_BYTES_MAX + b"1]", b""),
    ],
    ids=["json", "nothing", "text", "too long"],
)
async def test_of_the_answer_json_is_kept(answer: bytes, kept: bytes) -> None:
    async with receiving(200) as receiver:
        receiver.answer_body = answer
        outcome = await Desk(receiver, FakeJobs(a_job())).run()
    assert outcome == JobEnding(state="completed", status=200, answer=kept)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_a_refusal_is_not_tried_again(status: int) -> None:
    async with receiving(status) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job())).run()
    assert outcome == undelivered(f"status {status} after 1 attempt", status)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (500, "status 500"),
        (408, "status 408"),
        (409, "status 409"),
        (425, "status 425"),
        (429, "status 429"),
        (302, "status 302 (redirects are not followed)"),
    ],
)
async def test_trouble_that_may_pass_is_tried_again_later(status: int, why: str) -> None:
    async with receiving(status) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job())).run()
    assert outcome == (5.0, why, True)
    assert len(receiver.bodies) == 1


async def test_after_its_last_attempt_a_task_is_a_dead_letter_that_says_why() -> None:
    async with receiving(500) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(failures=9))).run()
    assert outcome == undelivered("status 500 after 10 attempts", 500)


async def test_a_task_whose_worker_is_lost_each_time_is_given_up_too() -> None:
    async with receiving() as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(failures=10))).run()
    assert (outcome, receiver.bodies) == (undelivered("its worker was lost after 10 attempts"), [])


async def test_a_task_is_given_up_where_its_next_attempt_would_come_too_late() -> None:
    async with receiving(503) as receiver:
        desk = Desk(receiver, FakeJobs(a_job(failures=1)), TaskTarget(name="mail", give_up_s=100.0))
        desk.now = NOON + 84
        assert isinstance(await desk.run(), tuple)
        desk.jobs.pauses.clear()
        desk.now = NOON + 86
        assert await desk.run() == undelivered("status 503 after 2 attempts", 503)


async def test_a_task_for_tomorrow_is_tried_from_then_on() -> None:
    request = msgspec.json.encode(TaskRequest(Raw(BODY), NOON + 86_400))
    async with receiving(503) as receiver:
        desk = Desk(receiver, FakeJobs(a_job(request=request)), TaskTarget(name="mail", give_up_s=100.0))
        desk.now = NOON + 86_400
        assert await desk.run() == (5.0, "status 503", True)


async def test_a_task_that_was_taken_up_again_begins_anew() -> None:
    async with receiving(503) as receiver:
        job = a_job(run=12, accepted_at=NOON + 90_000)
        desk = Desk(receiver, FakeJobs(job))
        desk.now = NOON + 90_000
        assert await desk.run() == (5.0, "status 503", True)


@pytest.mark.parametrize(
    ("status", "told", "pause_s"),
    [(429, "120", 120.5), (503, "0", 1.5), (503, "99999", 3_600.5), (500, "120", 5.0), (429, "soon", 5.0)],
)
async def test_a_target_says_when_to_come_again_within_bounds(status: int, told: str, pause_s: float) -> None:
    async with receiving(status) as receiver:
        receiver.more = (f"retry-after: {told}",)
        outcome = await Desk(receiver, FakeJobs(a_job())).run()
    assert outcome == (pause_s, f"status {status}", True)


def test_pauses_grow_and_what_failed_together_does_not_come_back_together() -> None:
    pauses = [pause_after(attempts, None, 0.5) for attempts in range(1, 10)]
    assert pauses == [5.0, 15.0, 45.0, 135.0, 405.0, 1_215.0, 3_645.0, 10_935.0, 21_600.0]
    assert (pause_after(1, None, 0.0), round(pause_after(1, None, 1.0), 3)) == (4.0, 6.0)
    assert pause_after(100, None, 0.5) == 21_600.0


async def test_a_target_on_this_machine_is_never_called_unless_that_is_wanted() -> None:
    async with receiving() as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job()), allow_private=False).run()
    why = "the receiver is not on the public internet (tasks.mail.allow_private) after 1 attempt"
    assert (outcome, receiver.bodies) == (undelivered(why), [])


async def test_a_target_that_does_not_answer_in_time_gets_it_again() -> None:
    async with receiving(0) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job()), timeout_s=0.1).run()
    assert outcome == (5.0, "no answer in time", True)


async def test_what_was_taken_counts_though_its_answer_never_ends() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        receiver = Receiver(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        outcome = await Desk(receiver, FakeJobs(a_job())).run()
    assert outcome == JobEnding(state="completed", status=200)


async def test_a_job_that_was_cancelled_meanwhile_is_not_tried_again() -> None:
    async with receiving(500) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(is_cancelling=True))).run()
    assert outcome == JobEnding(state="cancelled", status=0)


async def test_what_was_taken_is_done_though_it_was_to_be_cancelled() -> None:
    async with receiving(200) as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(is_cancelling=True))).run()
    assert outcome == JobEnding(state="completed", status=200)


@pytest.mark.parametrize("status", [204, 400, 500])
async def test_a_run_that_does_not_count_any_more_changes_nothing(status: int) -> None:
    async with receiving(status) as receiver:
        jobs = FakeJobs(a_job(run=2))
        await Desk(receiver, jobs).deliver(replace(jobs.job, run=1))
    assert (jobs.endings, jobs.pauses) == ([], [])


async def test_a_delivery_that_is_cancelled_on_its_way_is_broken_off() -> None:
    async with receiving(0) as receiver:
        desk = Desk(receiver, FakeJobs(a_job()))
        running = asyncio.create_task(desk.deliver(desk.jobs.job))
        await until(lambda: bool(receiver.bodies))
        assert desk.running.runs() == [("job_1", 1)]
        desk.jobs.job = replace(desk.jobs.job, is_cancelling=True)
        desk.running.stop("job_1")
        await asyncio.wait([running])
    assert desk.jobs.endings == [JobEnding(state="cancelled", status=0)]
    assert desk.running.runs() == []


async def test_what_is_under_way_when_the_worker_stops_waits_for_another_one() -> None:
    async with receiving(0) as receiver:
        desk = Desk(receiver, FakeJobs(a_job()))
        running = asyncio.create_task(desk.deliver(desk.jobs.job))
        await until(lambda: bool(receiver.bodies))
        running.cancel()
        await asyncio.wait([running])
    assert desk.jobs.pauses == [(NOON, "the worker was stopped", False)]


async def test_of_one_target_no_more_are_delivered_at_once_than_may_be() -> None:
    async with receiving(0) as receiver:
        desk = Desk(receiver, FakeJobs(a_job()), TaskTarget(name="mail", at_once=1))
        first = asyncio.create_task(desk.deliver(desk.jobs.job))
        await until(lambda: bool(receiver.bodies))
        await desk.deliver(replace(desk.jobs.job, id="job_2"))
        assert desk.jobs.pauses == [(NOON + 1.0, "its target gets as many as may be at once", False)]
        first.cancel()
        await asyncio.wait([first])
    assert len(receiver.bodies) == 1


async def test_a_target_that_is_not_stated_any_more_is_said_to_be_gone() -> None:
    async with receiving() as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(endpoint="post"))).run()
    assert outcome == undelivered("there is no such target any more")


async def test_an_answer_is_noted_once_the_store_is_back() -> None:
    async with receiving() as receiver:
        outcome = await Desk(receiver, FakeJobs(a_job(), is_down=1)).run()
    assert outcome == JobEnding(state="completed", status=204)
    assert len(receiver.bodies) == 1
