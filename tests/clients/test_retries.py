"""When OpenAI's own client tries again, with its own default number of retries, and when it does not."""

import logging

import httpx2
import openai
import pytest
from openai import DEFAULT_MAX_RETRIES, APIStatusError, AsyncOpenAI, DefaultAsyncHttpxClient, OpenAI

from seawall.proving.mock_behaviour import Behaviour
from tests.fixtures.clients import Key, RunningGateway, Vendor, mocked, said
from tests.fixtures.mock_calls import until

ASK = said("Which sea is calm?")
LIMITED = Behaviour(status=429, retry_after_s=1)


def waits(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the client wrote down of its waiting."""
    return [record.getMessage() for record in caplog.records if "Retrying" in record.getMessage()]


async def test_client_waits_as_long_as_the_vendor_says_and_tries_again(
    client: OpenAI, key: Key, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openai")
    vendor.answers_next(LIMITED)
    answer = client.with_options(max_retries=DEFAULT_MAX_RETRIES).chat.completions.create(
        model="fake-gpt", messages=ASK
    )
    await until(lambda: len(key.calls()) == 2)
    assert answer.choices[0].finish_reason == "stop"
    assert [seen.status for seen in vendor.requests] == [429, 200]
    assert vendor.requests[0].raw == vendor.requests[1].raw
    assert key.outcomes() == [(429, "rate_limit_exceeded"), (200, None)]
    assert waits(caplog) == ["Retrying request in 1.000000 seconds (retry 1 of 2)"]


async def test_async_client_waits_as_long_as_the_vendor_says_and_tries_again(
    async_client: AsyncOpenAI, key: Key, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openai")
    vendor.answers_next(LIMITED)
    patient = async_client.with_options(max_retries=DEFAULT_MAX_RETRIES)
    async with patient.chat.completions.stream(model="fake-gpt", messages=ASK) as stream:
        answer = await stream.get_final_completion()
    await until(lambda: len(key.calls()) == 2)
    assert answer.choices[0].finish_reason == "stop"
    assert [seen.status for seen in vendor.requests] == [429, 200]
    assert key.outcomes() == [(429, "rate_limit_exceeded"), (200, None)]
    assert waits(caplog) == ["Retrying request in 1.000000 seconds (retry 1 of 2)"]


def test_client_tries_again_after_failures_of_the_vendor(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(status=500), Behaviour(breaks="eof"))
    answer = client.with_options(max_retries=DEFAULT_MAX_RETRIES).chat.completions.create(
        model="fake-gpt", messages=ASK
    )
    assert answer.choices[0].finish_reason == "stop"
    assert [(seen.status, seen.is_complete) for seen in vendor.requests] == [
        (500, True),
        (200, False),
        (200, True),
    ]


def test_client_gives_up_where_the_vendor_asks_for_too_long_a_wait(client: OpenAI, vendor: Vendor) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=DEFAULT_MAX_RETRIES).chat.completions.create(
            model="fake-gpt", messages=ASK, extra_body=mocked("e429-ra3600")
        )
    assert caught.value.response.headers["retry-after"] == "3600"
    assert [seen.status for seen in vendor.requests] == [429]


@pytest.mark.parametrize("is_stream", [False, True])
def test_spent_budget_is_not_tried_again(
    client: OpenAI, gateway: RunningGateway, vendor: Vendor, is_stream: bool
) -> None:
    key = gateway.make_key(budget={"daily_usd": "0.002"})
    poor = client.with_options(api_key=key.secret, max_retries=DEFAULT_MAX_RETRIES)
    with pytest.raises(APIStatusError) as caught:
        poor.chat.completions.create(model="fake-gpt", messages=ASK, stream=is_stream)
    assert caught.value.status_code == 402
    assert key.outcomes() == [(402, "budget_exhausted")]
    assert vendor.requests == []


async def test_client_that_finds_the_budget_held_gets_its_answer_once_it_is_free(
    gateway: RunningGateway, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    """The first call leaves as soon as the second has been refused, so that the order is never in doubt."""
    caplog.set_level(logging.INFO, "openai")
    key = gateway.make_key(budget={"daily_usd": "0.13"})

    async def leave(response: httpx2.Response) -> None:
        if response.status_code == 429:
            await first.close()
            await until(lambda: key.spend()["held_usd"] == "0.00")

    http_client = DefaultAsyncHttpxClient(trust_env=False, event_hooks={"response": [leave]})
    async with AsyncOpenAI(base_url=gateway.base_url, api_key=key.secret, http_client=http_client) as client:
        first = await client.chat.completions.create(
            model="fake-gpt", messages=ASK, max_tokens=4096, stream=True, extra_body=mocked("stall2")
        )
        answer = await client.chat.completions.create(model="fake-gpt", messages=ASK)
    await until(lambda: len(key.calls()) == 3)
    assert answer.choices[0].finish_reason == "stop"
    assert key.outcomes() == [(499, "client_gone"), (429, "budget_busy"), (200, None)]
    assert [seen.is_complete for seen in vendor.requests] == [False, True]
    assert waits(caplog) == ["Retrying request in 1.000000 seconds (retry 1 of 2)"]
