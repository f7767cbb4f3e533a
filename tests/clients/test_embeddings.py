"""Embeddings as programs with OpenAI's own client and LangChain see them."""

import base64
import math
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from langchain_core.embeddings import Embeddings
from langchain_openai import OpenAIEmbeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from tests.fixtures.clients import Key, RunningGateway, Vendor
from tests.fixtures.mock_calls import until

MODEL = "fake-embed"
PROSE = ["Which sea is calm?", "The Baltic."]


def lengths(answer: Any) -> list[float]:
    """Return the length of each vector, rounded."""
    return [round(math.hypot(*one.embedding), 3) for one in answer.data]


def test_vectors_come_in_order(client: OpenAI, vendor: Vendor) -> None:
    answer = client.embeddings.create(model=MODEL, input=PROSE)
    assert (answer.object, answer.model) == ("list", MODEL)
    assert [(one.object, one.index, len(one.embedding)) for one in answer.data] == [
        ("embedding", 0, 1536),
        ("embedding", 1, 1536),
    ]
    assert lengths(answer) == [1.0, 1.0]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == vendor.requests[0].input_tokens > 0


async def test_vectors_for_async_programs(async_client: AsyncOpenAI) -> None:
    one = await async_client.embeddings.create(model=MODEL, input="Which sea is calm?")
    two = await async_client.embeddings.create(model=MODEL, input=["Which sea is calm?"])
    assert one.data[0].embedding == two.data[0].embedding


def test_client_asks_for_base64_by_itself_and_reads_it(client: OpenAI, vendor: Vendor) -> None:
    silent = client.embeddings.create(model=MODEL, input=PROSE[0])
    plain = client.embeddings.create(model=MODEL, input=PROSE[0], encoding_format="float")
    assert [seen.body["encoding_format"] for seen in vendor.requests] == ["base64", "float"]
    assert silent.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


def test_base64_comes_as_it_is_to_those_who_ask_for_it(client: OpenAI) -> None:
    answer = client.embeddings.create(model=MODEL, input=PROSE[0], encoding_format="base64", dimensions=8)
    plain = client.embeddings.create(model=MODEL, input=PROSE[0], encoding_format="float", dimensions=8)
    encoded: Any = answer.data[0].embedding
    assert struct.unpack("<8f", base64.b64decode(encoded)) == pytest.approx(plain.data[0].embedding, abs=1e-6)


def test_dimensions_are_those_asked_for(client: OpenAI, vendor: Vendor) -> None:
    answer = client.embeddings.create(model=MODEL, input=PROSE, dimensions=16)
    assert [len(one.embedding) for one in answer.data] == [16, 16]
    assert vendor.requests[0].body["dimensions"] == 16


@pytest.mark.parametrize("tokens", [[9906, 1917], [[9906], [1917, 0]]], ids=["one", "several"])
def test_tokens_are_taken_for_text(client: OpenAI, vendor: Vendor, tokens: Any) -> None:
    answer = client.embeddings.create(model=MODEL, input=tokens)
    assert vendor.requests[0].body["input"] == tokens
    assert answer.usage.prompt_tokens == len(tokens) + (1 if isinstance(tokens[0], list) else 0)


async def test_call_costs_what_its_usage_says(async_client: AsyncOpenAI, key: Key, vendor: Vendor) -> None:
    raw = await async_client.embeddings.with_raw_response.create(model=MODEL, input=PROSE)
    await until(lambda: len(key.calls()) == 1)
    [call] = key.calls()
    [seen] = vendor.requests
    assert (call["endpoint"], call["status"], call["model"]) == ("/v1/embeddings", 200, MODEL)
    assert call["usage"]["input"] == seen.input_tokens
    assert call["cost_usd"] == raw.headers["seawall-cost-usd"] == f"{seen.input_tokens / 100_000:.5f}"
    assert raw.headers["x-request-id"] == call["id"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": 7}, "input"),
        ({"input": [["a"]]}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
    ],
    ids=str,
)
def test_bad_field_is_a_bad_request_that_names_it(
    client: OpenAI, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=MODEL, input="Hi", extra_body=fields)
    named = (caught.value.param or "").partition("[")[0]
    assert (caught.value.code, named) == ("invalid_request", param)
    assert vendor.requests == []


def test_spent_budget_is_a_status_error_402(client: OpenAI, gateway: RunningGateway, vendor: Vendor) -> None:
    poor = client.with_options(api_key=gateway.make_key(budget={"monthly_usd": "0.000001"}).secret)
    with pytest.raises(openai.APIStatusError) as caught:
        poor.embeddings.create(model=MODEL, input=PROSE)
    assert (caught.value.status_code, caught.value.code) == (402, "budget_exhausted")
    assert vendor.requests == []


@pytest.mark.parametrize("model", ["fake-gpt", "fake-claude"])
def test_model_whose_provider_embeds_nothing_is_a_status_error(
    client: OpenAI, vendor: Vendor, model: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.embeddings.create(model=model, input=PROSE)
    assert (caught.value.status_code, caught.value.param) == (400, "model")
    assert vendor.requests == []


class TestOpenAIEmbeddings(EmbeddingsIntegrationTests):
    """LangChain's standard suite."""

    @pytest.fixture(autouse=True)
    async def point_at_gateway(
        self, gateway: RunningGateway, key: Key, trusted: ssl.SSLContext
    ) -> AsyncIterator[None]:
        """Note what every model of a test is made with."""
        with DefaultHttpxClient(trust_env=False, verify=trusted) as http_client:
            async with DefaultAsyncHttpxClient(trust_env=False, verify=trusted) as http_async_client:
                self._connection = {
                    "base_url": gateway.base_url,
                    "api_key": key.secret,
                    "max_retries": 0,
                    "http_client": http_client,
                    "http_async_client": http_async_client,
                }
                yield

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return OpenAIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        # Otherwise it fetches a tokenizer from the internet, to cut long texts by itself.
        return {"model": MODEL, "check_embedding_ctx_length": False, **self._connection}
