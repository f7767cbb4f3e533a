"""What happens to the SQLite file of a gateway that serves: no room, locked by somebody else, gone.

One process that is told directly that its disk is full is in tests/pipeline/test_store_down.py.
"""

import asyncio
import random
import resource
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from seawall.stores.sqlite.connection import open_file
from tests.faults.test_kill import caller
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.processes import LOG, Process, configure, served

BUDGET = "500.00"
LOCKED_S = 10.0
CALLERS = 12


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with MockProvider(count=o200k()) as provider:
        yield provider


@pytest.fixture
async def process(tmp_path: Path, mock: MockProvider) -> AsyncIterator[Process]:
    configure(tmp_path, mock, budget=BUDGET)
    async with served(tmp_path) as started:
        yield started


@contextmanager
def full_disk(process: Process) -> Iterator[None]:
    """Let no file of another process grow, as on a disk without room."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def client_of(process: Process) -> httpx.AsyncClient:
    """Return a client that has time for a database that is waited for."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}", trust_env=False, timeout=LONGER * 4)


async def ask(process: Process, marker: str, mocked: str = "s5") -> httpx.Response:
    async with client_of(process) as http:
        body = marked(marker, mocked, max_tokens=100)
        shown = {"authorization": f"Bearer {process.key}"}
        return await http.post("/v1/chat/completions", json=body, headers=shown)


def code_of(refused: httpx.Response) -> str:
    return str(refused.json()["error"]["code"])


async def is_ready(process: Process) -> bool:
    async with client_of(process) as http:
        return (await http.get("/readyz")).status_code == 200


async def assert_books_hold(process: Process, mock: MockProvider) -> None:
    """Check the ledger against the bill, and that a call which fits is taken."""
    await until(lambda: mock.open_calls == 0)
    async with asyncio.timeout(LONGER * 2):
        while (spend := await process.spend())["held_usd"]:
            await asyncio.sleep(0.05)
    assert mock.bill <= spend["lifetime_usd"] <= parse_usd(BUDGET)
    assert (await ask(process, "after")).status_code == 200


async def test_a_full_disk_under_load_refuses_and_room_again_serves_again(
    tmp_path: Path, process: Process, mock: MockProvider
) -> None:
    dice = random.Random(41)
    assert process.key is not None
    numbers = iter(range(10**6))
    load = [asyncio.create_task(caller(process.port, process.key, dice, numbers)) for _ in range(CALLERS)]
    await until(lambda: mock.open_calls > 0)
    with full_disk(process):
        async with asyncio.timeout(LONGER * 2):
            while (refused := await ask(process, secrets.token_hex(4))).status_code != 503:
                await asyncio.sleep(0.01)
        assert (code_of(refused), refused.headers["retry-after"]) == ("overloaded", "1")
        assert not await is_ready(process)
        await until(lambda: mock.open_calls == 0)  # What was held before is on its way.
        requests = mock.total().requests
        assert (await ask(process, "refused")).status_code == 503
        assert mock.total().requests == requests
    async with asyncio.timeout(LONGER * 2):
        while not await is_ready(process):
            await asyncio.sleep(0.05)
    assert (await ask(process, "again")).status_code == 200
    for task in load:
        task.cancel()
    await asyncio.wait(load)
    await assert_books_hold(process, mock)
    assert await process.stop() == 0
    log = (tmp_path / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    assert [line for line in log if '"message":"call failed"' in line and '"trace"' in line] == []


@pytest.mark.timeout(180)
async def test_a_file_that_is_locked_for_ten_seconds_costs_refusals_only(
    tmp_path: Path, process: Process, mock: MockProvider
) -> None:
    under_way = asyncio.create_task(ask(process, "under-way", "s20-d300"))
    await until(lambda: mock.open_calls > 0)
    other = open_file(tmp_path / ".seawall" / "seawall.db")
    other.execute("BEGIN IMMEDIATE")
    locked = asyncio.create_task(asyncio.sleep(LOCKED_S))
    refused = await asyncio.gather(*(ask(process, f"refused{number}") for number in range(5)))
    assert {(each.status_code, each.headers["retry-after"]) for each in refused} == {(503, "1")}
    assert (await under_way).status_code == 200
    assert mock.total().requests == 1
    await locked
    other.execute("ROLLBACK")
    other.close()
    assert (await ask(process, "again")).status_code == 200
    await assert_books_hold(process, mock)
    assert parse_usd((await process.call("under-way"))["cost_usd"]) == mock.requests[0].cost


@pytest.mark.parametrize("what", ["the folder is deleted", "the file is deleted", "the file is replaced"])
async def test_a_gateway_whose_file_is_gone_takes_no_call_that_a_new_file_would_forget(
    tmp_path: Path, process: Process, mock: MockProvider, what: str
) -> None:
    assert (await ask(process, "before")).status_code == 200
    folder = tmp_path / ".seawall"
    if what == "the folder is deleted":
        shutil.rmtree(folder)
    elif what == "the file is deleted":
        (folder / "seawall.db").unlink()
    else:
        (folder / "new").write_bytes(b"")
        (folder / "new").rename(folder / "seawall.db")
    async with asyncio.timeout(LONGER * 2):
        while (refused := await ask(process, secrets.token_hex(4))).status_code == 200:
            await asyncio.sleep(0.01)
    assert (refused.status_code, code_of(refused)) == (503, "overloaded")
    assert not await is_ready(process)
    requests = mock.total().requests
    assert (await ask(process, "refused")).status_code == 503
    assert mock.total().requests == requests
    await process.stop()
    async with served(tmp_path) as again:
        assert again.key is not None, "nothing is known of the old one"
        assert (await ask(again, "after")).status_code == 200
