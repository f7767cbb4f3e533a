"""A move goes on after kill -9, and one budget is spent across it: not a cent is lost or doubled."""

import asyncio
import json
import os
import sys
from itertools import count
from pathlib import Path

import psycopg
import pytest

import seawall
from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from seawall.stores.postgres.connection import migrate
from tests.fixtures.ledgers import LIFE, SqliteHome, ask, settlement
from tests.fixtures.loads import CALLERS, command, load_on
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.moves import at, everything, fill, in_postgres
from tests.fixtures.processes import configure, served

CALLS = 10_000
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
"""The session of a command that was killed goes on until the server hears of it."""
BLOCKING = (
    "INSERT INTO calls VALUES (%s, 0, '', '', NULL, '', '', 0, 0, '', NULL, 0, NULL, NULL, 0, 0, 0, 0, '')"
)


async def start_moving(folder: Path, url: str) -> asyncio.subprocess.Process:
    """Start the command as a process of its own."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(seawall.__file__).parents[1]),
        "HOME": str(folder),
        "SEAWALL_DATABASE_URL": url,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from seawall.cli.main import main; main()",
        "migrate-store", "--data", str(folder), "--json",
        cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def call_much(home: SqliteHome) -> None:
    """Make ten thousand calls on one account, many at once."""
    process = home.open()
    ledger = process.store.ledger

    async def call(number: int) -> None:
        hold_id = f"call_{number:012d}"
        await ledger.hold(ask(hold_id, 100, (*LIFE, None)))
        await ledger.settle(settlement(hold_id, number % 100, held=100))

    for start in range(1_000, 1_000 + CALLS, 500):
        await asyncio.gather(*(call(number) for number in range(start, start + 500)))
    assert await asyncio.to_thread(process.store.close)


@pytest.mark.files
async def test_a_move_that_was_killed_twice_arrives_whole(home: SqliteHome, database_url: str) -> None:
    await fill(home)
    await call_much(home)
    before = everything(at(home.folder))
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as watcher:
        for number in (5_000, 9_000):  # The move waits for a row that somebody else is writing just there.
            with psycopg.connect(database_url) as blocker:
                blocker.execute(BLOCKING, (f"call_{1_000 + number:012d}",))
                process = await start_moving(home.folder, database_url)
                async with asyncio.timeout(LONGER * 6):
                    while watcher.execute(WAITS).fetchone() == (0,):
                        assert process.returncode is None
                        await asyncio.sleep(0.01)
                process.kill()
                await process.wait()
                blocker.rollback()
            await until(lambda: watcher.execute(OTHERS).fetchone() == (0,))
            [(arrived,)] = watcher.execute("SELECT count(*) FROM calls").fetchall()
            assert 0 < arrived < CALLS
    process = await start_moving(home.folder, database_url)
    output, _ = await process.communicate()
    told = json.loads(output)
    assert process.returncode == 0
    assert (told["agrees"], told["before"] == told["after"]) == (True, True)
    assert told["resumed_rows"] > 8_000
    assert everything(in_postgres(database_url)) == before


async def test_one_budget_is_spent_before_and_after_a_move(tmp_path: Path, database_url: str) -> None:
    budget = "4.00"
    async with MockProvider(count=o200k()) as mock:
        configure(tmp_path, mock, budget=budget)
        async with served(tmp_path) as process:
            key = process.key
            assert key is not None
            load, callers = load_on(process, key, count())
            await until(lambda: len(load.answered) > CALLERS)
            await process.kill()
            load.is_over = True
            await asyncio.gather(*callers)
        await until(lambda: mock.open_calls == 0)
        told = await command(tmp_path, "migrate-store", "--to", database_url)
        assert told["before"]["sums_usd"]["held"] != "0.00"

        configure(tmp_path, mock, budget=budget, database_url=database_url)
        async with served(tmp_path) as process:
            assert process.key is None
            moved = await process.spend()
            assert (moved["lifetime_usd"] >= mock.bill, moved["held_usd"]) == (True, 0)
            load, callers = load_on(process, key, count(10**6))
            await asyncio.gather(*callers)
            await until(lambda: mock.open_calls == 0)
            spend = await process.spend()
        assert 402 in load.answered.values()
        assert moved["lifetime_usd"] < mock.bill <= spend["lifetime_usd"] <= parse_usd(budget)
