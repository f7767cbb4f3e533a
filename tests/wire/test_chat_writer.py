"""Pieces, written as chat completions."""

from typing import Any

import msgspec
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from seawall.core.call import Event, OutputCap, Request
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    Piece,
    ReasoningPiece,
    RefusalPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.chat.writer import Writer
from seawall.wire.dialect import Answering, event_of


def writer_of(*, wants_usage: bool = True, **body: Any) -> Writer:
    request = Request(
        dialect="chat",
        body=body,
        raw_bytes=0,
        model="mine",
        stream=True,
        cap=OutputCap(),
        wants_usage=wants_usage,
    )
    return Writer(Answering(request, answer_id="1", created_at=7, model="m-1", output_cap=100))


def chunks_of(frames: bytes) -> list[Any]:
    """Return the chunks of a stream; the official library finds nothing wrong with any of them."""
    assert frames.endswith(b"data: [DONE]\n\n")
    found = []
    for frame in frames.removesuffix(b"data: [DONE]\n\n").split(b"\n\n")[:-1]:
        chunk = msgspec.json.decode(frame.removeprefix(b"data: "))
        if b'"custom"' not in frame:  # The library's own types know no deltas of custom tools.
            ChatCompletionChunk.model_validate(chunk, strict=True)
        assert {name: chunk[name] for name in ("id", "object", "created", "model")} == {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 7,
            "model": "m-1",
        }
        found.append(chunk)
    return found


def deltas_of(*pieces: Piece, **body: Any) -> list[Any]:
    writer = writer_of(**body)
    frames = b"".join(writer.write(event_of((piece,))) for piece in pieces) + writer.end()
    choices = [choice for chunk in chunks_of(frames) for choice in chunk["choices"]]
    return [choice["finish_reason"] or choice["delta"] for choice in choices]


def whole_of(*pieces: Piece, **body: Any) -> Any:
    writer = writer_of(**body)
    writer.write(event_of(pieces, usage=Usage(input=9, output=4), last=True))
    answer = msgspec.json.decode(writer.whole())
    ChatCompletion.model_validate(answer, strict=True)
    return answer


def test_a_plain_stream() -> None:
    writer = writer_of()
    pieces: list[Piece] = [Began("x", "y"), TextPiece(0, "Hel"), TextPiece(0, 'lo "ä"'), Finished("stop")]
    frames = b"".join(writer.write(event_of((piece,))) for piece in pieces)
    frames += writer.write(Event(usage=Usage(input=9, output=4, cached_read=5, cached_write=2, reasoning=1)))
    chunks = chunks_of(frames + writer.write(Event(last=True)) + writer.end())
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    assert [chunk["choices"] for chunk in chunks] == [
        [{**choice, "delta": {"role": "assistant", "content": "Hel"}}],
        [{**choice, "delta": {"content": 'lo "ä"'}}],
        [{**choice, "delta": {}, "finish_reason": "stop"}],
        [],
    ]
    assert [chunk["usage"] for chunk in chunks] == [
        None,
        None,
        None,
        {
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    ]


def test_usage_goes_only_to_a_client_that_asked_for_it() -> None:
    writer = writer_of(wants_usage=False)
    frames = writer.write(event_of((TextPiece(0, "a"), Finished("stop")), usage=Usage(input=1, output=1)))
    chunks = chunks_of(frames + writer.end())
    assert ["usage" in chunk for chunk in chunks] == [False, False]


def test_parallel_calls_in_turns() -> None:
    assert deltas_of(
        ToolPiece(0, "a", "f", ""),
        ToolPiece(1, "b", "g", "{"),
        ToolPiece(0, arguments='{"x":1}'),
        ToolPiece(1, arguments="}"),
        ToolPiece(2, "c", "h", "x", "custom"),
        ToolPiece(2, arguments="y", kind="custom"),
        ToolPiece(2, arguments="", kind="custom"),
        Finished("tool_calls"),
    ) == [
        {
            "role": "assistant",
            "tool_calls": [
                {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
            ],
        },
        {
            "tool_calls": [
                {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{"}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":1}'}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]},
        {"tool_calls": [{"index": 2, "id": "c", "type": "custom", "custom": {"name": "h", "input": "x"}}]},
        {"tool_calls": [{"index": 2, "custom": {"input": "y"}}]},
        "tool_calls",
    ]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    pieces = (ToolPiece(0, "a", "f"), Finished("tool_calls"))
    assert deltas_of(*pieces)[1:] == [
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        "tool_calls",
    ]
    message = whole_of(*pieces)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}


def test_reasoning_comes_at_once_and_again_with_its_seal() -> None:
    form = "anthropic-claude-v1"
    assert deltas_of(
        ReasoningPiece(0, "I "),
        ReasoningPiece(0, "think"),
        SealPiece(0, Seal("anthropic", "c2ln")),
        SealPiece(1, Seal("anthropic", "cmVk", is_redacted=True)),
        TextPiece(2, "a"),
        ReasoningPiece(3, "Oh"),
        ReasoningPiece(4, "No"),
        TextPiece(5, "b"),
        Finished("stop"),
    ) == [
        {"role": "assistant", "reasoning_content": "I "},
        {"reasoning_content": "think"},
        {
            "reasoning_details": [
                {"type": "reasoning.text", "text": "I think", "signature": "c2ln", "format": form, "index": 0}
            ]
        },
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "cmVk", "format": form, "index": 1}]},
        {"content": "a"},
        {"reasoning_content": "Oh"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "Oh", "index": 2}]},
        {"reasoning_content": "No"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "No", "index": 3}]},
        {"content": "b"},
        "stop",
    ]


