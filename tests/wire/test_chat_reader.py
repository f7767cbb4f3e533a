"""Answers of vendors that speak chat completions, each in its own way, read as pieces."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from seawall.wire.chat.reader import PieceReader, read_pieces
from seawall.wire.dialect import Reading

BEGAN = Began("chatcmpl-1", "m-1")


def frame(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return msgspec.json.encode({"id": "chatcmpl-1", "model": "m-1", "choices": choices, **more})


def call(index: int | None, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [fields if index is None else {"index": index, **fields}]}


def read_all(frames: list[bytes]) -> list[Reading]:
    reader = PieceReader()
    return [reader.read(data, b"data: " + data + b"\n\n") for data in frames]


def pieces_of(*frames: bytes) -> list[Piece]:
    return [piece for reading in read_all([*frames, b"[DONE]"]) for piece in reading.event.pieces][1:]


def test_a_plain_stream() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    frames = [
        frame({"role": "assistant", "content": "", "refusal": None}),
        frame({"content": "Hel"}),
        frame({"content": "lo"}),
        frame({}, "stop"),
        frame(None, usage=usage),
        b"[DONE]",
    ]
    readings = read_all(frames)
    assert [reading.event.pieces for reading in readings] == [
        (BEGAN,),
        (TextPiece(0, "Hel"),),
        (TextPiece(0, "lo"),),
        (Finished("stop"),),
        (),
        (),
    ]
    assert [reading.event.text for reading in readings] == ["", "Hel", "lo", "", "", ""]
    assert readings[3].event.finish == "stop"
    assert readings[4].event.usage == Usage(input=5, output=2)
    assert [reading.is_end for reading in readings] == [False] * 5 + [True]
    assert readings[5].event.last


def test_a_stream_is_complete_once_it_has_a_reason_for_its_end() -> None:
    reader = PieceReader()
    reader.read(frame({"content": "a"}), b"")
    assert not reader.is_complete
    reader.read(frame({"content": "b"}, "stop"), b"")
    assert reader.is_complete


def test_a_stream_without_a_reason_for_its_end_stopped() -> None:
    assert pieces_of(frame({"content": "a"})) == [TextPiece(0, "a"), Finished("stop")]


def test_parallel_calls_in_turns() -> None:
    assert pieces_of(
        frame({"content": "Let me see."}),
        frame(call(0, id="a", type="function", function={"name": "f", "arguments": ""})),
        frame(call(1, id="b", type="function", function={"name": "g", "arguments": "{"})),
        frame(call(0, function={"arguments": '{"x":'})),
        frame(call(1, function={"arguments": "}"})),
        frame(call(0, function={"arguments": "1}"})),
        frame({}, "tool_calls"),
    ) == [
        TextPiece(0, "Let me see."),
        ToolPiece(1, "a", "f", ""),
        ToolPiece(2, "b", "g", "{"),
        ToolPiece(1, arguments='{"x":'),
        ToolPiece(2, arguments="}"),
        ToolPiece(1, arguments="1}"),
        Finished("tool_calls"),
    ]


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(
            [
                call(0, id="a", function={"name": "f", "arguments": "1"}),
                call(0, id="b", function={"name": "g", "arguments": "2"}),
            ],
            id="every call has the index 0",
        ),
        pytest.param(
            [
                call(None, id="a", function={"name": "f", "arguments": "1"}),
                call(None, id="b", function={"name": "g", "arguments": "2"}),
            ],
            id="no index",
        ),
        pytest.param(
            [
                call(0, id="a", function={"name": "f", "arguments": ""}),
                call(0, id="a", function={"name": "", "arguments": "1"}),
                call(1, id="b", function={"name": "g"}),
                call(1, id="b", function={"name": "g", "arguments": "2"}),
            ],
            id="id and name again in each delta",
        ),
        pytest.param(
            [
                call(None, id="a", function={"name": "f"}),
                call(None, function={"arguments": "1"}),
                call(None, id="b", function={"name": "g"}),
                call(None, id="b", function={"arguments": "2"}),
            ],
            id="neither index nor id in the deltas",
        ),
        pytest.param(
            [
                call(0, id="a"),
                call(0, function={"name": "f"}),
                call(0, function={"arguments": "1"}),
                call(1, id="b", function={"arguments": "2"}),
                call(1, function={"name": "g"}),
            ],
            id="the name comes late",
        ),
        pytest.param(
            [
                call(0, id="a", function={"name": "f", "arguments": "1"}),
                call(0, id="other", function={"arguments": ""}),
                call(1, id="b", function={"name": "g", "arguments": "2"}),
            ],
            id="another id without a name",
        ),
    ],
)
def test_calls_are_told_apart(frames: list[dict[str, Any]]) -> None:
    pieces = [piece for piece in pieces_of(*map(frame, frames)) if isinstance(piece, ToolPiece)]
    names = [(piece.block, piece.id, piece.name) for piece in pieces if piece.name]
    assert names == [(0, "a", "f"), (1, "b", "g")]
    arguments = {block: "".join(p.arguments for p in pieces if p.block == block) for block in (0, 1)}
    assert arguments == {0: "1", 1: "2"}


def test_a_call_without_an_id_gets_one() -> None:
    calls = [{"id": "", "function": {"name": "f", "arguments": {"x": 1}}}, {"function": {"name": "g"}}]
    assert pieces_of(frame({"tool_calls": calls}, "stop")) == [
        ToolPiece(0, "call_1_1", "f", '{"x":1}'),
        ToolPiece(1, "call_1_2", "g", ""),
        Finished("tool_calls"),
    ]


def test_a_custom_call_and_an_old_function_call() -> None:
    assert pieces_of(
        frame(call(0, id="a", type="custom", custom={"name": "f", "input": "x"})),
        frame(call(0, custom={"input": "y"})),
        frame({"function_call": {"name": "g", "arguments": "{"}}),
        frame({"function_call": {"arguments": "}"}}, "function_call"),
    ) == [
        ToolPiece(0, "a", "f", "x", "custom"),
        ToolPiece(0, arguments="y", kind="custom"),
        ToolPiece(1, "call_1_2", "g", "{"),
        ToolPiece(1, arguments="}"),
        Finished("tool_calls"),
    ]


def test_a_call_whose_name_never_comes_is_there_at_the_end() -> None:
    assert pieces_of(frame(call(0, id="a", function={"arguments": "1"}), "tool_calls")) == [
        ToolPiece(0, "a", "", "1"),
        Finished("tool_calls"),
    ]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_plain_reasoning(field: str) -> None:
    assert pieces_of(
        frame({field: "H"}),
        frame({field: "m", "content": None}),
        frame({"content": "a"}),
        frame({field: "Oh"}, "stop"),
    ) == [
        ReasoningPiece(0, "H"),
        ReasoningPiece(0, "m"),
        TextPiece(1, "a"),
        ReasoningPiece(2, "Oh"),
        Finished("stop"),
    ]


def detail(kind: str, index: int, form: str = "anthropic-claude-v1", **fields: Any) -> dict[str, Any]:
    return {"type": f"reasoning.{kind}", "index": index, "format": form, **fields}


def test_claudes_reasoning_as_openrouter_writes_it() -> None:
    assert pieces_of(
        frame({"content": "", "reasoning": "I ", "reasoning_details": [detail("text", 0, text="I ")]}),
        frame({"content": "", "reasoning": "think", "reasoning_details": [detail("text", 0, text="think")]}),
        frame({"content": "", "reasoning_details": [detail("text", 0, signature="c2ln")]}),
        frame({"content": "", "reasoning_details": [detail("encrypted", 1, data="cmVk")]}),
        frame({"content": "a"}, "stop", native_finish_reason="end_turn"),
    ) == [
        ReasoningPiece(0, "I "),
        ReasoningPiece(0, "think"),
        SealPiece(0, Seal("anthropic", "c2ln")),
        SealPiece(1, Seal("anthropic", "cmVk", is_redacted=True)),
        TextPiece(2, "a"),
        Finished("stop"),
    ]


def test_gpts_summary_as_openrouter_writes_it() -> None:
    form = "openai-responses-v1"
    assert pieces_of(
        frame({"reasoning": "O", "reasoning_details": [detail("summary", 0, form, summary="O")]}),
        frame({"reasoning": "ne", "reasoning_details": [detail("summary", 0, form, summary="ne")]}),
        frame({"reasoning_details": [detail("summary", 1, form, summary="Two")]}),
        frame({"reasoning_details": [detail("encrypted", 1, form, data="ZW5j", id="rs_1")]}),
        frame({"reasoning_details": [detail("encrypted", 2, form, data="bW9y", id="rs_2")]}),
        frame({"content": "a"}, "stop"),
    ) == [
        ReasoningPiece(0, "O", True),
        ReasoningPiece(0, "ne", True),
        ReasoningPiece(0, "Two", True, 1),
        SealPiece(0, Seal("openai", "ZW5j", id="rs_1")),
        SealPiece(1, Seal("openai", "bW9y", id="rs_2")),
        TextPiece(2, "a"),
        Finished("stop"),
    ]


def test_a_seal_that_comes_with_the_whole_text_again() -> None:
    assert pieces_of(
        frame({"reasoning_content": "I "}),
        frame({"reasoning_content": "think"}),
        frame({"reasoning_details": [detail("text", 0, text="I think", signature="c2ln")]}),
        frame({"reasoning_content": "More"}),
        frame({"reasoning_details": [{"type": "reasoning.text", "text": "More", "index": 1}]}),
        frame({"reasoning_content": "More"}),
        frame({"content": "a"}, "stop"),
    ) == [
        ReasoningPiece(0, "I "),
        ReasoningPiece(0, "think"),
        SealPiece(0, Seal("anthropic", "c2ln")),
        ReasoningPiece(1, "More"),
        ReasoningPiece(2, "More"),
        TextPiece(3, "a"),
        Finished("stop"),
    ]


def test_mistrals_content_is_a_list_of_thinking_and_text() -> None:
    thinking = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "Hm"}, {"type": "text", "text": "."}],
    }
    assert pieces_of(
        frame({"content": [thinking]}),
        frame({"content": [{"type": "text", "text": "a"}]}),
        frame({"content": "b"}, "stop"),
    ) == [ReasoningPiece(0, "Hm."), TextPiece(1, "a"), TextPiece(1, "b"), Finished("stop")]


def test_a_refusal() -> None:
    assert pieces_of(frame({"refusal": "I "}), frame({"refusal": "won't"}), frame({}, "stop")) == [
        RefusalPiece(0, "I "),
        RefusalPiece(0, "won't"),
        Finished("stop"),
    ]


def test_googles_signature_comes_before_its_call() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    one = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, **extra}
    two = {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    assert pieces_of(frame({"tool_calls": [one, two]}), frame({"content": "", **extra}, "stop")) == [
        SealPiece(0, Seal("google", "c2ln", id="a", is_redacted=True)),
        ToolPiece(1, "a", "f", "{}"),
        ToolPiece(2, "b", "g", "{}"),
        SealPiece(3, Seal("google", "c2ln", is_redacted=True)),
        Finished("tool_calls"),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"),
        ("SAFETY", "content_filter"),
        ("refusal", "refusal"),
        ("what_is_this", "stop"),
    ],
)
def test_reasons_of_the_end(theirs: str, ours: str) -> None:
    assert pieces_of(frame({"content": "a"}), frame({}, theirs))[-1] == Finished(ours)  # type: ignore[arg-type] # a table


@pytest.mark.parametrize("theirs", ["error", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL"])
def test_a_vendor_that_failed_is_an_error(theirs: str) -> None:
    [reading] = read_all([frame({"content": ""}, theirs)])
    assert reading.error == {"message": f"The provider stopped: {theirs.lower()}.", "code": theirs.lower()}


@pytest.mark.parametrize(
    "data",
    [
        b'{"error":{"message":"over","code":502}}',
        b'{"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"message":"over","code":502}}]}',
        b'{"choices":[{"delta":5,"error":{"message":"over","code":502}}]}',
    ],
)
def test_an_error_in_a_stream(data: bytes) -> None:
    assert PieceReader().read(data, b"").error == {"message": "over", "code": 502}
    assert read_pieces(data).error == {"message": "over", "code": 502}


def test_usage_in_every_frame_and_with_the_end() -> None:
    readings = read_all(
        [
            frame({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}),
            frame({}, "stop", usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 9}),
            frame({}, "stop"),
            frame({"content": ""}, usage={"prompt_tokens": "many"}),
        ]
    )
    assert [reading.event.usage for reading in readings] == [
        Usage(input=5, output=1),
        Usage(input=5, output=4),
        None,
        None,
    ]
    assert [reading.event.finish for reading in readings] == [None, "stop", None, None]


def test_a_vendor_that_stops_with_every_frame_is_believed_at_the_end() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    frames = [
        frame({"content": "a"}, "stop", usage=usage),
        frame({"content": "b"}, "stop", usage=usage),
        frame(call(0, id="c", function={"name": "f", "arguments": "{}"}), "tool_calls"),
        frame(None, usage=usage),
        b"[DONE]",
    ]
    assert [reading.event.pieces for reading in read_all(frames)] == [
        (BEGAN, TextPiece(0, "a")),
        (TextPiece(0, "b"),),
        (ToolPiece(1, "c", "f", "{}"),),
        (Finished("tool_calls"),),
        (),
    ]
    reader = PieceReader()
    reader.read(frames[0], b"")
    assert reader.is_complete


@pytest.mark.parametrize(("delta", "finish"), [({}, "stop"), ({"content": "a"}, "length")])
def test_what_is_said_after_the_end_cannot_be_read(delta: dict[str, Any], finish: str) -> None:
    reader = PieceReader()
    reader.read(frame(delta, finish), b"")
    with pytest.raises(msgspec.DecodeError):
        reader.read(frame({"content": "b"}), b"")


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        ({"content": 5}, '{"content":5}'),
        ({"content": "a", "tool_calls": "x"}, '{"content":"a","tool_calls":"x"}'),
        ("said", '"said"'),
        ({"reasoning": {"text": "a"}}, '{"reasoning":{"text":"a"}}'),
    ],
)
def test_what_has_another_type_than_documented_is_text(delta: Any, text: str) -> None:
    data = msgspec.json.encode({"id": 7, "choices": [{"delta": delta, "finish_reason": "stop"}]})
    assert PieceReader().read(data, b"").event.pieces == (TextPiece(0, text),)
    assert read_pieces(data).event.pieces == (TextPiece(0, text), Finished("stop"))


@pytest.mark.parametrize("data", [b"", b"{", b"5", b"[]", b'{"choices":' + b"[" * 100_000])
def test_what_is_no_object_cannot_be_read(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PieceReader().read(data, b"")
    with pytest.raises(msgspec.DecodeError):
        read_pieces(data)


def test_a_whole_answer() -> None:
    body = {
        "id": "chatcmpl-1",
        "model": "m-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "a",
                    "refusal": None,
                    "annotations": [],
                    "reasoning_content": "I think",
                    "reasoning_details": [detail("text", 0, text="I think", signature="c2ln")],
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }
    event = read_pieces(msgspec.json.encode(body)).event
    assert event.pieces == (
        BEGAN,
        ReasoningPiece(0, "I think"),
        SealPiece(0, Seal("anthropic", "c2ln")),
        TextPiece(1, "a"),
        ToolPiece(2, "c", "f", "{}"),
        Finished("tool_calls"),
    )
    assert (event.text, event.reasoning, event.tool) == ("a", "I think", "f{}")
    assert event.last
    assert event.usage == Usage(input=9, output=4, cached_read=5, cached_write=2, reasoning=3)


keys = st.sampled_from(
    ["content", "tool_calls", "reasoning", "reasoning_details", "function", "index", "id", "type", "text"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.tuples(anything, st.sampled_from([None, "stop", 5])), max_size=4))
def test_whatever_comes_is_read_or_refused(frames: list[tuple[Any, Any]]) -> None:
    reader = PieceReader()
    blocks = 0
    try:
        for delta, finish in frames:
            choice = {"delta": delta, "finish_reason": finish}
            for piece in reader.read(msgspec.json.encode({"choices": [choice]}), b"").event.pieces:
                number = getattr(piece, "block", blocks)
                assert number <= blocks
                blocks = max(blocks, number + 1)
    except msgspec.DecodeError:
        return
    assert reader.is_complete or all(finish is None for _, finish in frames)
