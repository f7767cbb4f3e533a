"""Reads a vendor's response into pieces, whole or frame by frame.

Reference: the OpenAI API reference, "Streaming events", read 2026-11.
"""

import msgspec

from seawall.core.call import Event
from seawall.core.pieces import (
    Began,
    Finished,
    FinishReason,
    Piece,
    ReasoningPiece,
    RefusalPiece,
    SealPiece,
    TextPiece,
    ToolKind,
    ToolPiece,
)
from seawall.wire.dialect import Reading, event_of
from seawall.wire.responses.answer import (
    ADDED,
    CUSTOM_DELTA,
    DONE,
    ENDS,
    REASONING,
    TOOLS,
    UNFINISHED,
    Answer,
    Frame,
    Item,
    decode_answer,
    decode_frame,
    error_of,
    failure_of,
    finish_of,
)
from seawall.wire.seals import read_seal
from seawall.wire.usage import responses_usage

_KINDS: dict[str | None, ToolKind] = {"function_call": "function", "custom_tool_call": "custom"}

_SUMMARY = "response.reasoning_summary_text.delta"


class PieceReader:
    """Reads a stream into pieces; see `wire.dialect.FrameReader`."""

    __slots__ = ("_blocks", "_has_begun", "_said", "is_complete")

    def __init__(self) -> None:
        self._blocks: dict[tuple[int | str, str, int], int] = {}
        self._said: set[int | str] = set()
        self._has_begun = False
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; `response.completed` and `response.incomplete` end the stream."""
        read = decode_frame(data)
        kind = read.type or ""
        if read.delta is not None:
            return Reading(event_of(self._delta(kind, read, read.delta)))
        if read.item is not None and kind in (ADDED, DONE):
            return Reading(event_of(self._item(kind, read.place, read.item)))
        if read.response is not None:
            return self._response(kind, read.response)
        if kind in ENDS or kind == "response.failed":
            raise msgspec.DecodeError("no response")
        return Reading(Event(), error_of(read))

    def _delta(self, kind: str, read: Frame, delta: str) -> tuple[Piece, ...]:
        index = read.place
        self._said.add(index)
        if kind == "response.output_text.delta":
            return (TextPiece(self._block(index, "text", read.content_index), delta),)
        if kind in TOOLS:
            kind_of: ToolKind = "custom" if kind == CUSTOM_DELTA else "function"
            return (ToolPiece(self._block(index, "item"), arguments=delta, kind=kind_of),)
        if kind in REASONING:
            block = self._block(index, "item")
            return (ReasoningPiece(block, delta, kind == _SUMMARY, read.summary_index or 0),)
        if kind == "response.refusal.delta":
            return (RefusalPiece(self._block(index, "refusal", read.content_index), delta),)
        return ()

    def _item(self, kind: str, index: int | str, item: Item) -> tuple[Piece, ...]:
        """Begin a tool call with its item, close reasoning with it; what no delta said is said by the end."""
        if kind == ADDED:
            if item.type in _KINDS:
                return (_tool(self._block(index, "item"), item),)
            return ()
        if item.type in _KINDS:
            is_known = (index, "item", 0) in self._blocks
            block = self._block(index, "item")
            if not is_known:
                return (_tool(block, item),)
            said = (item.arguments or "") + (item.input or "")
            is_unsaid = said and index not in self._said
            return (ToolPiece(block, arguments=said, kind=_KINDS[item.type]),) if is_unsaid else ()
        if item.type == "reasoning":
            if not (item.summary or item.content or item.encrypted_content):
                return ()
            block = self._block(index, "item")
            return (*(() if index in self._said else _reasoning(block, item)), *_seal(block, item))
        return () if index in self._said else self._message(index, item)

    def _message(self, index: int | str, item: Item) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        for number, part in enumerate(item.content or ()):
            if part.text:
                pieces.append(TextPiece(self._block(index, "text", number), part.text))
            if part.refusal:
                pieces.append(RefusalPiece(self._block(index, "refusal", number), part.refusal))
        return tuple(pieces)

    def _response(self, kind: str, answer: Answer) -> Reading:
        usage = None if answer.usage is None else responses_usage(answer.usage)
        pieces: tuple[Piece, ...] = ()
        if not self._has_begun:
            self._has_begun = True
            pieces = (Began(answer.id or "", answer.model or ""),)
        if kind not in ENDS:
            event = event_of(pieces, usage=usage)
            return Reading(event, failure_of(answer) if kind == "response.failed" else None)
        self.is_complete = True
        pieces = (*pieces, *self._unsaid(answer), Finished(_reason(answer)))
        return Reading(event_of(pieces, usage=usage, last=True), is_end=True)

    def _unsaid(self, answer: Answer) -> tuple[Piece, ...]:
        """Return the items that only the last frame tells of; a whole answer is nothing else."""
        told = {index for index, _, _ in self._blocks}
        pieces: list[Piece] = []
        for index, item in enumerate(answer.output or ()):
            if index not in told and item.id not in told:
                pieces += self._item(DONE, index, item)
        return tuple(pieces)

    def _block(self, index: int | str, kind: str, number: int | None = None) -> int:
        """Return the number of a block; a new one where it has none yet."""
        return self._blocks.setdefault((index, kind, number or 0), len(self._blocks))


def read_pieces(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is no JSON object or has no output."""
    answer = decode_answer(raw)
    if answer.status in UNFINISHED or (answer.status is None and answer.error is not None):
        usage = None if answer.usage is None else responses_usage(answer.usage)
        return Reading(Event(usage=usage, last=True), failure_of(answer))
    if answer.output is None:
        raise msgspec.DecodeError("no output")
    reading = PieceReader()._response("response.completed", answer)
    return Reading(reading.event)


def _tool(block: int, item: Item) -> ToolPiece:
    said = (item.arguments or "") + (item.input or "")
    return ToolPiece(block, item.call_id or item.id or "", item.name or "", said, _KINDS[item.type])


def _reasoning(block: int, item: Item) -> tuple[Piece, ...]:
    summary = tuple(
        ReasoningPiece(block, part.text, is_summary=True, part=number)
        for number, part in enumerate(item.summary or ())
        if part.text
    )
    return (*summary, *(ReasoningPiece(block, part.text) for part in item.content or () if part.text))


def _seal(block: int, item: Item) -> tuple[Piece, ...]:
    if not item.encrypted_content:
        return ()
    return (SealPiece(block, read_seal(item.encrypted_content, "openai", item_id=item.id or "")),)


def _reason(answer: Answer) -> FinishReason:
    reason = finish_of(answer)
    return reason if reason in ("length", "content_filter", "tool_calls") else "stop"  # type: ignore[return-value] # checked here
