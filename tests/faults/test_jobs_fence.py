"""Several workers at the same jobs: none is done twice at once, and one that slept too long changes nothing."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.job_crowds import Crowd, Order, Revived, done_twice_at_once, over_at, requests_of
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.processes import Process

JOBS = 60
AT_ONCE = 4
NONE_HERE = {"SEAWALL_JOBS_CONCURRENCY": "0"}
BEFORE_SLEEP = {True: Behaviour(answer_tokens=50, gap_ms=200), False: Behaviour(head_delay_ms=10_000)}
"""What a stream and a whole answer are like that a worker sleeps in; both go on meanwhile."""
ELSEWHERE = Behaviour(answer_tokens=10)


def most_at_once(mock: MockProvider) -> int:
    """Return how many requests the provider was at together."""
    seen = mock.requests
    return max(sum(a.received_at <= b.received_at < over_at(a) for a in seen) for b in seen)


@pytest.mark.timeout(120)
async def test_workers_share_jobs_and_do_none_twice(tmp_path: Path, database: str | None) -> None:
    workers = 2 if database is None else 4
    async with MockProvider(count=o200k()) as mock, AsyncExitStack() as stack:
        crowd = Crowd(tmp_path, mock, database)
        crowd.configure(f"concurrency = {AT_ONCE}")
        gateway = await stack.enter_async_context(Revived(partial(crowd.serve, **NONE_HERE)))
        await crowd.meet(gateway.process)
        await crowd.hand_in(gateway, crowd.orders(JOBS, ["s20-g40", "s20-d800"]))
        assert mock.requests == []
        await asyncio.gather(*(stack.enter_async_context(crowd.work()) for _ in range(workers)))
        await crowd.all_end(gateway.process)
        assert [(job["status"], job["runs"]) for job in crowd.ends.values()] == [("completed", 1)] * JOBS
        assert {len(seen) for seen in requests_of(mock).values()} == {1}
        assert len(mock.requests) == JOBS
        assert done_twice_at_once(mock) == []
        assert most_at_once(mock) > AT_ONCE
        assert await crowd.settled(gateway.process) == mock.bill
        crowd.assert_nothing_is_left()


async def put_to_sleep(crowd: Crowd, worker: Process) -> None:
    """Let a process stand still where it is in no transaction: nobody could write while it sleeps in one."""
    while True:
        os.kill(worker.pid, signal.SIGSTOP)
        if not crowd.is_in_a_transaction():
            return
        os.kill(worker.pid, signal.SIGCONT)
        await asyncio.sleep(0.01)


async def all_of(crowd: Crowd, gateway: Process, orders: list[Order]) -> list[Any]:
    """Return whatever there is of these jobs: answers, streams, runs and money."""
    found: list[Any] = []
    for order in orders:
        assert order.job is not None
        found.append(
            [await crowd.get(gateway, order, f"/v1/jobs/{order.job}{what}") for what in ("", "/events")]
        )
        found.append(
            crowd.ask(f"SELECT number, data FROM job_frames WHERE job = '{order.job}' ORDER BY number")
        )
        call = order.job.replace("job_", "call_")
        found.append(crowd.ask(f"SELECT * FROM calls WHERE id = '{call}'"))
    return found


@pytest.mark.timeout(120)
async def test_a_worker_that_slept_too_long_changes_nothing_when_it_wakes_up(
    tmp_path: Path, database: str | None
) -> None:
    asked: set[str] = set()

    def script(seen: Seen) -> Behaviour | None:
        marker = str(seen.body["messages"][0]["content"])
        is_first = marker not in asked
        asked.add(marker)
        if is_first and "after" not in marker:
            return BEFORE_SLEEP[bool(seen.body.get("stream"))]
        return ELSEWHERE

    async with MockProvider(count=o200k(), script=script) as mock:
        crowd = Crowd(tmp_path, mock, database)
        crowd.configure("stall_s = 6")
        async with Revived(partial(crowd.serve, **NONE_HERE)) as gateway, crowd.work() as sleeper:
            await crowd.meet(gateway.process)
            orders = [order for order in crowd.orders(4, [""]) if order.kind.startswith("chat")]
            await crowd.hand_in(gateway, orders)
            await until(lambda: len(mock.requests) == 2 and any(seen.events > 3 for seen in mock.requests))
            held = (await crowd.spend(gateway.process))[1]
            await put_to_sleep(crowd, sleeper)
            async with crowd.work() as other:
                await crowd.all_end(gateway.process)
                spent = await crowd.settled(gateway.process)
                assert await other.stop() == 0
            assert [(job["status"], job["runs"]) for job in crowd.ends.values()] == [("completed", 2)] * 2
            assert spent == held + sum(seen[1].cost for seen in requests_of(mock).values())
            before = await all_of(crowd, gateway.process, orders)
            await until(lambda: mock.open_calls == 0)
            os.kill(sleeper.pid, signal.SIGCONT)
            [last] = crowd.orders(1, [""], prefix="after")
            await crowd.hand_in(gateway, [last])
            await crowd.all_end(gateway.process)
            await until(lambda: mock.open_calls == 0)
            [seen] = requests_of(mock)[last.marker]
            assert await crowd.settled(gateway.process) == spent + seen.cost
            assert await all_of(crowd, gateway.process, orders) == before
            assert {len(seen) for seen in requests_of(mock).values()} == {1, 2}
            crowd.assert_nothing_is_left()
            assert await sleeper.stop() == 0
