"""Takes texts out of an event, in whatever dialect its frame is written; what is not text stays as it was.

An event carries its texts twice: as read, and in the frame or body that will be sent. Both are changed. That
no string of the frame has to be known by its place makes this work for every dialect, its closing frames with
the whole text included.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from seawall.core.bodies import NAMES, Change, change_all
from seawall.core.call import Event
from seawall.core.pieces import Piece, ReasoningPiece, RefusalPiece, TextPiece, ToolPiece
from seawall.wire import sse

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def rewrite(event: Event, own: Mapping[str, str], others: Change) -> Event:
    """Return the event with other texts: `own` are whole texts of it, `others` changes all others.

    A frame that is no JSON is left out: nobody can say what is in it.
    """

    def change(text: str) -> str:
        return own[text] if text in own else others(text)

    return replace(
        event,
        raw=_rewrite_raw(event.raw, change) if event.raw else b"",
        text=change(event.text),
        reasoning=change(event.reasoning),
        tool=change(event.tool),
        said=tuple((choice, kind, change(text)) for choice, kind, text in event.said),
        pieces=tuple(_rewrite_piece(piece, change) for piece in event.pieces),
    )


def _rewrite_raw(raw: bytes, change: Change) -> bytes:
    data = sse.data_of(raw)
    if data == b"[DONE]":
        return raw
    try:
        value = _decode(raw if data is None else data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    changed = change_all(value, change, spare=NAMES)
    written = _encode(changed if changed == value else _without_logprobs(changed))
    if data is None:
        return written
    return raw[: raw.index(b"data:")] + sse.frame_of(written)


def _without_logprobs(value: Any) -> Any:
    """Return a value without the probabilities of its tokens: they spell its text once more."""
    if isinstance(value, list):
        return [_without_logprobs(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_logprobs(each) for name, each in value.items() if name != "logprobs"}
    if "logprobs" in value:
        kept["logprobs"] = [] if isinstance(value["logprobs"], list) else None
    return kept


def _rewrite_piece(piece: Piece, change: Change) -> Piece:
    if isinstance(piece, TextPiece | RefusalPiece | ReasoningPiece):
        return replace(piece, text=change(piece.text))
    if isinstance(piece, ToolPiece):
        return replace(piece, name=change(piece.name), arguments=change(piece.arguments))
    return piece
