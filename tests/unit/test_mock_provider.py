"""The mock provider is what money is proved against: it is itself tried over real sockets."""

import asyncio
import json
import socket

import httpx
import pytest
from tests.fixtures.mock_calls import (
    ECHO,
    ask,
    call,
    chunks_of,
    client_of,
    open_stream,
    provider,
    read_stream,
    text_of,
    until,
)

from seawall.proving.mock_provider import run_in_thread


async def test_whole_answer_is_billed_as_its_usage_says() -> None:
    async with provider() as mock:
        answer = (await call(mock, ask(max_tokens=20))).json()
        assert answer["usage"]["prompt_tokens"] == 24
        assert answer["usage"]["completion_tokens"] == 20
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["choices"][0]["message"]["content"].startswith(ECHO)
        assert answer["x_vendor"]["kept"] is True
        assert mock.bill == 24 * 10_000 + 20 * 30_000
        [seen] = mock.requests
        assert (seen.status, seen.is_complete, seen.is_over, seen.cost) == (200, True, True, mock.bill)


async def test_stream_is_billed_as_its_usage_says() -> None:
    async with provider() as mock:
        body = ask(stream=True, stream_options={"include_usage": True}, max_completion_tokens=30, n=2)
        answer = await call(mock, body)
        chunks = chunks_of(answer.text)
        assert chunks[-1]["usage"]["completion_tokens"] == 60
        assert all(chunk["usage"] is None for chunk in chunks[:-1])
        assert all(chunk["x_vendor"]["kept"] for chunk in chunks)
        assert text_of(chunks, 0) == text_of(chunks, 1)
        assert text_of(chunks).startswith(ECHO)
        assert answer.text.endswith("data: [DONE]\n\n")
        assert mock.bill == chunks[-1]["usage"]["prompt_tokens"] * 10_000 + 60 * 30_000
        assert (mock.requests[0].events, mock.requests[0].is_complete) == (30, True)


@pytest.mark.parametrize(
    ("mocked", "fields", "tokens"),
    [
        ("", {}, 64),
        ("", {"max_tokens": 1000}, 64),
        ("", {"max_tokens": 7, "max_completion_tokens": 9}, 7),
        ("", {"max_tokens": 7, "n": 3}, 21),
        ("-s200", {}, 200),
        ("-s200", {"max_tokens": 50}, 50),
        ("-full", {"max_tokens": 500}, 500),
        ("-full", {}, 4096),
        ("-full", {"max_tokens": 10**9}, 4096),
        ("-think30", {"max_tokens": 40}, 40),
        ("-think30-s5", {}, 35),
        ("-over300", {"max_tokens": 100}, 300),
        ("-over", {"max_tokens": 100}, 400),
    ],
)
async def test_output_follows_the_cap(mocked: str, fields: dict[str, int], tokens: int) -> None:
    async with provider() as mock:
        usage = (await call(mock, ask(mocked, **fields))).json()["usage"]
        assert usage["completion_tokens"] == tokens == mock.total().output_tokens
        assert mock.bill == mock.terms.cost_of(usage["prompt_tokens"], tokens)


async def test_reset_is_a_reset_after_k_events() -> None:
    async with provider() as mock:
        data, error = await read_stream(mock, ask("-reset5"))
        assert isinstance(error, ConnectionResetError)
        assert data.count(b'"content":"') == 5 + 1
        [seen] = mock.requests
        assert (seen.output_tokens, seen.is_complete, seen.is_over, seen.peer_left_at) == (
            5,
            False,
            True,
            None,
        )


async def test_greedy_provider_bills_a_broken_answer_in_full() -> None:
    async with provider() as mock:
        await read_stream(mock, ask("-reset5-greedy", max_tokens=50))
        assert mock.total().output_tokens == 50


@pytest.mark.parametrize("mocked", ["-reset", "-reset0", "-eof", "-short", "-badhttp", "-eof0"])
async def test_whole_answer_that_breaks_is_billed_in_full(mocked: str) -> None:
    async with provider() as mock:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await call(mock, ask(mocked))
        await until(lambda: mock.open_calls == 0)
        assert mock.total().output_tokens == 64
        assert not mock.requests[0].is_complete


