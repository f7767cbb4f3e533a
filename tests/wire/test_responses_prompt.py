"""Requests of the Responses API as prompts, and prompts as requests."""

from typing import Any

import pytest

from seawall.core.call import Request
from seawall.core.errors import InvalidRequest, SeawallError, UnpricedField, Untranslatable
from seawall.core.pieces import Seal
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
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
)
from seawall.wire.responses.prompt import read_prompt, write_prompt
from seawall.wire.responses.request import read_request

TARGET = Target("gpt-test", vendor="openai", takes_reasoning=True, seal_origin="openai")


def request_of(**fields: Any) -> Request:
    body = {"model": "gpt-test", "input": "Hello", **fields}
    return read_request(body, raw_bytes=10, messages_max=1_000)


def read(**fields: Any) -> Prompt:
    return read_prompt(request_of(**fields))


def test_a_conversation_is_read() -> None:
    prompt = read(
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Be kind."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit"}},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
                    {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "ENC"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary", "content": [
                {"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "No."},
            ]},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"a":1}', "status": "completed"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "raw"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}, {"type": "input_file", "file_url": "https://example.com/a.pdf"}]},
            {"role": "user", "content": "And?"},
        ],
    )  # fmt: skip
    assert prompt.turns == (
        Turn("system", (TextPart("Be brief.", "instructions"),), path="instructions"),
        Turn("developer", (TextPart("Be kind.", "input[0].content"),), path="input[0]"),
        Turn(
            "user",
            (
                TextPart("Look", "input[1].content[0]", CacheMark()),
                ImagePart(media_type="image/png", data="AAAA", path="input[1].content[1]"),
                ImagePart(url="https://example.com/a.png", detail="high", path="input[1].content[2]"),
            ),
            path="input[1]",
        ),
        Turn(
            "assistant",
            (
                Reasoning(("hm",), is_summary=True, seal=Seal("openai", "ENC", id="rs_1"), path="input[2]"),
                TextPart("I look.", "input[3].content[0]"),
                Refusal("No.", "input[3].content[1]"),
                ToolUse("c1", "f", '{"a":1}', path="input[4]"),
                ToolUse("c2", "g", "raw", "custom", "input[5]"),
            ),
            path="input[2]",
        ),
        Turn(
            "tool",
            (
                ToolResult("c1", (TextPart("done", "input[6].output"),), path="input[6]"),
                ToolResult(
                    "c2",
                    (
                        TextPart("ok", "input[7].output[0]"),
                        FilePart(url="https://example.com/a.pdf", path="input[7].output[1]"),
                    ),
                    kind="custom",
                    path="input[7]",
                ),
            ),
            path="input[6]",
        ),
        Turn("user", (TextPart("And?", "input[8].content"),), path="input[8]"),
    )


def test_the_options_are_read() -> None:
    schema = {"type": "object"}
    prompt = read(
        stream=True,
        max_output_tokens=50,
        temperature=0.5,
        metadata={"a": "b"},
        user="ada",
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        text={
            "format": {"type": "json_schema", "name": "s", "schema": schema, "strict": True},
            "verbosity": "low",
        },
        tools=[
            {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": False},
            {
                "type": "custom",
                "name": "g",
                "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
            },
            {"type": "custom", "name": "h", "format": {"type": "text"}},
        ],
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}],
        },
        include=["reasoning.encrypted_content"],
        store=False,
        max_tool_calls=3,
        stream_options={"include_obfuscation": False},
        truncation="disabled",
    )
    assert prompt == Prompt(
        model="gpt-test",
        turns=(Turn("user", (TextPart("Hello", "input"),), path="input"),),
        tools=(
            Tool("f", "d", schema, None, path="tools[0]"),
            Tool(
                "g",
                None,
                {"type": "grammar", "syntax": "lark", "definition": "x"},
                kind="custom",
                path="tools[1]",
            ),
            Tool("h", kind="custom", path="tools[2]"),
        ),
        tool_choice=ToolChoice("allowed", ("f", "g"), is_required=True),
        parallel_tools=False,
        max_tokens=50,
        stream=True,
        output=OutputFormat("json_schema", schema, "s", True, path="text.format"),
        thinking=Thinking(effort="low", summary="auto", path="reasoning"),
        end_user="ada",
        options={
            "verbosity": Option("low", "text.verbosity"),
            "temperature": Option(0.5, "temperature"),
            "metadata": Option({"a": "b"}, "metadata"),
        },
    )


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", ("f",))),
        ({"type": "custom", "name": "g"}, ToolChoice("named", ("g",))),
    ],
)
def test_the_choice_of_tools_goes_there_and_back(value: Any, choice: ToolChoice) -> None:
    prompt = read(
        tool_choice=value, tools=[{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]
    )
    assert prompt.tool_choice == choice
    assert write_prompt(prompt, TARGET).body["tool_choice"] == value


@pytest.mark.parametrize(
    ("reasoning", "thinking"),
    [
        ({"effort": "none"}, Thinking(is_on=False, path="reasoning")),
        ({"effort": "xhigh", "context": "auto"}, Thinking(effort="xhigh", path="reasoning")),
        ({"generate_summary": "concise"}, Thinking(summary="concise", path="reasoning")),
        ({}, None),
        (None, None),
    ],
)
def test_how_much_to_reason_is_read(reasoning: Any, thinking: Thinking | None) -> None:
    assert read(reasoning=reasoning).thinking == thinking


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        ({"type": "reasoning", "id": "rs_1", "summary": []}, ()),
        (
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [],
                "encrypted_content": "seawall.google.r.call_1:SIG",
            },
            (Reasoning(seal=Seal("google", "SIG", id="call_1", is_redacted=True), path="input[0]"),),
        ),
        (
            {
                "type": "reasoning",
                "summary": [{"text": "s"}],
                "content": [{"text": "c"}],
                "encrypted_content": "E",
            },
            (
                Reasoning(("s",), is_summary=True, path="input[0]"),
                Reasoning(("c",), seal=Seal("openai", "E"), path="input[0]"),
            ),
        ),
    ],
)
def test_reasoning_is_read(item: dict[str, Any], parts: tuple[Any, ...]) -> None:
    turns = (Turn("assistant", parts, path="input[0]"),)
    assert read(input=[item]).turns == (turns if parts else ())


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        (
            {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,SGk="},
            FilePart("a.txt", media_type="text/plain", data="Hi", path="input[0].content[0]"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "AAAA"},
            FilePart("a.pdf", media_type="application/pdf", data="AAAA", path="input[0].content[0]"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            AudioPart("AAAA", "wav", "input[0].content[0]"),
        ),
    ],
)
def test_files_and_sound_are_read(part: dict[str, Any], read_as: Any) -> None:
    assert read(input=[{"role": "user", "content": [part]}]).turns[0].parts == (read_as,)


