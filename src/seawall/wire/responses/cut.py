"""Closes a vendor's stream that we stopped: the items it had begun are read back from its frames."""

from typing import Any, Literal

import msgspec

from seawall.wire import sse
from seawall.wire.responses.events import Frames, Item, MessageItem, PartKind, Place, ReasoningItem, ToolItem

_decode = msgspec.json.Decoder().decode
Event = dict[str, Any]


def read_frames(frames: list[bytes]) -> list[Event]:
    """Decode frames, leaving out those that are no JSON objects."""
    events = []
    for frame in frames:
        try:
            event = _decode(sse.data_of(frame) or b"null")
        except msgspec.DecodeError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def next_sequence(events: list[Event]) -> int:
    """Return the sequence number after the highest that was sent."""
    numbers = [event.get("sequence_number") for event in events]
    return max((number for number in numbers if type(number) is int), default=-1) + 1


def close_items(events: list[Event], frames: Frames) -> tuple[dict[int, Any], bytes]:
    """Return all items by their index, and the frames that end those which are not done."""
    done: dict[int, Any] = {}
    begun: dict[int, list[Event]] = {}
    for event in events:
        index = event.get("output_index")
        if type(index) is not int:
            continue
        if event.get("type") == "response.output_item.done":
            done[index] = event.get("item")
            begun.pop(index, None)
        elif event.get("type") == "response.output_item.added":
            begun[index] = [event]
        elif index in begun:
            begun[index].append(event)
    closing = b""
    for index, said in begun.items():
        item = _rebuild(index, said, frames)
        if item is not None:
            closing += item.close("incomplete")
            done[index] = item.item("incomplete")
    return dict(sorted(done.items())), closing


def _rebuild(index: int, events: list[Event], frames: Frames) -> Item | None:
    """Return an item as its frames tell of it; `None` for one of a type that we never ask for."""
    item = events[0].get("item")
    if not isinstance(item, dict):
        return None
    place = Place(frames, str(item.get("id", "")), index)
    kind = item.get("type")
    if kind == "message":
        return _message(place, events)
    if kind == "reasoning":
        return _reasoning(place, events)
    if kind not in ("function_call", "custom_tool_call"):
        return None
    tool = ToolItem(
        place,
        call_id=str(item.get("call_id", "")),
        name=str(item.get("name", "")),
        is_custom=kind == "custom_tool_call",
    )
    tool.resume([text for _, text in _deltas(events)])
    return tool


def _message(place: Place, events: list[Event]) -> MessageItem:
    parts: dict[Any, tuple[PartKind, list[str]]] = {}
    for event in events:
        kind: PartKind = "refusal" if _is_refusal(event) else "output_text"
        text = event.get("delta")
        if isinstance(text, str):
            parts.setdefault(event.get("content_index"), (kind, []))[1].append(text)
        elif event.get("type") == "response.content_part.added":
            parts.setdefault(event.get("content_index"), (kind, []))
    message = MessageItem(place)
    is_open = _opened(events, "response.content_part.") and bool(parts)
    message.resume(list(parts.values()), is_open=is_open)
    return message


def _is_refusal(event: Event) -> bool:
    part = event.get("part")
    kind = part.get("type") if isinstance(part, dict) else event.get("type")
    return kind in ("refusal", "response.refusal.delta")


def _reasoning(place: Place, events: list[Event]) -> ReasoningItem:
    summary: dict[Any, list[str]] = {}
    texts: dict[Any, list[str]] = {}
    for event, text in _deltas(events):
        if event.get("summary_index") is not None:
            summary.setdefault(event["summary_index"], []).append(text)
        else:
            texts.setdefault(event.get("content_index"), []).append(text)
    open_part: Literal["", "summary", "text"] = ""
    if summary and _opened(events, "response.reasoning_summary_part."):
        open_part = "summary"
    elif texts and _opened(events, "response.content_part."):
        open_part = "text"
    reasoning = ReasoningItem(place)
    reasoning.resume(list(summary.values()), list(texts.values()), open_part)
    return reasoning


def _deltas(events: list[Event]) -> list[tuple[Event, str]]:
    return [(event, event["delta"]) for event in events if isinstance(event.get("delta"), str)]


def _opened(events: list[Event], prefix: str) -> bool:
    """Say whether the last event of a part is not its end."""
    kinds = [event.get("type") for event in events]
    last = [kind for kind in kinds if isinstance(kind, str) and kind.startswith(prefix)]
    return not last or not last[-1].endswith(".done")
