"""Everything that can go wrong, as the exceptions that OpenAI's own client raises."""

from typing import Any

import openai
import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, OpenAI
from tests.fixtures.clients import PROVIDER_KEY, RunningGateway, Vendor, mocked, said
from tests.fixtures.mock_calls import until

from seawall.proving.mock_answers import LEAKS

ASK = said("Which sea is calm?")


def refused(client: OpenAI, **fields: Any) -> APIStatusError:
    """Return the exception that a call ends with; the fields stand in the body as they are."""
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(model="fake-gpt", messages=ASK, extra_body=fields)
    return caught.value


def told(error: APIError) -> tuple[object, ...]:
    """Return class, code, type and param of an exception."""
    return (type(error), error.code, error.type, error.param)


def everything(error: APIStatusError) -> str:
    """Return all that a caller could find in an exception."""
    return f"{error} {error.body} {error.response.text} {error.response.headers.multi_items()}"


@pytest.mark.parametrize("secret", ["sw-" + "x" * 43, PROVIDER_KEY, "sk-proj-0123456789abcdef", "é", "x" * 5_000])
def test_unknown_key_is_an_authentication_error(client: OpenAI, vendor: Vendor, secret: str) -> None:
    stranger = client.with_options(api_key="unused", default_headers={"Authorization": f"Bearer {secret}".encode()})  # type: ignore[dict-item] # bytes, for a key that is not ASCII
    error = refused(stranger)
    assert told(error) == (openai.AuthenticationError, "invalid_api_key", "authentication_error", None)
    assert error.response.headers["www-authenticate"] == "Bearer"
    assert secret not in everything(error)
    assert vendor.requests == []
