"""Everything that can go wrong, as the exceptions that Anthropic's own client raises."""

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, APIStatusError, AsyncAnthropic

from seawall.proving.mock_answers import LEAKS
from seawall.proving.mock_behaviour import Behaviour
from tests.fixtures.clients import PROVIDER_KEY, Key, RunningGateway, Vendor
from tests.fixtures.mock_calls import until

NATIVE, CHAT, RESPONSES = "fake-claude", "fake-gpt", "fake-resp"
EVERY_PROVIDER = pytest.mark.parametrize("model", [NATIVE, CHAT, RESPONSES])
ASK: Any = [{"role": "user", "content": "Which sea is calm?"}]
WORDS = ["Whi", "ch s", "ea "]


def refused(client: Anthropic, model: str = NATIVE, **fields: Any) -> APIStatusError:
    """Return the exception that a call ends with; the fields stand in the body as they are."""
    with pytest.raises(APIStatusError) as caught:
        client.messages.create(model=model, max_tokens=100, messages=ASK, extra_body=fields)
    return caught.value


def told(error: APIStatusError) -> tuple[object, ...]:
    """Return class, status, type and our own code of an exception."""
    body: Any = error.body
    return (type(error), error.status_code, error.type, body["error"]["code"])


def test_unknown_key_is_an_authentication_error(claude: Anthropic, vendor: Vendor) -> None:
    for stranger in (
        claude.with_options(api_key="sw-stranger"),
        claude.with_options(api_key=None, auth_token="sw-stranger"),
    ):
        error = refused(stranger)
        assert told(error) == (anthropic.AuthenticationError, 401, "authentication_error", "invalid_api_key")
        assert error.request_id == error.body["request_id"]  # type: ignore[index] # the error as sent
    assert vendor.requests == []


async def test_unknown_key_is_an_authentication_error_for_async_programs(
    async_claude: AsyncAnthropic,
) -> None:
    stranger = async_claude.with_options(api_key="sw-stranger")
    with pytest.raises(anthropic.AuthenticationError):
        async with stranger.messages.stream(model=NATIVE, max_tokens=100, messages=ASK) as stream:
            await stream.get_final_message()
    with pytest.raises(anthropic.AuthenticationError):
        await stranger.messages.count_tokens(model=NATIVE, messages=ASK)


@EVERY_PROVIDER
def test_spent_budget_is_a_payment_required_error(
    claude: Anthropic, gateway: RunningGateway, vendor: Vendor, model: str
) -> None:
    poor = claude.with_options(api_key=gateway.make_key(budget={"monthly_usd": "0.0002"}).secret)
    error = refused(poor, model)
    assert told(error) == (anthropic.PaymentRequiredError, 402, "billing_error", "budget_exhausted")
    assert error.response.headers["x-should-retry"] == "false"
    assert vendor.requests == []


def test_model_that_the_key_may_not_use_is_a_permission_error(
    claude: Anthropic, gateway: RunningGateway, vendor: Vendor
) -> None:
    limited = claude.with_options(api_key=gateway.make_key(models=["demo"]).secret)
    assert told(refused(limited)) == (
        anthropic.PermissionDeniedError,
        403,
        "permission_error",
        "model_not_allowed",
    )
    assert vendor.requests == []


def test_unknown_model_is_a_not_found_error(claude: Anthropic) -> None:
    assert told(refused(claude, "fake-claude-9")) == (
        anthropic.NotFoundError,
        404,
        "not_found_error",
        "model_not_found",
    )


