"""Where jobs stand, the same on SQLite and on Postgres; see `core.jobs.Jobs`."""

import msgspec
import pytest

from seawall.core.errors import Conflict
from seawall.core.events import Event
from seawall.core.jobs import Accepted, Frame, Job, JobEnding, JobRules, Known, Line, News, TooMany
from seawall.core.ledger import Busy, Exhausted
from seawall.core.state import Owner
from tests.fixtures.jobs import (
    ADA,
    DONE,
    NOW,
    RULES,
    accepted,
    asked,
    carrier_of,
    check_jobs,
    drop_carriers,
    started,
    states,
)
from tests.fixtures.ledgers import LIFE, Home, Process, Sums, settlement

BOB = Owner("key_1", "bob")
FAILED = JobEnding(state="failed", status=502, code="upstream_unavailable", why="It was away.")


async def test_an_accepted_job_is_with_the_engine_and_says_what_it_is(home: Home, process: Process) -> None:
    job = await accepted(process, "1", model="fake-gpt", stream=True, holds=60)
    assert job.hold is not None
    assert (job.state, job.stage, job.run, job.shown_state) == ("handed", "queued", 0, "queued")
    assert (job.hold.id, job.hold.amount, job.hold.output_tokens) == ("call_1", 60, 60)
    assert await process.store.jobs.get("job_1") == job
    assert await home.ask("SELECT lock, queue_name, task_name FROM procrastinate_jobs") == [
        ("job_1", "calls", "run")
    ]
    await check_jobs(home)


async def test_a_job_is_its_owners_alone(process: Process) -> None:
    await accepted(process, "1")
    jobs = process.store.jobs
    assert await jobs.get("job_1", ADA) is not None
    assert await jobs.get("job_1", BOB) is None
    assert await jobs.get("job_2") is None


async def test_a_job_is_read_without_its_bodies_where_they_are_not_needed(
    home: Home, process: Process
) -> None:
    await accepted(process, "1")
    run = await started(process, home, "1")
    await process.store.jobs.finish("job_1", run.run, DONE, NOW, RULES)
    whole = await process.store.jobs.get("job_1")
    bare = await process.store.jobs.get("job_1", is_whole=False)
    assert whole is not None and bare is not None
    assert (whole.request, whole.answer) == (b'{"model":"fake-gpt"}', DONE.answer)
    assert (bare.request, bare.answer) == (b"", b"")


# Idempotency.


async def test_a_known_key_gives_the_first_job(home: Home, process: Process) -> None:
    first = await accepted(process, "1", idempotency_key="k", request_hash=b"a", holds=60)
    again = await process.store.jobs.accept(
        asked("2", idempotency_key="k", request_hash=b"a", holds=60), RULES
    )
    other = await process.store.jobs.accept(
        asked("3", idempotency_key="k", request_hash=b"b", holds=60), RULES
    )
    bare = msgspec.structs.replace(first, request=b"")
    assert (again, other) == (Known(bare, True), Known(bare, False))
    assert await home.sums() == Sums(held=60)
    assert await states(home) == {"1": "handed"}


async def test_the_same_key_of_another_owner_or_endpoint_is_another_key(process: Process) -> None:
    await accepted(process, "1", idempotency_key="k")
    await accepted(process, "2", idempotency_key="k", owner=BOB)
    await accepted(process, "3", idempotency_key="k", endpoint="/v1/messages")


async def test_one_key_accepted_twice_at_once_makes_one_job(home: Home, process: Process) -> None:
    submitted = [
        process.store.jobs.accept(asked(str(number), idempotency_key="k", holds=10), RULES)
        for number in range(5)
    ]
    answers = [await answer for answer in submitted]
    assert [type(answer) for answer in answers] == [Accepted, Known, Known, Known, Known]
    assert await home.sums() == Sums(held=10)


async def test_a_delivery_is_made_once(process: Process) -> None:
    first = await accepted(process, "1", delivery="digest 2026-11-21")
    answer = await process.store.jobs.accept(asked("2", delivery="digest 2026-11-21"), RULES)
    assert isinstance(answer, Known)
    assert answer.job.id == first.id


