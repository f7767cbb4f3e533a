"""Reads Anthropic's answers as pieces, for clients of other dialects.

Reference: Anthropic's API reference, "Messages" and "Streaming messages", read 2026-11.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Event
from seawall.core.pieces import (
    Began,
    Finished,
    FinishReason,
    Piece,
    ReasoningPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.dialect import Reading, event_of
from seawall.wire.usage import messages_usage

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "pause",
    "model_context_window_exceeded": "context_window",
}


class _Block(Struct):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Delta(Struct):
    type: str | None = None
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Message(Struct):
    id: str = ""
    model: str = ""
    usage: dict[str, Any] | None = None


class _Frame(Struct):
    type: str
    index: int = 0
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class _Answer(Struct):
    id: str = ""
    model: str = ""
    content: list[_Block] = []
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode


class PieceReader:
    """Reads a stream as pieces; see `wire.dialect.FrameReader`.

    Raises msgspec.DecodeError for a frame that is not as documented, and for blocks that only hosted tools
    bring: nothing of an answer is left out in silence.
    """

    __slots__ = ("_blocks", "_signatures", "_usage", "is_complete")

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._signatures: dict[int, str] = {}
        self._usage: dict[str, Any] = {}
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; what is no part of an answer (`ping`) is an event without pieces."""
        try:
            said = _decode_frame(data)
        except RecursionError as error:
            raise msgspec.DecodeError("nested too deeply") from error
        kind = said.type
        if kind == "content_block_delta":
            return Reading(event_of(self._delta(said)))
        if kind == "content_block_start":
            return Reading(event_of(self._start(said)))
        if kind == "content_block_stop":
            return Reading(event_of(self._stop(said.index)))
        if kind == "message_start":
            message = said.message or _Message()
            self._add(message.usage)
            return Reading(event_of((Began(message.id, message.model),)))
        if kind == "message_delta":
            return Reading(self._end(said))
        if kind == "message_stop":
            return Reading(event_of((), last=True), is_end=True)
        if kind == "error":
            return Reading(Event(), error=said.error or "the stream stopped with an error")
        return Reading(Event())

    def _start(self, said: _Frame) -> tuple[Piece, ...]:
        if said.content_block is None or said.index in self._blocks:
            raise msgspec.DecodeError("a block that begins twice, or is none")
        number = self._blocks[said.index] = len(self._blocks)
        pieces, signature = _pieces_of(said.content_block, number)
        if said.content_block.type == "thinking":
            self._signatures[said.index] = signature
        return tuple(pieces)

    def _delta(self, said: _Frame) -> tuple[Piece, ...]:
        number, delta = self._blocks.get(said.index), said.delta
        if number is None or delta is None:
            raise msgspec.DecodeError("a delta of a block that did not begin")
        if delta.type == "text_delta":
            return (TextPiece(number, delta.text),) if delta.text else ()
        if delta.type == "input_json_delta":
            return (ToolPiece(number, arguments=delta.partial_json),) if delta.partial_json else ()
        if delta.type == "thinking_delta":
            return (ReasoningPiece(number, delta.thinking),) if delta.thinking else ()
        if delta.type == "signature_delta":
            self._signatures[said.index] = self._signatures.get(said.index, "") + delta.signature
            return ()
        if delta.type == "citations_delta":
            # Citations come only where documents ask for them, which no other dialect can.
            return ()
        raise msgspec.DecodeError("a delta of a type that is not known")

    def _stop(self, index: int) -> tuple[Piece, ...]:
        signature = self._signatures.pop(index, "")
        return (SealPiece(self._blocks[index], Seal("anthropic", signature)),) if signature else ()

    def _end(self, said: _Frame) -> Event:
        self._add(said.usage)
        usage = messages_usage(self._usage) if said.usage is not None else None
        delta = said.delta
        if delta is None or delta.stop_reason is None or self.is_complete:
            return event_of((), usage=usage)
        self.is_complete = True
        return event_of((_finished(delta.stop_reason, delta.stop_sequence),), usage=usage)

    def _add(self, usage: dict[str, Any] | None) -> None:
        """Put later figures over earlier ones; both are sums of the whole message so far."""
        if usage is not None:
            self._usage.update((name, value) for name, value in usage.items() if value is not None)


def read_pieces(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is not as documented."""
    try:
        answer = _decode_answer(raw)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    usage = messages_usage(answer.usage)
    if answer.error is not None:
        return Reading(Event(usage=usage, last=True), answer.error)
    if not answer.content and answer.stop_reason is None:
        raise msgspec.DecodeError("no message")
    pieces: list[Piece] = [Began(answer.id, answer.model)]
    for number, block in enumerate(answer.content):
        more, signature = _pieces_of(block, number)
        pieces += more
        if signature:
            pieces.append(SealPiece(number, Seal("anthropic", signature)))
    if answer.stop_reason is not None:
        pieces.append(_finished(answer.stop_reason, answer.stop_sequence))
    return Reading(event_of(tuple(pieces), usage=usage, last=True))


def _pieces_of(block: _Block, number: int) -> tuple[list[Piece], str]:
    """Return what a block holds where it begins, and the signature of a thinking block."""
    if block.type == "text":
        return [TextPiece(number, block.text)] if block.text else [], ""
    if block.type == "thinking":
        return [ReasoningPiece(number, block.thinking)] if block.thinking else [], block.signature
    if block.type == "redacted_thinking":
        return [SealPiece(number, Seal("anthropic", block.data, is_redacted=True))], ""
    if block.type == "tool_use":
        given = bytes(block.input).decode()
        arguments = "" if given in ("{}", "null", "") else given
        return [ToolPiece(number, block.id, block.name, arguments)], ""
    raise msgspec.DecodeError(f"a block of type {block.type[:64]}")


def _finished(reason: str, sequence: str | None) -> Finished:
    return Finished(_REASONS.get(reason, "stop"), sequence if reason == "stop_sequence" else None)