def test_route_that_is_not_there_is_a_not_found_error(claude: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.list()


def test_body_over_the_limit_is_a_content_too_large_error(claude: Anthropic, vendor: Vendor) -> None:
    error = refused(claude, x_filler="x" * 9_000_000)
    assert told(error) == (anthropic.ContentTooLargeError, 413, "request_too_large", "request_too_large")
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
    ],
    ids=str,
)
def test_bad_field_is_a_bad_request_that_names_it(
    claude: Anthropic, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    error = refused(claude, **fields)
    assert told(error) == (anthropic.BadRequestError, 400, "invalid_request_error", "invalid_request")
    assert error.body["error"]["param"] == param  # type: ignore[index] # the error as sent
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"service_tier": "priority"}, "service_tier"),
        ({"container": "container_1"}, "container"),
        ({"mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "x"}]}, "mcp_servers"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_field_that_changes_the_price_is_a_bad_request_that_names_it(
    claude: Anthropic, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    error = refused(claude, **fields)
    assert (type(error), error.type) == (anthropic.BadRequestError, "invalid_request_error")
    assert error.body["error"]["param"] == param  # type: ignore[index] # the error as sent
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 3}, "top_k"),
    ],
    ids=["chat", "with thinking"],
)
def test_field_that_the_provider_has_no_words_for_is_a_bad_request_that_names_it(
    claude: Anthropic, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    error = refused(claude, CHAT, **fields)
    assert told(error) == (anthropic.BadRequestError, 400, "invalid_request_error", "untranslatable")
    assert error.body["error"]["param"] == param  # type: ignore[index] # the error as sent
    assert vendor.requests == []


STATUSES = [
    (400, anthropic.BadRequestError, 400, "invalid_request_error"),
    (401, anthropic.InternalServerError, 502, "api_error"),
    (403, anthropic.InternalServerError, 502, "api_error"),
    (404, anthropic.NotFoundError, 404, "not_found_error"),
    (413, anthropic.ContentTooLargeError, 413, "request_too_large"),
    (429, anthropic.RateLimitError, 429, "rate_limit_error"),
    (500, anthropic.InternalServerError, 502, "api_error"),
    (504, anthropic.GatewayTimeoutError, 504, "timeout_error"),
]


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("vendor_status", "kind", "status", "error_type"), STATUSES)
@pytest.mark.parametrize("model", [NATIVE, CHAT])
def test_error_of_the_vendor_is_the_usual_exception_and_leaks_nothing(
    claude: Anthropic,
    vendor: Vendor,
    model: str,
    vendor_status: int,
    kind: type[APIStatusError],
    status: int,
    error_type: str,
    is_stream: bool,
) -> None:
    vendor.answers_next(Behaviour(status=vendor_status))
    error = refused(claude, model, stream=is_stream)
    everything = f"{error} {error.body} {error.response.headers.multi_items()}"
    assert (type(error), error.status_code, error.type) == (kind, status, error_type)
    hidden = [*LEAKS, PROVIDER_KEY, vendor.base_url.removeprefix("http://"), "req_mock"]
    assert [text for text in hidden if text in everything] == []


def test_overloaded_vendor_is_an_overloaded_error(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(status=529))
    error = refused(claude)
    assert (type(error), error.status_code, error.type) == (
        anthropic.OverloadedError,
        529,
        "overloaded_error",
    )


def test_vendor_says_when_to_come_back(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(status=503, retry_after_s=33))
    assert refused(claude).response.headers["retry-after"] == "33"


async def test_client_tries_again_after_an_overload(claude: Anthropic, key: Key, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(status=529), Behaviour(answer_tokens=9))
    answer = claude.with_options(max_retries=1).messages.create(model=NATIVE, max_tokens=100, messages=ASK)
    await until(lambda: len(key.calls()) == 2)  # The answer is there before its money is settled.
    assert answer.stop_reason == "end_turn"
    assert key.outcomes() == [(529, "overloaded_error"), (200, None)]


def test_overload_inside_a_stream_is_an_overloaded_error(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(breaks="error", break_after=3))
    pieces: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        claude.messages.stream(model=NATIVE, max_tokens=100, messages=ASK) as stream,
    ):
        pieces.extend(stream.text_stream)
    body: Any = caught.value.body
    assert pieces == WORDS
    assert body["error"]["type"] == "overloaded_error"
    assert [leak for leak in LEAKS if leak in f"{caught.value} {body}"] == []


@EVERY_PROVIDER
@pytest.mark.parametrize("way", ["eof", "reset", "end", "error"])
def test_stream_that_breaks_raises_after_what_has_come(
    claude: Anthropic, vendor: Vendor, model: str, way: Any
) -> None:
    vendor.answers_next(Behaviour(breaks=way, break_after=3))
    pieces: list[str] = []
    with claude.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        pieces.extend(next(stream.text_stream) for _ in range(3))
        with pytest.raises(anthropic.APIError) as caught:
            next(stream.text_stream)
    body: Any = caught.value.body
    assert pieces == WORDS
    assert body["error"]["type"] in {"api_error", "overloaded_error"}
    assert [leak for leak in LEAKS if leak in f"{caught.value} {body}"] == []


def test_gateway_that_is_not_there_is_a_connection_error(claude: Anthropic, closed_port: int) -> None:
    nobody = claude.with_options(base_url=f"http://127.0.0.1:{closed_port}")
    with pytest.raises(anthropic.APIConnectionError):
        nobody.messages.create(model=NATIVE, max_tokens=100, messages=ASK)