# Caps and money.


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        (JobRules(waiting_max_per_lane=1), TooMany(is_lane=True, is_money=False, waiting=1)),
        (JobRules(waiting_max=1), TooMany(is_lane=False, is_money=False, waiting=1)),
        (JobRules(waiting_money_per_lane=99), TooMany(is_lane=True, is_money=True, waiting=1)),  # type: ignore[arg-type]
        (JobRules(waiting_money=99), TooMany(is_lane=False, is_money=True, waiting=1)),  # type: ignore[arg-type]
    ],
)
async def test_too_much_that_waits_is_refused_and_holds_nothing(
    home: Home, process: Process, rules: JobRules, answer: TooMany
) -> None:
    await accepted(process, "1", holds=50, rules=rules)
    assert await process.store.jobs.accept(asked("2", holds=50), rules) == answer
    assert await home.sums() == Sums(held=50)
    assert await states(home) == {"1": "handed"}


async def test_running_jobs_do_not_count_as_waiting(home: Home, process: Process) -> None:
    rules = JobRules(waiting_max_per_lane=1, waiting_money_per_lane=50)  # type: ignore[arg-type]
    await accepted(process, "1", holds=50, rules=rules)
    await started(process, home, "1")
    await accepted(process, "2", holds=50, rules=rules)


async def test_a_job_that_cannot_be_paid_is_not_accepted(home: Home, process: Process) -> None:
    await accepted(process, "1", (*LIFE, 100), holds=60)
    answer = await process.store.jobs.accept(asked("2", (*LIFE, 100), holds=60), RULES)
    broke = await process.store.jobs.accept(asked("3", (*LIFE, 0), holds=60), RULES)
    assert isinstance(answer, Busy)
    assert isinstance(broke, Exhausted)
    assert await states(home) == {"1": "handed"}
    assert await home.sums() == Sums(held=60)


async def test_the_hold_survives_the_process_that_accepted_it(home: Home, process: Process) -> None:
    await accepted(process, "1", holds=60)
    process.crash()
    other = home.open()
    assert await other.reap() == 0
    assert await home.sums() == Sums(held=60)
    job = await started(other, home, "1")
    assert job.hold is not None
    await other.store.ledger.settle(settlement("call_1", 45, held=60))
    assert await home.sums() == Sums(spent=45)
    assert other.store.close()


async def test_a_started_job_has_its_hold_in_this_process(home: Home, process: Process) -> None:
    await accepted(process, "1", holds=60)
    assert process.store.open_holds() == 0
    job = await started(process, home, "1")
    assert process.store.open_holds() == 1
    assert job.hold is not None
    stored = await process.store.jobs.get("job_1")
    assert stored is not None
    assert stored.hold is None
    await process.store.ledger.void("call_1")
    assert await home.sums() == Sums()
    await check_jobs(home)


async def test_what_a_dead_process_held_for_a_started_job_is_settled_once(
    home: Home, process: Process
) -> None:
    await accepted(process, "1", holds=60)
    await started(process, home, "1")
    process.crash()
    other = home.open()
    assert await other.reap() == 1
    assert await other.store.jobs.recover([], NOW, RULES) == 1
    assert await home.sums() == Sums(spent=60)
    assert (await home.books()).calls == {"call_1": ("crashed", 60, 0)}
    other.store.close()


# Runs.


async def test_a_run_starts_by_its_own_carrier_alone(home: Home, process: Process) -> None:
    await accepted(process, "1")
    carrier = await carrier_of(home, "1")
    jobs = process.store.jobs
    assert await jobs.start("job_1", carrier + 1, NOW) is None
    assert await jobs.start("job_2", carrier, NOW) is None
    job = await jobs.start("job_1", carrier, NOW)
    assert job is not None
    assert (job.state, job.stage, job.run, job.started_at) == ("running", "thinking", 1, NOW)
    assert job.request == b'{"model":"fake-gpt"}'
    assert await jobs.start("job_1", carrier, NOW) is None


