"""Chat completions requests, read as prompts and written from them."""

from typing import Any

import pytest

from seawall.core.errors import InvalidRequest, Untranslatable
from seawall.wire.chat.prompt import read_prompt, write_prompt
from seawall.wire.chat.request import read_request
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
    Prompt,
    Refusal,
    Target,
    TextPart,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)

OPENAI = Target("gpt-6", vendor="openai", seal_origin="openai")
DEEPSEEK = Target("deepseek-chat", vendor="deepseek", takes_reasoning=True)
OPENROUTER = Target("anthropic/claude-opus-5", vendor="openrouter", takes_reasoning=True)

USER = {"role": "user", "content": "Hi"}
HELLO = Turn("user", (TextPart("Hi", "messages[0].content"),), path="messages[0]")


def prompt_of(**fields: Any) -> Prompt:
    body = {"model": "m", "messages": [USER], **fields}
    return read_prompt(read_request(body, raw_bytes=0, messages_max=100))


def said(target: Target, *turns: Turn) -> tuple[list[dict[str, Any]], dict[str, str]]:
    written = write_prompt(Prompt("m", turns), target)
    return written.body["messages"], written.notes


def test_a_whole_request_is_read() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    prompt = prompt_of(
        messages=[
            {"role": "developer", "content": "Be brief.", "name": "boss"},
            {
                "role": "user",
                "content": [
                    {
                        "type": "text",
                        "text": "What is this?",
                        "cache_control": {"type": "ephemeral", "ttl": "1h"},
                    },
                    {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "high"}},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,QUJD", "detail": "auto"},
                    },
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
                    },
                    {
                        "type": "file",
                        "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,w6Q="},
                    },
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                ],
            },
            {
                "role": "assistant",
                "content": "",
                "refusal": None,
                "annotations": [],
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "look", "arguments": '{"city": "A"}'},
                    },
                    {"id": "c2", "type": "custom", "custom": {"name": "run", "input": "x = 1"}, "index": 1},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "1"}]},
            {"role": "assistant", "content": "No.", "refusal": "I will not."},
        ],
        tools=[
            {
                "type": "function",
                "function": {"name": "look", "description": "Looks", "parameters": schema, "strict": True},
            },
            {
                "type": "custom",
                "custom": {
                    "name": "run",
                    "format": {"type": "grammar", "grammar": {"definition": "a: /b/", "syntax": "lark"}},
                },
                "cache_control": {"type": "ephemeral"},
            },
        ],
        tool_choice={"type": "function", "function": {"name": "look"}},
        parallel_tool_calls=False,
        max_tokens=70,
        max_completion_tokens=60,
        stream=True,
        stream_options={"include_usage": True, "include_obfuscation": False},
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "out", "schema": schema, "strict": True},
        },
        reasoning_effort="low",
        user="u-1",
        temperature=0.5,
        n=1,
        stop="END",
        logit_bias={},
        seed=7,
        vendor_field={"a": 1},
    )
    m = "messages"
    assert prompt == Prompt(
        model="m",
        turns=(
            Turn("developer", (TextPart("Be brief.", f"{m}[0].content"),), "boss", f"{m}[0]"),
            Turn(
                "user",
                (
                    TextPart("What is this?", f"{m}[1].content[0]", CacheMark("1h")),
                    ImagePart(url="https://a.example/b.png", detail="high", path=f"{m}[1].content[1]"),
                    ImagePart(media_type="image/png", data="QUJD", path=f"{m}[1].content[2]"),
                    FilePart("a.pdf", media_type="application/pdf", data="QUJD", path=f"{m}[1].content[3]"),
                    FilePart("a.txt", media_type="text/plain", data="ä", path=f"{m}[1].content[4]"),
                    AudioPart("QUJD", "wav", f"{m}[1].content[5]"),
                ),
                path=f"{m}[1]",
            ),
            Turn(
                "assistant",
                (
                    ToolUse("c1", "look", '{"city": "A"}', path=f"{m}[2].tool_calls[0]"),
                    ToolUse("c2", "run", "x = 1", kind="custom", path=f"{m}[2].tool_calls[1]"),
                ),
                path=f"{m}[2]",
            ),
            Turn(
                "tool",
                (
                    ToolResult("c1", (TextPart("rain", f"{m}[3].content"),), path=f"{m}[3]"),
                    ToolResult("c2", (TextPart("1", f"{m}[4].content[0]"),), kind="custom", path=f"{m}[4]"),
                ),
                path=f"{m}[3]",
            ),
            Turn(
                "assistant",
                (TextPart("No.", f"{m}[5].content"), Refusal("I will not.", f"{m}[5].refusal")),
                path=f"{m}[5]",
            ),
        ),
        tools=(
            Tool("look", "Looks", schema, True, path="tools[0]"),
            Tool(
                "run",
                schema={"type": "grammar", "definition": "a: /b/", "syntax": "lark"},
                kind="custom",
                path="tools[1]",
                cache=CacheMark(),
            ),
        ),
        tool_choice=ToolChoice("named", ("look",)),
        parallel_tools=False,
        max_tokens=60,
        stream=True,
        output=OutputFormat("json_schema", schema, "out", True, path="response_format"),
        thinking=Thinking(effort="low", path="reasoning_effort"),
        end_user="u-1",
        options={
            "temperature": Option(0.5, "temperature"),
            "stop": Option(["END"], "stop"),
            "seed": Option(7, "seed"),
            "vendor_field": Option({"a": 1}, "vendor_field"),
        },
    )


