"""`seawall worker`: a process that does jobs and serves nothing, beside a gateway that does none."""

import asyncio
from pathlib import Path

import httpx
import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import ADMIN_KEY
from tests.fixtures.mock_calls import LONGER, ask, o200k
from tests.fixtures.processes import Process, configure, served, worked

NONE_HERE = {"SEAWALL_JOBS_CONCURRENCY": "0"}


async def accept(gateway: Process, mocked: str = "") -> str:
    """Let a call be done later; returns where its job is shown."""
    async with client_of(gateway) as http:
        headers = {"prefer": "respond-async"}
        answer = await http.post("/v1/chat/completions", json=ask(x_mock=mocked), headers=headers)
    assert answer.status_code == 202
    return answer.headers["location"]


async def state_of(gateway: Process, job: str) -> str:
    async with client_of(gateway) as http:
        shown = await http.get(job)
    state: str = shown.raise_for_status().json()["status"]
    return state


async def workers_of(gateway: Process) -> int:
    """Ask the operator's side how many workers live."""
    async with client_of(gateway) as http:
        shown = {"authorization": f"Bearer {ADMIN_KEY}"}
        line = await http.get("/admin/v1/jobs/line", headers=shown)
    workers: int = line.raise_for_status().json()["workers"]
    return workers


async def until_it_is(gateway: Process, job: str, state: str) -> None:
    async with asyncio.timeout(LONGER * 4):
        while await state_of(gateway, job) != state:
            await asyncio.sleep(0.05)


def client_of(gateway: Process) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{gateway.port}",
        headers={"authorization": f"Bearer {gateway.key}"},
        trust_env=False,
        timeout=LONGER,
    )


@pytest.mark.parametrize("place", ["sqlite", "postgres"])
async def test_a_worker_does_what_a_gateway_accepts(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("database_url") if place == "postgres" else None
    async with MockProvider(count=o200k()) as mock:
        configure(tmp_path, mock, database_url=url, grace_s=1)
        async with served(tmp_path, **NONE_HERE) as gateway:
            job = await accept(gateway)
            assert await state_of(gateway, job) == "queued"
            async with worked(tmp_path, "--queues", "calls", **NONE_HERE) as (worker, lines):
                assert lines[0].startswith("Seawall does calls, 20 at once, of ")
                assert lines[1] == "  providers  mock (configuration)\n"
                await until_it_is(gateway, job, "completed")
                assert await workers_of(gateway) == 1
                assert await worker.stop() == 0
            assert len(mock.requests) == 1
            assert await workers_of(gateway) == 0


async def test_a_worker_that_is_stopped_gives_back_what_does_not_end_in_time(tmp_path: Path) -> None:
    async with MockProvider(count=o200k()) as mock:
        configure(tmp_path, mock, grace_s=1)
        async with served(tmp_path, **NONE_HERE) as gateway:
            async with worked(tmp_path) as (worker, _):
                job = await accept(gateway, "d60000")
                await until_it_is(gateway, job, "in_progress")
                assert await worker.stop() == 0
            assert await state_of(gateway, job) == "queued"


async def test_a_worker_of_tasks_leaves_calls_alone(tmp_path: Path) -> None:
    async with MockProvider(count=o200k()) as mock:
        configure(tmp_path, mock, grace_s=1)
        async with served(tmp_path, **NONE_HERE) as gateway:
            job = await accept(gateway)
            async with worked(tmp_path, "--queues", "tasks"), worked(tmp_path, "--queues", "calls"):
                await until_it_is(gateway, job, "completed")
            assert len(mock.requests) == 1