async def test_frames_are_numbered_without_gaps_across_runs(home: Home, process: Process) -> None:
    await accepted(process, "1")
    jobs = process.store.jobs
    await started(process, home, "1")
    assert await jobs.append("job_1", 1, "thinking", [b"a", b"b"])
    assert await jobs.append("job_1", 1, "writing", [])
    assert await jobs.again("job_1", 1, NOW, "It was away.", RULES)
    await jobs.hand_due(NOW, RULES)
    assert (await started(process, home, "1")).run == 2
    assert not await jobs.append("job_1", 1, "writing", [b"x"])
    assert await jobs.append("job_1", 2, "writing", [b"c"])
    assert await jobs.frames("job_1", -1, 10) == [Frame(0, b"a"), Frame(1, b"b"), Frame(2, b"c")]
    assert await jobs.frames("job_1", 0, 1) == [Frame(1, b"b")]


async def test_a_run_that_was_taken_away_writes_nothing(home: Home, process: Process) -> None:
    """Two processes on one home: the first looks dead, and wakes up after the second has its job."""
    await accepted(process, "1", holds=60)
    await started(process, home, "1")
    stalled = await carrier_of(home, "1")
    other = home.open()
    assert await other.store.jobs.recover([stalled], NOW, RULES) == 1
    await started(other, home, "1")
    jobs = process.store.jobs
    assert not await jobs.append("job_1", 1, "writing", [b"x"])
    assert not await jobs.finish("job_1", 1, DONE, NOW, RULES)
    assert not await jobs.again("job_1", 1, NOW, "", RULES)
    assert await jobs.lost([("job_1", 1), ("job_1", 2)]) == ["job_1"]
    await process.store.ledger.settle(settlement("call_1", 45, held=60))
    assert await home.sums() == Sums(spent=60)
    assert await other.store.jobs.finish("job_1", 2, DONE, NOW, RULES)
    assert await states(home) == {"1": "completed"}
    await check_jobs(home)
    other.store.close()


async def test_a_job_ends_once_and_hands_over_the_next(home: Home, process: Process) -> None:
    for name in ("1", "2", "3"):
        await accepted(process, name)
    assert await states(home) == {"1": "handed", "2": "handed", "3": "waiting"}
    await started(process, home, "1")
    jobs = process.store.jobs
    assert await jobs.finish("job_1", 1, FAILED, NOW + 5, RULES)
    assert not await jobs.finish("job_1", 1, DONE, NOW + 6, RULES)
    assert await states(home) == {"1": "failed", "2": "handed", "3": "handed"}
    ended = await jobs.get("job_1")
    assert ended is not None
    assert (ended.status, ended.code, ended.why) == (502, "upstream_unavailable", "It was away.")
    assert (ended.ended_at, ended.expires_at, ended.stage) == (NOW + 5, NOW + 5 + RULES.keep_s, "done")
    await check_jobs(home)


async def test_the_end_is_announced_in_the_transaction_that_ends_it(home: Home, process: Process) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    news = News(Event("test", "job_1 completed", "It is done.", {"id": "job_1"}, NOW), ("webhook",))
    jobs, outbox = process.store.jobs, process.store.outbox
    assert not await jobs.finish("job_1", 7, DONE, NOW, RULES, news)
    assert await outbox.take(NOW, 5) == []
    assert await jobs.finish("job_1", 1, DONE, NOW, RULES, news)
    [delivery] = await outbox.take(NOW, 5)
    assert (delivery.kind, delivery.channel) == ("test", "webhook")


async def test_a_job_that_failed_waits_for_its_time_and_is_handed_over_again(
    home: Home, process: Process
) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    jobs = process.store.jobs
    assert await jobs.again("job_1", 1, NOW + 10, "It was away.", RULES)
    assert await jobs.hand_due(NOW + 9, RULES) == 0
    waiting = await jobs.get("job_1")
    assert waiting is not None
    assert (waiting.state, waiting.failures, waiting.run, waiting.why) == ("waiting", 1, 1, "It was away.")
    assert await jobs.hand_due(NOW + 10, RULES) == 1
    assert await states(home) == {"1": "handed"}
    await check_jobs(home)


