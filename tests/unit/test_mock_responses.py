"""The mock provider's responses: real to OpenAI's own library, strict, and billed as its usage says."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from tests.fixtures.mock_calls import ECHO, LONGER, provider, until

from seawall.proving.mock_answers import LEAKS, Terms
from seawall.proving.mock_behaviour import REASONING, REFUSAL, Behaviour, ToolCall
from seawall.proving.mock_provider import MockProvider

HEADERS = {"authorization": "Bearer sk-mock-key"}
TIDE = {
    "type": "function",
    "name": "get_tide",
    "parameters": {"type": "object", "properties": {"port": {"type": "string"}}},
}
MOON = {
    "type": "function",
    "name": "get_moon",
    "parameters": {"type": "object", "properties": {"day": {"type": "integer"}}},
}
BOTH = (ToolCall("get_tide", '{"port":"Hull"}', id="call_a"), ToolCall("get_moon", '{"day":1}', id="call_b"))
ENCRYPTED = "reasoning.encrypted_content"


def ask(mocked: str = "", **fields: Any) -> dict[str, Any]:
    """Write a call; `mocked` are the mock's suffixes."""
    return {"model": f"fake-gpt{mocked}", "input": ECHO, **fields}


async def call(mock: MockProvider, body: dict[str, Any], headers: dict[str, str] = HEADERS) -> httpx.Response:
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False, timeout=LONGER) as client:
        return await client.post("/responses", json=body, headers=headers)


def events_of(sse: str) -> list[dict[str, Any]]:
    """Return the events of a stream: each has its type as its name, and the next number."""
    events = []
    for text in sse.strip().split("\n\n"):
        name, data = text.splitlines()
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def kinds_of(events: list[dict[str, Any]]) -> list[str]:
    """Return the types of events, repeated ones once."""
    kinds = [event["type"].removeprefix("response.") for event in events]
    return [kind for place, kind in enumerate(kinds) if kind != kinds[place - 1] or not place]


def scripted(**fields: Any) -> MockProvider:
    """Return a mock that always behaves like this."""
    return provider(behaviour=Behaviour(**fields))


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with provider() as running:
        yield running


def client_of(mock: MockProvider) -> openai.AsyncOpenAI:
    """Return OpenAI's own client, pointed at the mock; it does not retry."""
    return openai.AsyncOpenAI(base_url=mock.base_url, api_key="sk-mock-key", max_retries=0, timeout=LONGER)


async def gathered(mock: MockProvider, body: dict[str, Any]) -> Any:
    """Stream an answer with the library's helper and return the response it makes of it."""
    async with client_of(mock) as client, client.responses.stream(**body) as stream:
        return await stream.get_final_response()


async def test_whole_response_is_billed_as_its_usage_says(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        response = await client.responses.create(**ask(max_output_tokens=20, instructions="Be brief."))
    assert response.output_text.startswith(ECHO)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (response.instructions, response.max_output_tokens, response.error) == ("Be brief.", 20, None)
    usage = response.usage
    assert (usage.output_tokens, usage.total_tokens) == (20, usage.input_tokens + 20)
    assert mock.bill == Terms().cost_of(usage.input_tokens, 20)
    assert mock.requests[0].is_kept


async def test_events_of_text_come_in_openais_order(mock: MockProvider) -> None:
    events = events_of((await call(mock, ask("-s2", stream=True))).text)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert (events[0]["response"]["status"], events[0]["response"]["usage"]) == ("in_progress", None)
    assert events[2]["item"]["content"] == []
    assert events[-2]["item"] == events[-1]["response"]["output"][0]


async def test_events_of_reasoning_tools_and_refusals_come_in_openais_order() -> None:
    async with scripted(reasoning="Hm, fog.", text="Fog.", tools=BOTH[:1]) as mock:
        assert kinds_of(events_of((await call(mock, ask(stream=True))).text)) == [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    async with provider() as mock:
        kinds = kinds_of(events_of((await call(mock, ask("-refuse", stream=True))).text))
    assert kinds[3:7] == ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"]


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
        {"tokens_per_event": 7, "is_split": True},
        {"cached_tokens": 5, "written_5m_tokens": 3},
    ],
)
async def test_stream_says_what_the_whole_response_says(fields: dict[str, Any]) -> None:
    async with scripted(**fields) as mock:
        whole = (await call(mock, ask(include=[ENCRYPTED]))).json()
        events = events_of((await call(mock, ask(include=[ENCRYPTED], stream=True))).text)
        if whole["status"] == "completed":
            helped = await gathered(mock, ask(include=[ENCRYPTED]))
            assert [item.type for item in helped.output] == [item["type"] for item in whole["output"]]
    streamed = events[-1]["response"]
    first, second = mock.requests[:2]
    assert events[-1]["type"] == f"response.{whole['status']}"
    assert _without_ids(streamed["output"]) == _without_ids(whole["output"])
    assert (streamed["usage"], streamed["incomplete_details"]) == (
        whole["usage"],
        whole["incomplete_details"],
    )
    assert (first.cost, first.output_tokens) == (second.cost, second.output_tokens)
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == streamed[
        "output"
    ]


