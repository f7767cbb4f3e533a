"""The mock provider's Anthropic dialect: real to Anthropic's own library, and billed as its usage says."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx
import pytest
from tests.fixtures.mock_calls import ECHO, LONGER, o200k, provider, until

from seawall.proving.mock_answers import LEAKS, Terms, sign
from seawall.proving.mock_behaviour import REASONING, REDACTED, REFUSAL, Behaviour, ToolCall
from seawall.proving.mock_provider import MockProvider

HEADERS = {"x-api-key": "sk-mock-key", "anthropic-version": "2023-06-01"}
TIDE = {
    "name": "get_tide",
    "input_schema": {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]},
}
MOON = {"name": "get_moon", "input_schema": {"type": "object", "properties": {"day": {"type": "integer"}}}}
BOTH = (
    ToolCall("get_tide", '{"port":"Hull"}', id="toolu_a"),
    ToolCall("get_moon", '{"day":1}', id="toolu_b"),
)


def ask(mocked: str = "", **fields: Any) -> dict[str, Any]:
    """Write a call; `mocked` are the mock's suffixes."""
    messages = [{"role": "user", "content": ECHO}]
    return {"model": f"fake-claude{mocked}", "max_tokens": 2000, "messages": messages, **fields}


async def call(mock: MockProvider, body: dict[str, Any], path: str = "/messages") -> httpx.Response:
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False, timeout=LONGER) as client:
        return await client.post(path, json=body, headers=HEADERS)


def events_of(sse: str) -> list[dict[str, Any]]:
    """Return the events of a stream; each has its type as its name."""
    events = []
    for text in sse.strip().split("\n\n"):
        lines = text.splitlines()
        if lines[0].startswith(":"):
            continue
        name, data = lines
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


def scripted(**fields: Any) -> MockProvider:
    """Return a mock that always behaves like this."""
    return provider(behaviour=Behaviour(**fields))


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with provider() as running:
        yield running


def client_of(mock: MockProvider) -> anthropic.AsyncAnthropic:
    """Return Anthropic's own client, pointed at the mock; it does not retry."""
    return anthropic.AsyncAnthropic(
        base_url=mock.base_url.removesuffix("/v1"), api_key="sk-mock-key", max_retries=0, timeout=LONGER
    )


async def gathered(mock: MockProvider, body: dict[str, Any]) -> Any:
    """Stream an answer with the library's helper and return the message it makes of it."""
    async with client_of(mock) as client, client.messages.stream(**body) as stream:
        return await stream.get_final_message()


async def test_whole_message_is_billed_as_its_usage_says(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        message = await client.messages.create(**ask(max_tokens=20))
    assert message.content[0].text.startswith(ECHO)
    assert (message.stop_reason, message.stop_sequence, message.role) == ("max_tokens", None, "assistant")
    assert message.usage.output_tokens == 20
    assert mock.bill == Terms().cost_of(message.usage.input_tokens, 20)
    assert mock.requests[0].headers["authorization"] == "Bearer sk-mock-key"
    assert (await call(mock, ask())).status_code == 200
    assert mock.requests[1].headers.items() >= HEADERS.items()


async def test_events_come_in_anthropics_order(mock: MockProvider) -> None:
    events = events_of((await call(mock, ask("-s2", stream=True))).text)
    assert [event["type"] for event in events] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start, end = events[0]["message"], events[-2]
    assert (start["content"], start["stop_reason"], start["usage"]["output_tokens"]) == ([], None, 1)
    assert start["usage"]["cache_creation"] == {
        "ephemeral_5m_input_tokens": 0,
        "ephemeral_1h_input_tokens": 0,
    }
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"]["output_tokens"] == 2


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "Fog."},
        {"text": ""},
        {"text": "Let me see.", "tools": BOTH},
        {"reasoning": "Hm.", "signature": "c2lnbmVk", "redacted": "b3BhcXVl", "text": "Fog."},
        {"ends": "refusal"},
        {"ends": "filter", "text": "Partly"},
        {"tokens_per_event": 7, "is_split": True, "is_odd": True},
        {"cached_tokens": 5, "written_5m_tokens": 3, "written_1h_tokens": 2},
    ],
)
async def test_stream_says_what_the_whole_message_says(fields: dict[str, Any]) -> None:
    async with scripted(**fields) as mock:
        async with client_of(mock) as client:
            whole = await client.messages.create(**ask())
        streamed = await gathered(mock, ask())
    first, second = mock.requests
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert (streamed.stop_reason, streamed.stop_details) == (whole.stop_reason, whole.stop_details)
    assert streamed.usage == whole.usage
    assert (first.cost, first.output_tokens) == (second.cost, second.output_tokens)
    assert second.is_complete
    assert first.output_tokens == whole.usage.output_tokens


