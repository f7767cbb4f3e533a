"""Anthropic's answers, read as pieces and written again: nothing lost, nothing invented."""

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    Piece,
    ReasoningPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.dialect import event_of
from seawall.wire.messages.answer import MessagesReader
from seawall.wire.messages.reader import read_pieces
from seawall.wire.messages.writer import Writer
from tests.wire.messages_streams import (
    RECORDED,
    REDACTED,
    SIGNED,
    answering,
    events,
    folded,
    frames,
    pieces,
    stream,
    whole,
)

STREAMS = ["stream_text.sse", "stream_tools.sse", "stream_thinking.sse", "stream_omitted.sse"]


@pytest.mark.parametrize("name", STREAMS)
def test_real_streams_say_the_same_after_reading_and_writing(name: str) -> None:
    raw = (RECORDED / name).read_bytes()
    sent = stream(*events(raw))
    original = [json.loads(data) for data, _ in frames(raw)]
    for block in (each.get("content_block", {}) for each in original):
        block.pop("caller", None)
    assert folded(sent) == folded(original)
    assert sent[-2]["delta"] == original[-2]["delta"]
    reader = MessagesReader(wants_usage=True)
    usages = [reader.read(data, frame).event.usage for data, frame in frames(raw)]
    again = MessagesReader(wants_usage=True)
    told = again.read(json.dumps(sent[-2]).encode(), b"").event.usage
    expected = next(usage for usage in usages if usage is not None)
    assert told == msgspec.structs.replace(expected, cached_write_1h=0)


@pytest.mark.parametrize("name", ["answer_tools.json", "answer_thinking.json", "answer_stopped.json"])
def test_real_answers_say_the_same_after_reading_and_writing(name: str) -> None:
    raw = (RECORDED / name).read_bytes()
    body, said = whole(read_pieces(raw).event), json.loads(raw)
    assert body["content"] == said["content"]
    assert (body["stop_reason"], body["stop_sequence"]) == (said["stop_reason"], said["stop_sequence"])


def test_frames_are_as_the_official_library_types_them() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
    steps = (
        event_of((Began("x", "y"), ReasoningPiece(0, "Hm."), SealPiece(0, SIGNED), SealPiece(1, REDACTED))),
        event_of((TextPiece(2, "a"), ToolPiece(3, "t", "n", "{}"), Finished("tool_calls"))),
        Event(usage=Usage(input=7, output=3, reasoning=1), last=True),
    )
    for each in stream(*steps):
        adapter.validate_python(each)


WORDS = st.text(min_size=1, max_size=5)


@st.composite
def answers(draw: st.DrawFn) -> list[Piece]:
    """Draw the pieces of an answer: blocks in order, but tool calls in turns."""
    found: list[Piece] = [Began("a", "b")]
    number = 0
    for kind in draw(
        st.lists(st.sampled_from(["text", "reasoning", "sealed", "redacted", "tools"]), max_size=5)
    ):
        if kind == "text":
            found += [TextPiece(number, text) for text in draw(st.lists(WORDS, min_size=1, max_size=3))]
        elif kind in ("reasoning", "sealed"):
            found += [ReasoningPiece(number, text) for text in draw(st.lists(WORDS, min_size=1, max_size=3))]
            if kind == "sealed":
                found.append(SealPiece(number, Seal("anthropic", draw(WORDS))))
        elif kind == "redacted":
            found.append(SealPiece(number, Seal("anthropic", draw(WORDS), is_redacted=True)))
        else:
            count = draw(st.integers(1, 3))
            rests = [draw(st.dictionaries(WORDS, WORDS | st.integers(), max_size=2)) for _ in range(count)]
            texts = [json.dumps(rest) if rest else draw(st.sampled_from(["", "{}"])) for rest in rests]
            found += [ToolPiece(number + at, draw(WORDS), draw(WORDS)) for at in range(count)]
            while any(texts):
                at = draw(st.sampled_from([at for at in range(count) if texts[at]]))
                size = draw(st.integers(1, len(texts[at])))
                found.append(ToolPiece(number + at, arguments=texts[at][:size]))
                texts[at] = texts[at][size:]
            number += count - 1
        number += 1
    return [*found, Finished(draw(st.sampled_from(["length", "refusal", "pause"])))]


def merged(found: list[Piece]) -> list[Piece]:
    """Return pieces with those of one block put together, as a whole answer has them."""
    blocks: dict[int, list[Any]] = {}
    ends = []
    for piece in found:
        if isinstance(piece, Began | Finished):
            ends.append(piece)
            continue
        block = blocks.setdefault(piece.block, [])
        if not block or isinstance(piece, SealPiece):
            block.append(piece)
        elif isinstance(piece, ToolPiece):
            block[-1] = msgspec.structs.replace(block[-1], arguments=block[-1].arguments + piece.arguments)
        else:
            block[-1] = msgspec.structs.replace(block[-1], text=block[-1].text + piece.text)
    ordered = [piece for number in sorted(blocks) for piece in blocks[number]]
    for at, piece in enumerate(ordered):
        if isinstance(piece, ToolPiece):
            given = json.loads(piece.arguments or "{}")
            ordered[at] = msgspec.structs.replace(piece, arguments=json.dumps(given) if given else "")
    return [*ordered, *ends[1:]]


@given(answers(), st.integers(1, 4))
def test_nothing_is_lost_or_invented_in_a_stream(found: list[Piece], size: int) -> None:
    steps = [event_of(tuple(found[at : at + size])) for at in range(0, len(found), size)]
    writer = Writer(answering())
    raw = b"".join(writer.write(step) for step in steps) + writer.end()
    folded([json.loads(data) for data, _ in frames(raw)])
    assert merged(pieces(raw)) == merged(found)


@given(answers())
def test_nothing_is_lost_or_invented_in_a_whole_answer(found: list[Piece]) -> None:
    writer = Writer(answering(stream=False))
    writer.write(event_of(tuple(found)))
    assert merged(list(read_pieces(writer.whole()).event.pieces)) == merged(found)
