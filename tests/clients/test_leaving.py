"""Programs that stop listening: the provider's call is closed, and the gateway is there for the next."""

import asyncio
import ssl
import time
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, DefaultHttpxClient, OpenAI

from tests.fixtures.clients import Key, Vendor, mocked, said
from tests.fixtures.mock_calls import LONGER, until

ASK = said("Which sea is calm?")

LEFT = {
    "peer_left": True,
    "is_complete": False,
    "outcomes": [(499, "client_gone")],
    "held_usd": "0.00",
    "answers_still": True,
}


async def after_leaving(key: Key, vendor: Vendor, client: AsyncOpenAI) -> dict[str, Any]:
    """Wait until the one call is over, and return what became of it, and whether the next one is answered."""
    await until(lambda: len(key.calls()) == 1 and all(seen.is_over for seen in vendor.requests))
    [seen] = vendor.requests
    found = {
        "peer_left": seen.peer_left_at is not None,
        "is_complete": seen.is_complete,
        "outcomes": key.outcomes(),
        "held_usd": key.spend()["held_usd"],
    }
    answer = await client.chat.completions.create(model="fake-gpt", messages=said("Still there?"))
    text = answer.choices[0].message.content or ""
    return {**found, "answers_still": text.startswith("Still there?")}


async def test_closed_stream_closes_the_providers_call(
    client: OpenAI, async_client: AsyncOpenAI, key: Key, vendor: Vendor
) -> None:
    with client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("stall3")
    ) as stream:
        next(stream)
        next(stream)
    assert await after_leaving(key, vendor, async_client) == LEFT


async def test_program_that_fails_in_the_middle_of_a_stream_closes_the_providers_call(
    client: OpenAI, async_client: AsyncOpenAI, key: Key, vendor: Vendor
) -> None:
    def fail() -> None:
        with client.chat.completions.stream(
            model="fake-gpt", messages=ASK, extra_body=mocked("over-g1")
        ) as stream:
            next(stream)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert await after_leaving(key, vendor, async_client) == LEFT


async def test_closed_async_stream_closes_the_providers_call(
    async_client: AsyncOpenAI, key: Key, vendor: Vendor
) -> None:
    stream = await async_client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("stall3")
    )
    await anext(stream)
    await anext(stream)
    await stream.close()
    assert await after_leaving(key, vendor, async_client) == LEFT


@pytest.mark.parametrize("suffixes", ["stall0", "hole", "stall2"])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_cancelled_task_closes_the_providers_call(
    async_client: AsyncOpenAI, vendor: Vendor, suffixes: str, is_stream: bool, key: Key
) -> None:
    async def listen() -> None:
        answer = await async_client.chat.completions.create(
            model="fake-gpt", messages=ASK, stream=is_stream, extra_body=mocked(suffixes)
        )
        async for _ in answer:  # type: ignore[union-attr] # only a stream gets here
            pass

    task = asyncio.create_task(listen())
    await until(lambda: len(vendor.requests) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await after_leaving(key, vendor, async_client) == LEFT


async def test_client_that_runs_out_of_patience_closes_the_providers_call(
    client: OpenAI, trusted: ssl.SSLContext, async_client: AsyncOpenAI, key: Key, vendor: Vendor
) -> None:
    """Its patience begins once the provider has the call: that may take longer than its patience lasts."""

    def wait_for_the_provider(event: str, _: Any) -> None:
        give_up_at = time.monotonic() + LONGER
        while event == "http11.receive_response_headers.started" and not vendor.requests:
            assert time.monotonic() < give_up_at, "the provider never got the call"
            time.sleep(0.001)

    def listen_in(request: httpx2.Request) -> None:
        request.extensions["trace"] = wait_for_the_provider

    http = DefaultHttpxClient(trust_env=False, verify=trusted, event_hooks={"request": [listen_in]})
    with http, pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1, http_client=http).chat.completions.create(
            model="fake-gpt", messages=ASK, extra_body=mocked("hole")
        )
    assert await after_leaving(key, vendor, async_client) == LEFT


async def test_client_that_runs_out_of_patience_in_the_middle_of_a_stream_closes_the_providers_call(
    client: OpenAI, async_client: AsyncOpenAI, key: Key, vendor: Vendor
) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("stall2")
    )
    stream.response.request.extensions["timeout"]["read"] = 1  # Not before there is a stream.
    with pytest.raises(openai.APITimeoutError):
        list(stream)
    assert await after_leaving(key, vendor, async_client) == LEFT