async def test_scripted_parts_become_blocks() -> None:
    said = {"reasoning": "Hm.", "signature": "c2lnbmVk", "redacted": REDACTED, "text": "Fog.", "tools": BOTH}
    async with scripted(**said) as mock:
        message = await gathered(mock, ask())
    thinking, redacted, text, tide, moon = message.content
    assert (thinking.type, thinking.thinking, thinking.signature) == ("thinking", "Hm.", "c2lnbmVk")
    assert (redacted.type, redacted.data) == ("redacted_thinking", REDACTED)
    assert (text.type, text.text) == ("text", "Fog.")
    assert [(one.name, one.input) for one in (tide, moon)] == [
        ("get_tide", {"port": "Hull"}),
        ("get_moon", {"day": 1}),
    ]
    assert tide.id != moon.id
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens_details.thinking_tokens > 0


async def test_thinking_is_shown_where_it_is_asked_for(mock: MockProvider) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = await gathered(mock, ask(thinking=thinking))
    assert (message.content[0].thinking, message.content[0].signature) == (REASONING, sign(REASONING))
    hidden = await gathered(mock, ask(thinking={**thinking, "display": "omitted"}))
    assert (hidden.content[0].thinking, hidden.content[0].signature) == ("", sign(REASONING))
    assert hidden.usage == message.usage
    history: list[Any] = [
        {"role": "user", "content": ECHO},
        {"role": "assistant", "content": [block.to_dict() for block in message.content]},
        {"role": "user", "content": "And then?"},
    ]
    assert (await call(mock, ask(messages=history))).status_code == 200
    history[1]["content"][0]["thinking"] += " Changed."
    assert "Invalid `signature`" in (await call(mock, ask(messages=history))).text


@pytest.mark.parametrize("is_stream", [False, True])
async def test_tool_is_called_with_arguments_that_fit_its_schema(mock: MockProvider, is_stream: bool) -> None:
    async def tools_of(**fields: Any) -> list[tuple[str, object]]:
        body = ask(tools=[TIDE, MOON], **fields)
        async with client_of(mock) as client:
            message = await (gathered(mock, body) if is_stream else client.messages.create(**body))
        return [(block.name, block.input) for block in message.content if block.type == "tool_use"]

    tide, moon = ("get_tide", {"port": ECHO}), ("get_moon", {"day": 7})
    assert await tools_of() == [tide]
    assert await tools_of(tool_choice={"type": "any"}) == [tide]
    assert await tools_of(tool_choice={"type": "tool", "name": "get_moon"}) == [moon]
    assert await tools_of(tool_choice={"type": "none"}) == []
    assert await tools_of(extra_body={"x_mock": "alltools"}) == [tide, moon]
    call_block = {"type": "tool_use", "id": "toolu_1", "name": "get_tide", "input": {"port": "Hull"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2.5 m"}
    history = [
        {"role": "user", "content": ECHO},
        {"role": "assistant", "content": [call_block]},
        {"role": "user", "content": [result]},
    ]
    assert await tools_of(messages=history) == []


async def test_json_follows_its_schema(mock: MockProvider) -> None:
    schema = {"type": "object", "properties": {"sure": {"type": "boolean"}}}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    message = await gathered(mock, ask(output_config=wanted))
    assert json.loads(message.content[0].text) == {"sure": True}


async def test_stop_sequences_and_refusals_are_reasons() -> None:
    async with scripted(text="One, two, STOP, three") as mock:
        message = await gathered(mock, ask(stop_sequences=["never", "STOP"]))
        assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "STOP")
        assert message.content[0].text == "One, two, "
    async with provider() as mock:
        message = await gathered(mock, ask("-stopseq", stop_sequences=["END"]))
        assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")
        message = await gathered(mock, ask("-refuse"))
        assert (message.stop_reason, message.content[0].text) == ("refusal", REFUSAL)
        assert message.stop_details.type == "refusal"


async def test_cached_and_written_input_is_billed_at_its_own_rates() -> None:
    async with scripted(cached_tokens=5, written_5m_tokens=3, written_1h_tokens=2, text="Fog.") as mock:
        usage = (await gathered(mock, ask())).usage
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5, 5)
        assert usage.cache_creation.ephemeral_5m_input_tokens == 3
        assert usage.cache_creation.ephemeral_1h_input_tokens == 2
        inputs = usage.input_tokens * 10_000 + 5 * 1_000 + 3 * 12_500 + 2 * 20_000
        assert mock.bill == inputs + usage.output_tokens * 30_000
        [seen] = mock.requests
        assert seen.input_tokens == usage.input_tokens + 10