def _without_ids(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "id"} for item in output]


async def test_scripted_parts_become_items() -> None:
    said = {
        "reasoning": "Hm.",
        "signature": "c2lnbmVk",
        "redacted": "b3BhcXVl",
        "text": "Fog.",
        "tools": BOTH,
    }
    async with scripted(**said, cached_tokens=5) as mock:
        response = await gathered(mock, ask(include=[ENCRYPTED]))
        thinking, redacted, text, tide, moon = response.output
        assert ([part.text for part in thinking.summary], thinking.encrypted_content) == (["Hm."], "c2lnbmVk")
        assert (redacted.summary, redacted.encrypted_content) == ([], "b3BhcXVl")
        assert (text.content[0].text, response.output_text) == ("Fog.", "Fog.")
        assert [(one.call_id, one.name, one.arguments) for one in (tide, moon)] == [
            (one.id, one.name, one.arguments) for one in BOTH
        ]
        usage = response.usage
        assert (
            usage.input_tokens_details.cached_tokens,
            usage.output_tokens_details.reasoning_tokens > 0,
        ) == (
            5,
            True,
        )
        assert mock.bill == Terms().cost_of(usage.input_tokens, usage.output_tokens, cached=5)


async def test_reasoning_is_shown_and_encrypted_as_asked(mock: MockProvider) -> None:
    hidden = (await call(mock, ask(reasoning={"effort": "low"}))).json()["output"][0]
    assert (hidden["summary"], "encrypted_content" in hidden) == ([], False)
    body = ask(reasoning={"effort": "low", "summary": "auto"}, include=[ENCRYPTED], store=False)
    answer = (await call(mock, body)).json()
    reasoning, message = answer["output"]
    assert reasoning["summary"][0]["text"] == REASONING
    assert not mock.requests[-1].is_kept
    history = [{"role": "user", "content": ECHO}, reasoning, message, {"role": "user", "content": "And?"}]
    assert (await call(mock, {**body, "input": history})).status_code == 200
    changed = [
        history[0],
        {**reasoning, "encrypted_content": reasoning["encrypted_content"] + "x"},
        *history[2:],
    ]
    refused = (await call(mock, {**body, "input": changed})).json()["error"]
    assert refused["code"] == "invalid_encrypted_content"
    wrapped = [history[0], {**reasoning, "encrypted_content": "elsewhere.t.1:bW9jaw=="}, *history[2:]]
    assert (await call(mock, {**body, "input": wrapped})).status_code == 400
    bare = [history[0], {name: reasoning[name] for name in ("id", "type", "summary")}, *history[2:]]
    assert (await call(mock, {**body, "input": bare})).status_code == 404


