"""Writes pieces as one of Anthropic's messages, streamed or whole.

Invariants:
- Blocks are sent one after the other, as the dialect demands: a block begins once the one before is closed.
  A tool block may be closed when its arguments are a whole JSON object; what comes of another block before
  that waits. Text that comes for a block that was closed begins another one.
- The signature of a thinking block is the last that is sent of it.
"""

from typing import Any

import msgspec

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    FinishReason,
    ReasoningPiece,
    RefusalPiece,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire.dialect import Answering
from seawall.wire.messages.frames import MESSAGE_STOP, frame_of
from seawall.wire.seals import write_seal

BlockPiece = TextPiece | RefusalPiece | ReasoningPiece | SealPiece | ToolPiece

PARAGRAPH = "\n\n"
"""What stands between the paragraphs of a summary, for which the dialect has one text."""

_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
    "context_window": "model_context_window_exceeded",
    "pause": "pause_turn",
}

encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Block:
    """One block while it is being written: what has to be known of it to close it."""

    __slots__ = ("arguments", "index", "kind", "part")

    def __init__(self, kind: str, index: int, part: int) -> None:
        self.kind = kind
        self.index = index
        self.part = part
        self.arguments: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Say whether nothing more can belong to the block."""
        return self.kind != "tool_use" or is_object("".join(self.arguments))


class Writer:
    """See `wire.dialect.AnswerWriter`."""

    __slots__ = (
        "_answering",
        "_closed",
        "_finished",
        "_has_refusal",
        "_has_tool",
        "_is_cut",
        "_next_index",
        "_open",
        "_open_number",
        "_pieces",
        "_started",
        "_usage",
        "_waiting",
    )

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._pieces: list[BlockPiece] = []
        self._waiting: dict[int, list[BlockPiece]] = {}
        self._closed: set[int] = set()
        self._open: _Block | None = None
        self._open_number = -1
        self._next_index = 0
        self._finished: Finished | None = None
        self._usage: Usage | None = None
        self._started = self._is_cut = self._has_tool = self._has_refusal = False

    def write(self, event: Event) -> bytes:
        """Take an event; its end and its usage are kept for `end`, because usage may come last."""
        if event.usage is not None:
            self._usage = event.usage
        if not event.pieces:
            if event.finish is not None and not event.raw:
                self._is_cut = True
                self._finished = Finished("length")
            return b""
        frames = []
        if self._answering.request.stream and not self._started:
            self._started = True
            frames.append(self._start())
        for piece in event.pieces:
            if isinstance(piece, Finished):
                self._finished = piece
            elif not isinstance(piece, Began):
                self._note(piece)
                if self._answering.request.stream:
                    frames.append(self._take(piece))
                else:
                    self._pieces.append(piece)
        return b"".join(frames)

    def end(self) -> bytes:
        """Return the frames that close what is open, and say why and at which cost the answer ended."""
        frames = [] if self._started else [self._start()]
        self._started = True
        frames.append(self._close())
        for number in list(self._waiting):
            frames += [self._emit(number, piece) for piece in self._waiting.pop(number)]
            frames.append(self._close())
        reason, sequence = self._reason()
        said = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": self._figures(),
        }
        return b"".join([*frames, frame_of("message_delta", said), MESSAGE_STOP])

    def whole(self) -> bytes:
        """Return the body of a whole answer."""
        reason, sequence = self._reason()
        return encode(
            {
                **self._head(),
                "content": _content(self._pieces),
                "stop_reason": reason,
                "stop_sequence": sequence,
                "usage": self._figures(),
            }
        )

    def _head(self) -> dict[str, Any]:
        return {
            "id": f"msg_{self._answering.answer_id}",
            "type": "message",
            "role": "assistant",
            "model": self._answering.model,
        }

    def _start(self) -> bytes:
        """Write the frame that begins a message; what the input costs is known at its end."""
        message = {
            **self._head(),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return frame_of("message_start", {"type": "message_start", "message": message})

    def _note(self, piece: BlockPiece) -> None:
        self._has_tool = self._has_tool or isinstance(piece, ToolPiece)
        self._has_refusal = self._has_refusal or isinstance(piece, RefusalPiece)

    def _reason(self) -> tuple[str | None, str | None]:
        finished = self._finished
        if finished is None:  # The answer is complete and the vendor did not say why.
            return "tool_use" if self._has_tool else "end_turn", None
        if finished.reason == "stop" and self._has_refusal:
            return "refusal", None
        if finished.reason == "stop" and self._has_tool:
            return "tool_use", None
        return _REASONS[finished.reason], finished.stop_sequence

    def _figures(self) -> dict[str, Any]:
        """Return the usage object; the dialect has no word for what is not known but 0.

        Of a stream that was cut, the cap is the least that was generated.
        """
        usage = self._usage
        if usage is None:
            return {"input_tokens": 0, "output_tokens": self._answering.output_cap if self._is_cut else 0}
        figures: dict[str, Any] = {
            "input_tokens": max(0, usage.input - usage.cached_read - usage.cached_write),
            "cache_creation_input_tokens": usage.cached_write,
            "cache_read_input_tokens": usage.cached_read,
            "output_tokens": usage.output,
        }
        if usage.reasoning:
            figures["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
        return figures

    def _take(self, piece: BlockPiece) -> bytes:
        """Send a piece of the block that is open; let pieces of others wait for their turn."""
        number = piece.block
        if number == self._open_number and self._open is not None:
            return self._emit(number, piece)
        if number in self._closed:
            return b""  # A tool call; only white space can follow its whole JSON object.
        if number in self._waiting:
            self._waiting[number].append(piece)
            return b""
        self._waiting[number] = [piece]
        frames = []
        while self._waiting and (self._open is None or self._open.is_whole):
            frames.append(self._close())
            number = next(iter(self._waiting))
            frames += [self._emit(number, each) for each in self._waiting.pop(number)]
        return b"".join(frames)

    def _emit(self, number: int, piece: BlockPiece) -> bytes:
        if self._open is not None and number == self._open_number:
            return _delta(self._open, piece)
        self._open_number = number
        begun, frame = _begin(piece, self._next_index)
        self._open = begun
        self._next_index += 1
        return frame + _delta(begun, piece)

    def _close(self) -> bytes:
        block = self._open
        if block is None:
            return b""
        if block.kind == "tool_use":
            self._closed.add(self._open_number)
        self._open, self._open_number = None, -1
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % block.index


def is_object(text: str) -> bool:
    """Say whether a text is a whole JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        _decode_object(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _begin(piece: BlockPiece, index: int) -> tuple[_Block, bytes]:
    """Write the frame that begins a block, with nothing in it yet but what has no delta."""
    block: dict[str, Any]
    part = 0
    if isinstance(piece, ToolPiece):
        block = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
    elif isinstance(piece, TextPiece | RefusalPiece):
        block = {"type": "text", "text": ""}
    elif isinstance(piece, SealPiece) and piece.seal.is_redacted:
        block = {"type": "redacted_thinking", "data": write_seal(piece.seal, "anthropic")}
    else:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        part = piece.part if isinstance(piece, ReasoningPiece) else 0
    said = {"type": "content_block_start", "index": index, "content_block": block}
    return _Block(block["type"], index, part), frame_of("content_block_start", said)


def _delta(block: _Block, piece: BlockPiece) -> bytes:
    """Write what a piece adds to its block, b"" where that is nothing."""
    if isinstance(piece, TextPiece | RefusalPiece):
        return _delta_frame(block, b"text_delta", b"text", piece.text)
    if isinstance(piece, ToolPiece):
        block.arguments.append(piece.arguments)
        return _delta_frame(block, b"input_json_delta", b"partial_json", piece.arguments)
    if isinstance(piece, ReasoningPiece):
        text = piece.text if piece.part == block.part else PARAGRAPH + piece.text
        block.part = piece.part
        return _delta_frame(block, b"thinking_delta", b"thinking", text)
    if block.kind == "redacted_thinking":
        return b""
    return _delta_frame(block, b"signature_delta", b"signature", write_seal(piece.seal, "anthropic"))


def _delta_frame(block: _Block, kind: bytes, field: bytes, text: str) -> bytes:
    if not text:
        return b""
    return (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":'
        b'{"type":"%b","%b":%b}}\n\n' % (block.index, kind, field, encode(text))
    )


def _content(pieces: list[BlockPiece]) -> list[dict[str, Any]]:
    """Fold pieces into the blocks of a whole message."""
    blocks: dict[int, list[BlockPiece]] = {}
    for piece in pieces:
        blocks.setdefault(piece.block, []).append(piece)
    return [_whole_block(blocks[number]) for number in sorted(blocks)]


def _whole_block(pieces: list[BlockPiece]) -> dict[str, Any]:
    first = pieces[0]
    if isinstance(first, ToolPiece):
        arguments = "".join(piece.arguments for piece in pieces if isinstance(piece, ToolPiece))
        return {"type": "tool_use", "id": first.id, "name": first.name, "input": _input(arguments)}
    if isinstance(first, TextPiece | RefusalPiece):
        texts = [piece.text for piece in pieces if isinstance(piece, TextPiece | RefusalPiece)]
        return {"type": "text", "text": "".join(texts)}
    if isinstance(first, SealPiece) and first.seal.is_redacted:
        return {"type": "redacted_thinking", "data": write_seal(first.seal, "anthropic")}
    thinking, signature, part = "", "", None
    for piece in pieces:
        if isinstance(piece, ReasoningPiece):
            thinking += piece.text if part in (None, piece.part) else PARAGRAPH + piece.text
            part = piece.part
        elif isinstance(piece, SealPiece):
            signature = write_seal(piece.seal, "anthropic")
    return {"type": "thinking", "thinking": thinking, "signature": signature}


def _input(arguments: str) -> Any:
    """Return a tool's input, byte for byte; text that is no object goes into one, as Anthropic advises.

    Anthropic, "Fine-grained tool streaming", read 2026-11: `{"INVALID_JSON": "..."}`.
    """
    if not arguments.strip():
        return {}
    return msgspec.Raw(arguments.encode()) if is_object(arguments) else {"INVALID_JSON": arguments}
