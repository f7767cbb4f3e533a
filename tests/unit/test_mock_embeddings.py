"""The mock provider's embeddings: unit vectors that stay the same, in every form OpenAI's library knows."""

import base64
import math
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from tests.fixtures.mock_calls import LONGER, o200k, provider

from seawall.proving.mock_provider import MockProvider

HEADERS = {"authorization": "Bearer sk-mock-key"}
TEXTS = ["calm sea", "rough sea"]


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with provider() as running:
        yield running


async def call(mock: MockProvider, headers: dict[str, str] = HEADERS, **fields: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False, timeout=LONGER) as client:
        return await client.post("/embeddings", json={"model": "fake-embed", **fields}, headers=headers)


async def vectors(mock: MockProvider, **fields: Any) -> list[list[float]]:
    return [one["embedding"] for one in (await call(mock, **fields)).json()["data"]]


async def test_library_reads_vectors_and_usage(mock: MockProvider) -> None:
    async with openai.AsyncOpenAI(base_url=mock.base_url, api_key="sk-mock-key", max_retries=0) as client:
        answer = await client.embeddings.create(model="fake-embed", input=TEXTS)
        plain = await client.embeddings.create(model="fake-embed", input=TEXTS, encoding_format="float")
    assert mock.requests[0].body["encoding_format"] == "base64"
    tokens = sum(map(o200k(), TEXTS))
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (tokens, tokens)
    assert mock.bill == 2 * tokens * 10_000
    assert [one.index for one in answer.data] == [0, 1]
    for packed, floats in zip(answer.data, plain.data, strict=True):
        assert packed.embedding == pytest.approx(floats.embedding, abs=1e-6)
        assert len(packed.embedding) == 1536
        assert math.hypot(*floats.embedding) == pytest.approx(1)


async def test_same_input_has_the_same_vector_in_every_shape(mock: MockProvider) -> None:
    [alone] = await vectors(mock, input=TEXTS[0])
    assert await vectors(mock, input=TEXTS) == [alone, *await vectors(mock, input=TEXTS[1])]
    assert await vectors(mock, input=[[1, 2], [3]]) == [
        *await vectors(mock, input=[1, 2]),
        *await vectors(mock, input=[[3]]),
    ]
    assert mock.requests[2].input_tokens + mock.requests[1].input_tokens > 0
    assert [seen.input_tokens for seen in mock.requests[-3:]] == [3, 2, 1]


async def test_shorter_vectors_are_of_length_one_as_well(mock: MockProvider) -> None:
    [short] = await vectors(mock, input="sea", dimensions=3)
    [packed] = await vectors(mock, input="sea", dimensions=3, encoding_format="base64")
    assert math.hypot(*short) == pytest.approx(1)
    assert struct.unpack("<3f", base64.b64decode(packed)) == pytest.approx(short, abs=1e-6)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input": ""},
        {"input": []},
        {"input": [""]},
        {"input": [1, "a"]},
        {"input": {"text": "a"}},
        {"input": "a", "encoding_format": "hex"},
        {"input": "a", "dimensions": 0},
        {"input": "a", "dimensions": 4000},
        {"input": "a", "stream": True},
        {"input": ["a"] * 2049},
        {"input": [1] * 8193},
    ],
)
async def test_request_that_openai_refuses_is_refused(mock: MockProvider, fields: dict[str, Any]) -> None:
    answer = await call(mock, **fields)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert mock.bill == 0


async def test_behaviours_and_keys_are_as_in_chat(mock: MockProvider) -> None:
    assert (await call(mock, headers={}, input="a")).status_code == 401
    assert (await call(mock, input="a", x_mock="e429")).headers["retry-after"] == "7"
    assert mock.bill == 0
    with pytest.raises(httpx.RemoteProtocolError):
        await call(mock, input="a", x_mock="eof")
    assert (mock.total().input_tokens, mock.total().output_tokens) == (1, 0)
