"""A database that goes away with jobs under way, and a gateway that is told to stop: no job is lost, or paid twice."""

import asyncio
from pathlib import Path

import httpx
import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.job_crowds import Crowd, Revived, done_twice_at_once, requests_of
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.servers import PostgresServer

SLOW = ("s20-g60", "s20-d1000")
ENDLESS = {True: Behaviour(answer_tokens=50, gap_ms=2_000), False: Behaviour(head_delay_ms=60_000)}
"""What a stream and a whole answer are like that end long after the gateway."""
SHORT = Behaviour(answer_tokens=10, gap_ms=100)


@pytest.mark.timeout(120)
async def test_a_database_that_goes_away_and_comes_back_costs_no_job(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    async with MockProvider(count=o200k()) as mock:
        crowd = Crowd(tmp_path, mock, own_server.create())
        crowd.configure()
        async with Revived(crowd.serve) as gateway:
            await crowd.meet(gateway.process)
            orders = crowd.orders(60, SLOW)
            await crowd.hand_in(gateway, orders[:50])
            await until(lambda: mock.open_calls > 0)
            await asyncio.to_thread(own_server.stop)
            assert orders[0].job is not None
            with pytest.raises(httpx.HTTPStatusError, match="503"):
                await crowd.get(gateway.process, orders[0], f"/v1/jobs/{orders[0].job}")
            handing_in = asyncio.create_task(crowd.hand_in(gateway, orders[50:]))
            await until(lambda: crowd.refused > 0)
            await asyncio.to_thread(own_server.start)
            await handing_in
            await crowd.all_end(gateway.process)
            await until(lambda: mock.open_calls == 0)
            assert {job["status"] for job in crowd.ends.values()} == {"completed"}
            assert {order.job for order in orders} == crowd.ends.keys()
            assert done_twice_at_once(mock) == []
            assert mock.bill <= await crowd.settled(gateway.process) <= parse_usd("5.00")
            crowd.assert_nothing_is_left()


@pytest.mark.timeout(120)
async def test_a_gateway_that_is_told_to_stop_ends_what_it_can_and_gives_the_rest_back(
    tmp_path: Path, database: str | None
) -> None:
    asked: set[bytes] = set()

    def script(seen: Seen) -> Behaviour | None:
        is_first = seen.raw not in asked
        asked.add(seen.raw)
        if is_first and b'"endless"' in seen.raw:
            return ENDLESS[bool(seen.body.get("stream"))]
        return SHORT

    async with MockProvider(count=o200k(), script=script) as mock:
        crowd = Crowd(tmp_path, mock, database)
        crowd.configure(grace_s=6)
        async with crowd.serve() as first, Revived(lambda: crowd.lend(first)) as gateway:
            await crowd.meet(first)
            orders = crowd.orders(16, ["short", "endless", "short", "endless", "endless", "short"])
            await crowd.hand_in(gateway, orders)
            await until(lambda: len(mock.requests) == len(orders))
            assert await first.stop() == 0
        async with crowd.serve() as second:
            await crowd.all_end(second)
            await until(lambda: mock.open_calls == 0)
            spent = await crowd.settled(second)
        assert {job["status"] for job in crowd.ends.values()} == {"completed"}
        assert {order.job for order in orders} == crowd.ends.keys()
        assert done_twice_at_once(mock) == []
        by_marker = requests_of(mock)
        for order in orders:
            seen = by_marker[order.marker]
            assert order.job is not None
            assert len(seen) == crowd.ends[order.job]["runs"] == (2 if order.mocked == "endless" else 1)
            [(cost,)] = crowd.ask(f"SELECT cost FROM calls WHERE id = '{order.job.replace('job_', 'call_')}'")
            bill = sum(each.cost for each in seen)
            assert cost == bill if order.mocked == "short" else cost >= bill
        assert spent == sum(cost for (cost,) in crowd.ask("SELECT cost FROM calls"))
        crowd.assert_nothing_is_left()
