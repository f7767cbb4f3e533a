"""Tool calls as they arrive in chat completions, whole or in deltas, and how vendors number them."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.pieces import Piece, Seal, SealPiece, ToolKind, ToolPiece
from seawall.wire.chat.blocks import Blocks

_encode = msgspec.json.Encoder().encode


class Function(Struct):
    """What is called: `arguments` is JSON text, an object with some vendors; `input` is a custom tool's."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None

    @property
    def text(self) -> str:
        """Return the arguments as text."""
        given = self.input if self.arguments is None else self.arguments
        if isinstance(given, dict):
            return _encode(given).decode()
        return given or ""


class Google(Struct):
    """Google's part of `extra_content`."""

    thought_signature: str | None = None


class Extra(Struct):
    """Google's `extra_content`, on a tool call or a message."""

    google: Google | None = None


class Call(Struct):
    """One tool call, or a delta of one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Function | None = None
    extra_content: Extra | None = None


class _Open:
    """A call that has begun to arrive; it has a block once its name is known."""

    __slots__ = ("block", "held", "id", "kind", "name")

    def __init__(self, call_id: str, kind: ToolKind) -> None:
        self.id = call_id
        self.kind: ToolKind = kind
        self.name = ""
        self.held = ""
        self.block = -1


class Calls:
    """Tells deltas of one call from those of another, and numbers their blocks.

    A delta belongs to the call of its `index`, unless it brings another id and a name: some vendors give
    every call the index 0. Without an index it belongs to the call of its id; without either a name begins
    a call. Ids and names may come again in each delta, or be empty.
    """

    __slots__ = ("_blocks", "_last", "_made", "_open")

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._open: dict[int | str, _Open] = {}
        self._last: _Open | None = None
        self._made = 0

    def __bool__(self) -> bool:
        return bool(self._made)

    def take(self, call: Call, answer_id: str) -> list[Piece]:
        """Take a call or a delta of one; `answer_id` makes an id for a call that comes without one."""
        function = call.function or call.custom or Function()
        name, arguments = function.name or "", function.text
        open_one = self._find(call, name)
        if open_one is None:
            self._made += 1
            kind: ToolKind = "function" if call.custom is None else "custom"
            open_one = _Open(call.id or made_id(answer_id, self._made), kind)
            if call.index is not None:
                self._open[call.index] = open_one
            if call.id:
                self._open[call.id] = open_one
        self._last = open_one
        pieces: list[Piece] = []
        seal = (
            call.extra_content and call.extra_content.google and call.extra_content.google.thought_signature
        )
        if seal:
            own = Seal("google", seal, id=open_one.id, is_redacted=True)
            pieces.append(SealPiece(self._blocks.begin(), own))
        if open_one.block >= 0:
            if arguments:
                pieces.append(ToolPiece(open_one.block, arguments=arguments, kind=open_one.kind))
            return pieces
        open_one.name += name
        open_one.held += arguments
        return [*pieces, self._begin(open_one)] if open_one.name else pieces

    def end(self) -> list[Piece]:
        """Return the calls whose name never came."""
        return [self._begin(each) for each in dict.fromkeys(self._open.values()) if each.block < 0]

    def _begin(self, call: _Open) -> ToolPiece:
        call.block = self._blocks.begin()
        return ToolPiece(call.block, call.id, call.name, call.held, call.kind)

    def _find(self, call: Call, name: str) -> _Open | None:
        if call.index is not None:
            known = self._open.get(call.index)
            is_other = known is not None and call.id and call.id != known.id and name
            return None if is_other else known
        if call.id:
            return self._open.get(call.id)
        return None if name else self._last


def made_id(answer_id: str, number: int) -> str:
    """Return an id for a call to which its vendor gave none: the same for the same answer."""
    own = re.sub(r"[^A-Za-z0-9]", "", answer_id.removeprefix("chatcmpl-"))[-24:]
    return f"call_{own}_{number}" if own else f"call_{number}"
