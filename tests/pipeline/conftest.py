"""Here the event loop is the one that `seawall serve` runs on, and what touches money runs on both homes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
import uvloop

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.fault_proxy import Fault, FaultProxy
from tests.fixtures.gateways import RunningApp, Start
from tests.fixtures.mock_calls import o200k

ON_BOTH_HOMES = {
    f"tests.pipeline.test_{name}"
    for name in (
        "admin", "admin_advice", "admin_figures", "admin_jobs", "alerts", "attempts", "background", "broken_streams", "budget_under_load", "budgets",
        "conversations_go_on", "dispatching", "feedback", "holding", "leaving", "money_attacks", "quotas", "repeating", "settling", "state",
        "stored", "tasks", "users",
    )
}  # fmt: skip
"""The modules whose every test runs on the SQLite file and then on Postgres."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules on both homes of the ledger."""
    if "places" in metafunc.fixturenames and metafunc.module.__name__ in ON_BOTH_HOMES:
        metafunc.parametrize("places", ["sqlite", "postgres"], indirect=True, scope="module")


class StartBehind(Protocol):
    """Starts a gateway as `Start` does, with a line to its provider that a test may hold."""

    async def __call__(self, **settings: object) -> tuple[RunningApp, FaultProxy]:
        """Start both; they stop when the test ends."""


def held(words: bytes, after_bytes: int = 0) -> Fault:
    """Return what holds back the answers to all requests with these words, but for so many bytes of each.

    They go on as soon as the line has another fault, or none. The provider itself hears the request at once.
    """
    return Fault("hole", after_bytes=after_bytes, armed_by=words)


@pytest.fixture
async def start_behind(start: Start) -> AsyncIterator[StartBehind]:
    """Return what starts gateways of whose calls a test says how long they run."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: object) -> tuple[RunningApp, FaultProxy]:
            mock = await stack.enter_async_context(MockProvider(count=o200k()))
            line = stack.enter_context(FaultProxy(mock.port))
            base_url = f"http://127.0.0.1:{line.port}/v1"
            return await start(mock=mock, providers__mock__base_url=base_url, **settings), line

        yield begin


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test of this folder on uvloop."""
    return {"uvloop": uvloop.new_event_loop}