async def test_a_run_that_was_only_put_aside_is_no_failure(home: Home, process: Process) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    assert await process.store.jobs.again("job_1", 1, NOW, "stopping", RULES, is_failure=False)
    job = await process.store.jobs.get("job_1")
    assert job is not None
    assert job.failures == 0


# Order and fairness.


async def test_a_lane_has_only_so_many_with_the_engine_and_others_are_not_kept_waiting(
    home: Home, process: Process
) -> None:
    for number in range(5):
        await accepted(process, f"a{number}")
    await accepted(process, "b0", lane="bob", owner=BOB)
    found = await states(home)
    assert [name for name, state in found.items() if state == "handed"] == ["a0", "a1", "b0"]
    await check_jobs(home)


async def test_the_highest_priority_goes_first_and_then_the_oldest(home: Home, process: Process) -> None:
    for number, priority in enumerate((0, 0, 1, 5, 5)):
        await accepted(process, str(number), priority=priority, accepted_at=NOW + number)
    order = []
    for _ in range(3):
        before = await states(home)
        handed = [name for name, state in before.items() if state == "handed"]
        run = await started(process, home, handed[0])
        await process.store.jobs.finish(run.id, run.run, DONE, NOW, RULES)
        after = await states(home)
        order += [name for name in after if before[name] == "waiting" and after[name] == "handed"]
    assert order == ["3", "4", "2"]


async def test_a_job_waits_for_its_time_and_then_for_room(home: Home, process: Process) -> None:
    await accepted(process, "later", due_at=NOW + 60)
    await accepted(process, "1")
    await accepted(process, "2")
    jobs = process.store.jobs
    assert await jobs.hand_due(NOW + 60, RULES) == 0
    await started(process, home, "1")
    await jobs.finish("job_1", 1, DONE, NOW + 61, RULES)
    assert await states(home) == {"1": "completed", "2": "handed", "later": "handed"}
    await check_jobs(home)


# Cancelling.


@pytest.mark.parametrize("where", ["handed", "waiting", "timed"])
async def test_a_job_that_has_not_begun_is_cancelled_at_once_and_its_money_given_back(
    home: Home, process: Process, where: str
) -> None:
    for name in ("1", "2") if where == "waiting" else ():
        await accepted(process, name)
    await accepted(process, "x", holds=60, due_at=NOW + 60 if where == "timed" else NOW)
    job = await process.store.jobs.cancel("job_x", NOW + 1, RULES)
    assert job is not None
    assert (job.state, job.ended_at, job.hold) == ("cancelled", NOW + 1, None)
    assert await process.store.jobs.get("job_x", is_whole=False) == job
    assert await home.sums() == Sums()
    assert await home.ask("SELECT id FROM procrastinate_jobs WHERE lock = 'job_x'") == []
    await check_jobs(home)


async def test_a_running_job_is_told_to_stop(home: Home, process: Process) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    jobs = process.store.jobs
    job = await jobs.cancel("job_1", NOW, RULES)
    assert job is not None
    assert (job.state, job.is_cancelling) == ("running", True)
    assert not await jobs.append("job_1", 1, "writing", [b"a"])
    assert not await jobs.again("job_1", 1, NOW, "", RULES)
    assert await jobs.lost([("job_1", 1)]) == ["job_1"]
    assert await jobs.finish("job_1", 1, JobEnding(state="cancelled", status=0), NOW, RULES)
    assert await states(home) == {"1": "cancelled"}
    await check_jobs(home)


async def test_cancelling_a_job_at_its_end_changes_nothing(home: Home, process: Process) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    await process.store.jobs.finish("job_1", 1, DONE, NOW, RULES)
    job = await process.store.jobs.cancel("job_1", NOW + 1, RULES)
    assert job is not None
    assert job.state == "completed"
    assert await process.store.jobs.cancel("job_2", NOW, RULES) is None