async def test_previous_response_is_known_only_where_it_was_kept(mock: MockProvider) -> None:
    first = (await call(mock, ask())).json()
    second = (await call(mock, ask(previous_response_id=first["id"], stream=True))).text
    [_, seen] = mock.requests
    assert seen.input_tokens > first["usage"]["total_tokens"]
    third = ask(previous_response_id=events_of(second)[-1]["response"]["id"], store=False)
    answer = (await call(mock, third)).json()
    assert answer["usage"]["input_tokens"] > seen.input_tokens
    for unknown in (answer["id"], "resp_elsewhere"):
        refused = await call(mock, ask(previous_response_id=unknown))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "previous_response_not_found")
    assert [seen.is_kept for seen in mock.requests[:3]] == [True, True, False]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_tool_is_called_with_arguments_that_fit_its_schema(mock: MockProvider, is_stream: bool) -> None:
    async def tools_of(**fields: Any) -> list[tuple[str, str]]:
        body = ask(tools=[TIDE, MOON], **fields)
        async with client_of(mock) as client:
            response = await (gathered(mock, body) if is_stream else client.responses.create(**body))
        return [(item.name, item.arguments) for item in response.output if item.type == "function_call"]

    tide, moon = ("get_tide", json.dumps({"port": ECHO}, separators=(",", ":"))), ("get_moon", '{"day":7}')
    assert await tools_of() == [tide]
    assert await tools_of(tool_choice="required") == [tide]
    assert await tools_of(tool_choice={"type": "function", "name": "get_moon"}) == [moon]
    assert await tools_of(tool_choice="none") == []
    assert await tools_of(extra_body={"x_mock": "alltools"}) == [tide, moon]
    assert await tools_of(extra_body={"x_mock": "alltools"}, parallel_tool_calls=False) == [tide]


async def test_results_of_tools_are_answered_with_text(mock: MockProvider) -> None:
    first = (await call(mock, ask(tools=[TIDE]))).json()
    result = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "2.5 m"}
    body = {"model": "fake-gpt", "tools": [TIDE], "input": [result], "previous_response_id": first["id"]}
    assert (await call(mock, body)).json()["output"][0]["content"][0]["text"].startswith(ECHO)
    history = [{"role": "user", "content": ECHO}, first["output"][0], result]
    assert (await call(mock, ask(tools=[TIDE]) | {"input": history})).json()["output"][0]["type"] == "message"
    history[1] = {"type": "item_reference", "id": first["output"][0]["id"]}
    assert (await call(mock, ask(tools=[TIDE]) | {"input": history})).status_code == 200
    history[1] = {"type": "item_reference", "id": "fc_elsewhere"}
    assert (await call(mock, ask(tools=[TIDE]) | {"input": history})).status_code == 404


async def test_json_follows_its_schema(mock: MockProvider) -> None:
    schema = {"type": "object", "properties": {"sure": {"type": "boolean"}}}
    wanted = {"format": {"type": "json_schema", "name": "doubt", "schema": schema, "strict": True}}
    response = await gathered(mock, ask(text=wanted))
    assert json.loads(response.output_text) == {"sure": True}
    loose = (await call(mock, ask(text={"format": {"type": "json_object"}}))).json()
    assert json.loads(loose["output"][0]["content"][0]["text"]) == {"echo": ECHO}


