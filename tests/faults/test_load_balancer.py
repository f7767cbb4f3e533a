"""What a load balancer sees of a gateway that is told to stop: first that it should stay away, then nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import ADMIN_KEY, marked
from tests.fixtures.mock_calls import LONGER, o200k
from tests.fixtures.processes import Process, configure, served
from tests.fixtures.raw_http import peer_of


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with MockProvider(count=o200k()) as provider:
        yield provider


async def get(process: Process, path: str) -> httpx.Response:
    """Ask on a connection of its own, as health checks do."""
    async with httpx.AsyncClient(trust_env=False, timeout=LONGER) as http:
        shown = {"authorization": f"Bearer {ADMIN_KEY}"}
        return await http.get(f"http://127.0.0.1:{process.port}{path}", headers=shown)


async def unready(process: Process) -> list[str]:
    """Ask until it says that it is not ready; returns why."""
    async with asyncio.timeout(LONGER):
        while (answer := await get(process, "/readyz")).status_code == 200:
            await asyncio.sleep(0.01)
    assert answer.status_code == 503
    reasons: list[str] = answer.json()["reasons"]
    return reasons


async def test_it_says_no_before_it_takes_no_more_calls(tmp_path: Path, mock: MockProvider) -> None:
    configure(tmp_path, mock, drain_wait_s=300)
    async with served(tmp_path) as process:
        async with asyncio.timeout(LONGER):
            while (await get(process, "/readyz")).status_code != 200:
                await asyncio.sleep(0.01)
        process.ask_to_stop()
        assert await unready(process) == ["the gateway is stopping: it ends the calls that run"]
        assert (await get(process, "/healthz")).status_code == 200
        async with peer_of(process.port) as late:
            late.ask(marked("late"), process.key)
            assert (await late.answer()).status == 200
        assert await process.stop() == 0  # Told a second time it waits for nobody.
    async with served(tmp_path) as again:
        spend = await again.spend()
        assert (spend["lifetime_usd"], spend["held_usd"]) == (mock.bill, 0)


async def test_an_answer_under_way_ends_on_a_connection_that_was_open_before(
    tmp_path: Path, mock: MockProvider
) -> None:
    configure(tmp_path, mock, grace_s=20)
    async with served(tmp_path) as process, peer_of(process.port) as peer:
        peer.ask(marked("one", "s100-g5", stream=True, max_tokens=2_000), process.key)
        await peer.until(b'"content":"[')
        process.ask_to_stop()
        assert (await peer.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        assert await process.stop() == 0
