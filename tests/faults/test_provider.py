"""A provider that is slow, breaks off, falls silent or is gone, at every stage of a call, seen from the network.

What a provider itself says in between is in tests/pipeline/test_broken_streams.py.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from seawall.providers.http_client import HttpTransport
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.books import assert_books_hold
from tests.fixtures.fault_proxy import Fault, FaultProxy
from tests.fixtures.gateways import RunningApp, marked, running
from tests.fixtures.mock_calls import o200k, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPATIENT_S = 0.6

STAGES = {
    "in the head of the request": ("up", 30),
    "in the body of the request": ("up", 500),
    "before the answer": ("down", 0),
    "in the head of the answer": ("down", 40),
    "in the body of the answer": ("down", 330),
}
IN_STREAM = {**STAGES, "in the middle of the stream": ("down", 3_000)}
CASES = [(stage, False) for stage in STAGES] + [(stage, True) for stage in IN_STREAM]


@dataclass(frozen=True)
class Place:
    """A gateway before a provider that it reaches through a proxy."""

    app: RunningApp
    proxy: FaultProxy
    budget: str


@asynccontextmanager
async def place_in(folder: Path, budget: str) -> AsyncIterator[Place]:
    async with MockProvider(count=o200k()) as mock:
        with FaultProxy(mock.port) as proxy:
            base_url = f"http://127.0.0.1:{proxy.port}/v1"
            stated: dict[str, object] = {"providers__mock__base_url": base_url, "budget__daily_usd": budget}
            async with running(folder, mock=mock, **stated) as app:
                assert (await app.chat(marked("first", "s5"))).status_code == 200  # Vocabularies are loaded.
                yield Place(app, proxy, budget)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Run one for all tests of this module; each of them heals the proxy."""
    async with place_in(tmp_path_factory.mktemp("place"), "100.00") as made:
        yield made


@asynccontextmanager
async def impatient(app: RunningApp) -> AsyncIterator[None]:
    """Let a gateway wait for six tenths of a second meanwhile, for the first byte and for any other."""
    carriers = [account._transport for account in app.seawall._accounts]
    [carrier] = [each for each in carriers if isinstance(each, HttpTransport)]
    usual = carrier.first_byte_s, carrier.between_s
    await carrier.close()  # Connections that were made before are patient.
    carrier.first_byte_s = carrier.between_s = IMPATIENT_S
    yield
    carrier.first_byte_s, carrier.between_s = usual


def body(marker: str, *, stream: bool) -> dict[str, Any]:
    long = {"max_tokens": 100, "metadata": {"filler": "x" * 500}}
    return marked(marker, "s60-g1", stream=True, **long) if stream else marked(marker, "s60", **long)


async def assert_breaks(app: RunningApp, marker: str, *, stream: bool, statuses: set[int]) -> None:
    """Make a call and check that nobody could take its answer for a complete one."""
    answer = await app.chat(body(marker, stream=stream))
    if answer.status_code != 200:
        assert answer.status_code in statuses
        assert answer.json()["error"]["code"].startswith("upstream_")
        return
    assert stream
    assert "[DONE]" not in answer.text
    assert '"finish_reason":"' not in answer.text
    assert '"error"' in answer.text


@pytest.mark.parametrize(("stage", "stream"), CASES)
async def test_a_connection_that_is_reset_loses_no_cent(
    place: Place, marker: str, stage: str, stream: bool
) -> None:
    side, after = IN_STREAM[stage]
    place.proxy.fault = Fault("reset", side, after)
    await assert_breaks(place.app, marker, stream=stream, statuses={502})
    place.proxy.heal()
    await assert_books_hold(place.app, place.budget)


@pytest.mark.parametrize(("stage", "stream"), CASES)
async def test_a_connection_that_is_half_closed_loses_no_cent(
    place: Place, marker: str, stage: str, stream: bool
) -> None:
    side, after = IN_STREAM[stage]
    place.proxy.fault = Fault("half_close", side, after)
    await assert_breaks(place.app, marker, stream=stream, statuses={502})
    place.proxy.heal()
    await assert_books_hold(place.app, place.budget)


@pytest.mark.parametrize(("stage", "stream"), CASES)
async def test_a_connection_that_falls_silent_is_given_up_in_time(
    place: Place, marker: str, stage: str, stream: bool
) -> None:
    side, after = IN_STREAM[stage]
    async with impatient(place.app):
        place.proxy.fault = Fault("hole", side, after)
        await assert_breaks(place.app, marker, stream=stream, statuses={504})
    assert (await place.app.row(marker)).code == "upstream_timeout"
    place.proxy.heal()
    await assert_books_hold(place.app, place.budget)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_refuses_connections_costs_nothing(
    place: Place, marker: str, stream: bool
) -> None:
    place.proxy.refuse()
    place.proxy.cut()
    before = await place.app.spend()
    answer = await place.app.chat(body(marker, stream=stream))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert await place.app.spend() == before
    place.proxy.heal()
    await assert_books_hold(place.app, place.budget)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_drips_through_the_network_is_whole(
    place: Place, marker: str, stream: bool
) -> None:
    place.proxy.delay_s, place.proxy.bytes_per_s = 0.05, 40_000
    answer = await place.app.chat(body(marker, stream=stream))
    assert answer.status_code == 200
    assert answer.text.endswith("data: [DONE]\n\n" if stream else "}")
    assert (await place.app.row(marker)).cost == (await place.app.seen(marker)).cost
    place.proxy.heal()
    await assert_books_hold(place.app, place.budget)


async def test_an_idle_connection_that_died_is_not_used_for_the_next_call(place: Place, marker: str) -> None:
    assert (await place.app.chat(marked(f"{marker}-1", "s5"))).status_code == 200
    place.proxy.cut()
    await until(lambda: place.app.mock.open_connections == 0)
    assert (await place.app.chat(marked(f"{marker}-2", "s5"))).status_code == 200
    await assert_books_hold(place.app, place.budget)


async def test_a_hundred_calls_into_a_black_hole_hold_no_more_than_the_budget_and_let_go(
    tmp_path: Path,
) -> None:
    async with place_in(tmp_path, "1.00") as place:
        place.proxy.swallow()
        bodies = [marked(f"n{number}", "s20", max_tokens=20, stream=number % 2 == 0) for number in range(100)]
        async with impatient(place.app):
            answers = await asyncio.gather(*map(place.app.chat, bodies))
        assert {answer.status_code for answer in answers} == {504}
        place.proxy.heal()
        await assert_books_hold(place.app, place.budget)
