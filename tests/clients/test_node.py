"""The client libraries that programs in JavaScript use: OpenAI's, Anthropic's and Vercel's AI SDK."""

from typing import Any

import pytest

from seawall.proving.mock_behaviour import Behaviour
from tests.fixtures.anthropic_clients import anthropic_url
from tests.fixtures.clients import Key, RunningGateway, Vendor
from tests.fixtures.node_clients import NodePrograms

pytestmark = pytest.mark.timeout(400)  # the first test may have to install the packages

NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

HALF = ["Whi", "ch s", "ea "]
TIDE = {"port": "Which sea is calm?", "height": 7.5}

CHAT_PROVIDER, RESPONSES_PROVIDER, ANTHROPIC_PROVIDER = "fake-gpt", "fake-resp", "fake-claude"
EVERY_PROVIDER = pytest.mark.parametrize("model", [CHAT_PROVIDER, RESPONSES_PROVIDER, ANTHROPIC_PROVIDER])
EVERY_API = pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("chat", CHAT_PROVIDER),
        ("compatible", CHAT_PROVIDER),
        ("responses", RESPONSES_PROVIDER),
        ("anthropic", ANTHROPIC_PROVIDER),
        ("chat", ANTHROPIC_PROVIDER),
        ("responses", CHAT_PROVIDER),
        ("responses", ANTHROPIC_PROVIDER),
        ("anthropic", CHAT_PROVIDER),
    ],
)


class Caller:
    """Runs cases with a key of the test's own, after nine tokens were ordered for each answer."""

    def __init__(self, node: NodePrograms, gateway: RunningGateway, key: Key, vendor: Vendor) -> None:
        self.node, self.gateway, self.key, self.vendor = node, gateway, key, vendor

    def run(self, script: str, case: str, model: str, **environ: str) -> Any:
        """Run one case; the AI SDK wants the address with `/v1` for each of its providers."""
        url = anthropic_url(self.gateway) if script == "anthropic.mjs" else self.gateway.base_url
        told = {"BASE_URL": url, "API_KEY": self.key.secret, "MODEL": model, **environ}
        return self.node.run(script, case, **told)


@pytest.fixture
def caller(node: NodePrograms, gateway: RunningGateway, key: Key, vendor: Vendor) -> Caller:
    """Return what runs the cases of a test."""
    return Caller(node, gateway, key, vendor)


@EVERY_PROVIDER
def test_openai_text(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE)
    answer = caller.run("openai.mjs", "chat_text", model)
    assert (answer["text"], answer["finish"], answer["usage"]["completion_tokens"]) == (TEXT, "stop", 9)


@EVERY_PROVIDER
def test_openai_stream(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE)
    answer = caller.run("openai.mjs", "chat_stream", model)
    assert answer == {"text": TEXT, "is_in_pieces": True, "output": 9}


@EVERY_PROVIDER
def test_openai_runs_tools(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE, NINE)
    assert caller.run("openai.mjs", "chat_tools", model) == {
        "text": TEXT,
        "heard": ["Which sea is calm?"],
        "roles": ["user", "assistant", "tool", "assistant"],
    }


@EVERY_PROVIDER
def test_openai_object(caller: Caller, model: str) -> None:
    assert caller.run("openai.mjs", "chat_object", model) == TIDE


@EVERY_PROVIDER
def test_openai_responses_text(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE)
    answer = caller.run("openai.mjs", "responses_text", model)
    assert (answer["text"], answer["status"], answer["usage"]["output_tokens"]) == (TEXT, "completed", 9)


@EVERY_PROVIDER
def test_openai_responses_stream(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE)
    assert caller.run("openai.mjs", "responses_stream", model) == {
        "kinds": [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ],
        "text": TEXT,
    }


