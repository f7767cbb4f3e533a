"""SIGTERM: open answers end or are cut within the time of grace, everything is settled, and the exit code is 0."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.fault_proxy import Fault, FaultProxy
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.processes import LOG, Process, configure, served
from tests.fixtures.raw_http import Peer, peer_of


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with MockProvider(count=o200k()) as provider:
        yield provider


async def begin(process: Process, peer: Peer, mocked: str, *, stream: bool = True) -> None:
    """Make a call, and wait until it is under way."""
    peer.ask(marked("one", mocked, stream=stream, max_tokens=2_000), process.key)
    if stream:
        await peer.until(b'"content":"[')


async def test_an_idle_gateway_stops_cleanly_and_shows_its_key_only_once(
    tmp_path: Path, mock: MockProvider
) -> None:
    configure(tmp_path, mock)
    async with served(tmp_path) as first:
        assert first.key is not None
        assert await first.stop() == 0
    async with served(tmp_path) as second:
        assert second.key is None
        assert await second.stop() == 0
    assert "Traceback" not in (tmp_path / LOG).read_text(encoding="utf-8")


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_under_way_is_finished(tmp_path: Path, mock: MockProvider, stream: bool) -> None:
    configure(tmp_path, mock, grace_s=20)
    async with served(tmp_path) as process, peer_of(process.port) as peer:
        await begin(process, peer, "s100-g5-d100", stream=stream)
        await until(lambda: bool(mock.requests))
        process.ask_to_stop()
        if stream:
            assert (await peer.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        else:
            assert (await peer.answer()).status == 200
        assert await process.stop() == 0
    async with served(tmp_path) as again:
        spend = await again.spend()
        assert (spend["lifetime_usd"], spend["held_usd"]) == (mock.bill, 0)
        assert await again.crashed() == 0


async def test_a_stream_that_does_not_end_is_cut_and_never_looks_complete(
    tmp_path: Path, mock: MockProvider
) -> None:
    configure(tmp_path, mock, grace_s=1)
    async with served(tmp_path) as process, peer_of(process.port) as peer:
        await begin(process, peer, "full-g5")
        process.ask_to_stop()
        rest = await peer.rest()
        assert await process.stop() == 0
    assert b'"code":"overloaded"' in rest
    assert b"[DONE]" not in rest
    await until(lambda: mock.open_calls == 0)
    async with served(tmp_path) as again:
        call = await again.call("one")
        assert call["outcome"] != "crashed"
        assert parse_usd(call["cost_usd"]) >= mock.bill > 0
        assert (await again.spend())["held_usd"] == 0
    log = (tmp_path / LOG).read_text(encoding="utf-8")
    assert log.count("calls are cut off: they did not end in time") == 1
    assert "Traceback" not in log


async def test_a_call_that_has_no_answer_yet_is_told_to_try_again(tmp_path: Path, mock: MockProvider) -> None:
    configure(tmp_path, mock, grace_s=1)
    async with served(tmp_path) as process, peer_of(process.port) as peer:
        await begin(process, peer, "hole", stream=False)
        await until(lambda: bool(mock.requests))
        process.ask_to_stop()
        answer = await peer.answer()
        assert await process.stop() == 0
    assert (answer.status, answer.error["code"]) == (503, "overloaded")
    assert answer.headers["retry-after"] == "1"


async def test_a_gateway_that_stops_takes_no_new_connections(tmp_path: Path, mock: MockProvider) -> None:
    configure(tmp_path, mock, grace_s=600)
    async with served(tmp_path) as process, peer_of(process.port) as peer:
        await begin(process, peer, "full-g1000")
        process.ask_to_stop()
        async with asyncio.timeout(LONGER * 2):
            while True:
                try:
                    (await Peer.connect(process.port)).leave()
                except ConnectionError:
                    break
                await asyncio.sleep(0.01)
        assert not mock.requests[0].is_over
        peer.leave()
        assert await process.stop() == 0


async def test_a_second_gateway_on_one_sqlite_file_is_refused(tmp_path: Path, mock: MockProvider) -> None:
    configure(tmp_path, mock)
    async with served(tmp_path) as first:
        async with served(tmp_path) as second:
            assert await second.stop() == 2
        [said] = (tmp_path / LOG).read_text(encoding="utf-8").splitlines()
        assert said.startswith("seawall: another gateway (process ")
        assert "each count limits for themselves" in said
        assert await first.stop() == 0


async def test_a_successor_serves_while_the_last_calls_of_a_gateway_come_to_their_end(
    tmp_path: Path, mock: MockProvider
) -> None:
    configure(tmp_path, mock, grace_s=100)
    file = tmp_path / "seawall.toml"
    with FaultProxy(mock.port) as line:
        line.fault = Fault("hole", after_bytes=3_000)  # The answer stops in its middle.
        file.write_text(file.read_text(encoding="utf-8").replace(f":{mock.port}/", f":{line.port}/"))
        await hand_over(tmp_path, mock, line)


async def hand_over(folder: Path, mock: MockProvider, line: FaultProxy) -> None:
    """Stop a gateway in the middle of an answer, and start the next."""
    async with served(folder) as first, peer_of(first.port) as peer:
        await begin(first, peer, "s100")
        first.ask_to_stop()
        async with served(folder) as successor:
            assert (await successor.spend())["held_usd"] > 0
            line.heal()
            assert (await peer.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
            assert await first.stop() == 0
            spend = await successor.spend()
            assert (spend["lifetime_usd"], spend["held_usd"]) == (mock.bill, 0)
            assert await successor.stop() == 0
