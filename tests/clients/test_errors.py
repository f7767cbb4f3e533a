"""Everything that can go wrong, as the exceptions that OpenAI's own client raises."""

from typing import Any

import openai
import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, OpenAI

from seawall.proving.mock_answers import LEAKS
from tests.fixtures.clients import PROVIDER_KEY, RunningGateway, Vendor, mocked, said

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


@pytest.mark.parametrize("secret", ["sw-" + "x" * 43, PROVIDER_KEY, "sk-proj-0123456789abcdef", "x" * 5_000])
def test_unknown_key_is_an_authentication_error(client: OpenAI, vendor: Vendor, secret: str) -> None:
    error = refused(client.with_options(api_key=secret))
    assert told(error) == (openai.AuthenticationError, "invalid_api_key", "authentication_error", None)
    assert error.response.headers["www-authenticate"] == "Bearer"
    assert secret not in everything(error)
    assert vendor.requests == []


def test_revoked_key_is_an_authentication_error(client: OpenAI, gateway: RunningGateway) -> None:
    key = gateway.make_key()
    former = client.with_options(api_key=key.secret)
    assert former.models.retrieve("demo").id == "demo"
    gateway.admin.delete(f"/keys/{key.id}").raise_for_status()
    assert told(refused(former)) == (
        openai.AuthenticationError,
        "invalid_api_key",
        "authentication_error",
        None,
    )


def test_unknown_key_is_told_so_even_with_a_body_that_nobody_reads(client: OpenAI) -> None:
    stranger = client.with_options(api_key="sw-stranger")
    for size in (100_000, 5_000_000, 10_000_000):
        assert type(refused(stranger, x_filler="x" * size)) is openai.AuthenticationError
        assert client.models.retrieve("demo").id == "demo"


async def test_unknown_key_is_an_authentication_error_for_async_programs(async_client: AsyncOpenAI) -> None:
    stranger = async_client.with_options(api_key="sw-stranger")
    with pytest.raises(openai.AuthenticationError) as caught:
        await stranger.chat.completions.create(model="fake-gpt", messages=ASK, stream=True)
    with pytest.raises(openai.AuthenticationError):
        await stranger.models.list()
    assert caught.value.request_id == caught.value.body["call_id"]  # type: ignore[index] # the error object as sent


def test_model_that_the_key_may_not_use_is_a_permission_error(
    client: OpenAI, gateway: RunningGateway, vendor: Vendor
) -> None:
    limited = client.with_options(api_key=gateway.make_key(models=["demo"]).secret)
    assert told(refused(limited)) == (
        openai.PermissionDeniedError,
        "model_not_allowed",
        "permission_error",
        "model",
    )
    assert vendor.requests == []


def test_unknown_model_is_a_not_found_error(client: OpenAI) -> None:
    assert told(refused(client, model="fake-gpt-9")) == (
        openai.NotFoundError,
        "model_not_found",
        "invalid_request_error",
        "model",
    )


def test_route_that_is_not_there_is_a_not_found_error_to_those_with_a_key(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.moderations.create(input="Hi")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sw-stranger").moderations.create(input="Hi")
    assert told(missing.value) == (openai.NotFoundError, "not_found", "invalid_request_error", None)


def test_method_that_a_route_does_not_have_is_a_status_error_405(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.models.delete("fake-gpt")
    assert told(caught.value) == (APIStatusError, "method_not_allowed", "invalid_request_error", None)


def test_list_of_stored_completions_is_a_status_error_405(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.list()
    assert told(caught.value) == (APIStatusError, "method_not_allowed", "invalid_request_error", None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": ["fake-gpt"]}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user", "content": "Hi"}] * 2_001}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["Hi"]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages[0].content[0].input_audio.data",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": "many"}, "max_completion_tokens"),
        ({"n": 129}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"user": 7}, "user"),
        ({"safety_identifier": {}}, "safety_identifier"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_field_is_a_bad_request_that_names_it(
    client: OpenAI, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    assert told(refused(client, **fields)) == (
        openai.BadRequestError,
        "invalid_request",
        "invalid_request_error",
        param,
    )
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"service_tier": "priority"}, "service_tier"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ],
    ids=str,
)
def test_field_that_changes_the_price_is_a_bad_request_that_names_it(
    client: OpenAI, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    assert told(refused(client, **fields)) == (
        openai.BadRequestError,
        "unpriced_field",
        "invalid_request_error",
        param,
    )
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"modalities": 7}, "modalities"),
        ({"modalities": True}, "modalities"),
        ({"service_tier": ["priority"]}, "service_tier"),
        ({"service_tier": {}}, "service_tier"),
        ({"tools": [{"type": ["function"]}]}, "tools[0].type"),
    ],
    ids=str,
)
def test_field_of_an_impossible_type_is_a_bad_request_that_names_it(
    client: OpenAI, fields: dict[str, Any], param: str
) -> None:
    error = refused(client, **fields)
    assert (type(error), error.param) == (openai.BadRequestError, param)


