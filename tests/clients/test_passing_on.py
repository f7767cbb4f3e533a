"""What travels through the gateway untouched, and what never does."""

import base64
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam

from tests.fixtures.clients import PROVIDER_KEY, Key, Vendor, mocked, said

SMALL_PICTURE = "data:image/png;base64," + base64.b64encode(bytes(range(256))).decode()
LARGE_PICTURE = "data:image/jpeg;base64," + base64.b64encode(bytes(range(256)) * 4_000).decode()
"""Over 1 MB: bodies of that size are read in a thread."""

AWKWARD = 'é 😀 \u2028 \x00 "\\/ </script> \ufeff 日本'


def pictures(*urls: str) -> list[ChatCompletionMessageParam]:
    """Ask about pictures."""
    parts: list[ChatCompletionContentPartParam] = [{"type": "text", "text": "What is on these?"}]
    parts += [{"type": "image_url", "image_url": {"url": url, "detail": "low"}} for url in urls]
    return [{"role": "user", "content": parts}]


@pytest.mark.parametrize(
    "urls",
    [
        [SMALL_PICTURE],
        [LARGE_PICTURE],
        ["https://example.com/a%20b.png?size=1&name=\u00e9#part"],
        [SMALL_PICTURE, "https://example.com/sea.jpg"],
    ],
    ids=["small", "large", "address", "several"],
)
def test_pictures_arrive_at_the_vendor_byte_for_byte(client: OpenAI, vendor: Vendor, urls: list[str]) -> None:
    messages = pictures(*urls)
    client.chat.completions.create(model="fake-gpt", messages=messages, extra_body=mocked("s5"))
    [seen] = vendor.requests
    assert seen.body["messages"] == messages
    assert all(f'"url":"{url}","detail":"low"'.encode() in seen.raw for url in urls)


async def test_pictures_arrive_byte_for_byte_from_async_streams(
    async_client: AsyncOpenAI, vendor: Vendor
) -> None:
    messages = pictures(SMALL_PICTURE, "https://example.com/sea.jpg")
    async with async_client.chat.completions.stream(model="fake-gpt", messages=messages) as stream:
        await stream.until_done()
    assert vendor.requests[0].body["messages"] == messages


def test_every_field_of_a_request_arrives_at_the_vendor(client: OpenAI, vendor: Vendor) -> None:
    messages: list[ChatCompletionMessageParam] = [
        {"role": "developer", "content": "Be brief.", "name": "owner"},
        {"role": "user", "content": AWKWARD},
    ]
    client.chat.completions.create(
        model="fake-gpt",
        messages=messages,
        frequency_penalty=0.1,
        logit_bias={"50256": -100},
        logprobs=True,
        max_completion_tokens=50,
        metadata={"tier": "free"},
        n=2,
        presence_penalty=-0.5,
        reasoning_effort="low",
        safety_identifier="user-17",
        seed=2**53 + 1,
        service_tier="flex",
        stop=["\n\n", "END"],
        store=False,
        temperature=0.0,
        top_logprobs=3,
        top_p=1e-9,
        verbosity="low",
        extra_body={"x_new": {"deep": [1, 2.5, None, True, {"": AWKWARD}]}, "x_zero": 0, "x_null": None},
    )
    assert vendor.requests[0].body == {
        "model": "fake-gpt",
        "messages": messages,
        "frequency_penalty": 0.1,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "max_completion_tokens": 50,
        "max_tokens": 50,
        "metadata": {"tier": "free"},
        "n": 2,
        "presence_penalty": -0.5,
        "reasoning_effort": "low",
        "safety_identifier": "user-17",
        "seed": 2**53 + 1,
        "service_tier": "flex",
        "stop": ["\n\n", "END"],
        "store": False,
        "temperature": 0.0,
        "top_logprobs": 3,
        "top_p": 1e-9,
        "verbosity": "low",
        "x_new": {"deep": [1, 2.5, None, True, {"": AWKWARD}]},
        "x_zero": 0,
        "x_null": None,
    }


def test_output_cap_is_sent_to_the_vendor_where_the_client_named_none(client: OpenAI, vendor: Vendor) -> None:
    client.chat.completions.create(model="mock/fake-gpt", messages=said("Hi"))
    assert vendor.requests[0].body == {
        "model": "fake-gpt",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 4096,
    }


@pytest.mark.parametrize("is_stream", [False, True])
def test_awkward_text_survives_both_ways(client: OpenAI, vendor: Vendor, is_stream: bool) -> None:
    asked: dict[str, Any] = {
        "model": "fake-gpt",
        "messages": said(AWKWARD),
        "stream": is_stream,
        "extra_body": mocked("s40-split"),
    }
    answer = client.chat.completions.create(**asked)
    if is_stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer)
    else:
        text = answer.choices[0].message.content
    assert vendor.requests[0].body["messages"][0]["content"] == AWKWARD
    assert text.startswith(AWKWARD)


def test_unknown_fields_of_an_answer_come_back(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="fake-gpt", messages=said("Hi"))
    assert answer.model_extra == {"x_vendor": {"kept": True, "note": "No client library knows this field."}}


def test_unknown_fields_of_a_stream_come_back(client: OpenAI) -> None:
    first, *others = client.chat.completions.create(
        model="fake-gpt", messages=said("Hi"), stream=True, extra_body=mocked("s2")
    )
    assert first.model_extra == {"x_vendor": {"kept": True, "note": "No client library knows this field."}}
    assert others[0].model_extra == {"x_vendor": {"kept": True}}


@pytest.mark.parametrize("is_stream", [False, True])
def test_nothing_but_the_body_reaches_the_vendor(
    client: OpenAI, vendor: Vendor, key: Key, is_stream: bool
) -> None:
    named = client.with_options(organization="org-caller", project="proj-caller")
    answer = named.chat.completions.create(
        model="fake-gpt",
        messages=said("Hi"),
        stream=is_stream,
        extra_headers={
            "Cookie": "session=caller",
            "Forwarded": "for=192.0.2.7",
            "Idempotency-Key": "caller-1",
            "X-Goog-Api-Key": "caller-2",
            "X-Forwarded-For": "192.0.2.7",
            "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        },
        extra_query={"api-version": "caller-3"},
    )
    if is_stream:
        list(answer)
    [seen] = vendor.requests
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
    assert seen.headers == {
        "host": vendor.base_url.removeprefix("http://").removesuffix("/v1"),
        "content-type": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {PROVIDER_KEY}",
        "content-length": str(len(seen.raw)),
    }
    assert key.secret.encode() not in seen.raw
