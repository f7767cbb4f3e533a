"""Requests in Anthropic's dialect as Prompts, and Prompts as requests: nothing lost, nothing invented."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seawall.core.errors import InvalidRequest, Untranslatable
from seawall.core.pieces import Seal
from seawall.wire.messages.prompt import read_prompt, write_prompt
from seawall.wire.messages.request import read_request
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
    Part,
    Prompt,
    Reasoning,
    Refusal,
    Target,
    TextPart,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
    Written,
)

RECORDED = Path(__file__).parent / "recorded" / "messages"
REQUESTS = sorted(path.name for path in RECORDED.glob("request_*.json"))
CLAUDE = Target(model="claude-x", vendor="anthropic", seal_origin="anthropic")
HELLO = Turn("user", (TextPart("Hi", "p0"),), path="p")


def read(body: dict[str, Any]) -> Prompt:
    return read_prompt(read_request(body, raw_bytes=0, messages_max=100))


def ask(**fields: Any) -> dict[str, Any]:
    return {"model": "claude-x", "messages": [{"role": "user", "content": "Hi"}], **fields}


def say(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return ask(messages=[{"role": role, "content": list(blocks)}])


def write(target: Target = CLAUDE, **fields: Any) -> Written:
    return write_prompt(Prompt(**{"model": "claude-x", "turns": (HELLO,), **fields}), target)


@pytest.mark.parametrize("name", REQUESTS)
def test_real_requests_come_back_as_they_were(name: str) -> None:
    body = json.loads((RECORDED / name).read_bytes())
    assert write_prompt(read(body), Target(model=body["model"], seal_origin="anthropic")) == Written(body, {})


def test_a_real_request_with_tools_is_read_in_full() -> None:
    assert read(json.loads((RECORDED / "request_tools.json").read_bytes())) == Prompt(
        model="claude-opus-5-5",
        turns=(
            Turn(
                "system",
                (
                    TextPart("Be brief.", "system[0]"),
                    TextPart("A long handbook.", "system[1]", CacheMark("1h")),
                ),
                path="system",
            ),
            Turn("user", (TextPart("Oslo?", "messages[0].content"),), path="messages[0]"),
            Turn(
                "assistant",
                (
                    TextPart("I look.", "messages[1].content[0]"),
                    ToolUse(
                        "toolu_1",
                        "get_weather",
                        '{"location":"Oslo","days":12345678901234567890123}',
                        path="messages[1].content[1]",
                    ),
                    ToolUse("toolu_2", "get_map", "", path="messages[1].content[2]"),
                ),
                path="messages[1]",
            ),
            Turn(
                "tool",
                (
                    ToolResult(
                        "toolu_1",
                        (TextPart("no such place", "messages[2].content[0].content"),),
                        is_error=True,
                        path="messages[2].content[0]",
                    ),
                    ToolResult(
                        "toolu_2",
                        (
                            TextPart("A map:", "messages[2].content[1].content[0]"),
                            ImagePart(
                                media_type="image/png",
                                data="iVBORw0K",
                                path="messages[2].content[1].content[1]",
                            ),
                        ),
                        path="messages[2].content[1]",
                    ),
                ),
                path="messages[2]",
            ),
            Turn(
                "user",
                (TextPart("And now?", "messages[2].content[2]", CacheMark("5m")),),
                path="messages[2]",
            ),
        ),
        tools=(
            Tool(
                "get_weather",
                "Weather of a place.",
                {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
                strict=True,
                path="tools[0]",
            ),
            Tool("get_map", None, {"type": "object"}, path="tools[1]", cache=CacheMark()),
        ),
        tool_choice=ToolChoice("required"),
        parallel_tools=False,
        max_tokens=2_048,
        stream=True,
        end_user="user-7",
        options={
            "stop": Option(["END"], "stop_sequences"),
            "temperature": Option(0.5, "temperature"),
        },
    )


def test_reasoning_keeps_its_seal_and_foreign_ones_are_unwrapped() -> None:
    prompt = read(
        say(
            {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbg+/=="},
            {"type": "thinking", "thinking": "", "signature": "b21pdA=="},
            {"type": "redacted_thinking", "data": "cmVk"},
            {"type": "thinking", "thinking": "Sum.", "signature": "seawall.openai.t.rs_1:Z0FB"},
            {"type": "redacted_thinking", "data": "seawall.google.r.call_1:c2ln"},
            {"type": "thinking", "thinking": "Open.", "signature": ""},
            role="assistant",
        )
    )
    assert tuple(msgspec.structs.replace(part, path="") for part in prompt.turns[0].parts) == (
        Reasoning(("Hm.",), seal=Seal("anthropic", "c2lnbg+/==")),
        Reasoning((), seal=Seal("anthropic", "b21pdA==")),
        Reasoning((), seal=Seal("anthropic", "cmVk", is_redacted=True)),
        Reasoning(("Sum.",), is_summary=True, seal=Seal("openai", "Z0FB", id="rs_1")),
        Reasoning((), seal=Seal("google", "c2ln", id="call_1", is_redacted=True)),
        Reasoning(("Open.",)),
    )


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({"thinking": {"type": "disabled"}}, Thinking(is_on=False, path="thinking")),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2_000, "display": "omitted"}},
            Thinking(budget_tokens=2_000, summary="omitted", path="thinking"),
        ),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
            Thinking(is_adaptive=True, effort="xhigh", path="thinking"),
        ),
        ({"output_config": {"effort": "low"}}, Thinking(effort="low", path="output_config.effort")),
        ({}, None),
    ],
)
def test_thinking_is_read(fields: dict[str, Any], thinking: Thinking | None) -> None:
    assert read(ask(**fields)).thinking == thinking


def test_output_formats_are_read() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    said = OutputFormat("json_schema", {"type": "object"}, strict=True, path="output_config.format")
    assert read(ask(output_config={"format": form})).output == said
    assert read(ask(output_format=form)).output == msgspec.structs.replace(said, path="output_format")


def test_the_mark_of_a_whole_request_goes_to_its_last_block() -> None:
    prompt = read(ask(cache_control={"type": "ephemeral", "ttl": "1h"}))
    assert prompt.turns[0].parts == (TextPart("Hi", "messages[0].content", CacheMark("1h")),)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (ask(top_k=5, container="c"), "container"),
        (ask(metadata={"team": "a"}), "metadata.team"),
        (ask(speed="fast"), "speed"),
        (ask(thinking={"type": "between_tools"}), "thinking.type"),
        (ask(thinking={"type": "adaptive", "display": "updates"}), "thinking.display"),
        (
            ask(output_config={"task_budget": {"type": "tokens", "total": 9}}),
            "output_config.task_budget",
        ),
        (ask(tools=[{"type": "bash_20250124", "name": "bash"}]), "tools[0].type"),
        (
            ask(tools=[{"name": "a", "input_schema": {}, "defer_loading": True}]),
            "tools[0].defer_loading",
        ),
        (
            say({"type": "text", "text": "x", "citations": [{"type": "char_location"}]}),
            "messages[0].content[0].citations",
        ),
        (
            say(
                {
                    "type": "document",
                    "context": "c",
                    "source": {"type": "url", "url": "https://files.example/a.pdf"},
                }
            ),
            "messages[0].content[0].context",
        ),
        (
            say({"type": "document", "source": {"type": "content", "content": "x"}}),
            "messages[0].content[0].source",
        ),
        (
            say({"type": "search_result", "source": "s", "title": "t", "content": []}),
            "messages[0].content[0]",
        ),
        (
            say(
                {"type": "tool_use", "id": "t", "name": "n", "input": {}, "toolset_name": "browser"},
                role="assistant",
            ),
            "messages[0].content[0].toolset_name",
        ),
        (
            say(
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "tool_reference", "tool_name": "n"}],
                }
            ),
            "messages[0].content[0].content[0]",
        ),
    ],
)
def test_what_only_this_dialect_has_is_an_option_by_its_path(body: dict[str, Any], path: str) -> None:
    assert path in {option.path for option in read(body).options.values()}
    assert read(body).options[path].path == path


def test_what_says_nothing_is_left_out() -> None:
    body = ask(
        service_tier="auto",
        speed="standard",
        inference_geo="global",
        context_management={"edits": []},
        container=None,
        tools=[
            {
                "type": "custom",
                "name": "a",
                "input_schema": {},
                "eager_input_streaming": True,
                "allowed_callers": ["direct"],
            }
        ],
    )
    assert read(body).options == {}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (ask(temperature="hot"), "temperature"),
        (ask(top_k=True), "top_k"),
        (ask(tool_choice={"type": "some"}), "tool_choice.type"),
        (ask(tool_choice={"type": "tool"}), "tool_choice.type"),
        (ask(tools=[{"input_schema": {}}]), "tools[0].name"),
        (ask(tools=[{"name": "a"}]), "tools[0].input_schema"),
        (ask(tools=[{"name": "a", "input_schema": {}, "description": 7}]), "tools[0].description"),
        (ask(tools=[{"name": "a", "input_schema": {}, "strict": "yes"}]), "tools[0].strict"),
        (ask(thinking={"type": "enabled"}), "thinking.budget_tokens"),
        (ask(output_config={"effort": "some"}), "output_config.effort"),
        (ask(output_config={"format": {"type": "xml"}}), "output_config.format.type"),
        (ask(output_config={"format": {"type": "json_schema"}}), "output_config.format.schema"),
        (
            say({"type": "image", "source": {"type": "base64", "data": "x"}}),
            "messages[0].content[0].source.media_type",
        ),
        (say({"type": "tool_result", "tool_use_id": "t"}, role="assistant"), "messages[0].role"),
        (say({"type": "tool_use", "id": "t", "name": "n", "input": {}}), "messages[0].role"),
        (
            say({"type": "tool_result", "tool_use_id": "t", "is_error": "yes"}),
            "messages[0].content[0].is_error",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(body)
    assert refused.value.param == param


def turn(role: Any, *parts: Part, name: str | None = None) -> tuple[Turn, ...]:
    return (HELLO, Turn(role, parts, name=name, path="p1"))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"turns": turn("system", TextPart("late"))}, "p1"),
        ({"turns": (Turn("system", (ImagePart(url="https://a.example/b", path="p9"),), path="p"),)}, "p9"),
        ({"turns": turn("user", TextPart("x"), name="Ann")}, "p1.name"),
        ({"turns": turn("user", AudioPart("data", "wav", "p9"))}, "p9"),
        ({"turns": turn("user", ImagePart(url="https://a.example/b", detail="high", path="p9"))}, "p9"),
        ({"turns": turn("user", ImagePart(url="http://a.example/b", path="p9"))}, "p9"),
        (
            {"turns": turn("user", FilePart("a.docx", media_type="application/msword", data="x", path="p9"))},
            "p9",
        ),
        ({"turns": turn("assistant", Reasoning((), seal=Seal("openai", "x"), path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", "[1]", path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", '{"a":', path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", '{"a":1,"a":2}', path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", '{"a":0.12345678901234567891}', path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", '{"a":1e400}', path="p9"))}, "p9"),
        ({"turns": turn("assistant", ToolUse("t", "n", "ls", kind="custom", path="p9"))}, "p9"),
        ({"turns": turn("tool", ToolResult("t", (), kind="custom", path="p9"))}, "p9"),
        ({"tools": (Tool("t", kind="custom", path="tools[0]"),)}, "tools[0]"),
        ({"tools": (Tool("t"),), "tool_choice": ToolChoice("allowed", ("t",), path="tc")}, "tc"),
        ({"tool_choice": ToolChoice("required", path="tc")}, "tc"),
        ({"output": OutputFormat("json_object", path="response_format")}, "response_format"),
        ({"options": {"temperature": Option(1.5, "temperature")}}, "temperature"),
        ({"options": {"seed": Option(1, "seed")}}, "seed"),
        ({"thinking": Thinking(effort="heroic", path="reasoning_effort")}, "reasoning_effort"),
        ({"options": {"n": Option(2, "n")}}, "n"),
        ({"options": {"include": Option(["file_search_call.results"], "include")}}, "include"),
        ({"options": {"store": Option(True, "store")}}, "store"),
        (
            {"thinking": Thinking(effort="low", path="reasoning_effort"), "max_tokens": 1_024},
            "reasoning_effort",
        ),
    ],
)
def test_what_the_dialect_has_no_words_for_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        write(**fields)
    assert refused.value.param == param


def test_tool_results_and_what_the_user_says_are_one_message() -> None:
    turns = (
        HELLO,
        Turn("assistant", (ToolUse("t1", "a", ' {"x": 1.50, "y": 1e2} '), ToolUse("t2", "b", ""))),
        Turn("tool", (ToolResult("t1", (TextPart("one"),)),)),
        Turn("tool", (ToolResult("t2", ()),)),
        Turn("user", (TextPart(""), TextPart("two"))),
    )
    assert write(turns=turns).body["messages"] == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "t1", "name": "a", "input": {"x": 1.5, "y": 100.0}},
                {"type": "tool_use", "id": "t2", "name": "b", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "t2"},
                {"type": "text", "text": "two"},
            ],
        },
    ]


def test_leading_system_turns_are_the_system_prompt() -> None:
    turns = (Turn("developer", (TextPart("One."),)), Turn("system", (TextPart("Two."),)), HELLO)
    assert write(turns=turns).body["system"] == [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two."},
    ]


@pytest.mark.parametrize(
    ("thinking", "is_adaptive", "body", "notes"),
    [
        (
            Thinking(effort="high"),
            True,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            {},
        ),
        (
            Thinking(effort="minimal", path="reasoning_effort"),
            True,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            {"reasoning_effort": "minimal is said as low, the provider's least"},
        ),
        (
            Thinking(effort="medium", summary="detailed", path="reasoning"),
            False,
            {"thinking": {"type": "enabled", "budget_tokens": 4_096, "display": "summarized"}},
            {
                "reasoning": "said as thinking.budget_tokens",
                "summary": "the provider has one kind of summary",
            },
        ),
        (
            Thinking(effort="max", path="reasoning"),
            False,
            {"thinking": {"type": "enabled", "budget_tokens": 7_999}},
            {"reasoning": "said as thinking.budget_tokens"},
        ),
        (Thinking(is_on=False, effort="none"), False, {"thinking": {"type": "disabled"}}, {}),
        (Thinking(summary="auto"), True, {"thinking": {"type": "adaptive", "display": "summarized"}}, {}),
        (
            Thinking(summary="auto", path="reasoning.summary"),
            False,
            {},
            {"reasoning.summary": "no reasoning is asked for, so that there is none to show"},
        ),
        (
            Thinking(path="thinking"),
            False,
            {"thinking": {"type": "enabled", "budget_tokens": 4_096}},
            {"thinking": "said as thinking.budget_tokens"},
        ),
        (Thinking(), True, {"thinking": {"type": "adaptive"}}, {}),
        (
            Thinking(budget_tokens=5_000, path="reasoning"),
            True,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
            {"reasoning": "said as the effort medium, for the model thinks adaptively"},
        ),
        (
            Thinking(budget_tokens=5_000),
            False,
            {"thinking": {"type": "enabled", "budget_tokens": 5_000}},
            {},
        ),
    ],
)
def test_efforts_are_said_in_the_models_own_way(
    thinking: Thinking, is_adaptive: bool, body: dict[str, Any], notes: dict[str, str]
) -> None:
    target = msgspec.structs.replace(CLAUDE, is_adaptive=is_adaptive)
    written = write(target, thinking=thinking, max_tokens=8_000)
    plain = {"model": "claude-x", "max_tokens": 8_000, "messages": [{"role": "user", "content": "Hi"}]}
    assert written == Written({**plain, **body}, notes)


def test_what_is_said_in_another_way_is_noted() -> None:
    written = write(
        turns=turn("assistant", Refusal("I decline.")),
        output=OutputFormat("json_schema", {"type": "object"}, name="n", path="response_format"),
        tools=(Tool("t"),),
        parallel_tools=False,
        options={
            "metadata": Option({"a": "b"}, "metadata"),
            "prompt_cache_key": Option("k", "prompt_cache_key"),
            "stream_options": Option({"include_usage": True}, "stream_options"),
            "frequency_penalty": Option(0, "frequency_penalty"),
            "n": Option(1, "n"),
        },
    )
    assert written == Written(
        {
            "model": "claude-x",
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "text", "text": "I decline."}]},
            ],
            "tools": [{"name": "t", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        },
        {
            "refusal": "said as text",
            "response_format": "name and description are left out: the schema says it all",
            "metadata": "left out: it says nothing to the model",
            "prompt_cache_key": "the provider has no such key; it caches where cache_control says so",
        },
    )