@pytest.mark.parametrize(
    ("mocked", "ends_with"),
    [
        ("-eof2", b"\n\n\r\n"),
        ("-end2", b"\n\n\r\n0\r\n\r\n"),
        ("-error2", b'"code":"server_error"}}\n\n\r\n0\r\n\r\n'),
    ],
)
async def test_stream_ends_early_without_looking_complete(mocked: str, ends_with: bytes) -> None:
    async with provider() as mock:
        data, error = await read_stream(mock, ask(mocked))
        assert error is None
        assert data.endswith(ends_with)
        assert data.count(b'"content":"') == 2 + 1
        assert b"[DONE]" not in data
        assert b'"stop"' not in data
        assert mock.total().output_tokens == 2


async def test_stream_without_usage_ends_cleanly() -> None:
    async with provider() as mock:
        body = ask("-nousage", stream=True, stream_options={"include_usage": True})
        text = (await call(mock, body)).text
        assert '"usage"' not in text
        assert '"finish_reason":"stop"' in text
        assert text.endswith("data: [DONE]\n\n")
        assert mock.total().output_tokens == 64


async def test_usage_can_come_in_the_last_choice_chunk() -> None:
    async with provider() as mock:
        chunks = chunks_of((await call(mock, ask("-lateusage", stream=True, n=2))).text)
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["usage"]["completion_tokens"] == 128
        assert not any("usage" in chunk for chunk in chunks[:-1])


async def test_endless_stream_is_billed_until_its_client_leaves() -> None:
    async with provider() as mock:
        reader, writer = await open_stream(mock, ask("-over-g1", max_tokens=10))
        await until(lambda: mock.total().output_tokens > 30)
        assert mock.open_calls == 1
        writer.transport.abort()
        await until(lambda: mock.open_calls == 0)
        [seen] = mock.requests
        assert seen.peer_left_at is not None
        assert seen.output_tokens == seen.events
        assert mock.bill == mock.terms.cost_of(seen.input_tokens, seen.events)
        assert not reader.at_eof()


async def test_provider_that_notices_late_goes_on_billing() -> None:
    async with provider() as mock:
        reader, writer = await open_stream(mock, ask("-s60-g1-notice60000", max_tokens=60))
        await reader.readuntil(b'"content":"W')
        writer.transport.abort()
        await until(lambda: mock.open_calls == 0)
        [seen] = mock.requests
        assert (seen.output_tokens, seen.is_complete) == (60, False)


async def test_client_that_leaves_before_the_head_pays_the_input_of_a_stream_and_all_of_a_whole() -> None:
    async with provider() as mock, client_of(mock) as client:
        for number, mocked in enumerate(("-d60000", "-d60000-hole", "-hole", "-stall"), start=1):
            asking = asyncio.create_task(client.post("/chat/completions", json=ask(mocked)))
            await until(lambda number=number: len(mock.requests) == number)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
        _, writer = await open_stream(mock, ask("-d60000"))
        await until(lambda: len(mock.requests) == 5)
        writer.transport.abort()
        await until(lambda: mock.open_calls == 0)
        assert [seen.output_tokens for seen in mock.requests] == [64, 64, 64, 64, 0]
        assert all(seen.peer_left_at is not None and seen.input_tokens for seen in mock.requests)


async def test_stalled_stream_sends_nothing_more_and_stays_open() -> None:
    async with provider() as mock:
        reader, writer = await open_stream(mock, ask("-stall2"))
        await until(lambda: mock.total().output_tokens == 2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.readuntil(b"[DONE]")
        assert mock.open_calls == 1
        writer.transport.abort()
        await until(lambda: mock.open_calls == 0)


def test_reset_is_a_reset_under_uvloop() -> None:
    body = json.dumps(ask("-reset2", stream=True)).encode()
    with run_in_thread(provider()) as mock, socket.create_connection(("127.0.0.1", mock.port)) as peer:
        peer.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        data = b""
        try:
            while piece := peer.recv(65536):
                data += piece
        except ConnectionResetError:
            data += b"reset"
        assert data.endswith(b"reset")
        assert data.count(b'"content":"') == 2 + 1
        [seen] = mock.requests
        assert (seen.output_tokens, seen.is_over, seen.peer_left_at) == (2, True, None)
