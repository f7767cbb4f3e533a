"""Takes texts out of an event, in whatever dialect its frame is written; what is not text stays as it was.

An event carries its texts twice: as read, and in the frame or body that will be sent. Both are changed. That
no string of the frame has to be known by its place makes this work for every dialect, its closing frames with
the whole text included.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from seawall.core.bodies import NAMES, Change, change_all, replacing
from seawall.core.call import Event
from seawall.core.pieces import Piece, ReasoningPiece, RefusalPiece, TextPiece, ToolPiece
from seawall.wire import sse

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def rewrite(event: Event, own: Mapping[str, str], parts: Sequence[tuple[str, str]]) -> Event:
    """Return the event with other texts: `own` are whole texts of it, `parts` what to replace anywhere.

    A frame that is no JSON is left out: nobody can say what is in it.
    """
    change_parts = replacing(parts)

    def change(text: str) -> str:
        return own[text] if text in own else change_parts(text)

    return replace(
        event,
        raw=_rewrite_raw(event.raw, change) if event.raw else b"",
        text=change(event.text),
        reasoning=change(event.reasoning),
        tool=change(event.tool),
        pieces=_rewrite_pieces(event, own, change_parts),
    )


def _rewrite_raw(raw: bytes, change: Change) -> bytes:
    data = sse.data_of(raw)
    if data == b"[DONE]":
        return raw
    try:
        value = _decode(raw if data is None else data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    written = _encode(change_all(value, change, spare=NAMES))
    if data is None:
        return written
    return raw[: raw.index(b"data:")] + sse.frame_of(written)


def _rewrite_pieces(event: Event, own: Mapping[str, str], change: Change) -> tuple[Piece, ...]:
    """Change the pieces; where a text is spread over several of one event, its first takes all of it."""
    left = {old: own.get(old) for old in (event.text, event.reasoning, event.tool) if old}
    changed: list[Piece] = []
    for piece in event.pieces:
        if isinstance(piece, TextPiece | RefusalPiece):
            changed.append(replace(piece, text=_take(left, event.text, piece.text, change)))
        elif isinstance(piece, ReasoningPiece):
            changed.append(replace(piece, text=_take(left, event.reasoning, piece.text, change)))
        elif isinstance(piece, ToolPiece) and piece.arguments:
            arguments = _take(left, event.tool, piece.arguments, change)
            changed.append(replace(piece, arguments=arguments.removeprefix(piece.name)))
        else:
            changed.append(piece)
    return tuple(changed)


def _take(left: dict[str, str | None], whole: str, text: str, change: Change) -> str:
    new = left.get(whole)
    if new is None:
        return change(text)
    left[whole] = ""
    return new
