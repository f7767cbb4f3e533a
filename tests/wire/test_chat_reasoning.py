"""Reasoning in chat completions: how it is asked for, and how that of every vendor is sent back."""

from typing import Any

import pytest

from seawall.core.errors import Untranslatable
from seawall.core.pieces import Seal
from seawall.wire.chat.prompt import read_prompt, write_prompt
from seawall.wire.chat.request import read_request
from seawall.wire.prompt import (
    Prompt,
    Reasoning,
    Target,
    TextPart,
    Thinking,
    ToolUse,
    Turn,
)

OPENAI = Target("gpt-6", vendor="openai", seal_origin="openai")
DEEPSEEK = Target("deepseek-chat", vendor="deepseek", takes_reasoning=True)
OPENROUTER = Target("anthropic/claude-opus-5", vendor="openrouter", takes_reasoning=True)
GOOGLE = Target("gemini-4", vendor="google", seal_origin="google")

USER = {"role": "user", "content": "Hi"}
HELLO = Turn("user", (TextPart("Hi", "messages[0].content"),), path="messages[0]")


def prompt_of(**fields: Any) -> Prompt:
    body = {"model": "m", "messages": [USER], **fields}
    return read_prompt(read_request(body, raw_bytes=0, messages_max=100))


def assistant(**fields: Any) -> tuple[Any, ...]:
    return prompt_of(messages=[{"role": "assistant", **fields}]).turns[0].parts


def said(target: Target, *turns: Turn) -> tuple[list[dict[str, Any]], dict[str, str]]:
    written = write_prompt(Prompt("m", turns), target)
    return written.body["messages"], written.notes


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({"reasoning_effort": "none"}, Thinking(is_on=False, path="reasoning_effort")),
        (
            {"reasoning_effort": "high", "thinking": {"type": "enabled"}},
            Thinking(effort="high", path="reasoning_effort"),
        ),
        ({"thinking": {"type": "disabled"}}, Thinking(is_on=False, path="thinking")),
        ({"thinking": {"type": "adaptive"}}, Thinking(is_adaptive=True, path="thinking")),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Thinking(budget_tokens=9, path="thinking")),
        (
            {"reasoning": {"effort": "low", "exclude": True}},
            Thinking(effort="low", summary="omitted", path="reasoning"),
        ),
        ({"reasoning": {"max_tokens": 2000}}, Thinking(budget_tokens=2000, path="reasoning")),
        ({"reasoning": {"enabled": False}}, Thinking(is_on=False, path="reasoning")),
        ({"reasoning": {"effort": "none"}}, Thinking(is_on=False, path="reasoning")),
    ],
)
def test_vendors_words_for_reasoning_are_read(fields: dict[str, Any], thinking: Thinking) -> None:
    assert prompt_of(**fields).thinking == thinking


@pytest.mark.parametrize(
    ("thinking", "target", "body", "notes"),
    [
        (Thinking(effort="xhigh", path="t"), OPENAI, {"reasoning_effort": "xhigh"}, {}),
        (Thinking(is_on=False, path="t"), OPENAI, {"reasoning_effort": "none"}, {}),
        (Thinking(is_on=False, path="t"), DEEPSEEK, {"thinking": {"type": "disabled"}}, {}),
        (Thinking(budget_tokens=2048, path="t"), OPENAI, {"reasoning_effort": "low"}, {"t.budget_tokens": "said as the effort low"}),
        (Thinking(budget_tokens=8192, path="t"), OPENAI, {"reasoning_effort": "medium"}, {"t.budget_tokens": "said as the effort medium"}),
        (Thinking(budget_tokens=8193, path="t"), OPENAI, {"reasoning_effort": "high"}, {"t.budget_tokens": "said as the effort high"}),
        (Thinking(is_adaptive=True, path="t"), OPENAI, {}, {"t": "the provider decides how much to reason"}),
        (Thinking(effort="low", summary="auto", path="t"), OPENAI, {"reasoning_effort": "low"}, {"t.summary": "the provider decides what it shows of its reasoning"}),
        (Thinking(budget_tokens=2000, summary="omitted", path="t"), OPENROUTER, {"reasoning": {"max_tokens": 2000, "exclude": True}}, {}),
        (Thinking(effort="max", path="t"), OPENROUTER, {"reasoning": {"effort": "max"}}, {}),
        (Thinking(is_adaptive=True, path="t"), OPENROUTER, {"reasoning": {"enabled": True}}, {}),
        (Thinking(is_on=False, path="t"), OPENROUTER, {"reasoning": {"enabled": False}}, {}),
    ],
)  # fmt: skip
def test_reasoning_is_asked_for_in_the_vendors_words(
    thinking: Thinking, target: Target, body: dict[str, Any], notes: dict[str, str]
) -> None:
    written = write_prompt(Prompt("m", (HELLO,), thinking=thinking), target)
    assert (written.body, written.notes) == (
        {"model": target.model, "messages": [USER], **body},
        notes,
    )