@EVERY_PROVIDER
def test_openai_responses_tools_go_on_from_the_stored_response(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(NINE, NINE)
    assert caller.run("openai.mjs", "responses_tools", model) == {
        "name": "get_tide",
        "arguments": '{"port":"Which sea is calm?"}',
        "text": TEXT,
    }


@EVERY_PROVIDER
def test_openai_responses_object(caller: Caller, model: str) -> None:
    assert caller.run("openai.mjs", "responses_object", model) == TIDE


def test_openai_stored_response_is_found_until_it_is_deleted(caller: Caller) -> None:
    assert caller.run("openai.mjs", "responses_stored", RESPONSES_PROVIDER) == {
        "is_same": True,
        "items": [[{"type": "input_text", "text": "Which sea is calm?"}]],
        "gone": {
            "name": "NotFoundError",
            "status": 404,
            "code": "response_not_found",
            "type": "invalid_request_error",
            "param": None,
            "has_request_id": True,
        },
    }


def test_openai_embeddings(caller: Caller) -> None:
    assert caller.run("openai.mjs", "embeddings", "fake-embed") == {"sizes": [8, 8], "index": [0, 1]}


ERRORS = pytest.mark.parametrize(
    ("cause", "status", "openai_name", "anthropic_name", "anthropic_type"),
    [
        ("key", 401, "AuthenticationError", "AuthenticationError", "authentication_error"),
        ("budget", 402, "APIError", "PaymentRequiredError", "billing_error"),
        ("model", 404, "NotFoundError", "NotFoundError", "not_found_error"),
        ("vendor", 429, "RateLimitError", "RateLimitError", "rate_limit_error"),
    ],
)


def fail(caller: Caller, cause: str, script: str, case: str, model: str, **environ: str) -> Any:
    """Run a case that ends with an error for the reason given."""
    if cause == "key":
        environ["API_KEY"] = "sw-stranger"
    if cause == "budget":
        environ["API_KEY"] = caller.gateway.make_key(budget={"monthly_usd": "0.0002"}).secret
    if cause == "vendor":
        caller.vendor.answers_next(Behaviour(status=429))
    return caller.run(script, case, "fake-unknown" if cause == "model" else model, **environ)


@ERRORS
@pytest.mark.parametrize("case", ["chat_error", "responses_error"])
def test_openai_errors(
    caller: Caller,
    case: str,
    cause: str,
    status: int,
    openai_name: str,
    anthropic_name: str,
    anthropic_type: str,
) -> None:
    model = CHAT_PROVIDER if case == "chat_error" else RESPONSES_PROVIDER
    told = fail(caller, cause, "openai.mjs", case, model)
    assert (told["name"], told["status"], told["has_request_id"]) == (openai_name, status, True)


@EVERY_PROVIDER
def test_openai_stream_that_breaks(caller: Caller, model: str) -> None:
    caller.vendor.answers_next(Behaviour(breaks="eof"))
    told = caller.run("openai.mjs", "chat_broken_stream", model)
    assert [piece for piece in told["pieces"] if piece] == HALF
    assert (told["error"]["name"], told["error"]["code"]) == ("APIError", "upstream_unavailable")


@pytest.mark.parametrize("model", [ANTHROPIC_PROVIDER, CHAT_PROVIDER, RESPONSES_PROVIDER])
class TestAnthropic:
    """Anthropic's client, before providers of each dialect."""

    def test_text(self, caller: Caller, model: str) -> None:
        caller.vendor.answers_next(NINE)
        answer = caller.run("anthropic.mjs", "text", model)
        assert answer["content"] == [{"type": "text", "text": TEXT}]
        assert (answer["stop"], answer["usage"]["output_tokens"]) == ("end_turn", 9)

    def test_stream(self, caller: Caller, model: str) -> None:
        caller.vendor.answers_next(NINE)
        assert caller.run("anthropic.mjs", "stream", model) == {
            "kinds": [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
            ],
            "text": TEXT,
            "content": [{"type": "text", "text": TEXT}],
            "stop": "end_turn",
        }

    def test_tools(self, caller: Caller, model: str) -> None:
        caller.vendor.answers_next(NINE, NINE)
        assert caller.run("anthropic.mjs", "tools", model) == {
            "stop": "tool_use",
            "name": "get_tide",
            "input": {"port": "Which sea is calm?"},
            "content": [{"type": "text", "text": TEXT}],
        }

    def test_streamed_tools(self, caller: Caller, model: str) -> None:
        assert caller.run("anthropic.mjs", "streamed_tools", model) == {
            "json": '{"port":"Which sea is calm?"}',
            "name": "get_tide",
            "input": {"port": "Which sea is calm?"},
            "stop": "tool_use",
        }

    def test_object(self, caller: Caller, model: str) -> None:
        assert caller.run("anthropic.mjs", "object", model) == TIDE

    def test_count(self, caller: Caller, model: str) -> None:
        assert caller.run("anthropic.mjs", "count", model)["input_tokens"] > 5

    def test_broken_stream(self, caller: Caller, model: str) -> None:
        caller.vendor.answers_next(Behaviour(breaks="eof"))
        told = caller.run("anthropic.mjs", "broken_stream", model)
        assert (told["pieces"], told["error"]["type"]) == (HALF, "api_error")


@ERRORS
def test_anthropic_errors(
    caller: Caller, cause: str, status: int, openai_name: str, anthropic_name: str, anthropic_type: str
) -> None:
    assert fail(caller, cause, "anthropic.mjs", "error", ANTHROPIC_PROVIDER) == {
        "name": anthropic_name,
        "status": status,
        "type": anthropic_type,
        "has_request_id": True,
    }


def test_anthropic_overloaded_error(caller: Caller) -> None:
    caller.vendor.answers_next(Behaviour(status=529))
    told = caller.run("anthropic.mjs", "error", ANTHROPIC_PROVIDER)
    assert (told["name"], told["status"], told["type"]) == ("OverloadedError", 529, "overloaded_error")


@EVERY_API
class TestAISDK:
    """Vercel's AI SDK, which speaks each of the three text APIs."""

    def test_text(self, caller: Caller, kind: str, model: str) -> None:
        caller.vendor.answers_next(NINE)
        answer = caller.run("ai_sdk.mjs", "text", model, KIND=kind)
        assert (answer["text"], answer["finish"], answer["output"]) == (TEXT, "stop", 9)
        assert answer["input"] > 5

    def test_stream(self, caller: Caller, kind: str, model: str) -> None:
        caller.vendor.answers_next(NINE)
        assert caller.run("ai_sdk.mjs", "stream", model, KIND=kind) == {
            "text": TEXT,
            "is_in_pieces": True,
            "finish": "stop",
            "output": 9,
        }

    @pytest.mark.parametrize("case", ["tools", "streamed_tools"])
    def test_tools(self, caller: Caller, kind: str, model: str, case: str) -> None:
        caller.vendor.answers_next(NINE, NINE)
        assert caller.run("ai_sdk.mjs", case, model, KIND=kind) == {
            "text": TEXT,
            "results": [{"port": "Which sea is calm?", "height_m": 2.5}],
        }

    @pytest.mark.parametrize("case", ["object", "streamed_object"])
    def test_object(self, caller: Caller, kind: str, model: str, case: str) -> None:
        assert caller.run("ai_sdk.mjs", case, model, KIND=kind) == TIDE

    def test_broken_stream(self, caller: Caller, kind: str, model: str) -> None:
        caller.vendor.answers_next(Behaviour(breaks="eof"))
        told = caller.run("ai_sdk.mjs", "broken_stream", model, KIND=kind)
        assert told == {"pieces": HALF, "errors": 1}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("chat", CHAT_PROVIDER),
        ("compatible", CHAT_PROVIDER),
        ("responses", RESPONSES_PROVIDER),
        ("anthropic", ANTHROPIC_PROVIDER),
    ],
)
@pytest.mark.parametrize(
    ("cause", "status"), [("key", 401), ("budget", 402), ("model", 404), ("vendor", 429)]
)
def test_ai_sdk_errors(caller: Caller, kind: str, model: str, cause: str, status: int) -> None:
    told = fail(caller, cause, "ai_sdk.mjs", "error", model, KIND=kind)
    assert told == {"name": "AI_APICallError", "status": status, "is_retryable": status == 429}


def test_ai_sdk_embeddings(caller: Caller) -> None:
    told = caller.run("ai_sdk.mjs", "embeddings", "fake-embed")
    assert told["has_usage"] is True
    assert len(told["sizes"]) == 2 and min(told["sizes"]) > 0
