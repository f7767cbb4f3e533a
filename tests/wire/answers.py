"""Hypothesis strategies for answers in pieces, and the form in which answers are compared."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from seawall.core.call import Event, Json
from seawall.core.money import Usage
from seawall.core.pieces import (
    Finished,
    Piece,
    ReasoningPiece,
    RefusalPiece,
    Seal,
    SealOrigin,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.dialect import Answering, Reading
from seawall.wire.seals import read_seal
from seawall.wire.sse import FrameSplitter, data_of
from seawall.wire.translation import DIALECTS, make_reader, make_writer, read_whole
from tests.wire.conversations import ids, names, objects, some_base64, some_text

SEALS: dict[str, tuple[SealOrigin, ...]] = {
    "chat": ("anthropic", "openai"),
    "messages": ("anthropic",),
    "responses": ("openai",),
}
"""Whose reasoning a vendor of each dialect may send."""

chunks = st.lists(some_text, min_size=1, max_size=3)


class Block(Struct, frozen=True):
    """One block of an answer, whole: what dialects must agree on."""

    kind: str
    texts: tuple[str, ...] = ()
    seal: Seal | None = None
    id: str = ""
    name: str = ""


@st.composite
def thoughts(draw: st.DrawFn, block: int, origin: SealOrigin) -> list[Piece]:
    data = draw(some_base64)
    if origin == "anthropic" and draw(st.booleans()):
        return [SealPiece(block, Seal("anthropic", data, is_redacted=True))]
    paragraphs = draw(st.lists(chunks, min_size=1, max_size=2 if origin == "openai" else 1))
    pieces: list[Piece] = [
        ReasoningPiece(block, text, is_summary=origin == "openai", part=number)
        for number, paragraph in enumerate(paragraphs)
        for text in paragraph
    ]
    if draw(st.booleans()):
        item = draw(ids) if origin == "openai" else ""
        pieces.append(SealPiece(block, Seal(origin, data, id=item)))
    return pieces


@st.composite
def tool_calls(draw: st.DrawFn, block: int) -> list[Piece]:
    """One to three calls, their deltas in turns."""
    found = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    queues: list[list[Piece]] = []
    for number, call_id in enumerate(found, block):
        arguments = msgspec.json.encode(draw(objects)).decode()
        cut = draw(st.integers(0, len(arguments)))
        first = ToolPiece(number, call_id, draw(names), arguments[: draw(st.sampled_from([0, cut]))])
        rest = arguments[len(first.arguments) :]
        queues.append(
            [first, *(ToolPiece(number, arguments=each) for each in (rest[:cut], rest[cut:]) if each)]
        )
    pieces: list[Piece] = [queue.pop(0) for queue in queues]
    turns = draw(st.permutations([number for number, queue in enumerate(queues) for _ in queue]))
    return pieces + [queues[number].pop(0) for number in turns]


@st.composite
def answers(draw: st.DrawFn, origin: SealOrigin) -> list[Piece]:
    """The pieces of a whole answer, as the models of one vendor give them; a refusal is the last word."""
    pieces: list[Piece] = []
    block = 0
    for kind in draw(st.lists(st.sampled_from(["text", "thought"]), max_size=4)):
        if kind == "text":
            pieces += [TextPiece(block, text) for text in draw(chunks)]
        else:
            pieces += draw(thoughts(block, origin))
        block += 1
    if origin == "openai" and draw(st.booleans()):
        pieces += [RefusalPiece(block, text) for text in draw(chunks)]
        block += 1
    if draw(st.booleans()):
        return [*pieces, *draw(tool_calls(block)), Finished("tool_calls")]
    return [*pieces, Finished(draw(st.sampled_from(["stop", "length", "content_filter"])))]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    cached, written, plain, thought, said = draw(st.tuples(*[st.integers(0, 10**6)] * 5))
    return Usage(
        input=cached + written + plain,
        output=thought + said,
        cached_read=cached,
        cached_write=written,
        reasoning=thought,
    )


QUESTIONS: dict[str, Json] = {
    "chat": {"messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}},
    "messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1000},
    "responses": {"input": "Hi"},
}


def answering_in(dialect: str, *, stream: bool) -> Answering:
    body = {"model": "m", "stream": stream, **QUESTIONS[dialect]}
    request = DIALECTS[dialect].read_request(body, raw_bytes=0, messages_max=10)
    return Answering(request, answer_id="0123456789abcdef", created_at=1, model="m", output_cap=1000)


def stream_in(dialect: str, events: Iterable[Event]) -> bytes:
    """Write a stream in a dialect."""
    answering = answering_in(dialect, stream=True)
    writer = make_writer(answering.request, answering, same=False)
    return b"".join([*(writer.write(event) for event in events), writer.end()])


def whole_in(dialect: str, events: Iterable[Event]) -> bytes:
    """Write a whole answer in a dialect."""
    answering = answering_in(dialect, stream=False)
    writer = make_writer(answering.request, answering, same=False)
    for event in events:
        writer.write(event)
    return writer.whole()


def read_stream(dialect: str, raw: bytes, cuts: Sequence[int] = ()) -> list[Event]:
    """Read a stream that arrives in pieces which are cut anywhere; it is complete, and nothing follows."""
    reader, splitter = make_reader(dialect, with_pieces=True, wants_usage=True), FrameSplitter()
    edges = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    readings: list[Reading] = []
    for start, end in pairwise(edges):
        for frame in splitter.feed(raw[start:end]):
            data = data_of(frame)
            if data is not None:
                assert not (readings and readings[-1].is_end)
                readings.append(reader.read(data, frame))
    assert reader.is_complete
    assert readings[-1].is_end
    assert [reading.error for reading in readings if reading.error] == []
    return [reading.event for reading in readings]


def read_body(dialect: str, raw: bytes) -> list[Event]:
    """Read a whole answer."""
    reading = read_whole(dialect, raw, with_pieces=True)
    assert reading.error is None
    assert reading.event.last
    return [reading.event]


def pieces_of(events: Iterable[Event]) -> list[Piece]:
    return [piece for event in events for piece in event.pieces]


def usage_of(events: Iterable[Event]) -> Usage | None:
    return next((event.usage for event in reversed(list(events)) if event.usage is not None), None)


def blocks_of(pieces: Iterable[Piece]) -> list[Block]:
    """Put the pieces of an answer together."""
    found: dict[int, Block] = {}
    paragraphs: dict[int, dict[int, str]] = {}
    for piece in pieces:
        if isinstance(piece, TextPiece | RefusalPiece):
            kind = "text" if isinstance(piece, TextPiece) else "refusal"
            said = found.get(piece.block, Block(kind, ("",))).texts[0]
            found[piece.block] = Block(kind, (said + piece.text,))
        elif isinstance(piece, ReasoningPiece):
            parts = paragraphs.setdefault(piece.block, {})
            parts[piece.part] = parts.get(piece.part, "") + piece.text
            found[piece.block] = Block("reasoning", tuple(parts.values()))
        elif isinstance(piece, SealPiece):
            texts = found.get(piece.block, Block("reasoning")).texts
            found[piece.block] = Block("reasoning", texts, piece.seal)
        elif isinstance(piece, ToolPiece):
            begun = found.get(piece.block, Block(piece.kind, ("",), None, piece.id, piece.name))
            found[piece.block] = Block(
                begun.kind, (begun.texts[0] + piece.arguments,), None, begun.id, begun.name
            )
    return list(found.values())


def normal(blocks: list[Block], dialects: Iterable[str], *, is_whole: bool) -> list[Block]:
    """Return blocks in the form that the dialects on their way agree on.

    - The paragraphs of a summary are one text, with an empty line between them.
    - Neighbouring texts are one, and so is neighbouring reasoning without a seal, for chat completions have no
      blocks; in their whole answers everything has its place: reasoning, text, refusal, tool calls.
    - A refusal is text in messages, whose seals of others come wrapped.
    - No arguments are an empty object.
    """
    plain: list[Block] = []
    for block in blocks:
        if block.kind == "reasoning":
            seal = block.seal
            if seal is not None and seal.origin == "anthropic":
                seal = read_seal(seal.data, "anthropic", is_redacted=seal.is_redacted, item_id=seal.id)
            text = "\n\n".join(block.texts)
            plain.append(Block("reasoning", (text,) if text else (), seal))
        elif block.kind == "function":
            plain.append(Block("function", (block.texts[0] or "{}",), None, block.id, block.name))
        else:
            plain.append(block)
    if is_whole and "chat" in dialects:
        order = ("reasoning", "text", "refusal", "function", "custom")
        plain.sort(key=lambda block: order.index(block.kind))
    if "messages" in dialects:
        plain = [Block("text", block.texts) if block.kind == "refusal" else block for block in plain]
    merged: list[Block] = []
    for block in plain:
        last = merged[-1] if merged else Block("")
        if last.kind == block.kind and block.kind in ("text", "refusal"):
            merged[-1] = Block(block.kind, (last.texts[0] + block.texts[0],))
        elif (
            last.kind == block.kind == "reasoning" and last.seal is block.seal is None and "chat" in dialects
        ):
            merged[-1] = Block(block.kind, (last.texts[0] + "\n\n" + block.texts[0],))
        else:
            merged.append(block)
    return merged
