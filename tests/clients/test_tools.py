"""Tool calls, whole and streamed, and their results on the way back."""

from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ParsedChatCompletion,
)

from tests.fixtures.clients import Vendor, mocked, said


def tool(name: str, **properties: str) -> ChatCompletionFunctionToolParam:
    """Describe a function whose arguments are all required."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {field: {"type": kind} for field, kind in properties.items()},
        "required": list(properties),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("get_tide", port="string"), tool("get_moon", day="integer")]
ASK = said("How high is the tide?")


def called(answer: Any) -> list[tuple[str, str]]:
    """Return name and arguments of every function that an answer calls."""
    calls = answer.choices[0].message.tool_calls or []
    return [(call.function.name, call.function.arguments) for call in calls]


def test_tool_call_comes_back(client: OpenAI, vendor: Vendor) -> None:
    answer = client.chat.completions.create(model="fake-gpt", messages=ASK, tools=TOOLS)
    assert called(answer) == [("get_tide", '{"port":"How high is the tide?"}')]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert vendor.requests[0].body["tools"] == TOOLS


async def test_tool_call_comes_back_to_async_programs(async_client: AsyncOpenAI) -> None:
    answer = await async_client.chat.completions.create(model="fake-gpt", messages=ASK, tools=TOOLS)
    assert called(answer) == [("get_tide", '{"port":"How high is the tide?"}')]


def test_choice_of_a_tool_travels_on(client: OpenAI, vendor: Vendor) -> None:
    answer = client.chat.completions.create(
        model="fake-gpt",
        messages=ASK,
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "get_moon"}},
        parallel_tool_calls=False,
    )
    assert called(answer) == [("get_moon", '{"day":7}')]
    assert vendor.requests[0].body["tool_choice"] == {"type": "function", "function": {"name": "get_moon"}}
    assert vendor.requests[0].body["parallel_tool_calls"] is False


def test_streamed_tool_call_is_gathered_from_its_pieces(client: OpenAI) -> None:
    with client.chat.completions.stream(model="fake-gpt", messages=ASK, tools=TOOLS) as stream:
        deltas = [
            event.arguments_delta for event in stream if event.type == "tool_calls.function.arguments.delta"
        ]
        answer = stream.get_final_completion()
    assert called(answer) == [("get_tide", '{"port":"How high is the tide?"}')]
    assert "".join(deltas) == '{"port":"How high is the tide?"}'
    assert len(deltas) > 3
    assert answer.choices[0].finish_reason == "tool_calls"


BOTH = [("get_tide", '{"port":"demo port"}'), ("get_moon", '{"day":1}')]


def test_parallel_tool_calls_come_back(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="demo", messages=said("Use both tools."), tools=TOOLS)
    assert called(answer) == BOTH
    assert len({call.id for call in answer.choices[0].message.tool_calls or []}) == 2


def test_parallel_tool_calls_are_gathered_from_a_stream(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="demo", messages=said("Use both tools."), tools=TOOLS
    ) as stream:
        done = [
            (event.index, event.name, event.arguments)
            for event in stream
            if event.type == "tool_calls.function.arguments.done"
        ]
        answer = stream.get_final_completion()
    assert called(answer) == BOTH
    assert done == [(index, *call) for index, call in enumerate(BOTH)]


async def test_parallel_tool_calls_are_gathered_from_an_async_stream(async_client: AsyncOpenAI) -> None:
    async with async_client.chat.completions.stream(
        model="demo", messages=said("Use both tools."), tools=TOOLS
    ) as stream:
        answer: ParsedChatCompletion[Any] = await stream.get_final_completion()
    assert called(answer) == BOTH


def test_one_tool_is_called_where_parallel_calls_are_switched_off(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="demo", messages=said("Use both tools."), tools=TOOLS, parallel_tool_calls=False
    )
    assert called(answer) == BOTH[:1]


@pytest.mark.parametrize("is_stream", [False, True])
def test_results_of_tools_arrive_at_the_vendor_as_they_were_sent(
    client: OpenAI, vendor: Vendor, is_stream: bool
) -> None:
    asked = client.chat.completions.create(model="fake-gpt", messages=ASK, tools=TOOLS).choices[0].message
    [call] = asked.tool_calls or []
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    result: ChatCompletionMessageParam = {
        "role": "tool",
        "tool_call_id": call.id,
        "content": '{"height_m": 2.5}',
    }
    history = [*ASK, asked, result]
    if is_stream:
        with client.chat.completions.stream(
            model="fake-gpt",
            messages=history,  # type: ignore[arg-type] # the client takes its own messages, its types do not say so
            extra_body=mocked("s9"),
        ) as stream:
            text = stream.get_final_completion().choices[0].message.content
    else:
        answer = client.chat.completions.create(
            model="fake-gpt",
            messages=history,  # type: ignore[arg-type] # as above
            tools=TOOLS,
            extra_body=mocked("s9"),
        )
        text = answer.choices[0].message.content
    assert vendor.requests[1].body["messages"] == [
        {"role": "user", "content": "How high is the tide?"},
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "get_tide", "arguments": '{"port":"How high is the tide?"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": '{"height_m": 2.5}'},
    ]
    assert text == "How high is the tide? sand salt deep"


def test_demo_model_answers_with_what_the_tools_returned(client: OpenAI) -> None:
    messages = said("Use both tools.")
    asked = client.chat.completions.create(model="demo", messages=messages, tools=TOOLS).choices[0].message
    messages.append(asked.to_dict())  # type: ignore[arg-type] # a message as the client wrote it
    for call, content in zip(asked.tool_calls or [], ["2.5 m", "full moon"], strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    answer = client.chat.completions.create(model="demo", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.content == (
        'Your tools returned "2.5 m" and "full moon". A real model would now turn that into an answer. '
        "I am the demo model: no provider was called and nothing was spent."
    )
    assert answer.choices[0].finish_reason == "stop"