async def test_a_cancelled_job_makes_room(home: Home, process: Process) -> None:
    for name in ("1", "2", "3"):
        await accepted(process, name)
    await process.store.jobs.cancel("job_1", NOW, RULES)
    assert await states(home) == {"1": "cancelled", "2": "handed", "3": "handed"}


# Recovery.


async def test_the_jobs_of_a_dead_worker_go_back_to_the_engine(home: Home, process: Process) -> None:
    await accepted(process, "1", holds=60)
    await started(process, home, "1")
    old = await carrier_of(home, "1")
    process.crash()
    other = home.open()
    assert await other.store.jobs.recover([], NOW, RULES) == 1
    job = await other.store.jobs.get("job_1")
    assert job is not None
    assert (job.state, job.run, job.failures) == ("handed", 1, 1)
    assert await carrier_of(home, "1") != old
    assert await home.sums() == Sums(spent=60)
    assert await other.store.jobs.recover([], NOW, RULES) == 0
    await check_jobs(home)
    other.store.close()


async def test_a_job_that_loses_its_worker_too_often_has_failed(home: Home, process: Process) -> None:
    await accepted(process, "1")
    rules = JobRules(runs_max=2)
    for _ in range(2):
        await started(process, home, "1")
        await process.store.jobs.recover([await carrier_of(home, "1")], NOW, rules)
    job = await process.store.jobs.get("job_1")
    assert job is not None
    assert (job.state, job.code, job.run, job.ended_at) == ("failed", "worker_lost", 2, NOW)
    await check_jobs(home)


async def test_the_end_of_a_job_that_lost_its_worker_is_announced(home: Home, process: Process) -> None:
    news = News(Event("test", "job_1 failed", "It failed.", {"id": "job_1"}, NOW), ("webhook",))
    told = []

    def news_of(job: Job, ending: JobEnding) -> News:
        told.append((job.id, ending.code))
        return news

    await accepted(process, "1")
    rules = JobRules(runs_max=2)
    for _ in range(2):
        await started(process, home, "1")
        await process.store.jobs.recover([await carrier_of(home, "1")], NOW, rules, news_of)
    assert told == [("job_1", "worker_lost")]
    [delivery] = await process.store.outbox.take(NOW, 5)
    assert (delivery.kind, delivery.channel) == ("test", "webhook")


async def test_a_task_that_loses_its_worker_is_given_up_by_who_delivers_it(
    home: Home, process: Process
) -> None:
    await accepted(process, "1", kind="task", endpoint="mail")
    for _ in range(3):
        await started(process, home, "1")
        await process.store.jobs.recover([await carrier_of(home, "1")], NOW, JobRules(runs_max=1))
    job = await process.store.jobs.get("job_1")
    assert job is not None
    assert (job.state, job.failures) == ("handed", 3)
    await check_jobs(home)


async def test_a_job_that_was_to_be_cancelled_is_so_where_its_worker_dies(
    home: Home, process: Process
) -> None:
    await accepted(process, "1", holds=60)
    await started(process, home, "1")
    await process.store.jobs.cancel("job_1", NOW, RULES)
    await process.store.jobs.recover([await carrier_of(home, "1")], NOW, RULES)
    assert await states(home) == {"1": "cancelled"}
    assert await home.sums() == Sums(spent=60)


async def test_a_job_whose_carrier_is_gone_is_handed_over_again(home: Home, process: Process) -> None:
    await accepted(process, "1", holds=60)
    await drop_carriers(home)
    assert await process.store.jobs.recover([], NOW, RULES) == 1
    job = await process.store.jobs.get("job_1")
    assert job is not None
    assert (job.state, job.failures) == ("handed", 0)
    assert await home.sums() == Sums(held=60)
    await check_jobs(home)


async def test_holds_of_later_attempts_of_a_lost_run_are_settled_in_full(
    home: Home, process: Process
) -> None:
    await accepted(process, "1")
    await accepted(process, "12")
    await started(process, home, "1")
    await process.store.ledger.hold(asked("1.2", holds=70).ask)  # type: ignore[arg-type] # it asks for money
    await process.store.ledger.hold(asked("12", holds=5).ask)  # type: ignore[arg-type] # as above
    await process.store.jobs.recover([await carrier_of(home, "1")], NOW, RULES)
    assert await home.sums() == Sums(spent=70, held=5)
    await process.store.ledger.void("call_12")


