"""Answers, whole and streamed, as programs with OpenAI's own client see them."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.fixtures.clients import Key, RunningGateway, Vendor, mocked, said
from tests.fixtures.mock_calls import until

ASK = said("Which sea is calm?")
WORDS = ["Whi", "ch s", "ea ", "is c", "alm?", " ship", " sand"]
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}


def whole_answer(vendor: Vendor) -> dict[str, Any]:
    """Return what the mock provider answers to ASK with seven tokens."""
    [seen] = vendor.requests
    message = {"role": "assistant", "content": "Which sea is calm? ship sand", "refusal": None}
    return {
        "id": f"chatcmpl-mock{seen.number:016d}",
        "object": "chat.completion",
        "model": "fake-gpt",
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
        "x_vendor": {"kept": True, "note": "No client library knows this field."},
    }


def told(chunks: list[ChatCompletionChunk], index: int = 0) -> list[str]:
    """Return the pieces of text that one choice of a stream says."""
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return [choice.delta.content for choice in choices if choice.delta.content]


def dump(answers: Any) -> list[dict[str, Any]]:
    """Return everything that answers or chunks say, but for their own ids and seconds."""
    return [answer.model_dump(exclude={"id", "created"}) for answer in answers]


def test_whole_answer(client: OpenAI, vendor: Vendor) -> None:
    answer = client.chat.completions.create(model="fake-gpt", messages=ASK, extra_body=mocked("s7"))
    assert answer.model_dump(exclude_unset=True, exclude={"created"}) == whole_answer(vendor)


async def test_whole_answer_async(async_client: AsyncOpenAI, vendor: Vendor) -> None:
    answer = await async_client.chat.completions.create(
        model="fake-gpt", messages=ASK, extra_body=mocked("s7")
    )
    assert answer.model_dump(exclude_unset=True, exclude={"created"}) == whole_answer(vendor)


def test_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("s7")
    )
    chunks = list(stream)
    assert told(chunks) == WORDS
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_stream_async(async_client: AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("s7")
    )
    chunks = [chunk async for chunk in stream]
    assert told(chunks) == WORDS
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("asked", [{}, {"stream_options": {"include_usage": False}}])
def test_usage_chunk_is_kept_from_a_client_that_did_not_ask_for_it(
    client: OpenAI, vendor: Vendor, asked: dict[str, Any]
) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body={**mocked("s7"), **asked}
    )
    chunks = list(stream)
    assert [(len(chunk.choices), chunk.usage) for chunk in chunks] == [(1, None)] * 9
    assert vendor.requests[0].body["stream_options"] == {"include_usage": True}


def test_usage_chunk_comes_last_to_a_client_that_asked_for_it(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt",
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
        extra_body=mocked("s7"),
    )
    *others, last = stream
    assert [(len(chunk.choices), chunk.usage) for chunk in others] == [(1, None)] * 9
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.model_dump(exclude_unset=True) == USAGE


async def test_usage_chunk_comes_last_to_an_async_client_that_asked_for_it(async_client: AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        model="fake-gpt",
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
        extra_body=mocked("s7"),
    )
    chunks = [chunk async for chunk in stream]
    assert [len(chunk.choices) for chunk in chunks] == [1] * 9 + [0]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.model_dump(exclude_unset=True) == USAGE


@pytest.mark.parametrize(
    "suffixes", ["s7", "s7-think5", "full", "s7-lateusage", "s7-odd-split-w2", "s7-nousage"]
)
def test_answers_and_streams_are_the_vendors_own(client: OpenAI, vendor: Vendor, suffixes: str) -> None:
    direct = client.with_options(base_url=vendor.base_url)
    asked: dict[str, Any] = {
        "model": "fake-gpt",
        "messages": ASK,
        "max_tokens": 20,
        "n": 2,
        "extra_body": mocked(suffixes),
    }
    streamed = {**asked, "stream": True, "stream_options": {"include_usage": True}}

    assert dump([client.chat.completions.create(**asked)]) == dump([direct.chat.completions.create(**asked)])
    assert dump(client.chat.completions.create(**streamed)) == dump(
        direct.chat.completions.create(**streamed)
    )


def test_stream_helper_gathers_every_choice(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="fake-gpt", messages=ASK, n=2, extra_body=mocked("s7")
    ) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()
    assert kinds == {"chunk", "content.delta", "content.done"}
    assert [(choice.index, choice.message.content, choice.finish_reason) for choice in answer.choices] == [
        (0, "Which sea is calm? ship sand", "stop"),
        (1, "Which sea is calm? ship sand", "stop"),
    ]


async def test_stream_helper_gathers_text_and_usage_for_async_programs(async_client: AsyncOpenAI) -> None:
    async with async_client.chat.completions.stream(
        model="fake-gpt", messages=ASK, stream_options={"include_usage": True}, extra_body=mocked("s7")
    ) as stream:
        deltas = [event.delta async for event in stream if event.type == "content.delta"]
        answer = await stream.get_final_completion()
    assert deltas == ["", *WORDS]
    assert answer.choices[0].message.content == "Which sea is calm? ship sand"
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_unset=True) == USAGE


def test_stream_that_runs_past_its_cap_is_cut_and_ends_with_length(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, max_tokens=10, stream=True, extra_body=mocked("over300")
    )
    *others, last = stream
    assert last.choices[0].finish_reason == "length"
    assert 10 < len(told(others)) < 300


def test_all_chunks_of_a_stream_that_is_cut_have_one_id(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, max_tokens=10, stream=True, extra_body=mocked("over300")
    )
    assert len({chunk.id for chunk in stream}) == 1


def test_every_choice_of_a_stream_that_is_cut_ends_with_length(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, max_tokens=10, n=2, stream=True, extra_body=mocked("over300")
    )
    ends = [
        (choice.index, choice.finish_reason)
        for chunk in stream
        for choice in chunk.choices
        if choice.finish_reason
    ]
    assert sorted(ends) == [(0, "length"), (1, "length")]


async def test_every_one_of_many_callers_gets_the_answer_to_its_own_question(
    async_client: AsyncOpenAI, vendor: Vendor
) -> None:
    async def ask(number: int) -> str:
        messages = said(f"caller {number} asks")
        if number % 2:
            answer = await async_client.chat.completions.create(model="fake-gpt", messages=messages)
            return answer.choices[0].message.content or ""
        async with async_client.chat.completions.stream(model="fake-gpt", messages=messages) as stream:
            final = await stream.get_final_completion()
        return final.choices[0].message.content or ""

    answers = await asyncio.gather(*map(ask, range(60)))
    assert [answer[: answer.index(" asks")] for answer in answers] == [f"caller {n}" for n in range(60)]
    assert len(vendor.requests) == 60


async def test_call_costs_what_its_usage_says(async_client: AsyncOpenAI, key: Key, vendor: Vendor) -> None:
    for is_stream in (False, True):
        raw = await async_client.chat.completions.with_raw_response.create(
            model="fake-gpt", messages=ASK, stream=is_stream, extra_body=mocked("s7")
        )
        await raw.http_response.aread()
    await until(lambda: len(key.calls()) == 2)
    whole, stream = key.calls()
    assert (whole["stream"], whole["cost_usd"]) == (False, "0.00033")
    assert (stream["stream"], stream["cost_usd"]) == (True, "0.00033")
    assert [key.spend()[name] for name in ("lifetime_usd", "held_usd", "overage_usd")] == [
        "0.00066",
        "0.00",
        "0.00",
    ]
    assert sum(seen.cost for seen in vendor.requests) == 660_000


async def test_headers_of_an_answer_name_the_call_and_its_cost(async_client: AsyncOpenAI, key: Key) -> None:
    raw = await async_client.chat.completions.with_raw_response.create(
        model="fake-gpt", messages=ASK, extra_body=mocked("s7")
    )
    answer = raw.parse()
    await until(lambda: len(key.calls()) == 1)
    assert raw.status_code == 200
    assert dict(raw.headers) == {
        "date": raw.headers["date"],
        "content-type": "application/json",
        "content-length": str(len(raw.content)),
        "x-request-id": key.calls()[0]["id"],
        "seawall-cost-usd": "0.00033",
    }
    assert answer.choices[0].message.content == "Which sea is calm? ship sand"
    assert answer._request_id == raw.request_id == key.calls()[0]["id"]


async def test_headers_of_a_stream_name_the_call(async_client: AsyncOpenAI, key: Key) -> None:
    raw = await async_client.chat.completions.with_raw_response.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("s7")
    )
    chunks = [chunk async for chunk in raw.parse()]
    await until(lambda: len(key.calls()) == 1)
    assert told(chunks) == WORDS
    assert dict(raw.headers) == {
        "date": raw.headers["date"],
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "transfer-encoding": "chunked",
        "x-request-id": key.calls()[0]["id"],
    }


def test_header_says_that_the_output_cap_was_lowered_to_what_the_budget_can_buy(
    client: OpenAI, gateway: RunningGateway, vendor: Vendor
) -> None:
    poor = client.with_options(api_key=gateway.make_key(budget={"daily_usd": "0.05"}).secret)
    raw = poor.chat.completions.with_raw_response.create(model="fake-gpt", messages=ASK, max_tokens=4000)
    [seen] = vendor.requests
    assert 512 <= seen.body["max_tokens"] <= 0.05 / 30e-6
    assert raw.headers["seawall-output-cap"] == f"{seen.body['max_tokens']}; asked=4000"


def test_answer_can_be_read_as_lines_of_a_streamed_response(client: OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked("s2")
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    assert [line[:6] for line in lines] == ["data: "] * 5
    assert lines[-1] == "data: [DONE]"
