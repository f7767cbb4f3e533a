"""Requests in Anthropic's dialect: what is read of them, what is refused, and what the vendor gets."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.call import OutputCap, Request, Text
from seawall.core.errors import InvalidRequest, NotYetSupported, UnpricedField, Untranslatable
from seawall.wire.messages.request import check_fields, read_request, write_request

RECORDED = Path(__file__).parent / "recorded" / "messages"


def ask(**fields: Any) -> dict[str, Any]:
    return {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}], **fields}


def say(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return ask(messages=[{"role": role, "content": list(blocks)}])


def read(body: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Request:
    return read_request(body, raw_bytes=0, messages_max=100, headers=headers)


def test_a_plain_request() -> None:
    body = ask(system="Be kind.", metadata={"user_id": "u-1"}, stream=True)
    assert read(body) == Request(
        dialect="messages",
        body=body,
        raw_bytes=len(json.dumps(body, separators=(",", ":"))),
        model="claude-x",
        stream=True,
        cap=OutputCap(field="max_tokens", tokens=50),
        texts=(Text("system", "system", "Be kind."), Text("messages[0].content", "user", "Hi")),
        end_user="u-1",
    )


def test_a_cap_may_be_missing() -> None:
    body = ask()
    del body["max_tokens"]
    assert read(body).cap == OutputCap()


def test_everything_that_costs_is_counted_in_a_real_request() -> None:
    body = json.loads((RECORDED / "request_tools.json").read_bytes())
    request = read(body)
    assert request.texts == (
        Text("system[0].text", "system", "Be brief."),
        Text("system[1].text", "system", "A long handbook."),
        Text("messages[0].content", "user", "Oslo?"),
        Text("messages[1].content[0].text", "assistant", "I look."),
        Text("messages[1].content[1].id", "assistant", "toolu_1"),
        Text("messages[1].content[1].name", "assistant", "get_weather"),
        Text(
            "messages[1].content[1].input",
            "assistant",
            '{"location":"Oslo","days":12345678901234567890123}',
        ),
        Text("messages[1].content[2].id", "assistant", "toolu_2"),
        Text("messages[1].content[2].name", "assistant", "get_map"),
        Text("messages[2].content[0].content", "tool", "no such place"),
        Text("messages[2].content[0].tool_use_id", "user", "toolu_1"),
        Text("messages[2].content[1].content[0].text", "tool", "A map:"),
        Text("messages[2].content[1].tool_use_id", "user", "toolu_2"),
        Text("messages[2].content[2].text", "user", "And now?"),
    )
    assert (request.images, request.image_bytes, request.files, request.tokens) == (1, 8, 0, 0)
    assert request.schemas == (body["tools"],)
    assert request.has_long_cache


def test_images_documents_and_thinking_are_counted() -> None:
    vision = read(json.loads((RECORDED / "request_vision.json").read_bytes()))
    assert (vision.images, vision.image_bytes) == (2, 8 + len("https://pictures.example/ant.png"))
    documents = read(
        say(
            {
                "type": "document",
                "title": "T",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
            },
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            },
            {"type": "document", "source": {"type": "url", "url": "https://files.example/a.pdf"}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "in"}]}},
            {"type": "document", "source": {"type": "content", "content": "as text"}},
            {
                "type": "search_result",
                "source": "S",
                "title": "R",
                "content": [{"type": "text", "text": "hit"}],
            },
        )
    )
    assert documents.files == 2
    assert [text.content for text in documents.texts] == ["words", "T", "in", "as text", "hit", "S", "R"]
    thinking = read(json.loads((RECORDED / "request_thinking.json").read_bytes()))
    assert [text.content for text in thinking.texts] == [
        "What time is it?",
        "I need the clock.",
        "RmFrZVNpZ25hdHVyZQ+/==",
        "RmFrZVJlZGFjdGVk/+A=",
        "toolu_9",
        "get_time",
        "10:15",
        "toolu_9",
    ]


def test_citations_are_bounded_by_the_context_window() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert read(say({"type": "document", "source": source, "citations": {"enabled": True}})).files == 1
    assert read(say({"type": "document", "source": source, "citations": {"enabled": False}})).files == 0


def test_output_formats_are_schemas() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    assert read(ask(output_config={"format": form})).schemas == (form,)
    assert read(ask(output_format=form)).schemas == (form,)


@pytest.mark.parametrize(
    ("kind", "tokens"),
    [
        ("bash_20250124", 512),
        ("text_editor_20250728", 1_536),
        ("computer_20251124", 2_560),
        ("custom", 0),
        (None, 0),
    ],
)
def test_anthropics_own_definitions_have_an_allowance(kind: str | None, tokens: int) -> None:
    body = ask(tools=[{"type": kind, "name": "x"}])
    size = len(json.dumps(body, separators=(",", ":")))
    assert (read(body).tokens, read(body).raw_bytes) == (tokens, size + tokens)
    check_fields(body)


@pytest.mark.parametrize(
    "where",
    [
        {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"tools": [{"name": "t", "input_schema": {}, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t",
                            "content": [
                                {
                                    "type": "text",
                                    "text": "x",
                                    "cache_control": {"type": "ephemeral", "ttl": "1h"},
                                }
                            ],
                        }
                    ],
                }
            ]
        },
    ],
)
def test_a_long_cache_is_seen_wherever_it_stands(where: dict[str, Any]) -> None:
    assert read(ask(**where)).has_long_cache
    assert not read(ask(cache_control={"type": "ephemeral"})).has_long_cache


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (ask(model=""), "model"),
        (ask(model=7), "model"),
        (ask(model="x" * 257), "model"),
        (ask(messages=[]), "messages"),
        (ask(messages="Hi"), "messages"),
        (ask(messages=[{"role": "user", "content": "x"}] * 101), "messages"),
        (ask(messages=["Hi"]), "messages[0]"),
        (ask(messages=[{"role": "tool", "content": "x"}]), "messages[0].role"),
        (ask(messages=[{"role": "user"}]), "messages[0].content"),
        (say({"text": "x"}), "messages[0].content[0].type"),
        (say({"type": "text"}), "messages[0].content[0].text"),
        (say({"type": "tool_use", "id": "t", "name": "n", "input": "{}"}), "messages[0].content[0].input"),
        (say({"type": "tool_use", "name": "n", "input": {}}), "messages[0].content[0].id"),
        (say({"type": "tool_result", "content": "x"}), "messages[0].content[0].tool_use_id"),
        (
            say({"type": "tool_result", "tool_use_id": "t", "content": 7}),
            "messages[0].content[0].content",
        ),
        (say({"type": "thinking", "thinking": "x"}), "messages[0].content[0].signature"),
        (say({"type": "redacted_thinking"}), "messages[0].content[0].data"),
        (say({"type": "image", "source": "x"}), "messages[0].content[0].source"),
        (say({"type": "image", "source": {"type": "base64"}}), "messages[0].content[0].source.data"),
        (
            say({"type": "text", "text": "x", "cache_control": "yes"}),
            "messages[0].content[0].cache_control",
        ),
        (ask(system=7), "system"),
        (ask(system=[{"type": "text"}]), "system[0].text"),
        (ask(tools={}), "tools"),
        (ask(tools=["t"]), "tools[0]"),
        (ask(tool_choice="auto"), "tool_choice"),
        (ask(thinking=True), "thinking"),
        (ask(output_config=[]), "output_config"),
        (ask(metadata="me"), "metadata"),
        (ask(metadata={"user_id": 7}), "metadata.user_id"),
        (ask(stop_sequences="END"), "stop_sequences"),
        (ask(stop_sequences=[7]), "stop_sequences"),
        (ask(stream="yes"), "stream"),
        (ask(max_tokens=True), "max_tokens"),
        (ask(max_tokens=-1), "max_tokens"),
        (ask(max_tokens=1.5), "max_tokens"),
        (ask(max_tokens="9"), "max_tokens"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(body)
    assert (refused.value.param, refused.value.wire_code) == (param, "invalid_request")


def test_filling_the_cache_without_an_answer_is_not_supported_yet() -> None:
    with pytest.raises(NotYetSupported) as refused:
        read(ask(max_tokens=0))
    assert refused.value.param == "max_tokens"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (
            say({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
            "messages[0].content[0].type",
        ),
        (say({"type": "container_upload", "file_id": "f"}), "messages[0].content[0].type"),
        (say({"type": "video", "source": {}}), "messages[0].content[0].type"),
        (
            say({"type": "image", "source": {"type": "text", "data": "x"}}),
            "messages[0].content[0].source.type",
        ),
        (say({"type": "document", "source": {"type": "vault"}}), "messages[0].content[0].source.type"),
        (
            say({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "browser_state"}]}),
            "messages[0].content[0].content[0].type",
        ),
        (ask(system=[{"type": "image", "source": {}}]), "system[0].type"),
        (ask(cache_control={"type": "ephemeral", "ttl": "24h"}), "cache_control.ttl"),
        (ask(tools=[{"type": "web_search_20260318", "name": "web_search"}]), "tools[0].type"),
        (ask(tools=[{"type": "computer_toolset_20260801"}]), "tools[0].type"),
        (ask(tools=[{"type": "memory_20250818", "name": "memory"}]), "tools[0].type"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(UnpricedField) as refused:
        read(body)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"service_tier": "priority"}, "service_tier"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"container": "container_1"}, "container"),
        ({"mcp_servers": [{"type": "url", "url": "https://mcp.example"}]}, "mcp_servers"),
        ({"fallbacks": "default"}, "fallbacks"),
        ({"thread": {"type": "create"}}, "thread"),
        ({"compaction": {"type": "summarize"}}, "compaction"),
        ({"billing_policy": {"type": "billing_policy", "bill_to": "user_profile"}}, "billing_policy"),
        (
            {
                "context_management": {
                    "edits": [{"type": "clear_tool_uses_20250919"}, {"type": "compact_20260112"}]
                }
            },
            "context_management.edits[1].type",
        ),
        ({"tools": [{"name": "a"}, {"type": "code_execution_20260521", "name": "b"}]}, "tools[1].type"),
        ({"tools": [{"type": "advisor_20260301", "name": "b"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp_toolset"}]}, "tools[0].type"),
    ],
)
def test_fields_that_change_the_price_are_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnpricedField) as refused:
        check_fields(ask(**fields))
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, "messages[0].content[0].source"),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}],
            },
            "messages[0].content[0].content[0].source",
        ),
        (
            {
                "type": "document",
                "source": {
                    "type": "content",
                    "content": [{"type": "image", "source": {"type": "file", "file_id": "file_1"}}],
                },
            },
            "messages[0].content[0].source.content[0].source",
        ),
    ],
)
def test_stored_files_are_counted_and_refused(block: dict[str, Any], param: str) -> None:
    assert read(say(block)).files == 1
    with pytest.raises(UnpricedField) as refused:
        check_fields(say(block))
    assert refused.value.param == param


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "Hm.", "signature": "seawall.openai.t.rs_1:ZW5j"},
        {"type": "thinking", "thinking": "", "signature": "seawall.google.r.call_1:c2ln"},
        {"type": "redacted_thinking", "data": "seawall.openai.r.rs_1:ZW5j"},
    ],
)
def test_reasoning_of_another_vendor_is_refused_by_name(block: dict[str, Any]) -> None:
    own = {"type": "thinking", "thinking": "So.", "signature": "c2ln"}
    with pytest.raises(Untranslatable) as refused:
        check_fields(say(own, block, role="assistant"))
    assert refused.value.param == "messages[0].content[1]"


def test_anthropics_own_reasoning_passes() -> None:
    check_fields(
        say(
            {"type": "thinking", "thinking": "So.", "signature": "c2ln"},
            {"type": "thinking", "thinking": "So.", "signature": ""},
            {"type": "redacted_thinking", "data": "cmVk"},
            {"type": "text", "text": "seawall.openai.t.rs_1:ZW5j"},
            role="assistant",
        )
    )


def test_fields_at_the_listed_price_pass() -> None:
    check_fields(
        ask(
            service_tier="auto",
            speed="standard",
            inference_geo="global",
            mcp_servers=[],
            context_management={"edits": [{"type": "clear_thinking_20251015"}]},
            billing_policy={"type": "billing_policy", "bill_to": "self"},
            diagnostics={"previous_message_id": None},
            thinking={"type": "adaptive"},
        )
    )
    check_fields(ask(service_tier="standard_only"))


def test_the_dialects_headers_travel_on_and_no_others() -> None:
    headers = (
        ("authorization", "Bearer sk-mock-1"),
        ("Anthropic-Version", "2023-06-01"),
        ("anthropic-beta", "one-2025-01-01,two-2025-02-02"),
        ("anthropic-user-profile-id", "p"),
    )
    assert read(ask(), headers).headers == (
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "one-2025-01-01,two-2025-02-02"),
    )


@pytest.mark.parametrize("value", ["a\r\nx-api-key: b", "naïve", "a;b", "x" * 2_049])
def test_odd_headers_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(ask(), (("anthropic-beta", value),))
    assert refused.value.param == "anthropic-beta"


def test_the_vendor_gets_the_body_with_its_model_and_our_cap() -> None:
    body = ask(stream=True, unknown={"kept": [1, 2.5, None]})
    sent = json.loads(write_request(read(body), model="claude-y", output_cap=40))
    assert sent == {**body, "model": "claude-y", "max_tokens": 40}
    assert body["max_tokens"] == 50


@pytest.mark.parametrize(
    ("declared", "budget", "output_cap", "sent"),
    [
        (8_192, 4_096, 8_192, 4_096),
        (8_192, 4_096, 4_096, 4_095),
        (8_192, 4_096, 2_000, 1_999),
        (8_192, 4_096, 1_025, 1_024),
        (8_192, 4_096, 1_024, 4_096),
        (None, 4_096, 2_000, 1_999),
        (4_096, 10_000, 4_096, 10_000),
    ],
)
def test_a_thinking_budget_follows_a_lowered_cap(
    declared: int | None, budget: int, output_cap: int, sent: int
) -> None:
    body = ask(max_tokens=declared, thinking={"type": "enabled", "budget_tokens": budget})
    written = json.loads(write_request(read(body), model="m", output_cap=output_cap))
    assert written["thinking"] == {"type": "enabled", "budget_tokens": sent}


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "source", "content", "role", "input", "id", "data", "edits", "cache_control"]
            )
            | st.text(max_size=4),
            inner | st.sampled_from(["text", "image", "document", "tool_result", "file", "base64"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = [
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
    "output_config",
    "cache_control",
    "max_tokens",
    "container",
    "context_management",
]


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3))
def test_no_body_breaks_the_reader_or_the_table(fields: dict[str, Any]) -> None:
    body = ask(**fields)
    for step in (read, check_fields):
        with contextlib.suppress(InvalidRequest):
            step(body)
