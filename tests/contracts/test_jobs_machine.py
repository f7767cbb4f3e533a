"""Jobs in any order, by two processes on one home: lanes, carriers and money always say what the jobs say."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from seawall.core.jobs import ENDED, Accepted, Job, JobEnding, JobRules, Known
from seawall.core.ledger import Exhausted
from seawall.core.state import Owner
from seawall.stores.postgres.process import MISSING_S
from tests.fixtures.jobs import NOW, asked, carrier_of, check_jobs
from tests.fixtures.ledgers import Home, Key, PostgresHome, Process, SqliteHome, settlement

T = TypeVar("T")

RULES = JobRules(per_lane_at_once=2, waiting_max=8, waiting_max_per_lane=5, runs_max=3, keep_s=100.0)
BUDGET = ("global", "life", 2_000)
DAYS = ("2026-11-21", "2026-11-22")
LANES = ("ada", "bob")


class JobsMachine(RuleBasedStateMachine):
    """Each rule says what a step may change; after each of them everything must agree."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home = home
        self.opened: list[Process] = []
        self.processes: list[Process] = []
        self.made = self.day = 0
        self.now = NOW
        self.committed = 0
        self.ended: dict[str, tuple[Any, ...]] = {}
        self.runs: dict[str, int] = {}
        self.worker: dict[tuple[str, int], Process] = {}

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.loop.run_until_complete(asyncio.wait_for(wait(), 20))

    def open(self) -> Process:
        process = self.home.open()
        self.opened.append(process)
        return process

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.home = self.home.fresh()
        self.processes = [self.open(), self.open()]
        for lane, holds in zip(LANES * 2, (60, None, 400, 60), strict=True):
            self.accept_one(0, lane, holds)

    def jobs(self, *states: str) -> list[str]:
        """Return the names of jobs in these states."""
        found = self.run(self.home.ask("SELECT id, state FROM jobs ORDER BY id"))
        return [job_id.removeprefix("job_") for job_id, state in found if not states or state in states]

    def pick(self, data: st.DataObject, *states: str) -> str | None:
        names = self.jobs(*states)
        return data.draw(st.sampled_from(names)) if names else None

    def get(self, name: str) -> Job:
        job = self.run(self.processes[0].store.jobs.get(f"job_{name}"))
        assert job is not None
        return job

    @rule(
        process=st.integers(0, 1),
        lane=st.sampled_from(LANES),
        holds=st.sampled_from([None, 0, 60, 400]),
        priority=st.integers(0, 2),
        delay_s=st.sampled_from([0, 0, 0, 30]),
        key=st.sampled_from([None, None, "a", "b"]),
    )
    def accept(
        self, process: int, lane: str, holds: int | None, priority: int, delay_s: int, key: str | None
    ) -> None:
        self.accept_one(process, lane, holds, priority, delay_s, key)

    def accept_one(
        self,
        process: int,
        lane: str,
        holds: int | None,
        priority: int = 0,
        delay_s: int = 0,
        key: str | None = None,
    ) -> None:
        self.made += 1
        one = asked(
            f"{self.made:04d}",
            BUDGET,
            ("global", DAYS[self.day], None),
            holds=holds,
            lane=lane,
            owner=Owner("key_1", lane),
            priority=priority,
            accepted_at=self.now,
            due_at=self.now + delay_s,
            idempotency_key=key,
        )
        one = msgspec.structs.replace(one, day=DAYS[self.day])
        answer = self.run(self.processes[process].store.jobs.accept(one, RULES))
        assert isinstance(answer, Known) <= (key is not None)
        assert not isinstance(answer, Exhausted) or self.committed > 0
        if isinstance(answer, Accepted) and answer.job.hold is not None:
            self.committed += answer.job.hold.amount

    @rule(data=st.data(), process=st.integers(0, 1), is_late=st.sampled_from([False, False, False, True]))
    def start(self, data: st.DataObject, process: int, is_late: bool) -> None:
        name = self.pick(data, "handed")
        if name is None:
            return
        carrier = self.run(carrier_of(self.home, name)) - int(is_late)
        run = self.get(name).run
        job = self.run(self.processes[process].store.jobs.start(f"job_{name}", carrier, self.now))
        assert (job is None) == is_late
        if job is not None:
            assert job.run == run + 1
            self.worker[name, job.run] = self.processes[process]

    def run_of(self, data: st.DataObject) -> tuple[str, int, Process] | None:
        """Return any run that ever began in a process that is alive."""
        names = self.jobs()
        runs = sorted(
            run for run, worker in self.worker.items() if worker in self.processes and run[0] in names
        )
        if not runs:
            return None
        name, run = data.draw(st.sampled_from(runs))
        return name, run, self.worker[name, run]

    @rule(data=st.data(), frames=st.integers(0, 3))
    def append(self, data: st.DataObject, frames: int) -> None:
        picked = self.run_of(data)
        if picked is None:
            return
        name, run, process = picked
        job, jobs = self.get(name), process.store.jobs
        counts = job.state == "running" and job.run == run and not job.is_cancelling
        assert self.run(jobs.append(job.id, run, "writing", [b"x"] * frames)) == counts
        numbers = [frame.number for frame in self.run(jobs.frames(job.id, -1, 1_000))]
        assert numbers == list(range(len(numbers)))

    @rule(
        data=st.data(),
        state=st.sampled_from(["completed", "failed", "cancelled", "again", "aside"]),
        percent=st.sampled_from([0, 50, 100]),
    )
    def end_run(self, data: st.DataObject, state: Any, percent: int) -> None:
        """A run settles what it held and ends, whether it still counts or not."""
        picked = self.run_of(data)
        if picked is None:
            return
        name, run, process = picked
        store = process.store
        job = self.get(name)
        counts = job.state == "running" and job.run == run
        if counts:
            self.settle(name, process, percent)
        if state in ("again", "aside"):
            is_failure = state == "again"
            done = store.jobs.again(job.id, run, self.now + 10, "why", RULES, is_failure=is_failure)
            counts = counts and not job.is_cancelling
        else:
            done = store.jobs.finish(job.id, run, JobEnding(state=state, status=200), self.now, RULES)
        assert self.run(done) == counts

    def settle(self, name: str, process: Process, percent: int) -> None:
        hold_id, ledger = f"call_{name}", process.store.ledger
        found = self.run(self.home.ask(f"SELECT amount FROM holds WHERE id = '{hold_id}'"))
        if not found:
            return
        [(amount,)] = found
        cost = amount * percent // 100

        async def work() -> None:
            await asyncio.gather(ledger.settle(settlement(hold_id, cost, held=amount)), ledger.check())

        self.run(work())
        self.committed -= amount - cost

    @rule(data=st.data(), process=st.integers(0, 1))
    def cancel(self, data: st.DataObject, process: int) -> None:
        name = self.pick(data)
        if name is None:
            return
        before = self.get(name)
        job = self.run(self.processes[process].store.jobs.cancel(before.id, self.now, RULES))
        assert job is not None
        if before.has_ended or before.state == "running":
            assert (job.state, job.is_cancelling) == (before.state, not before.has_ended or job.is_cancelling)
            return
        assert job.state == "cancelled"
        self.committed -= 0 if before.hold is None else before.hold.amount

    @rule(data=st.data(), process=st.integers(0, 1))
    def retry(self, data: st.DataObject, process: int) -> None:
        name = self.pick(data, "failed", "cancelled")
        if name is None:
            return
        del self.ended[name]
        job = self.run(self.processes[process].store.jobs.retry(f"job_{name}", self.now, RULES))
        assert job is not None
        assert (job.shown_state, job.failures, job.is_cancelling) == ("queued", 0, False)

    @rule(process=st.integers(0, 1), seconds=st.sampled_from([1, 30, 120]))
    def time_passes(self, process: int, seconds: int) -> None:
        self.now += seconds
        jobs = self.processes[process].store.jobs
        self.run(jobs.hand_due(self.now, RULES))
        assert self.run(jobs.hand_due(self.now, RULES)) == 0
        while self.run(jobs.trim(self.now)):
            pass
        self.ended = {name: was for name, was in self.ended.items() if name in self.jobs()}

    @rule(process=st.integers(0, 1))
    def purge(self, process: int) -> None:
        gone = len(self.jobs(*ENDED))
        assert self.run(self.processes[process].store.jobs.purge(state=None, before=self.now + 1)) == gone
        self.ended.clear()

    @rule(process=st.integers(0, 1))
    def renew(self, process: int) -> None:
        """A day has begun: the money of what waits moves there, or stays where it does not fit."""
        self.day = 1
        jobs = self.processes[process].store.jobs
        for job in self.run(jobs.to_renew(DAYS[1], 100)):
            assert job.hold is not None
            name = job.id.removeprefix("job_")
            one = asked(name, BUDGET, ("global", DAYS[1], 100), holds=job.hold.amount)
            self.run(jobs.renew(job.id, msgspec.structs.replace(one, day=DAYS[1])))
            renewed = self.get(name).hold
            assert renewed is not None
            self.committed += renewed.amount - job.hold.amount

    @rule(data=st.data(), process=st.integers(0, 1))
    def stall(self, data: st.DataObject, process: int) -> None:
        """A worker gives no sign of life: its job goes to another, whatever it still does."""
        name = self.pick(data, "running", "handed")
        if name is None:
            return
        before = self.get(name)
        carrier = self.run(carrier_of(self.home, name))
        assert self.run(self.processes[process].store.jobs.recover([carrier], self.now, RULES)) >= 1
        after = self.get(name)
        assert after.state != "running"
        held = self.run(self.home.ask(f"SELECT 1 FROM holds WHERE id = 'call_{name}' AND process <> 'jobs'"))
        assert not held
        assert after.failures == before.failures + (before.state == "running" and not before.is_cancelling
                                                    and after.state != "failed")  # fmt: skip

    @precondition(lambda self: len(self.opened) < 4)
    @rule(process=st.integers(0, 1))
    def crash(self, process: int) -> None:
        self.processes[process].crash()
        self.processes[process] = self.open()

    @rule(process=st.integers(0, 1), reaps_first=st.booleans())
    def recover(self, process: int, reaps_first: bool) -> None:
        """Look after what the dead have left, in whichever order."""
        found = self.processes[process]
        if reaps_first:
            self.run(found.reap())
        self.run(found.store.jobs.recover([], self.now, RULES))
        if isinstance(self.home, PostgresHome):
            self.home.clock.now += MISSING_S
        self.run(found.store.jobs.recover([], self.now, RULES))
        self.run(found.reap())

    @invariant()
    def everything_agrees(self) -> None:
        if not self.processes:
            return
        self.run(check_jobs(self.home))
        books = self.run(self.home.books())
        held: dict[Key, int] = dict.fromkeys(books.accounts, 0)
        for hold in books.holds.values():
            for key in hold.accounts:
                held[key] += hold.on(key)
        assert {key: sums.held for key, sums in books.accounts.items()} == held
        life = books.account("global", "life")
        assert life.spent + life.held == self.committed
        self.lanes_are_full()
        self.ends_stand()

    def lanes_are_full(self) -> None:
        """Nobody waits while there is room in the lane, and no lane has more with the engine than it may."""
        for _, waiting, at_once in self.run(
            self.home.ask("SELECT lane, waiting, handed + running FROM job_lanes WHERE lane <> ''")
        ):
            assert at_once <= RULES.per_lane_at_once
            assert waiting == 0 or at_once == RULES.per_lane_at_once

    def ends_stand(self) -> None:
        """A job ends once and stays as it is; runs are counted upwards."""
        columns = "id, run, state, status, code, ended_at"
        for job_id, run, state, *rest in self.run(self.home.ask(f"SELECT {columns} FROM jobs")):
            name = job_id.removeprefix("job_")
            assert run >= self.runs.get(name, 0)
            self.runs[name] = run
            if state in ENDED:
                assert self.ended.setdefault(name, (state, *rest)) == (state, *rest)
            else:
                assert name not in self.ended

    def teardown(self) -> None:
        if not self.opened:
            return
        for process in self.opened:
            process.store.close()
        self.loop.close()


EXAMPLES = {SqliteHome: 30, PostgresHome: 10}
EXAMPLES_AT_LENGTH = {SqliteHome: 250, PostgresHome: 60}


@pytest.mark.timeout(300)
def test_jobs_lanes_carriers_and_money_agree(home: Home) -> None:
    examples = EXAMPLES[type(home)]
    run_state_machine_as_test(
        lambda: JobsMachine(home),
        settings=settings(derandomize=True, deadline=None, max_examples=examples, stateful_step_count=40),
    )


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_jobs_lanes_carriers_and_money_agree_at_length(home: Home) -> None:
    """The same for longer, from a new start every time."""
    examples = EXAMPLES_AT_LENGTH[type(home)]
    run_state_machine_as_test(
        lambda: JobsMachine(home),
        settings=settings(derandomize=False, deadline=None, max_examples=examples, stateful_step_count=60),
    )
