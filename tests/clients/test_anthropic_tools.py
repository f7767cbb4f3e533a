"""Tools as programs with Anthropic's own client use them, from providers of each dialect."""

import json
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from tests.fixtures.clients import Vendor

NATIVE, CHAT, RESPONSES = "fake-claude", "fake-gpt", "fake-resp"
EVERY_PROVIDER = pytest.mark.parametrize("model", [NATIVE, CHAT, RESPONSES])

QUESTION: Any = {"role": "user", "content": "How high is the tide?"}
NINE = Behaviour(answer_tokens=9)
TEXT = "How high is the tide? sand salt deep"
"""What the fake provider says with nine tokens."""


def tool(name: str, field: str, kind: str) -> Any:
    """Describe a tool with one required argument."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return {"name": name, "description": f"The {name}.", "input_schema": schema}


TOOLS = [tool("get_tide", "port", "string"), tool("get_moon", "day", "integer")]
BOTH = Behaviour(
    tools=(
        ToolCall("get_tide", '{"port":"Ostend"}', "call_1"),
        ToolCall("get_moon", '{"day":3}', "call_2"),
    )
)


def ask(client: Anthropic, model: str, **fields: Any) -> Any:
    """Ask with both tools on offer."""
    return client.messages.create(
        **{"model": model, "max_tokens": 200, "messages": [QUESTION], "tools": TOOLS, **fields}
    )


def calls(answer: Any) -> list[tuple[str, Any]]:
    """Return name and input of every tool that an answer calls."""
    return [(block.name, block.input) for block in answer.content if block.type == "tool_use"]


@EVERY_PROVIDER
def test_tool_call_comes_back(claude: Anthropic, model: str) -> None:
    answer = ask(claude, model)
    assert calls(answer) == [("get_tide", {"port": "How high is the tide?"})]
    assert answer.stop_reason == "tool_use"
    assert [block.type for block in answer.content] == ["tool_use"]
    assert answer.content[0].id


async def test_tool_call_comes_back_to_async_programs(async_claude: AsyncAnthropic) -> None:
    answer = await async_claude.messages.create(
        model=NATIVE, max_tokens=200, messages=[QUESTION], tools=TOOLS
    )
    assert calls(answer) == [("get_tide", {"port": "How high is the tide?"})]


@EVERY_PROVIDER
def test_parallel_tool_calls_come_back_after_the_text(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(text="Let me look.", tools=BOTH.tools))
    answer = ask(claude, model)
    assert [block.type for block in answer.content] == ["text", "tool_use", "tool_use"]
    assert answer.content[0].text == "Let me look."
    assert calls(answer) == [("get_tide", {"port": "Ostend"}), ("get_moon", {"day": 3})]
    assert [block.id for block in answer.content[1:]] == ["call_1", "call_2"]


@EVERY_PROVIDER
def test_streamed_tool_calls_are_gathered_from_their_pieces(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(Behaviour(text="Let me look.", tools=BOTH.tools))
    pieces: list[str] = []
    with claude.messages.stream(model=model, max_tokens=200, messages=[QUESTION], tools=TOOLS) as stream:
        kinds: list[str] = []
        for event in stream:
            if event.type == "input_json":
                pieces.append(event.partial_json)
            elif event.type in {"content_block_start", "content_block_stop"}:
                kinds.append(event.type)
        answer = stream.get_final_message()
    assert kinds == ["content_block_start", "content_block_stop"] * 3
    assert "".join(pieces) == '{"port":"Ostend"}{"day":3}'
    assert len(pieces) > 4
    assert calls(answer) == [("get_tide", {"port": "Ostend"}), ("get_moon", {"day": 3})]
    assert answer.stop_reason == "tool_use"


@EVERY_PROVIDER
def test_results_of_tools_go_back(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(BOTH, NINE)
    first = ask(claude, model)
    results = [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "2.5 m"},
        {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "half"}]},
    ]
    messages = [
        QUESTION,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    second = ask(claude, model, messages=messages)
    body = vendor.requests[1].body
    assert [block.text for block in second.content] == [TEXT]
    if model == NATIVE:
        assert body["messages"][2] == {"role": "user", "content": results}
        assert body["messages"][1]["content"] == [
            {"type": "tool_use", "id": "call_1", "name": "get_tide", "input": {"port": "Ostend"}},
            {"type": "tool_use", "id": "call_2", "name": "get_moon", "input": {"day": 3}},
        ]
    elif model == CHAT:
        assert [call["id"] for call in body["messages"][1]["tool_calls"]] == ["call_1", "call_2"]
        assert body["messages"][2:] == [
            {"role": "tool", "tool_call_id": "call_1", "content": "2.5 m"},
            {"role": "tool", "tool_call_id": "call_2", "content": "half"},
        ]
    else:
        assert [(item["type"], item["call_id"]) for item in body["input"][1:]] == [
            ("function_call", "call_1"),
            ("function_call", "call_2"),
            ("function_call_output", "call_1"),
            ("function_call_output", "call_2"),
        ]


@EVERY_PROVIDER
def test_failed_tool_says_so(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    messages = [
        QUESTION,
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_1", "name": "get_tide", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": "No such port.",
                    "is_error": True,
                },
                {"type": "text", "text": "Go on."},
            ],
        },
    ]
    answer = ask(claude, model, messages=messages, tool_choice={"type": "none"})
    sent = vendor.requests[0].raw.decode()
    assert answer.stop_reason == "end_turn"
    assert "No such port." in sent
    assert "Go on." in sent
    assert ('"is_error":true' in sent.replace(" ", "")) is (model == NATIVE)


@pytest.mark.parametrize(
    ("choice", "chat_choice", "is_parallel", "called"),
    [
        ({"type": "any"}, "required", None, "get_tide"),
        (
            {"type": "tool", "name": "get_moon"},
            {"type": "function", "function": {"name": "get_moon"}},
            None,
            "get_moon",
        ),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False, "get_tide"),
    ],
    ids=["any", "tool", "one at a time"],
)
@pytest.mark.parametrize("model", [NATIVE, CHAT])
def test_choice_of_a_tool_arrives(
    claude: Anthropic,
    vendor: Vendor,
    model: str,
    choice: Any,
    chat_choice: Any,
    is_parallel: bool | None,
    called: str,
) -> None:
    answer = ask(claude, model, tool_choice=choice)
    [seen] = vendor.requests
    assert [name for name, _ in calls(answer)] == [called]
    if model == NATIVE:
        assert seen.body["tool_choice"] == choice
    else:
        assert seen.body.get("tool_choice", "auto") == chat_choice
        assert seen.body.get("parallel_tool_calls") is is_parallel


@EVERY_PROVIDER
def test_tool_runner_calls_functions_until_there_is_an_answer(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    heard: list[str] = []

    @beta_tool
    def get_tide(port: str) -> str:
        """Say how high the tide is.

        Args:
            port: Where to look.
        """
        heard.append(port)
        return json.dumps({"height_m": 2.5})

    vendor.answers_next(NINE, NINE)
    runner = claude.beta.messages.tool_runner(
        model=model, max_tokens=200, messages=[QUESTION], tools=[get_tide]
    )
    answer = runner.until_done()
    assert heard == ["How high is the tide?"]
    assert answer.content[0].to_dict()["text"] == TEXT
    assert len(vendor.requests) == 2