CLAUDE = Reasoning(("I think",), seal=Seal("anthropic", "c2ln"), path="p")
REDACTED = Reasoning(seal=Seal("anthropic", "cmVk", is_redacted=True), path="p")
GPT = Reasoning(("One", "Two"), is_summary=True, seal=Seal("openai", "ZW5j", id="rs_1"), path="p")
UNSEALED = Reasoning(("Hm.",), path="p")
CLAUDE_DETAILS = [
    {
        "type": "reasoning.text",
        "text": "I think",
        "signature": "c2ln",
        "format": "anthropic-claude-v1",
        "index": 0,
    },
    {"type": "reasoning.encrypted", "data": "cmVk", "format": "anthropic-claude-v1", "index": 1},
    {
        "type": "reasoning.summary",
        "summary": "One",
        "id": "rs_1",
        "format": "openai-responses-v1",
        "index": 2,
    },
    {
        "type": "reasoning.summary",
        "summary": "Two",
        "id": "rs_1",
        "format": "openai-responses-v1",
        "index": 3,
    },
    {
        "type": "reasoning.encrypted",
        "data": "ZW5j",
        "id": "rs_1",
        "format": "openai-responses-v1",
        "index": 4,
    },
    {"type": "reasoning.text", "text": "Hm.", "index": 5},
]


def test_reasoning_of_every_vendor_goes_to_openrouter_and_comes_back() -> None:
    thoughts = (CLAUDE, REDACTED, GPT, UNSEALED)
    messages, notes = said(OPENROUTER, Turn("assistant", (*thoughts, TextPart("So."))))
    assert messages == [{"role": "assistant", "content": "So.", "reasoning_details": CLAUDE_DETAILS}]
    assert notes == {}
    read = assistant(content="So.", reasoning_content="anything", reasoning_details=CLAUDE_DETAILS)
    path = "messages[0].reasoning_details"
    assert read == (
        Reasoning(("I think",), seal=Seal("anthropic", "c2ln"), path=path),
        Reasoning(seal=Seal("anthropic", "cmVk", is_redacted=True), path=path),
        Reasoning(("One", "Two"), is_summary=True, seal=Seal("openai", "ZW5j", id="rs_1"), path=path),
        Reasoning(("Hm.",), path=path),
        TextPart("So.", "messages[0].content"),
    )


def test_entries_that_a_client_collected_one_by_one_are_put_together() -> None:
    form = {"format": "anthropic-claude-v1", "index": 0}
    pieces = [
        {"type": "reasoning.text", "text": "I ", **form},
        {"type": "reasoning.text", "text": "think", **form},
        {"type": "reasoning.text", "signature": "c2ln", **form},
        {"type": "reasoning.summary", "summary": "O", "index": 1},
        {"type": "reasoning.summary", "summary": "ne", "index": 1},
        {
            "type": "reasoning.encrypted",
            "data": "ZW5j",
            "id": "rs_1",
            "format": "openai-responses-v1",
            "index": 1,
        },
    ]
    assert assistant(content="a", reasoning_details=pieces)[:-1] == (
        Reasoning(("I think",), seal=Seal("anthropic", "c2ln"), path="messages[0].reasoning_details"),
        Reasoning(("One",), True, Seal("openai", "ZW5j", id="rs_1"), "messages[0].reasoning_details"),
    )