async def test_counting_tokens_is_free_and_agrees_with_the_message(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        body = ask(system="Be brief.", tools=[TIDE])
        message = await client.messages.create(**body)
        del body["max_tokens"]
        bill = mock.bill
        counted = await client.messages.count_tokens(**body)
    assert counted.input_tokens == message.usage.input_tokens > 346
    assert (mock.bill, mock.requests[1].cost) == (bill, 0)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (500, "api_error", anthropic.InternalServerError),
        (529, "overloaded_error", anthropic.OverloadedError),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_errors_are_anthropics(
    mock: MockProvider, status: int, kind: str, error: type[anthropic.APIStatusError], is_stream: bool
) -> None:
    async with client_of(mock) as client:
        with pytest.raises(error) as raised:
            await client.messages.create(**ask(f"-e{status}"), stream=is_stream)
    body: Any = raised.value.body
    assert body["error"]["type"] == kind
    assert all(leak in body["error"]["message"] for leak in LEAKS)
    assert mock.bill == 0


async def test_error_event_ends_a_stream(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        stream = await client.messages.create(**ask("-error2"), stream=True)
        with pytest.raises(anthropic.APIStatusError) as raised:
            async for _ in stream:
                pass
    body: Any = raised.value.body
    assert body["error"]["type"] == "overloaded_error"
    assert mock.total().output_tokens == 2


@pytest.mark.parametrize("mocked", ["-eof2", "-end2", "-reset2", "-badjson", "-end0"])
async def test_stream_that_breaks_is_never_a_whole_message(mock: MockProvider, mocked: str) -> None:
    text = ""
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False, timeout=LONGER) as client:
        try:
            async with client.stream(
                "POST", "/messages", json=ask(mocked, stream=True), headers=HEADERS
            ) as answer:
                async for piece in answer.aiter_text():
                    text += piece
        except (httpx.ReadError, httpx.RemoteProtocolError):
            text += "\n\nbroken"
    await until(lambda: mock.open_calls == 0)
    assert ("message_stop" in text) == (mocked == "-badjson")
    assert mock.total().output_tokens == {"-badjson": 64, "-end0": 0}.get(mocked, 2)


@pytest.mark.parametrize("mocked", ["-reset", "-eof0", "-short", "-badhttp"])
async def test_whole_answer_that_breaks_is_billed_in_full(mock: MockProvider, mocked: str) -> None:
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await call(mock, ask(mocked))
    await until(lambda: mock.open_calls == 0)
    assert mock.total().output_tokens == 64


async def test_usage_can_be_late_or_missing(mock: MockProvider) -> None:
    late = events_of((await call(mock, ask("-lateusage", stream=True))).text)
    assert (late[0]["message"]["usage"]["input_tokens"], late[-2]["usage"]["output_tokens"]) == (0, 64)
    assert late[-2]["usage"]["input_tokens"] == mock.requests[0].input_tokens
    none = (await call(mock, ask("-nousage", stream=True))).text
    assert '"usage"' not in none
    assert events_of(none)[-1]["type"] == "message_stop"


async def test_endless_stream_is_billed_until_its_client_leaves(mock: MockProvider) -> None:
    async with client_of(mock) as client, client.messages.stream(**ask("-over-g1", max_tokens=10)) as stream:
        async for _ in stream.text_stream:
            if mock.total().output_tokens > 20:
                break
    await until(lambda: mock.open_calls == 0)
    [seen] = mock.requests
    assert seen.peer_left_at is not None
    assert seen.output_tokens == seen.events


USER = {"role": "user", "content": ECHO}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "x", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_2", "content": "?"}]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stream_options": {}}, "stream_options: Extra inputs are not permitted"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "system", "content": "x"}]}, 'messages: Unexpected role "system"'),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "messages.0.content.0: Input tag",
        ),
        ({"messages": [USER, CALL, RESULT]}, "messages.2: unexpected `tool_use_id`"),
        ({"messages": [USER, CALL, USER]}, "messages.2: `tool_use` ids were found without `tool_result`"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.enabled.budget_tokens"),
        ({"thinking": {"type": "adaptive"}, "tool_choice": {"type": "any"}}, "Thinking may not be enabled"),
        ({"tools": [TIDE], "tool_choice": {"type": "tool", "name": "no"}}, "tool_choice.tool.name"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"messages": [{"role": "user"}]}, "Mock error 400"),
        ({"x_mock": {"unknown": 1}}, "Mock error 400"),
        ({"x_mock": {"answer_tokens": "many"}}, "Mock error 400"),
    ],
)
async def test_request_that_anthropic_refuses_is_refused(
    mock: MockProvider, fields: dict[str, Any], message: str
) -> None:
    answer = await call(mock, ask(**fields))
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert answer.json()["error"]["message"].startswith(message)
    assert mock.bill == 0


async def test_key_and_version_are_required(mock: MockProvider) -> None:
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False) as client:
        keyless = await client.post("/messages", json=ask())
        old = await client.post("/messages", json=ask(), headers={"x-api-key": "sk-mock-key"})
    assert (keyless.status_code, keyless.json()["error"]["type"]) == (401, "authentication_error")
    assert (old.status_code, "anthropic-version" in old.json()["error"]["message"]) == (400, True)


async def test_object_in_x_mock_scripts_an_answer(mock: MockProvider) -> None:
    said = {"text": "Fog.", "tools": [{"name": "get_tide", "arguments": "{}"}], "suffixes": "w9-at"}
    answer = (await call(mock, ask(x_mock=said, stream=True))).text
    assert answer.count('"x_at_us"') == 2
    assert mock.requests[0].behaviour.tools == (ToolCall("get_tide"),)
    assert o200k()("Fog.") < mock.requests[0].output_tokens
