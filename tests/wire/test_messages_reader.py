"""Anthropic's answers as pieces."""

import json

import msgspec
import pytest

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    FinishReason,
    ReasoningPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.messages.reader import PieceReader, read_pieces
from tests.wire.messages_streams import (
    RECORDED,
    REDACTED,
    SIGNED,
    events,
    pieces,
)


def test_a_stream_of_text_as_pieces() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    assert events(raw) == [
        Event(pieces=(Began("msg_01TextStream", "claude-opus-5-5"),)),
        Event(),
        Event(),
        Event(text="Good", pieces=(TextPiece(0, "Good"),)),
        Event(text=" day ☀", pieces=(TextPiece(0, " day ☀"),)),
        Event(),
        Event(
            finish="stop",
            usage=Usage(input=125, output=15, cached_read=100),
            pieces=(Finished("stop"),),
        ),
        Event(last=True),
    ]


def test_a_stream_of_tool_calls_as_pieces() -> None:
    assert pieces((RECORDED / "stream_tools.sse").read_bytes()) == [
        Began("msg_01ToolStream", "claude-opus-5"),
        TextPiece(0, "I look it up:"),
        ToolPiece(1, "toolu_01A", "get_weather"),
        ToolPiece(1, arguments='{"location":'),
        ToolPiece(1, arguments=' "Oslo"}'),
        ToolPiece(2, "toolu_01B", "get_time"),
        Finished("tool_calls"),
    ]


def test_a_stream_of_thinking_as_pieces() -> None:
    assert pieces((RECORDED / "stream_thinking.sse").read_bytes()) == [
        Began("msg_01ThinkStream", "claude-opus-4-5"),
        ReasoningPiece(0, "12 = 2 x 6,"),
        ReasoningPiece(0, " so 6."),
        SealPiece(0, SIGNED),
        SealPiece(1, REDACTED),
        TextPiece(2, "It is **6**."),
        Finished("stop"),
    ]
    assert pieces((RECORDED / "stream_omitted.sse").read_bytes())[1:3] == [
        SealPiece(0, Seal("anthropic", "RmFrZU9taXR0ZWQ=")),
        TextPiece(1, "Yes."),
    ]


def test_whole_answers_as_pieces() -> None:
    tools = read_pieces((RECORDED / "answer_tools.json").read_bytes()).event
    assert tools == Event(
        text="I ask both.",
        tool='get_weather{"location":"Oslo","days":2.50}get_time',
        finish="tool_calls",
        usage=Usage(input=472, output=89),
        last=True,
        pieces=(
            Began("msg_01Tools", "claude-opus-5-5"),
            TextPiece(0, "I ask both."),
            ToolPiece(1, "toolu_01A", "get_weather", '{"location":"Oslo","days":2.50}'),
            ToolPiece(2, "toolu_01B", "get_time"),
            Finished("tool_calls"),
        ),
    )
    assert read_pieces((RECORDED / "answer_thinking.json").read_bytes()).event.pieces == (
        Began("msg_01Thinking", "claude-opus-4-5"),
        ReasoningPiece(0, "Step by step."),
        SealPiece(0, SIGNED),
        SealPiece(1, REDACTED),
        TextPiece(2, "Done."),
        Finished("stop"),
    )
    stopped = read_pieces((RECORDED / "answer_stopped.json").read_bytes()).event.pieces
    assert stopped[-1] == Finished("stop_sequence", "three")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "pause"),
        ("model_context_window_exceeded", "context_window"),
        ("something_new", "stop"),
    ],
)
def test_stop_reasons_are_read(said: str, reason: FinishReason) -> None:
    raw = json.dumps({"content": [], "stop_reason": said, "stop_sequence": None}).encode()
    assert read_pieces(raw).event.pieces == (Began(), Finished(reason))


def test_the_reader_tells_errors_ends_and_completeness() -> None:
    reader, seen = PieceReader(), []
    for data in (
        b'{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}}}',
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
        b'{"type":"message_stop"}',
    ):
        reading = reader.read(data, b"")
        seen.append((reading.event.usage, reading.event.finish, reading.is_end, reader.is_complete))
    usage = Usage(input=3, output=2)
    assert seen == [
        (None, None, False, False),
        (usage, "stop", False, True),
        (usage, None, False, True),
        (None, None, True, True),
    ]
    error = reader.read(b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', b"")
    assert error.error == {"type": "overloaded_error", "message": "m"}
    assert read_pieces(b'{"type":"error","error":{"type":"api_error"}}').error == {"type": "api_error"}


@pytest.mark.parametrize(
    "data",
    [
        b"[DONE]",
        b"{}",
        b"7",
        b"[" * 9_999,
        b'{"type":"content_block_start","index":0}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":7}}',
    ],
)
def test_what_is_not_as_documented_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PieceReader().read(data, b"")


def test_unknown_deltas_and_blocks_are_refused() -> None:
    reader = PieceReader()
    reader.read(b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}', b"")
    with pytest.raises(msgspec.DecodeError):
        reader.read(b'{"type":"content_block_delta","index":0,"delta":{"type":"song_delta"}}', b"")
    with pytest.raises(msgspec.DecodeError):
        read_pieces(b'{"content":[{"type":"song"}]}')