@pytest.mark.parametrize(
    ("fields", "kind", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, UnpricedField, "tools[0].type"),
        ({"tools": [{"type": "function", "name": "f", "defer_loading": True}]}, Untranslatable, "tools[0]"),
        (
            {"tools": [{"type": "function", "name": "f", "output_schema": {}}]},
            Untranslatable,
            "tools[0].output_schema",
        ),
        ({"tool_choice": "sometimes"}, InvalidRequest, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, Untranslatable, "tool_choice.type"),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}},
            Untranslatable,
            "tool_choice.tools[0].type",
        ),
        ({"include": ["message.output_text.logprobs"]}, Untranslatable, "include[0]"),
        ({"text": {"format": {"type": "grammar"}}}, Untranslatable, "text.format.type"),
        ({"text": {"stop": "x"}}, Untranslatable, "text.stop"),
        ({"reasoning": {"context": "all_turns"}}, Untranslatable, "reasoning.context"),
        (
            {
                "input": [
                    {
                        "type": "function_call",
                        "call_id": "c",
                        "name": "f",
                        "arguments": "{}",
                        "namespace": "n",
                    }
                ]
            },
            Untranslatable,
            "input[0].namespace",
        ),
        (
            {
                "input": [
                    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png,x"}]}
                ]
            },
            InvalidRequest,
            "input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "filename": "x"}]}]},
            InvalidRequest,
            "input[0].content[0].file_data",
        ),
        (
            {
                "input": [
                    {"role": "user", "content": [{"type": "input_file", "file_url": "x", "detail": "low"}]}
                ]
            },
            Untranslatable,
            "input[0].content[0].detail",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, InvalidRequest, "input[0]"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    fields: dict[str, Any], kind: type[SeawallError], param: str
) -> None:
    with pytest.raises(kind) as caught:
        read(**fields)
    assert (type(caught.value), caught.value.param) == (kind, param)


def prompt_of(*turns: Turn, **fields: Any) -> Prompt:
    return Prompt("gpt-test", turns or (Turn("user", (TextPart("Hello"),)),), **fields)


