"""Pieces as Anthropic's answers, streamed and whole."""

import pytest

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    ReasoningPiece,
    RefusalPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.dialect import event_of
from seawall.wire.messages.writer import Writer
from tests.wire.messages_streams import (
    REDACTED,
    SIGNED,
    answering,
    folded,
    stream,
    whole,
)


def test_a_stream_is_written_in_the_dialects_own_order() -> None:
    assert stream(
        event_of((Began("chatcmpl-1", "gpt"),)),
        event_of((ReasoningPiece(0, "Hm"),)),
        event_of((ReasoningPiece(0, "m."),)),
        event_of((SealPiece(0, SIGNED),)),
        event_of((SealPiece(1, REDACTED),)),
        event_of((TextPiece(2, "I "),)),
        event_of((TextPiece(2, "ask."), ToolPiece(3, "call_1", "clock"))),
        event_of((ToolPiece(3, arguments='{"zone":'),)),
        event_of((ToolPiece(3, arguments='"UTC"}'), Finished("tool_calls"))),
        Event(usage=Usage(input=100, output=20, cached_read=30, cached_write=10, reasoning=5)),
        Event(last=True),
    ) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_42",
                "type": "message",
                "role": "assistant",
                "model": "claude-x",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "m."}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "RmFrZVNpZ25hdHVyZQ+/=="},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "redacted_thinking", "data": "RmFrZVJlZGFjdGVk/+A="},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "I "}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "ask."}},
        {"type": "content_block_stop", "index": 2},
        {
            "type": "content_block_start",
            "index": 3,
            "content_block": {"type": "tool_use", "id": "call_1", "name": "clock", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 3,
            "delta": {"type": "input_json_delta", "partial_json": '{"zone":'},
        },
        {
            "type": "content_block_delta",
            "index": 3,
            "delta": {"type": "input_json_delta", "partial_json": '"UTC"}'},
        },
        {"type": "content_block_stop", "index": 3},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {
                "input_tokens": 60,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 30,
                "output_tokens": 20,
                "output_tokens_details": {"thinking_tokens": 5},
            },
        },
        {"type": "message_stop"},
    ]


def test_tool_calls_that_come_in_turns_are_sent_one_after_the_other() -> None:
    sent = stream(
        event_of((ToolPiece(0, "a", "one"),)),
        event_of((ToolPiece(1, "b", "two"), ToolPiece(0, arguments='{"x":'))),
        event_of((ToolPiece(1, arguments="{"), ToolPiece(0, arguments="1}"))),
        event_of((TextPiece(2, "!"), ToolPiece(1, arguments="}"))),
        event_of((TextPiece(2, "?"), ToolPiece(3, "c", "three"))),
    )
    assert [(each["type"], each.get("index")) for each in sent[1:-2]] == [
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("content_block_start", 2),
        ("content_block_delta", 2),
        ("content_block_delta", 2),
        ("content_block_stop", 2),
        ("content_block_start", 3),
        ("content_block_stop", 3),
    ]


def test_text_after_a_tool_call_begins_another_block() -> None:
    sent = stream(
        event_of((TextPiece(0, "a"), ToolPiece(1, "t", "n", "{}"), TextPiece(0, "b"))),
        event_of((ToolPiece(1, arguments="\n"),)),
    )
    assert [each["content_block"]["type"] for each in sent if each["type"] == "content_block_start"] == [
        "text",
        "tool_use",
        "text",
    ]


def test_seals_of_other_vendors_are_wrapped_and_summaries_are_one_text() -> None:
    steps = (
        event_of(
            (ReasoningPiece(0, "One.", is_summary=True), ReasoningPiece(0, "Two.", is_summary=True, part=1))
        ),
        event_of((SealPiece(0, Seal("openai", "Z0FB", id="rs_1")),)),
        event_of((SealPiece(1, Seal("google", "c2ln", id="call_1", is_redacted=True)),)),
        event_of((SealPiece(2, Seal("openai", "bm9uZQ==", id="rs_2")),)),
        event_of((ReasoningPiece(3, "Open."), Finished("stop"))),
    )
    content = [
        {"type": "thinking", "thinking": "One.\n\nTwo.", "signature": "seawall.openai.t.rs_1:Z0FB"},
        {"type": "redacted_thinking", "data": "seawall.google.r.call_1:c2ln"},
        {"type": "thinking", "thinking": "", "signature": "seawall.openai.t.rs_2:bm9uZQ=="},
        {"type": "thinking", "thinking": "Open.", "signature": ""},
    ]
    assert whole(*steps)["content"] == content
    assert folded(stream(*steps)) == content


def test_a_whole_answer_is_written() -> None:
    assert whole(
        event_of((Began("x", "y"), TextPiece(0, "Sure."))),
        event_of((ToolPiece(1, "call_1", "clock", '{"zone":"UTC","at":1.50}'), Finished("stop"))),
        Event(usage=Usage(input=7, output=3), last=True),
    ) == {
        "id": "msg_42",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [
            {"type": "text", "text": "Sure."},
            {"type": "tool_use", "id": "call_1", "name": "clock", "input": {"zone": "UTC", "at": 1.5}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 7,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 3,
        },
    }


def test_arguments_keep_their_digits_and_broken_ones_are_kept_as_text() -> None:
    writer = Writer(answering(stream=False))
    writer.write(event_of((ToolPiece(0, "a", "n", '{"x":0.10}'), ToolPiece(1, "b", "m", '{"x":'))))
    body = writer.whole()
    assert b'"input":{"x":0.10}' in body
    assert b'"input":{"INVALID_JSON":"{\\"x\\":"}' in body


@pytest.mark.parametrize(
    ("finished", "reason", "sequence"),
    [
        (Finished("stop"), "end_turn", None),
        (Finished("length"), "max_tokens", None),
        (Finished("content_filter"), "refusal", None),
        (Finished("refusal"), "refusal", None),
        (Finished("stop_sequence", "END"), "stop_sequence", "END"),
        (Finished("context_window"), "model_context_window_exceeded", None),
        (Finished("pause"), "pause_turn", None),
    ],
)
def test_stop_reasons_are_written(finished: Finished, reason: str, sequence: str | None) -> None:
    told = stream(event_of((TextPiece(0, "x"), finished)))[-2]
    assert told["delta"] == {"stop_reason": reason, "stop_sequence": sequence}


def test_a_refusal_is_text_and_a_refusal() -> None:
    answer = whole(event_of((RefusalPiece(0, "I decline."), Finished("stop"))))
    assert (answer["content"], answer["stop_reason"]) == (
        [{"type": "text", "text": "I decline."}],
        "refusal",
    )


def test_a_cut_stream_is_closed() -> None:
    sent = stream(event_of((TextPiece(0, "x"),)), Event(finish="length"), Event(last=True))
    assert sent[-3:] == [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": {"input_tokens": 0, "output_tokens": 9},
        },
        {"type": "message_stop"},
    ]


def test_an_empty_answer_is_still_an_answer() -> None:
    assert [each["type"] for each in stream(Event(last=True))] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert whole(Event(last=True))["content"] == []
