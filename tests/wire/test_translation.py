"""What one dialect says and another cannot: refused by its name, or said in another way and noted."""

from typing import Any

import msgspec
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from seawall.core.call import Json, Request
from seawall.core.errors import InvalidRequest
from seawall.core.pieces import Finished, Piece, ReasoningPiece, Seal, SealPiece, TextPiece, ToolPiece
from seawall.wire.dialect import event_of
from seawall.wire.prompt import Reasoning, Target, TextPart, ToolUse
from seawall.wire.sse import FrameSplitter, data_of
from seawall.wire.translation import DIALECTS, make_reader, make_writer, read_whole, translate
from tests.wire.answers import QUESTIONS, answering_in, stream_in, whole_in
from tests.wire.conversations import TARGETS

HI = {"role": "user", "content": "Hi"}
GOOGLE = Target("m", vendor="google", seal_origin="google")
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}


def asked(dialect: str, **fields: Any) -> Request:
    body = {"model": "m", **QUESTIONS[dialect], **fields}
    return DIALECTS[dialect].read_request(body, raw_bytes=0, messages_max=100)


def user(*parts: Json) -> list[Json]:
    return [{"role": "user", "content": list(parts)}]


def answered(**fields: Any) -> list[Json]:
    return [HI, {"role": "assistant", **fields}]