def test_a_prompt_is_written() -> None:
    written = write_prompt(
        prompt_of(
            Turn("system", (TextPart("Be brief.", cache=CacheMark()),)),
            Turn("user", (TextPart("Look"), ImagePart(media_type="image/png", data="AAAA"))),
            Turn(
                "assistant",
                (
                    Reasoning(("hm",), is_summary=True, seal=Seal("openai", "ENC", id="rs_1")),
                    TextPart("I look."),
                    ToolUse("c1", "f", ""),
                ),
            ),
            Turn("tool", (ToolResult("c1", (TextPart("bad"),), is_error=True), ToolResult("c2", ()))),
            tools=(Tool("f", schema={"type": "object"}),),
            max_tokens=50,
            stream=True,
            end_user="ada",
            thinking=Thinking(budget_tokens=4_096),
            output=OutputFormat("json_schema", {"title": "My answer!"}),
            options={
                "metadata": Option({"user": "x"}, "metadata"),
                "temperature": Option(0.5, "temperature"),
                "n": Option(1, "n"),
                "service_tier": Option("standard_only", "service_tier"),
            },
        ),
        TARGET,
    )
    assert written.body == {
        "model": "gpt-test",
        "instructions": "Be brief.",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "ENC",
            },
            {"type": "message", "role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "bad"},
            {"type": "function_call_output", "call_id": "c2", "output": ""},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
        "max_output_tokens": 50,
        "stream": True,
        "safety_identifier": "ada",
        "reasoning": {"effort": "medium"},
        "include": ["reasoning.encrypted_content"],
        "text": {"format": {"type": "json_schema", "name": "My_answer_", "schema": {"title": "My answer!"}}},
        "temperature": 0.5,
    }
    assert written.notes == {
        "cache_control": "the provider caches by itself",
        "is_error": "said in the text only",
        "thinking.budget_tokens": "said as effort medium",
        "format.name": "the schema is called My_answer_",
        "metadata": "says nothing to the model and is not sent on",
    }


@pytest.mark.parametrize(
    ("thinking", "said", "notes"),
    [
        (Thinking(budget_tokens=2_048), {"effort": "low"}, ["thinking.budget_tokens"]),
        (Thinking(budget_tokens=8_193), {"effort": "high"}, ["thinking.budget_tokens"]),
        (Thinking(is_adaptive=True, summary="omitted"), None, ["thinking"]),
        (Thinking(effort="max", is_adaptive=True), {"effort": "max"}, []),
        (Thinking(is_on=False), {"effort": "none"}, []),
        (Thinking(summary="detailed"), {"summary": "detailed"}, []),
    ],
)
def test_how_much_to_reason_is_written(thinking: Thinking, said: Any, notes: list[str]) -> None:
    written = write_prompt(prompt_of(thinking=thinking), TARGET)
    assert (written.body.get("reasoning"), list(written.notes)) == (said, notes)


@pytest.mark.parametrize(
    ("turns", "count"),
    [
        ((Turn("system", (TextPart("a"),)), Turn("developer", (TextPart("b"),))), 2),
        ((Turn("system", (TextPart("a"), TextPart("b"))),), 1),
        ((Turn("developer", (TextPart("a"),)),), 1),
    ],
)
def test_other_system_prompts_stay_messages(turns: tuple[Turn, ...], count: int) -> None:
    body = write_prompt(prompt_of(*turns), TARGET).body
    assert "instructions" not in body
    assert len(body["input"]) == count


def test_a_file_without_a_name_is_given_one_and_that_is_said() -> None:
    turn = Turn("user", (FilePart(media_type="text/plain", data="Hi"),))
    written = write_prompt(prompt_of(turn), TARGET)
    assert written.body["input"][0]["content"] == [
        {"type": "input_file", "filename": "document", "file_data": "data:text/plain;base64,SGk="}
    ]
    assert written.notes == {"filename": "a file without a name is called document"}


@pytest.mark.parametrize(
    ("prompt", "param"),
    [
        (prompt_of(options={"stop": Option(["x"], "stop_sequences")}), "stop_sequences"),
        (prompt_of(options={"top_k": Option(5, "top_k")}), "top_k"),
        (prompt_of(options={"logprobs": Option(True, "logprobs")}), "logprobs"),
        (prompt_of(options={"service_tier": Option("priority", "service_tier")}), "service_tier"),
        (prompt_of(Turn("user", (TextPart("x"),), name="ada", path="messages[0]")), "messages[0].name"),
        (prompt_of(Turn("user", (AudioPart("x", "wav", "p"),))), "p"),
        (prompt_of(Turn("assistant", (ImagePart(url="https://x", path="p"), TextPart("x")))), "p"),
        (prompt_of(Turn("assistant", (Reasoning(("x",), seal=Seal("anthropic", "s"), path="p"),))), "p"),
        (prompt_of(Turn("tool", (ToolResult("c", (), is_error=True, path="p"),))), "p.is_error"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(prompt: Prompt, param: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        write_prompt(prompt, TARGET)
    assert caught.value.param == param


@pytest.mark.parametrize("seal", [None, Seal("openai", ""), Seal("anthropic", "")])
def test_reasoning_without_a_seal_is_left_out_and_noted(seal: Seal | None) -> None:
    bare = Reasoning(("x",), seal=seal, path="p")
    sealed = Reasoning(("y",), is_summary=True, seal=Seal("openai", "s", id="rs_1"))
    written = write_prompt(
        prompt_of(Turn("assistant", (bare, sealed, TextPart("a"))), Turn("assistant", (bare,))), TARGET
    )
    assert [item for item in written.body["input"] if item.get("role") != "user"] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "y"}],
            "encrypted_content": "s",
        },
        {"type": "message", "role": "assistant", "content": "a"},
    ]
    assert written.notes == {"reasoning": "earlier reasoning without a signature is left out"}