# Retry, renewal, and what is kept.


async def test_a_failed_job_is_taken_up_as_if_it_were_new(home: Home, process: Process) -> None:
    await accepted(process, "1")
    await started(process, home, "1")
    jobs = process.store.jobs
    await jobs.append("job_1", 1, "writing", [b"a"])
    await jobs.finish("job_1", 1, msgspec.structs.replace(FAILED, answer=b"{}"), NOW, RULES)
    job = await jobs.retry("job_1", NOW + 9, RULES)
    assert job is not None
    assert (job.state, job.failures, job.code, job.ended_at) == ("handed", 0, None, None)
    assert (job.accepted_at, job.due_at) == (NOW + 9, NOW + 9)  # For so long it is tried, from now on.
    assert await jobs.frames("job_1", -1, 10) == []
    assert (await started(process, home, "1")).run == 2
    assert not await jobs.finish("job_1", 1, DONE, NOW, RULES)
    assert await jobs.finish("job_1", 2, DONE, NOW, RULES)
    done = await jobs.retry("job_1", NOW, RULES)
    assert done is not None
    assert done.state == "completed"
    assert await jobs.retry("job_2", NOW, RULES) is None
    await check_jobs(home)


async def test_money_of_an_earlier_day_moves_to_other_accounts(home: Home, process: Process) -> None:
    await accepted(process, "1", ("global", "2026-11-21", None), holds=60)
    jobs = process.store.jobs
    assert await jobs.to_renew("2026-11-21", 10) == []
    [job] = await jobs.to_renew("2026-11-22", 10)
    assert job.id == "job_1"
    later = msgspec.structs.replace(asked("1", ("global", "2026-11-22", 100), holds=70), day="2026-11-22")
    assert await jobs.renew("job_1", later)
    assert await home.sums("global", "2026-11-21") == Sums()
    assert await home.sums("global", "2026-11-22") == Sums(held=70)
    assert await jobs.to_renew("2026-11-22", 10) == []
    await check_jobs(home)
    await started(process, home, "1")
    assert not await jobs.renew("job_1", later)
    await process.store.ledger.void("call_1")


async def test_money_that_does_not_fit_elsewhere_stays(home: Home, process: Process) -> None:
    await accepted(process, "1", ("global", "2026-11-21", None), holds=60)
    later = asked("1", ("global", "2026-11-22", 10), holds=70)
    assert not await process.store.jobs.renew("job_1", later)
    assert await home.sums("global", "2026-11-21") == Sums(held=60)
    assert await home.sums("global", "2026-11-22") == Sums()
    await check_jobs(home)


async def test_the_line_says_who_is_before_whom(home: Home, process: Process) -> None:
    jobs = process.store.jobs
    assert await jobs.line() == Line(0, 0)
    for number in range(4):
        await accepted(process, str(number), accepted_at=NOW + number)
    await started(process, home, "0")
    last, second = await jobs.get("job_3"), await jobs.get("job_1")
    assert await jobs.line(last) == Line(waiting=3, running=1, ahead=2)
    assert await jobs.line(second) == Line(waiting=3, running=1, ahead=0)
    await jobs.finish("job_0", 1, DONE, NOW + 8, RULES)
    assert (await jobs.line()).took_s == 8.0


async def test_jobs_are_listed_by_state_and_owner_the_newest_first(home: Home, process: Process) -> None:
    for number in range(4):
        await accepted(process, str(number))
    await accepted(process, "4", lane="bob", owner=BOB)
    await started(process, home, "0")
    await process.store.jobs.cancel("job_1", NOW, RULES)

    async def listed(**terms: object) -> list[str]:
        found = await process.store.jobs.find(**terms)  # type: ignore[arg-type] # each as `find` names it
        return [job.id.removeprefix("job_") for job in found]

    assert await listed() == ["4", "3", "2", "1", "0"]
    assert await listed(state="queued") == ["4", "3", "2"]
    assert await listed(state="in_progress") == ["0"]
    assert await listed(state="cancelled") == ["1"]
    assert await listed(owner=BOB) == ["4"]
    assert await listed(before="job_3", limit=2) == ["2", "1"]


