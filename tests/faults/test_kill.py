"""kill -9 at random moments under load: what was billed is not forgotten, and the rest of the budget still holds."""

import asyncio
import json
import random
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from seawall.core.money import Money, format_usd, parse_usd
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.processes import configure, served

CALLERS = 24
BUDGET_OF_A_ROUND = parse_usd("0.75")
"""Each kill costs the holds of all callers, 1.2 cents each; the rest is for calls that come to an end."""
WAYS = ["full", "full-g2", "full-d20", "full-nousage", "full-reset5", "full-g1-greedy"]


SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


async def caller(port: int, key: str, dice: random.Random, numbers: Any) -> None:
    """Make calls of all kinds, one after the other, until the gateway is gone or the budget is spent."""
    async with httpx.AsyncClient(trust_env=False, timeout=LONGER * 2) as http:
        for number in numbers:
            body = marked(f"call{number}", dice.choice(WAYS), max_tokens=300, stream=dice.random() < 0.7)
            with suppress(httpx.HTTPError):
                answer = await http.post(
                    f"http://127.0.0.1:{port}/v1/chat/completions",
                    json=body,
                    headers={"authorization": f"Bearer {key}"},
                )
                if answer.status_code == 402:
                    return
                continue
            return


async def kill_under_load(folder: Path, mock: MockProvider, key: str | None, dice: random.Random) -> str:
    """Start, load, kill at a random moment; returns the key."""
    async with served(folder) as process:
        shown = key or process.key
        assert shown is not None
        numbers = iter(range(10**6))
        load = [asyncio.create_task(caller(process.port, shown, dice, numbers)) for _ in range(CALLERS)]
        await until(lambda: mock.open_calls > 0)
        await asyncio.wait(load, timeout=dice.uniform(0.0, 0.4))
        await until(lambda: mock.open_calls > 0)  # Only then something can be lost.
        await process.kill()
        await asyncio.gather(*load)
    return shown


def sessions(database: str) -> int:
    """Return how many are connected to a database: the server may hear a little later that a client has died."""
    with psycopg.connect(database) as line:
        [(found,)] = line.execute(SESSIONS).fetchall()
    return int(found)


async def prove(folder: Path, *, kills: int, seed: int, database: str | None) -> None:
    dice = random.Random(seed)
    key: str | None = None
    crashed = 0
    budget = Money(BUDGET_OF_A_ROUND * kills)
    async with MockProvider(count=o200k()) as mock:
        configure(folder, mock, budget=format_usd(budget), database_url=database)
        for _ in range(kills):
            key = await kill_under_load(folder, mock, key, dice)
            if database is not None:
                await until(lambda: not sessions(database))
            async with served(folder) as process:
                spend = await process.spend()  # At once: nothing has to settle first.
                await until(lambda: mock.open_calls == 0)
                assert spend["lifetime_usd"] >= mock.bill, json.dumps(spend)
                assert spend["held_usd"] == 0
                crashed, before = await process.crashed(), crashed
                assert crashed > before, "the kill came when nothing was under way"
                assert await process.stop() == 0
        assert key is not None
        async with served(folder) as process:
            numbers = iter(range(10**6, 10**6 + 2_000))
            await asyncio.gather(*(caller(process.port, key, dice, numbers) for _ in range(CALLERS)))
            await until(lambda: mock.open_calls == 0)
            spend = await process.spend()
        assert mock.bill <= spend["lifetime_usd"] <= budget


@pytest.mark.timeout(240)
async def test_three_kills_forget_nothing_and_the_rest_of_the_budget_holds(
    tmp_path: Path, database: str | None
) -> None:
    await prove(tmp_path, kills=3, seed=1, database=database)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
async def test_twenty_kills_forget_nothing_and_the_rest_of_the_budget_holds(
    tmp_path: Path, seed: int, database: str | None
) -> None:
    await prove(tmp_path, kills=5, seed=seed, database=database)


LATER = 10**6
"""From here on count the calls at the gateway that lives."""
REAPED_S = 60.0
"""A gateway looks for dead ones every ten seconds."""


def number_of(seen: Seen) -> int:
    return int(seen.body["user"].removeprefix("call"))


@pytest.mark.timeout(240)
async def test_a_gateway_that_is_killed_is_settled_in_full_by_the_other(
    tmp_path: Path, database_url: str
) -> None:
    dice = random.Random(31)
    folders = [tmp_path / name for name in ("dies", "lives")]
    async with MockProvider(count=o200k()) as mock:
        for folder in folders:
            folder.mkdir()
            configure(folder, mock, budget="2.00", database_url=database_url)
        async with served(folders[0]) as dies, served(folders[1]) as lives:
            key = dies.key
            assert key is not None and lives.key is None
            load = [
                asyncio.create_task(caller(port, key, dice, numbers))
                for port, numbers in ((dies.port, count()), (lives.port, count(LATER)))
                for _ in range(CALLERS // 2)
            ]
            await until(lambda: mock.open_calls > 0)
            await asyncio.wait(load, timeout=0.7)
            await until(lambda: any(not seen.is_over and number_of(seen) < LATER for seen in mock.requests))
            await dies.kill()
            async with asyncio.timeout(REAPED_S):
                while not await lives.crashed():
                    await asyncio.sleep(0.2)
            await asyncio.gather(*load)
            await until(lambda: mock.open_calls == 0)
            async with asyncio.timeout(REAPED_S):
                while (spend := await lives.spend())["held_usd"]:
                    await asyncio.sleep(0.2)
            assert mock.bill <= spend["lifetime_usd"] <= parse_usd("2.00")
            assert await lives.stop() == 0
