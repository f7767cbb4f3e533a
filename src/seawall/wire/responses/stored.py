"""Stored items and frames as the Responses API shows them."""

from typing import Any

import msgspec

from seawall.core.state import StoredItem
from seawall.wire import sse
from seawall.wire.responses.items import type_of

_STATUSES = (
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
)


class _Numbered(msgspec.Struct):
    sequence_number: int = -1


_decode_number = msgspec.json.Decoder(_Numbered).decode
_decode = msgspec.json.Decoder().decode


def show_item(stored: StoredItem) -> dict[str, Any]:
    """Return an item in full, as OpenAI lists it: with its id, type and status, its content as parts."""
    item: dict[str, Any] = _decode(stored.body)
    kind = type_of(item)
    shown = {**item, "id": stored.id, "type": kind}
    if kind == "message" and isinstance(item.get("content"), str):
        shown["content"] = [_text_part(item["content"], is_answer=item.get("role") == "assistant")]
    if kind in _STATUSES and item.get("status") is None:
        shown["status"] = "completed"
    return shown


def show_list(items: tuple[StoredItem, ...], *, has_more: bool) -> dict[str, Any]:
    """Return a page of items as a list object."""
    return {
        "object": "list",
        "data": [show_item(item) for item in items],
        "first_id": items[0].id if items else None,
        "last_id": items[-1].id if items else None,
        "has_more": has_more,
    }


def page_of(
    items: tuple[StoredItem, ...], *, is_ascending: bool, after: str | None, limit: int
) -> dict[str, Any] | None:
    """Return the page of items after the one of this id, in one order or the other.

    `items` are the oldest first. Returns `None` where there is no item of that id.
    """
    ordered = items if is_ascending else items[::-1]
    if after is not None:
        places = [place for place, item in enumerate(ordered, start=1) if item.id == after]
        if not places:
            return None
        ordered = ordered[places[0] :]
    return show_list(ordered[:limit], has_more=len(ordered) > limit)


def show_deleted(response_id: str) -> dict[str, Any]:
    """Return what OpenAI says of a response that was deleted (API reference, read 2026-11)."""
    return {"id": response_id, "object": "response", "deleted": True}


def frames_after(frames: bytes, sequence_number: int) -> bytes:
    """Return the frames of a stream with a higher sequence number than this."""
    return b"".join(
        frame
        for frame in sse.FrameSplitter().feed(frames)
        if (data := sse.data_of(frame)) is not None and _decode_number(data).sequence_number > sequence_number
    )


def _text_part(text: str, *, is_answer: bool) -> dict[str, Any]:
    if is_answer:
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}