async def test_refusals_and_filters_are_endings(mock: MockProvider) -> None:
    refused = await gathered(mock, ask("-refuse"))
    assert (refused.status, refused.output[0].content[0].refusal) == ("completed", REFUSAL)
    stopped = (await call(mock, ask("-filter"))).json()
    assert (stopped["status"], stopped["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_errors_are_openais(
    mock: MockProvider, status: int, error: type[openai.APIStatusError], is_stream: bool
) -> None:
    async with client_of(mock) as client:
        with pytest.raises(error) as raised:
            await client.responses.create(**ask(f"-e{status}"), stream=is_stream)
    assert all(leak in raised.value.message for leak in LEAKS)
    assert mock.bill == 0


@pytest.mark.parametrize(("mocked", "kind"), [("-error2", "error"), ("-failed2", "response.failed")])
async def test_failure_ends_a_stream(mock: MockProvider, mocked: str, kind: str) -> None:
    events = events_of((await call(mock, ask(mocked, stream=True))).text)
    assert events[-1]["type"] == kind
    failure = events[-1]["response"]["error"] if kind == "response.failed" else events[-1]
    assert failure["code"] == "server_error"
    assert mock.total().output_tokens == 2
    assert not mock.requests[0].is_complete


async def test_whole_response_can_have_failed(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        response = await client.responses.create(**ask("-failed"))
    assert (response.status, response.error.code, response.output) == ("failed", "server_error", [])


@pytest.mark.parametrize("mocked", ["-eof2", "-end2", "-reset2", "-badjson", "-end0"])
async def test_stream_that_breaks_is_never_a_whole_response(mock: MockProvider, mocked: str) -> None:
    text = ""
    async with httpx.AsyncClient(base_url=mock.base_url, trust_env=False, timeout=LONGER) as client:
        try:
            async with client.stream(
                "POST", "/responses", json=ask(mocked, stream=True), headers=HEADERS
            ) as answer:
                async for piece in answer.aiter_text():
                    text += piece
        except (httpx.ReadError, httpx.RemoteProtocolError):
            text += "broken"
    await until(lambda: mock.open_calls == 0)
    assert ("response.completed" in text) == (mocked == "-badjson")
    assert mock.total().output_tokens == {"-badjson": 64, "-end0": 0}.get(mocked, 2)


async def test_endless_stream_is_billed_until_its_client_leaves(mock: MockProvider) -> None:
    async with client_of(mock) as client:
        stream = await client.responses.create(**ask("-over-g1", max_output_tokens=16), stream=True)
        async for _ in stream:
            if mock.total().output_tokens > 20:
                break
        await stream.close()
    await until(lambda: mock.open_calls == 0)
    [seen] = mock.requests
    assert seen.peer_left_at is not None
    assert seen.output_tokens == seen.events


USER = {"role": "user", "content": ECHO}
CALL = {"type": "function_call", "call_id": "call_1", "name": "x", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_2", "output": "?"}
CHAT_TOOL = {"type": "function", "function": {"name": "x"}}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": []}, "messages", "unknown_parameter"),
        ({"input": []}, "input", "missing_required_parameter"),
        ({"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value"),
        ({"include": ["everything"]}, "include", "invalid_value"),
        ({"tools": [CHAT_TOOL]}, "tools[0].name", "missing_required_parameter"),
        (
            {"text": {"format": {"type": "json_schema", "schema": {}}}},
            "text.format.name",
            "missing_required_parameter",
        ),
        ({"input": [{"type": "tool"}]}, "input[0]", "invalid_value"),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "text"}]}]},
            "input[0].content[0]",
            "invalid_value",
        ),
        ({"input": [USER, {**CALL, "arguments": {}}]}, "input[1].arguments", "invalid_type"),
        ({"input": [USER, CALL]}, "input", None),
        ({"input": [USER, CALL, RESULT]}, "input", None),
        ({"input": [{"type": "reasoning", "id": "rs_1"}]}, "input[0].summary", "missing_required_parameter"),
        ({"tools": [TIDE], "tool_choice": {"type": "function", "name": "no"}}, "tool_choice", None),
    ],
)
async def test_request_that_openai_refuses_is_refused(
    mock: MockProvider, fields: dict[str, Any], param: str, code: str | None
) -> None:
    answer = await call(mock, ask(**fields))
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)
    assert mock.bill == 0


async def test_key_is_required_as_a_bearer(mock: MockProvider) -> None:
    answer = await call(mock, ask(), headers={"x-api-key": "sk-mock-key"})
    assert (answer.status_code, mock.bill) == (401, 0)