BODIES: list[dict[str, Any]] = [
    {"messages": [{"role": "system", "content": "S"}, {"role": "developer", "content": "D", "name": "n"}, USER]},
    {"messages": [{"role": "user", "content": ""}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": ""}]}]},
    {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
                    {"type": "file", "file": {"filename": "a", "file_data": "data:text/plain;base64,w6Q="}},
                    {"type": "file", "file": {"filename": "b", "file_data": "QUJD"}},
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
                ],
            }
        ]
    },
    {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1e400}'}},
                    {"id": "c2", "type": "custom", "custom": {"name": "g", "input": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": ""},
            {
                "role": "tool",
                "tool_call_id": "c2",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "assistant", "content": None, "refusal": "no"},
            {
                "role": "assistant",
                "content": [{"type": "refusal", "refusal": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "assistant", "content": ""},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f"}},
            {"type": "custom", "custom": {"name": "g", "description": "d"}},
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [
                    {"type": "function", "function": {"name": "f"}},
                    {"type": "custom", "custom": {"name": "g"}},
                ],
            },
        },
    },
    {
        "tools": [{"type": "custom", "custom": {"name": "g"}}],
        "tool_choice": {"type": "custom", "custom": {"name": "g"}},
    },
    {"tools": [{"type": "function", "function": {"name": "g"}}], "tool_choice": "required"},
    {"response_format": {"type": "json_object"}, "reasoning_effort": "none", "safety_identifier": "u"},
    {
        "safety_identifier": "a",
        "user": "b",
        "prompt_cache_key": "k",
        "verbosity": "low",
        "service_tier": "flex",
    },
    {
        "stop": ["a", "b"],
        "top_p": 0.1,
        "seed": 0,
        "frequency_penalty": 1,
        "logit_bias": {"5": -100},
        "stream": True,
    },
]  # fmt: skip