def test_an_entry_of_an_unknown_format_comes_back_as_it_was() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "S", "format": "xai-responses-v1", "index": 0},
        {
            "type": "reasoning.encrypted",
            "data": "eA==",
            "id": "rs_9",
            "format": "xai-responses-v1",
            "index": 1,
        },
    ]
    parts = assistant(content="a", reasoning_details=details)
    messages, _ = said(OPENROUTER, Turn("assistant", parts))
    assert messages[0]["reasoning_details"] == [
        {"type": "reasoning.summary", "summary": "S", "index": 0},
        details[1],
    ]
    with pytest.raises(Untranslatable):
        said(OPENAI, Turn("assistant", parts))


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_plain_reasoning_is_read_under_each_of_its_names(field: str) -> None:
    assert assistant(content="a", **{field: "Hm."}) == (
        Reasoning(("Hm.",), path=f"messages[0].{field}"),
        TextPart("a", "messages[0].content"),
    )


def test_mistrals_thinking_is_read_and_written() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "a"},
    ]
    parts = assistant(content=content)
    assert parts == (
        Reasoning(("Hm.",), path="messages[0].content[0]"),
        TextPart("a", "messages[0].content[1]"),
    )
    messages, _ = said(Target("magistral", vendor="mistral", takes_reasoning=True), Turn("assistant", parts))
    assert messages == [{"role": "assistant", "content": content}]


def test_reasoning_without_a_seal_goes_to_vendors_that_take_it() -> None:
    messages, notes = said(DEEPSEEK, Turn("assistant", (UNSEALED, TextPart("a"))))
    assert messages == [{"role": "assistant", "content": "a", "reasoning_content": "Hm."}]
    assert notes == {}


@pytest.mark.parametrize("target", [OPENAI, GOOGLE, Target("m"), Target("m", vendor="groq")])
@pytest.mark.parametrize("seal", [None, Seal("openai", "")])
def test_reasoning_without_a_seal_is_left_out_for_vendors_that_do_not(
    target: Target, seal: Seal | None
) -> None:
    bare = Reasoning(("Hm.",), seal=seal, path="p")
    called = ToolUse("c", "f", "{}")
    turns = (HELLO, Turn("assistant", (bare, TextPart("a"), called)), Turn("assistant", (bare,)), HELLO)
    messages, notes = said(target, *turns)
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert messages == [USER, {"role": "assistant", "content": "a", "tool_calls": [call]}, USER]
    assert notes == {"reasoning": "earlier reasoning without a signature is left out"}


@pytest.mark.parametrize("target", [OPENAI, DEEPSEEK, GOOGLE])
def test_reasoning_of_another_vendor_is_refused(target: Target) -> None:
    with pytest.raises(Untranslatable) as caught:
        said(target, Turn("assistant", (CLAUDE, TextPart("a"))))
    assert caught.value.param == "p"


def test_googles_signature_stays_with_its_tool_call() -> None:
    calls = [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "c2ln"}},
        }
    ]
    extra = {"google": {"thought_signature": "bXNn"}}
    parts = assistant(content=None, tool_calls=calls, extra_content=extra)
    assert parts == (
        Reasoning(seal=Seal("google", "bXNn", is_redacted=True), path="messages[0].extra_content"),
        Reasoning(
            seal=Seal("google", "c2ln", id="c1", is_redacted=True),
            path="messages[0].tool_calls[0].extra_content",
        ),
        ToolUse("c1", "f", "{}", path="messages[0].tool_calls[0]"),
    )
    messages, _ = said(GOOGLE, Turn("assistant", parts))
    assert messages == [{"role": "assistant", "content": None, "tool_calls": calls, "extra_content": extra}]
    with pytest.raises(Untranslatable):
        said(GOOGLE, Turn("assistant", parts[:2]))
    with pytest.raises(Untranslatable):
        said(OPENAI, Turn("assistant", parts))