def test_body_over_the_limit_is_a_status_error_413(client: OpenAI, vendor: Vendor) -> None:
    error = refused(client, x_filler="x" * 9_000_000)
    assert told(error) == (APIStatusError, "request_too_large", "invalid_request_error", None)
    assert error.status_code == 413
    assert vendor.requests == []


def test_body_that_is_nested_too_deeply_is_a_bad_request(client: OpenAI) -> None:
    nested: list[Any] = []
    for _ in range(70):
        nested = [nested]
    assert told(refused(client, x_nested=nested))[:2] == (openai.BadRequestError, "invalid_request")


def test_spent_budget_is_a_status_error_402_that_says_not_to_retry(
    client: OpenAI, gateway: RunningGateway, vendor: Vendor
) -> None:
    poor = client.with_options(api_key=gateway.make_key(budget={"monthly_usd": "0.002"}).secret)
    error = refused(poor)
    assert told(error) == (APIStatusError, "budget_exhausted", "budget_error", None)
    assert error.status_code == 402
    assert error.response.headers["x-should-retry"] == "false"
    assert "monthly budget of this key" in error.message
    assert vendor.requests == []


def test_model_without_a_price_is_a_status_error_402(client: OpenAI, vendor: Vendor) -> None:
    error = refused(client, model="fake-unpriced")
    assert told(error) == (APIStatusError, "unpriced_model", "budget_error", "model")
    assert (error.status_code, error.response.headers["x-should-retry"]) == (402, "false")
    assert vendor.requests == []


def test_held_budget_is_a_rate_limit_error_that_says_when_to_come_back(
    client: OpenAI, gateway: RunningGateway, vendor: Vendor
) -> None:
    busy = client.with_options(api_key=gateway.make_key(budget={"daily_usd": "0.13"}).secret)
    with busy.chat.completions.create(
        model="fake-gpt", messages=ASK, max_tokens=4096, stream=True, extra_body=mocked("stall2")
    ) as stream:
        next(stream)
        error = refused(busy)
    assert told(error) == (openai.RateLimitError, "budget_busy", "rate_limit_error", None)
    assert error.response.headers["retry-after"] == "1"
    assert "x-should-retry" not in error.response.headers
    assert len(vendor.requests) == 1


VENDORS_OWN = ("server_error", "server_error", None)
NOT_ANSWERING = ("server_error", "upstream_error", None)
CREDENTIALS = ("provider_credentials", "upstream_error", None)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    ("vendor_status", "status", "expected"),
    [
        (400, 400, (openai.BadRequestError, "invalid_value", "invalid_request_error", None)),
        (401, 502, (openai.InternalServerError, *CREDENTIALS)),
        (402, 502, (openai.InternalServerError, *CREDENTIALS)),
        (403, 502, (openai.InternalServerError, *CREDENTIALS)),
        (404, 404, (openai.NotFoundError, "model_not_found", "invalid_request_error", None)),
        (408, 504, (openai.InternalServerError, "upstream_timeout", "upstream_error", None)),
        (409, 409, (openai.ConflictError, *VENDORS_OWN)),
        (413, 413, (openai.APIStatusError, *VENDORS_OWN)),
        (422, 422, (openai.UnprocessableEntityError, *VENDORS_OWN)),
        (429, 429, (openai.RateLimitError, "rate_limit_exceeded", "requests", None)),
        (500, 502, (openai.InternalServerError, *NOT_ANSWERING)),
        (502, 502, (openai.InternalServerError, *NOT_ANSWERING)),
        (503, 502, (openai.InternalServerError, *NOT_ANSWERING)),
        (504, 504, (openai.InternalServerError, "upstream_timeout", "upstream_error", None)),
        (529, 529, (openai.InternalServerError, *NOT_ANSWERING)),
    ],
)
def test_error_of_the_vendor_is_the_usual_exception_and_leaks_nothing(
    client: OpenAI,
    vendor: Vendor,
    is_stream: bool,
    vendor_status: int,
    status: int,
    expected: tuple[object, ...],
) -> None:
    error = refused(client, stream=is_stream, **mocked(f"e{vendor_status}"))
    assert (error.status_code, told(error)) == (status, expected)
    assert vendor.requests[0].status == vendor_status
    hidden = [*LEAKS, PROVIDER_KEY, vendor.base_url.removeprefix("http://"), "req_mock"]
    assert [text for text in hidden if text in everything(error)] == []