@pytest.mark.parametrize(
    ("mine", "theirs", "fields", "param"),
    [
        ("chat", "messages", {"seed": 1}, "seed"),
        ("chat", "messages", {"n": 2}, "n"),
        ("chat", "messages", {"logprobs": True}, "logprobs"),
        ("chat", "messages", {"frequency_penalty": 0.5}, "frequency_penalty"),
        ("chat", "messages", {"temperature": 1.5}, "temperature"),
        ("chat", "messages", {"service_tier": "priority"}, "service_tier"),
        ("chat", "messages", {"store": True}, "store"),
        ("chat", "messages", {"verbosity": "low"}, "verbosity"),
        ("chat", "messages", {"response_format": {"type": "json_object"}}, "response_format"),
        ("chat", "messages", {"vendor_field": 1}, "vendor_field"),
        ("chat", "messages", {"messages": [{"role": "user", "name": "Bo", "content": "Hi"}]}, "messages[0].name"),
        ("chat", "messages", {"messages": [HI, {"role": "system", "content": "Be brief."}]}, "messages[1]"),
        ("chat", "messages", {"messages": user({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}})}, "messages[0].content[0]"),
        ("chat", "messages", {"messages": user({"type": "image_url", "image_url": {"url": "https://a.example/b", "detail": "low"}})}, "messages[0].content[0]"),
        ("chat", "messages", {"messages": answered(tool_calls=[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}])}, "messages[1].tool_calls[0]"),
        ("chat", "messages", {"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0]"),
        ("chat", "responses", {"stop": "END"}, "stop"),
        ("chat", "responses", {"seed": 1}, "seed"),
        ("chat", "responses", {"n": 2}, "n"),
        ("chat", "responses", {"logit_bias": {"5": 1}}, "logit_bias"),
        ("chat", "responses", {"messages": user({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}})}, "messages[0].content[0]"),
        ("messages", "chat", {"top_k": 5}, "top_k"),
        ("messages", "chat", {"messages": user({"type": "tool_result", "tool_use_id": "c", "content": [IMAGE]})}, "messages[0].content[0].content[0]"),
        ("messages", "chat", {"messages": user({"type": "tool_result", "tool_use_id": "c", "is_error": True})}, "messages[0].content[0].is_error"),
        ("messages", "chat", {"messages": user({"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}})}, "messages[0].content[0]"),
        ("messages", "chat", {"messages": answered(content=[{"type": "thinking", "thinking": "I think", "signature": "c2ln"}])}, "messages[1].content[0]"),
        ("messages", "chat", {"messages": user({"type": "text", "text": "Hi"}, {"type": "search_result", "source": "s", "title": "t", "content": []})}, "messages[0].content[1]"),
        ("messages", "responses", {"top_k": 5}, "top_k"),
        ("messages", "responses", {"stop_sequences": ["END"]}, "stop_sequences"),
        ("messages", "responses", {"messages": answered(content=[{"type": "redacted_thinking", "data": "cmVk"}])}, "messages[1].content[0]"),
        ("responses", "chat", {"top_logprobs": 3}, "top_logprobs"),
        ("responses", "chat", {"input": [HI, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "seawall.anthropic.t.:c2ln"}]}, "input[1]"),
        ("responses", "chat", {"include": ["message.output_text.logprobs"]}, "include[0]"),
        ("responses", "messages", {"text": {"verbosity": "low"}}, "text.verbosity"),
        ("responses", "messages", {"text": {"format": {"type": "json_object"}}}, "text.format"),
        ("responses", "messages", {"tools": [{"type": "custom", "name": "f"}]}, "tools[0]"),
        ("responses", "messages", {"tools": [{"type": "function", "name": "f", "parameters": {}}], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}}, "tool_choice"),
        ("responses", "messages", {"temperature": 1.1}, "temperature"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_by_name(mine: str, theirs: str, fields: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        translate(asked(mine, **fields), theirs, TARGETS[theirs], messages_max=100)
    assert caught.value.code == "untranslatable"
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("mine", "theirs", "fields", "body", "noted"),
    [
        ("messages", "chat", {"system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]}, {}, ["cache_control"]),
        ("messages", "responses", {"system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]}, {"instructions": "S"}, ["cache_control"]),
        ("messages", "chat", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, {"reasoning_effort": "low"}, ["thinking.budget_tokens"]),
        ("messages", "responses", {"thinking": {"type": "enabled", "budget_tokens": 5000}}, {"reasoning": {"effort": "medium"}}, ["thinking.budget_tokens"]),
        ("messages", "chat", {"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}, []),
        ("messages", "chat", {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True}}}, ["output_config.format.name"]),
        ("messages", "chat", {"metadata": {"user_id": "u"}}, {"safety_identifier": "u"}, []),
        ("chat", "messages", {"metadata": {"a": "b"}}, {}, ["metadata"]),
        ("chat", "messages", {"user": "u"}, {"metadata": {"user_id": "u"}}, []),
        ("chat", "messages", {"stop": "END", "max_completion_tokens": 9}, {"stop_sequences": ["END"], "max_tokens": 9}, []),
        ("chat", "messages", {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}, {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, ["response_format"]),
        ("chat", "responses", {"reasoning_effort": "high", "verbosity": "low"}, {"reasoning": {"effort": "high"}, "text": {"verbosity": "low"}}, []),
        ("chat", "responses", {"messages": answered(content="A")}, {"input": [{"type": "message", "role": "user", "content": "Hi"}, {"type": "message", "role": "assistant", "content": "A"}]}, []),
        ("responses", "chat", {"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}, ["reasoning.summary"]),
        ("responses", "chat", {"store": False, "truncation": "disabled"}, {"messages": [HI]}, []),
        ("responses", "messages", {"instructions": "S", "max_output_tokens": 50}, {"system": "S", "max_tokens": 50, "messages": [HI]}, []),
        ("chat", "messages", {"messages": answered(content="A", reasoning_content="I think")}, {"messages": [HI, {"role": "assistant", "content": "A"}]}, ["reasoning"]),
        ("chat", "responses", {"messages": answered(content="A", reasoning_content="I think")}, {"input": [{"type": "message", "role": "user", "content": "Hi"}, {"type": "message", "role": "assistant", "content": "A"}]}, ["reasoning"]),
        ("messages", "chat", {"messages": answered(content=[{"type": "thinking", "thinking": "I think", "signature": ""}, {"type": "text", "text": "A"}])}, {"messages": [HI, {"role": "assistant", "content": "A"}]}, ["reasoning"]),
        ("messages", "responses", {"messages": answered(content=[{"type": "thinking", "thinking": "I think", "signature": ""}])}, {"input": [{"type": "message", "role": "user", "content": "Hi"}]}, ["reasoning"]),
        ("responses", "chat", {"input": [HI, {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}]}, {"messages": [HI]}, ["reasoning"]),
        ("responses", "messages", {"input": [HI, {"type": "reasoning", "id": "rs_1", "summary": []}]}, {"messages": [HI]}, []),
    ],
)  # fmt: skip
def test_what_is_said_in_another_way_is_noted(
    mine: str, theirs: str, fields: Json, body: Json, noted: list[str]
) -> None:
    translated = translate(asked(mine, **fields), theirs, TARGETS[theirs], messages_max=100)
    assert {name: translated.request.body.get(name) for name in body} == body
    assert sorted(translated.notes) == noted


def test_the_same_dialect_is_not_translated() -> None:
    request = asked("chat", vendor_field={"a": 1})
    translated = translate(request, "chat", TARGETS["chat"], messages_max=100)
    assert translated.request is request
    assert translated.notes == {}


@pytest.mark.parametrize("mine", TARGETS)
def test_state_and_end_user_stay_the_clients(mine: str) -> None:
    named = {"metadata": {"user_id": "u"}} if mine == "messages" else {"safety_identifier": "u"}
    request = asked(mine, stream=True, **named)
    for theirs in TARGETS.keys() - {mine}:
        there = translate(request, theirs, TARGETS[theirs], messages_max=100).request
        assert (there.dialect, there.stream, there.wants_usage, there.end_user) == (theirs, True, True, "u")
        assert there.raw_bytes == len(msgspec.json.encode(there.body))
        assert there.state == request.state or theirs == "responses"


@pytest.mark.parametrize("mine", TARGETS)
def test_googles_signature_finds_its_way_back(mine: str) -> None:
    said: list[Piece] = [
        TextPiece(0, "So:"),
        SealPiece(1, Seal("google", "c2ln+/==", id="call_1", is_redacted=True)),
        ToolPiece(2, "call_1", "f", "{}"),
        Finished("tool_calls"),
    ]
    answer = msgspec.json.decode(whole_in(mine, [event_of(tuple(said))]))
    if mine == "chat":
        back: Json = {"messages": [HI, answer["choices"][0]["message"]]}
    elif mine == "messages":
        back = {"messages": [HI, {"role": "assistant", "content": answer["content"]}]}
    else:
        back = {"input": [HI, *answer["output"]]}
    prompt = DIALECTS[mine].read_prompt(asked(mine, **back))
    message = DIALECTS["chat"].write_prompt(prompt, GOOGLE).body["messages"][1]
    assert message["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "c2ln+/=="}},
        }
    ]
    assert message["content"] == "So:"


def test_what_openais_library_puts_together_from_a_stream_can_be_sent_back() -> None:
    said: list[Piece] = [
        ReasoningPiece(0, "I "),
        ReasoningPiece(0, "think"),
        SealPiece(0, Seal("anthropic", "c2ln")),
        SealPiece(1, Seal("anthropic", "cmVk", is_redacted=True)),
        TextPiece(2, "So:"),
        ReasoningPiece(3, "One", is_summary=True),
        ReasoningPiece(3, "Two", is_summary=True, part=1),
        SealPiece(3, Seal("openai", "ZW5j", id="rs_1")),
        ToolPiece(4, "call_1", "f", '{"a":'),
        ToolPiece(4, arguments="1}"),
        Finished("tool_calls"),
    ]
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for frame in FrameSplitter().feed(stream_in("chat", [event_of((piece,)) for piece in said])):
        data = data_of(frame)
        if data != b"[DONE]":
            state.handle_chunk(ChatCompletionChunk.model_validate_json(data or b""))
    message = (
        state.get_final_completion().choices[0].message.model_dump(exclude_none=True, exclude={"parsed"})
    )
    for call in message["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
    prompt = DIALECTS["chat"].read_prompt(asked("chat", messages=[HI, message]))
    details = "messages[1].reasoning_details"
    assert prompt.turns[1].parts == (
        Reasoning(("I think",), seal=Seal("anthropic", "c2ln"), path=details),
        Reasoning(seal=Seal("anthropic", "cmVk", is_redacted=True), path=details),
        Reasoning(("One", "Two"), is_summary=True, seal=Seal("openai", "ZW5j", id="rs_1"), path=details),
        TextPart("So:", "messages[1].content"),
        ToolUse("call_1", "f", '{"a":1}', path="messages[1].tool_calls[0]"),
    )


@pytest.mark.parametrize("dialect", TARGETS)
def test_readers_and_writers_are_found_by_dialect(dialect: str) -> None:
    row, answering = DIALECTS[dialect], answering_in(dialect, stream=False)
    assert type(make_writer(answering.request, answering, same=True)) is row.passing
    assert type(make_writer(answering.request, answering, same=False)) is row.writer
    readers: list[object] = [
        type(make_reader(dialect, with_pieces=each, wants_usage=True)) for each in (True, False)
    ]
    assert readers == [row.piece_reader, row.frame_reader]
    whole = whole_in(dialect, [event_of((TextPiece(0, "a"), Finished("stop")))])
    assert read_whole(dialect, whole, with_pieces=False).event.raw == whole
    assert read_whole(dialect, whole, with_pieces=True).event.text == "a"