@pytest.mark.parametrize("fields", BODIES)
def test_what_openai_understands_comes_back_as_it_was(fields: dict[str, Any]) -> None:
    body = {"messages": [USER], **fields}
    written = write_prompt(prompt_of(**body), OPENAI)
    assert written.body == {"model": "gpt-6", **body}
    assert written.notes == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1, "logprobs": False, "presence_penalty": 0, "store": False, "service_tier": "auto"},
        {
            "tools": [],
            "modalities": ["text"],
            "response_format": {"type": "text"},
            "parallel_tool_calls": True,
        },
        {"metadata": {}, "logit_bias": {}, "stop": [], "stop_sequences": None, "user": ""},
        {"messages": [{"role": "user", "content": "Hi", "name": None}]},
    ],
)
def test_defaults_say_nothing(fields: dict[str, Any]) -> None:
    assert prompt_of(**fields) == Prompt("m", (HELLO,))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"messages": [{"role": "user", "content": "Hi", "mood": "good"}]}, "messages[0].mood"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]}]},
            "messages[0].content[0].prompt_cache_breakpoint",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "refusal", "refusal": "a"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": "a", "annotations": [{"type": "url_citation"}]}]}, "messages[0].annotations"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1", "file_data": "QUJD"}}]}]}, "messages[0].content[0].file.file_id"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "mcp"}]}]}, "messages[0].tool_calls[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "a", "mood": 1}}]}, "tools[0].function.mood"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tool_choice": {"type": "mcp"}}, "tool_choice.type"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "mood": 1}}}, "response_format.json_schema.mood"),
        ({"messages": [{"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.odd"}]}]}, "messages[0].reasoning_details[0].type"),
    ],
)  # fmt: skip
def test_what_is_not_known_inside_is_refused_by_its_path(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        prompt_of(**fields)
    assert caught.value.param == path


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}]}, "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,%"}}]}]}, "messages[0].content[0].file.file_data"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file.file_data"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": ["x"]}]}, "messages[0].tool_calls[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].name"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "a", "strict": 1}}]}, "tools[0].function.strict"),
        ({"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]}, "tools[0].function.parameters"),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, "reasoning"),
        ({"reasoning_effort": "none", "thinking": {"type": "enabled"}}, "thinking"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1.5}}, "thinking.budget_tokens"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_by_its_path(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        prompt_of(**fields)
    assert caught.value.param == path


def test_functions_of_before_there_were_tools_are_tools() -> None:
    prompt = prompt_of(
        messages=[
            USER,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    assert prompt == Prompt(
        "m",
        (
            HELLO,
            Turn(
                "assistant",
                (ToolUse("call_function_0", "f", "{}", path="messages[1].function_call"),),
                path="messages[1]",
            ),
            Turn(
                "tool",
                (ToolResult("call_function_0", (TextPart("1", "messages[2].content"),), path="messages[2]"),),
                path="messages[2]",
            ),
        ),
        tools=(Tool("f", schema={"type": "object"}, path="functions[0]"),),
        tool_choice=ToolChoice("named", ("f",), path="function_call"),
        parallel_tools=False,
    )


def test_other_vendors_get_what_they_know() -> None:
    messages, notes = said(
        DEEPSEEK,
        Turn("developer", (TextPart("D"),), path="input[0]"),
        Turn("user", (TextPart("Hi", cache=CacheMark("1h")),)),
        Turn("assistant", (Refusal("No."),)),
    )
    assert messages == [
        {"role": "system", "content": "D"},
        USER,
        {"role": "assistant", "content": "No."},
    ]
    assert notes == {
        "input[0].role": "developer is said as system",
        "cache_control": "the provider caches by itself",
        "refusal": "said as text",
    }


def test_openrouter_gets_cache_marks() -> None:
    mark = CacheMark("1h")
    messages, notes = said(
        OPENROUTER,
        Turn("user", (TextPart("Hi", cache=mark), ImagePart(url="https://a.example/b", cache=CacheMark()))),
        Turn("assistant", (ToolUse("c", "f", ""),)),
        Turn("tool", (ToolResult("c", (TextPart("1"),), cache=mark),)),
    )
    said_mark = {"cache_control": {"type": "ephemeral"}}
    assert messages[0]["content"] == [
        {"type": "text", "text": "Hi", **said_mark},
        {
            "type": "image_url",
            "image_url": {"url": "https://a.example/b"},
            "cache_control": {"type": "ephemeral"},
        },
    ]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert messages[2]["content"] == [{"type": "text", "text": "1", **said_mark}]
    assert notes == {"cache_control": "the provider keeps it for five minutes"}


def test_what_a_tool_says_of_its_failure_is_its_text() -> None:
    turn = Turn("tool", (ToolResult("c", (TextPart("It broke."),), is_error=True, path="p"),))
    messages, notes = said(OPENAI, turn)
    assert messages == [{"role": "tool", "tool_call_id": "c", "content": "It broke."}]
    assert notes == {"is_error": "said in the text only"}
    with pytest.raises(Untranslatable) as caught:
        said(OPENAI, Turn("tool", (ToolResult("c", (), is_error=True, path="p"),)))
    assert caught.value.param == "p.is_error"


def test_parts_in_another_order_are_noted() -> None:
    parts = (TextPart("a"), ToolUse("c", "f", "{}"), TextPart("b"))
    messages, notes = said(OPENAI, Turn("assistant", parts, path="messages[1]"))
    assert messages[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert notes == {"messages[1]": "text is said before the tool calls"}


@pytest.mark.parametrize(
    ("turn", "target"),
    [
        (Turn("tool", (ToolResult("c", (ImagePart(url="https://a.example/b", path="p"),)),)), OPENAI),
        (Turn("system", (ImagePart(url="https://a.example/b", path="p"),)), OPENAI),
        (Turn("user", (FilePart(url="https://a.example/b.pdf", path="p"),)), OPENAI),
        (Turn("assistant", (ImagePart(url="https://a.example/b", path="p"),)), OPENAI),
        (Turn("assistant", (ToolUse("c", "f", "x", kind="custom", path="p"),)), DEEPSEEK),
    ],
)
def test_what_the_vendor_cannot_be_told_is_refused(turn: Turn, target: Target) -> None:
    with pytest.raises(Untranslatable) as caught:
        said(target, turn)
    assert caught.value.param == "p"


@pytest.mark.parametrize(
    ("name", "value", "target"),
    [
        ("top_k", 5, OPENAI),
        ("messages[0].content[1]", {"type": "search_result"}, OPENAI),
        ("logprobs", True, OPENAI),
        ("verbosity", "low", DEEPSEEK),
        ("service_tier", "priority", DEEPSEEK),
        ("truncation", "auto", OPENAI),
    ],
)
def test_options_without_words_are_refused(name: str, value: Any, target: Target) -> None:
    with pytest.raises(Untranslatable) as caught:
        write_prompt(Prompt("m", (HELLO,), options={name: Option(value, name)}), target)
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("name", "value", "target", "body", "notes"),
    [
        ("top_k", 5, OPENROUTER, {"top_k": 5}, {}),
        ("verbosity", "medium", DEEPSEEK, {}, {}),
        ("truncation", "disabled", DEEPSEEK, {}, {}),
        ("store", True, DEEPSEEK, {}, {}),
        ("prompt_cache_key", "k", DEEPSEEK, {}, {"prompt_cache_key": "the provider caches by itself"}),
        ("metadata", {"a": "b"}, OPENAI, {}, {"metadata": "it says nothing to the model"}),
    ],
)
def test_options_are_said_or_noted(
    name: str, value: Any, target: Target, body: dict[str, Any], notes: dict[str, str]
) -> None:
    written = write_prompt(Prompt("m", (HELLO,), options={name: Option(value, name)}), target)
    assert written.body == {"model": target.model, "messages": [USER], **body}
    assert written.notes == notes


def test_the_end_user_has_the_name_that_the_vendor_gives_it() -> None:
    prompt = Prompt("m", (HELLO,), end_user="u")
    assert write_prompt(prompt, OPENAI).body["safety_identifier"] == "u"
    assert write_prompt(prompt, DEEPSEEK).body["user"] == "u"
    mistral = write_prompt(prompt, Target("m", vendor="mistral"))
    assert mistral.body == {"model": "m", "messages": [USER]}
    assert mistral.notes == {"user": "the provider does not want to know it"}