@pytest.mark.parametrize("vendor_status", [429, 503])
def test_vendor_says_when_to_come_back(client: OpenAI, vendor_status: int) -> None:
    error = refused(client, **mocked(f"e{vendor_status}-ra33"))
    assert error.response.headers["retry-after"] == "33"


@pytest.mark.parametrize("suffixes", ["reset", "reset0", "eof", "eof0", "short", "badhttp", "badjson"])
def test_whole_answer_that_breaks_is_an_internal_server_error(client: OpenAI, suffixes: str) -> None:
    error = refused(client, **mocked(suffixes))
    assert (error.status_code, told(error)) == (
        502,
        (openai.InternalServerError, "upstream_unavailable", "upstream_error", None),
    )


def test_vendor_that_cannot_be_reached_is_an_internal_server_error(client: OpenAI, closed_port: int) -> None:
    error = refused(client, model="fake-gone")
    assert (error.status_code, told(error)) == (
        502,
        (openai.InternalServerError, "upstream_unavailable", "upstream_error", None),
    )
    assert str(closed_port) not in everything(error)


BROKEN_STREAMS = pytest.mark.parametrize(
    ("suffixes", "code"),
    [
        ("eof3", "upstream_unavailable"),
        ("reset3", "upstream_unavailable"),
        ("end3", "upstream_unavailable"),
        ("error3", "server_error"),
    ],
)


@BROKEN_STREAMS
def test_stream_that_breaks_raises_after_what_has_come(client: OpenAI, suffixes: str, code: str) -> None:
    stream = client.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_body=mocked(suffixes)
    )
    pieces = [next(stream).choices[0].delta.content for _ in range(4)]
    with pytest.raises(APIError) as caught:
        next(stream)
    assert pieces == ["", "Whi", "ch s", "ea "]
    assert told(caught.value) == (APIError, code, "upstream_error", None)
    assert [leak for leak in LEAKS if leak in f"{caught.value} {caught.value.body}"] == []
    assert stream.response.is_closed


@BROKEN_STREAMS
async def test_async_stream_that_breaks_raises_after_what_has_come(
    async_client: AsyncOpenAI, suffixes: str, code: str
) -> None:
    async with async_client.chat.completions.stream(
        model="fake-gpt", messages=ASK, extra_body=mocked(suffixes)
    ) as stream:
        for _ in range(8):
            await anext(stream)
        with pytest.raises(APIError) as caught:
            await anext(stream)
        message_so_far = stream.current_completion_snapshot.choices[0].message
    assert message_so_far.content == "Which sea "
    assert told(caught.value) == (APIError, code, "upstream_error", None)


@pytest.mark.parametrize(
    ("suffixes", "code"),
    [("error0", "server_error"), ("eof0", "upstream_unavailable"), ("badhttp", "upstream_unavailable")],
)
def test_stream_that_breaks_before_its_first_event_is_a_status_error(
    client: OpenAI, suffixes: str, code: str
) -> None:
    error = refused(client, stream=True, **mocked(suffixes))
    assert (error.status_code, told(error)) == (
        502,
        (openai.InternalServerError, code, "upstream_error", None),
    )


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("429", (openai.RateLimitError, "rate_limit_exceeded", "rate_limit_error", None)),
        ("500", (openai.InternalServerError, *NOT_ANSWERING)),
        ("503", (openai.InternalServerError, "overloaded", "upstream_error", None)),
        ("cut", (openai.InternalServerError, "upstream_unavailable", "upstream_error", None)),
    ],
)
def test_demo_model_fails_on_request(client: OpenAI, word: str, expected: tuple[object, ...]) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(model="demo", messages=said(f"demo:{word}"))
    assert told(caught.value) == expected


def test_demo_model_cuts_a_stream_on_request(client: OpenAI) -> None:
    with (
        pytest.raises(APIError) as caught,
        client.chat.completions.stream(model="demo", messages=said("demo:cut")) as stream,
    ):
        stream.until_done()
    assert told(caught.value) == (APIError, "upstream_unavailable", "upstream_error", None)


def test_gateway_that_is_not_there_is_a_connection_error(client: OpenAI, closed_port: int) -> None:
    nobody = client.with_options(base_url=f"http://127.0.0.1:{closed_port}/v1")
    with pytest.raises(openai.APIConnectionError) as caught:
        nobody.chat.completions.create(model="fake-gpt", messages=ASK)
    assert type(caught.value) is openai.APIConnectionError
