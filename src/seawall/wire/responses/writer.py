"""Writes an answer of pieces as a response: its events in order, and the response object."""

from typing import Any

import msgspec

from seawall.core.call import Event
from seawall.core.errors import SeawallError
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
from seawall.core.state import StoredItem
from seawall.wire.dialect import Answering
from seawall.wire.responses.events import (
    Frames,
    Item,
    MessageItem,
    PartKind,
    Place,
    ReasoningItem,
    Status,
    ToolItem,
)
from seawall.wire.responses.objects import ended, new_response, usage_fields, write_failure
from seawall.wire.responses.state import ItemIds
from seawall.wire.seals import write_seal

INCOMPLETE = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
"""Why an answer is incomplete, by the reason for which the model finished; it is complete for all others."""

_encode = msgspec.json.Encoder().encode


class Writer:
    """See `wire.dialect.KeepingWriter`.

    Tool calls stay open until the end, for their pieces may come in turns; every other item ends where the
    next one begins.
    """

    __slots__ = ("_block", "_end", "_frames", "_has_begun", "_ids", "_items", "_open", "_part", "_reason",
                 "_response", "_tools", "_usage")  # fmt: skip

    def __init__(self, answering: Answering) -> None:
        self._response = new_response(answering)
        self._frames = Frames()
        self._ids = ItemIds()
        self._items: list[Item] = []
        self._tools: dict[int, ToolItem] = {}
        self._open: MessageItem | ReasoningItem | None = None
        self._block = self._part = -1
        self._has_begun = False
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._end = b""

    def write(self, event: Event) -> bytes:
        """Return the frames of an event; those of the first one begin the response."""
        written = b""
        if not self._has_begun:
            written = self._begin()
        if event.usage is not None:
            self._usage = event.usage
        for piece in event.pieces:
            written += self._write_piece(piece)
        if event.finish is not None and not event.pieces:
            written += self._finish(event.finish)
        return written

    def end(self) -> bytes:
        """Return the frames that end the stream, the same however often they are asked for."""
        if not self._end:
            before = b"" if self._has_begun else self._begin()
            closing = before + self._close_all()
            response = self._final()
            self._end = closing + self._frames.write(f"response.{response['status']}", {"response": response})
        return self._end

    def whole(self) -> bytes:
        """Return the response object."""
        return self.response()

    def fail(self, error: SeawallError) -> bytes:
        """Return the frames of an error in the middle of the stream."""
        begun = _encode({**self._response, "output": self._output()}) if self._has_begun else b""
        return write_failure(error, self._frames, begun)

    def response(self) -> bytes:
        """Return the response object as the client gets it; valid after the last event."""
        self.end()
        return _encode(self._final())

    def output_items(self) -> tuple[StoredItem, ...]:
        """Return what the model answered; valid after the last event."""
        self.end()
        return tuple(StoredItem(item["id"], _encode(item)) for item in self._output())

    def _begin(self) -> bytes:
        self._has_begun = True
        said = {"response": self._response}
        return self._frames.write("response.created", said) + self._frames.write("response.in_progress", said)

    def _final(self) -> dict[str, Any]:
        usage = None if self._usage is None else usage_fields(self._usage)
        return {**ended(self._response, self._reason), "output": self._output(), "usage": usage}

    def _output(self) -> list[dict[str, Any]]:
        last = len(self._items) - 1
        return [item.item(self._status(index == last)) for index, item in enumerate(self._items)]

    def _status(self, is_last: bool) -> Status:
        """Only the last item can be cut off: what came before it was complete."""
        return "incomplete" if self._reason is not None and is_last else "completed"

    def _write_piece(self, piece: Piece) -> bytes:
        if isinstance(piece, TextPiece):
            return self._write_text(piece, "output_text") if piece.text else b""
        if isinstance(piece, ToolPiece):
            return self._write_tool(piece)
        if isinstance(piece, ReasoningPiece):
            return self._write_reasoning(piece) if piece.text else b""
        if isinstance(piece, SealPiece):
            return self._write_seal(piece)
        if isinstance(piece, RefusalPiece):
            return self._write_text(piece, "refusal") if piece.text else b""
        if isinstance(piece, Finished):
            return self._finish(piece.reason)
        return b""

    def _write_text(self, piece: TextPiece | RefusalPiece, kind: PartKind) -> bytes:
        message, before = self._open, b""
        if not isinstance(message, MessageItem):
            before = self._close_open()
            message = MessageItem(self._place("message"))
            before += self._add(message)
            self._open = message
        is_new = piece.block != self._block
        self._block = piece.block
        return before + message.add(kind, piece.text, is_new=is_new)

    def _write_reasoning(self, piece: ReasoningPiece) -> bytes:
        reasoning, before = self._reasoning(piece.block)
        if not piece.is_summary:
            return before + reasoning.add_text(piece.text)
        is_new = piece.part != self._part
        self._part = piece.part
        return before + reasoning.add_summary(piece.text, is_new=is_new)

    def _write_seal(self, piece: SealPiece) -> bytes:
        reasoning, before = self._reasoning(piece.block)
        reasoning.encrypted = _seal_text(piece.seal)
        return before

    def _reasoning(self, block: int) -> tuple[ReasoningItem, bytes]:
        """Return the reasoning item of a block, and the frames that begin it."""
        if isinstance(self._open, ReasoningItem) and block == self._block:
            return self._open, b""
        before = self._close_open()
        reasoning = ReasoningItem(self._place("reasoning"))
        self._open, self._block, self._part = reasoning, block, -1
        return reasoning, before + self._add(reasoning)

    def _write_tool(self, piece: ToolPiece) -> bytes:
        tool, before = self._tools.get(piece.block), b""
        if tool is None:
            before = self._close_open()
            is_custom = piece.kind == "custom"
            place = self._place("custom_tool_call" if is_custom else "function_call")
            tool = ToolItem(place, call_id=piece.id, name=piece.name, is_custom=is_custom)
            self._tools[piece.block] = tool
            before += self._add(tool)
        return before + tool.add(piece.arguments) if piece.arguments else before

    def _place(self, kind: str) -> Place:
        return Place(self._frames, self._ids(kind), len(self._items))

    def _add(self, item: Item) -> bytes:
        self._items.append(item)
        return item.place.added(item.item("in_progress"))

    def _close_open(self) -> bytes:
        """End the message or the reasoning that is open."""
        item, self._open = self._open, None
        return b"" if item is None else item.close(self._status(item is self._items[-1]))

    def _close_all(self) -> bytes:
        """End everything, in the order in which it began."""
        left: list[Item] = [*self._tools.values(), *([self._open] if self._open else [])]
        self._open = None
        self._tools = {}
        last = self._items[-1] if self._items else None
        left.sort(key=lambda item: item.place.index)
        return b"".join(item.close(self._status(item is last)) for item in left)

    def _finish(self, reason: str) -> bytes:
        self._reason = INCOMPLETE.get(reason)
        return self._close_all()


def _seal_text(seal: Seal) -> str:
    """Return the seal as `encrypted_content`.

    OpenAI checks that its encrypted reasoning comes back under the id of its own item; ours has another one,
    so that the vendor's goes along.
    """
    own: SealOrigin = "anthropic" if seal.origin == "openai" and seal.id else "openai"
    return write_seal(seal, own)