def test_a_summary_keeps_its_paragraphs() -> None:
    pieces = (
        ReasoningPiece(0, "O", True),
        ReasoningPiece(0, "ne", True),
        ReasoningPiece(0, "Two", True, 1),
        SealPiece(0, Seal("openai", "ZW5j", id="rs_1")),
        TextPiece(1, "a"),
        Finished("stop"),
    )
    own = {"id": "rs_1", "format": "openai-responses-v1"}
    details = [
        {"type": "reasoning.summary", "summary": "One", **own, "index": 0},
        {"type": "reasoning.summary", "summary": "Two", **own, "index": 1},
        {"type": "reasoning.encrypted", "data": "ZW5j", **own, "index": 2},
    ]
    assert deltas_of(*pieces)[2:4] == [{"reasoning_content": "\n\nTwo"}, {"reasoning_details": details}]
    message = whole_of(*pieces)["choices"][0]["message"]
    assert message == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
        "reasoning_content": "One\n\nTwo",
        "reasoning_details": details,
    }


def test_googles_signature_is_on_its_call() -> None:
    pieces = (
        SealPiece(0, Seal("google", "bXNn", is_redacted=True)),
        SealPiece(1, Seal("google", "c2ln", id="a", is_redacted=True)),
        ToolPiece(2, "a", "f", "{}"),
        SealPiece(3, Seal("google", "bG9zdA==", id="z", is_redacted=True)),
        Finished("tool_calls"),
    )
    extra = {"extra_content": {"google": {"thought_signature": "bXNn"}}}
    call = {
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    lost = [
        {
            "type": "reasoning.encrypted",
            "data": "bG9zdA==",
            "id": "z",
            "format": "google-gemini-v1",
            "index": 0,
        }
    ]
    assert deltas_of(*pieces) == [
        {"role": "assistant", **extra},
        {"tool_calls": [{"index": 0, **call}]},
        {"reasoning_details": lost},
        "tool_calls",
    ]
    assert whole_of(*pieces)["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning_details": lost,
        **extra,
        "tool_calls": [call],
    }


def test_a_client_of_functions_gets_a_function_call() -> None:
    pieces = (
        ToolPiece(0, "a", "f", ""),
        ToolPiece(0, arguments="{}"),
        ToolPiece(1, "b", "g", "{}"),
        Finished("tool_calls"),
    )
    functions = [{"name": "f"}]
    second = {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    assert deltas_of(*pieces, functions=functions) == [
        {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {"tool_calls": [{"index": 0, **second}]},
        "function_call",
    ]
    choice = whole_of(*pieces, functions=functions)["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert choice["message"]["tool_calls"] == [second]


def test_a_refusal() -> None:
    pieces = (RefusalPiece(0, "I "), RefusalPiece(0, "won't"), Finished("refusal"))
    assert deltas_of(*pieces) == [
        {"role": "assistant", "refusal": "I "},
        {"refusal": "won't"},
        "content_filter",
    ]
    message = whole_of(*pieces)["choices"][0]["message"]
    assert message == {"role": "assistant", "content": None, "refusal": "I won't"}


def test_reasons_of_the_end_have_the_words_of_the_dialect() -> None:
    reasons = (
        "stop",
        "length",
        "tool_calls",
        "content_filter",
        "refusal",
        "stop_sequence",
        "context_window",
        "pause",
    )
    assert [deltas_of(TextPiece(0, "a"), Finished(reason))[-1] for reason in reasons] == [
        "stop", "length", "tool_calls", "content_filter", "content_filter", "stop", "length", "stop",
    ]  # fmt: skip


def test_an_empty_answer() -> None:
    assert deltas_of(Began("x"), Finished("stop")) == [{"role": "assistant", "content": ""}, "stop"]
    answer = whole_of(Began("x"), Finished("stop"))
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "", "refusal": None}


def test_a_stream_that_ends_without_a_reason_has_one() -> None:
    assert deltas_of(TextPiece(0, "a"))[-1] == "stop"
    assert deltas_of(ToolPiece(0, "c", "f", "{}"))[-1] == "tool_calls"


def test_a_stream_that_was_cut_closes_what_is_open() -> None:
    writer = writer_of(wants_usage=False)
    frames = writer.write(event_of((ReasoningPiece(0, "Hm"), ToolPiece(1, "a", "f", '{"x'))))
    frames += writer.write(Event(finish="length")) + writer.end()
    last = chunks_of(frames)[-1]["choices"][0]
    assert (last["delta"], last["finish_reason"]) == ({}, "length")


def test_a_whole_answer() -> None:
    answer = whole_of(Began("x", "y"), TextPiece(0, "a"), TextPiece(1, "b"), Finished("length"))
    assert answer == {
        "object": "chat.completion",
        "id": "chatcmpl-1",
        "created": 7,
        "model": "m-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ab", "refusal": None},
                "logprobs": None,
                "finish_reason": "length",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
