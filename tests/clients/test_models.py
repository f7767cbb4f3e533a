"""The list of models, as OpenAI's own client reads it."""

import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI, PermissionDeniedError

from tests.fixtures.clients import RunningGateway, said

FAKE_GPT = {
    "id": "fake-gpt",
    "object": "model",
    "created": 0,
    "owned_by": "mock",
    "input_usd_per_mtok": "10.00",
    "cached_input_usd_per_mtok": "1.00",
    "output_usd_per_mtok": "30.00",
    "max_output_tokens": 4096,
    "context_tokens": 128_000,
}

NAMES = [
    "fake-gpt",
    "fake-gpt-s9",
    "fake-claude",
    "fake-claude-s9",
    "fake-resp",
    "fake-resp-s9",
    "fake-embed",
    "text-embedding-3-small",
    "fake-gone",
    "demo",
]
"""In the order of the configuration."""


def test_models_are_listed_with_their_prices(client: OpenAI) -> None:
    models = list(client.models.list())
    assert [model.id for model in models] == NAMES
    assert models[0].model_dump(exclude_unset=True) == FAKE_GPT


async def test_models_are_listed_for_async_programs(async_client: AsyncOpenAI) -> None:
    models = [model async for model in async_client.models.list()]
    assert [model.id for model in models] == NAMES


@pytest.mark.parametrize("name", ["fake-gpt", "mock/fake-gpt"])
def test_model_is_found_by_its_name_and_by_its_provider(client: OpenAI, name: str) -> None:
    assert client.models.retrieve(name).model_dump(exclude_unset=True) == FAKE_GPT


@pytest.mark.parametrize("name", ["fake-gpt-2", "demo/fake-gpt", "fake-unpriced"])
def test_model_that_cannot_be_called_is_not_found(client: OpenAI, name: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        client.models.retrieve(name)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_key_sees_only_the_models_it_may_use(client: OpenAI, gateway: RunningGateway) -> None:
    limited = client.with_options(api_key=gateway.make_key(models=["demo", "fake-gone"]).secret)
    assert [model.id for model in limited.models.list()] == ["fake-gone", "demo"]
    with pytest.raises(NotFoundError):
        limited.models.retrieve("fake-gpt")


@pytest.mark.parametrize("allowed", ["fake-gpt", "mock/fake-gpt"])
@pytest.mark.parametrize("name", ["fake-gpt", "mock/fake-gpt"])
def test_key_finds_exactly_the_names_that_it_may_call(
    client: OpenAI, gateway: RunningGateway, allowed: str, name: str
) -> None:
    limited = client.with_options(api_key=gateway.make_key(models=[allowed]).secret)

    def finds() -> bool:
        try:
            limited.models.retrieve(name)
        except NotFoundError:
            return False
        return True

    def calls() -> bool:
        try:
            limited.chat.completions.create(model=name, messages=said("Hi"))
        except PermissionDeniedError:
            return False
        return True

    assert finds() == calls()


def test_model_that_is_allowed_under_its_provider_is_listed(client: OpenAI, gateway: RunningGateway) -> None:
    limited = client.with_options(api_key=gateway.make_key(models=["mock/fake-gpt"]).secret)
    assert [model.id for model in limited.models.list()] == ["fake-gpt"]