async def test_what_has_expired_is_forgotten_with_all_that_belongs_to_it(
    home: Home, process: Process
) -> None:
    await accepted(process, "1")
    await accepted(process, "2")
    await started(process, home, "1")
    jobs = process.store.jobs
    await jobs.append("job_1", 1, "writing", [b"a", b"b"])
    await jobs.finish("job_1", 1, DONE, NOW, RULES)
    assert await jobs.trim(NOW + RULES.keep_s - 1) == 0
    assert await jobs.trim(NOW + RULES.keep_s) == 1
    assert await jobs.trim(NOW + RULES.keep_s) == 0
    assert await states(home) == {"2": "handed"}
    assert await home.count("job_frames") == 0
    assert await home.ask("SELECT job, part FROM job_bodies") == [("job_2", "request")]
    await check_jobs(home)


async def test_only_jobs_at_their_end_are_purged_or_forgotten(home: Home, process: Process) -> None:
    jobs = process.store.jobs
    for name in ("1", "2", "3"):
        await accepted(process, name)
    await jobs.cancel("job_1", NOW, RULES)
    await jobs.cancel("job_2", NOW + 5, RULES)
    assert await jobs.purge(state="failed", before=NOW + 9) == 0
    assert await jobs.purge(state=None, before=NOW + 5) == 1
    assert await states(home) == {"2": "cancelled", "3": "handed"}
    assert not await jobs.forget("job_3")
    assert await jobs.forget("job_2")
    assert not await jobs.forget("job_2")


async def test_the_jobs_of_a_user_go_with_the_user(home: Home, process: Process) -> None:
    user = ("user:ada", "life", None)
    for name in ("1", "2", "3"):
        await accepted(process, name, user, holds=60)
    await accepted(process, "b", lane="bob", owner=BOB)
    await started(process, home, "1")
    await process.store.jobs.append("job_1", 1, "writing", [b"a"])
    directory = process.store.directory
    with pytest.raises(Conflict, match="job of this user is running"):
        await directory.erase_user("ada", "erased_1")
    await process.store.ledger.void("call_1")
    await process.store.jobs.finish("job_1", 1, DONE, NOW, RULES)
    assert await home.sums("user:ada", "life") == Sums(held=120)
    await directory.erase_user("ada", "erased_1")
    assert await home.sums("user:erased_1", "life") == Sums()
    assert await states(home) == {"b": "handed"}
    assert await home.ask(
        "SELECT lock FROM procrastinate_jobs WHERE status = 'todo' AND lock <> 'job_1'"
    ) == [("job_b",)]
    assert await home.count("job_frames") == 0
    assert await home.ask("SELECT job FROM job_bodies") == [("job_b",)]
    await check_jobs(home)


async def test_the_ends_of_an_owners_jobs_are_found_in_their_order_from_any_place(
    home: Home, process: Process
) -> None:
    jobs = process.store.jobs
    for number, at in (("3", NOW + 1), ("1", NOW + 2), ("2", NOW + 2), ("5", NOW + 3)):
        await accepted(process, number, owner=BOB if number == "5" else ADA)
        run = await started(process, home, number)
        await jobs.finish(f"job_{number}", run.run, DONE, at, RULES)
    assert [job.id for job in await jobs.ended(ADA, NOW, "", 10)] == ["job_3", "job_1", "job_2"]
    assert [job.id for job in await jobs.ended(ADA, NOW + 2, "job_1", 10)] == ["job_2"]
    assert [job.id for job in await jobs.ended(ADA, NOW, "", 2)] == ["job_3", "job_1"]
    assert await jobs.ended(ADA, NOW + 2, "job_2", 10) == []
