"""kill -9 of gateway and worker with jobs by the hundred: none is lost, none ends twice, the books hold."""

import asyncio
import random
import sys
from pathlib import Path
from statistics import median

import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.job_crowds import Crowd, Order, Revived, began_again_s, done_twice_at_once, requests_of
from tests.fixtures.mock_calls import o200k, until

JOBS = 200
BUDGET = "5.00"
SLOW = ("s30-g35", "s30-d1000", "s30-g25-d300", "s12-d900")
"""About a second each."""


async def prove(folder: Path, database: str | None, *, kills: int, jobs: int, seed: int) -> None:
    """Kill gateway and worker so often each; then all must be as if nobody had."""
    dice = random.Random(seed)
    async with MockProvider(count=o200k()) as mock:
        crowd = Crowd(folder, mock, database)
        crowd.configure("concurrency = 8\nwaiting_max_per_user = 1000", budget=BUDGET)
        async with Revived(crowd.serve) as gateway, Revived(crowd.work) as worker:
            await crowd.meet(gateway.process)
            orders = crowd.orders(jobs, SLOW)
            handing_in = asyncio.create_task(crowd.hand_in(gateway, orders))
            for _ in range(kills):
                for each in dice.sample([gateway, worker], 2):
                    await crowd.under_way(gateway.process)
                    await asyncio.sleep(dice.uniform(0.0, 0.4))
                    await each.kill()
                    await crowd.look(gateway.process)
            await handing_in
            await crowd.all_end(gateway.process)
            await assert_all_is_well(crowd, gateway, orders)
            await gateway.kill()
            await crowd.look(gateway.process)  # What has ended stays as it is.
    again_s = began_again_s(mock)
    assert again_s, "no kill came while anything was under way"
    sys.stdout.write(
        f"begun again: {len(again_s)}, median {median(again_s):.1f} s, {again_s[-1]:.1f} s at most\n"
    )


async def assert_all_is_well(crowd: Crowd, gateway: Revived, orders: list[Order]) -> None:
    """Check jobs, provider and books against one another."""
    mock = crowd.mock
    told = {order.job: order for order in orders if order.job is not None}
    assert told.keys() <= crowd.ends.keys()
    assert len(told) == sum(order.job is not None for order in orders)
    assert all(order.job is not None for order in orders if order.is_keyed)
    assert len(crowd.listed) <= len(orders)
    assert {job["status"] for job in crowd.ends.values()} <= {"completed", "failed"}
    asked = requests_of(mock)
    assert [job for job, order in told.items() if len(asked[order.marker]) > crowd.ends[job]["runs"]] == []
    assert done_twice_at_once(mock) == []
    await until(lambda: mock.open_calls == 0)
    spent = await crowd.settled(gateway.process)
    assert mock.bill <= spent <= parse_usd(BUDGET)
    crowd.assert_nothing_is_left()


@pytest.mark.timeout(240)
async def test_three_kills_of_gateway_and_worker_lose_no_job(tmp_path: Path, database: str | None) -> None:
    await prove(tmp_path, database, kills=3, jobs=JOBS, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
async def test_twenty_kills_of_gateway_and_worker_lose_no_job(
    tmp_path: Path, database: str | None, seed: int
) -> None:
    await prove(tmp_path, database, kills=5, jobs=2 * JOBS, seed=seed)
