"""The items of an answer as they grow, and the events that tell a client of it.

Invariants:
- Every frame has the next sequence number. An item is added, its parts are added, grow, are done, and then
  the item is done.
- An item's JSON holds what its events said, whenever it is asked for.

References, read 2026-11: the OpenAI API reference, "Streaming events", and the Open Responses specification.
"""

from typing import Any, Literal

import msgspec

Status = Literal["in_progress", "completed", "incomplete"]
PartKind = Literal["output_text", "refusal"]

encode = msgspec.json.Encoder().encode


class Frames:
    """Writes frames; `sequence` is the number of the next one."""

    __slots__ = ("sequence",)

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence

    def write(self, kind: str, fields: dict[str, Any]) -> bytes:
        """Return the frame of an event of this kind."""
        data = encode({"type": kind, "sequence_number": self.sequence, **fields})
        self.sequence += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


class Place:
    """Where an item stands in an answer, and the events that name it."""

    __slots__ = ("_frames", "id", "index")

    def __init__(self, frames: Frames, item_id: str, index: int) -> None:
        self._frames = frames
        self.id = item_id
        self.index = index

    def added(self, item: dict[str, Any]) -> bytes:
        """Return the frame that tells of the item."""
        return self._frames.write("response.output_item.added", {"output_index": self.index, "item": item})

    def done(self, item: dict[str, Any]) -> bytes:
        """Return the frame that tells that the item is complete."""
        return self._frames.write("response.output_item.done", {"output_index": self.index, "item": item})

    def about(self, kind: str, said: dict[str, Any]) -> bytes:
        """Return a frame of this kind about the item."""
        return self._frames.write(kind, {"item_id": self.id, "output_index": self.index, **said})


class MessageItem:
    """A message of the assistant."""

    __slots__ = ("_is_open", "_parts", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self._parts: list[tuple[PartKind, list[str]]] = []
        self._is_open = False

    def item(self, status: Status) -> dict[str, Any]:
        """Return the item's JSON."""
        content = [_part(kind, "".join(texts)) for kind, texts in self._parts]
        return {
            "id": self.place.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [] if status == "in_progress" else content,
        }

    def resume(self, parts: list[tuple[PartKind, list[str]]], *, is_open: bool) -> None:
        """Take over the parts of an item that somebody else began."""
        self._parts, self._is_open = parts, is_open

    def add(self, kind: PartKind, text: str, *, is_new: bool) -> bytes:
        """Return the frames of more text; `is_new` begins another part, and so does text of another kind."""
        before = b""
        if is_new or not self._is_open or self._parts[-1][0] != kind:
            before = self._close_part()
            self._parts.append((kind, []))
            self._is_open = True
            before += self._about("response.content_part.added", {"part": _part(kind, "")})
        self._parts[-1][1].append(text)
        if kind == "refusal":
            return before + self._about("response.refusal.delta", {"delta": text})
        return before + self._about("response.output_text.delta", {"delta": text, "logprobs": []})

    def close(self, status: Status) -> bytes:
        """Return the frames that end the item."""
        return self._close_part() + self.place.done(self.item(status))

    def _close_part(self) -> bytes:
        if not self._is_open:
            return b""
        self._is_open = False
        kind, texts = self._parts[-1]
        text = "".join(texts)
        if kind == "refusal":
            done = self._about("response.refusal.done", {"refusal": text})
        else:
            done = self._about("response.output_text.done", {"text": text, "logprobs": []})
        return done + self._about("response.content_part.done", {"part": _part(kind, text)})

    def _about(self, kind: str, said: dict[str, Any]) -> bytes:
        return self.place.about(kind, {"content_index": len(self._parts) - 1, **said})


class ReasoningItem:
    """Reasoning: its text, or a summary of it in paragraphs; `encrypted` is its seal."""

    __slots__ = ("_has_open", "_summary", "_texts", "encrypted", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self._summary: list[list[str]] = []
        self._texts: list[list[str]] = []
        self._has_open: Literal["", "summary", "text"] = ""
        self.encrypted: str | None = None

    def item(self, status: Status) -> dict[str, Any]:
        """Return the item's JSON."""
        item: dict[str, Any] = {"id": self.place.id, "type": "reasoning", "summary": []}
        if status == "in_progress":
            return item
        item["summary"] = [_summary_part("".join(texts)) for texts in self._summary]
        if self._texts:
            item["content"] = [_reasoning_part("".join(texts)) for texts in self._texts]
        if self.encrypted is not None:
            item["encrypted_content"] = self.encrypted
        return item

    def resume(
        self, summary: list[list[str]], texts: list[list[str]], open_part: Literal["", "summary", "text"]
    ) -> None:
        """Take over the parts of an item that somebody else began."""
        self._summary, self._texts, self._has_open = summary, texts, open_part

    def add_summary(self, text: str, *, is_new: bool) -> bytes:
        """Return the frames of more summary; `is_new` begins another paragraph."""
        before = b""
        if self._has_open != "summary" or is_new:
            before = self._close_part()
            self._summary.append([])
            self._has_open = "summary"
            before += self._about_summary(
                "response.reasoning_summary_part.added", {"part": _summary_part("")}
            )
        self._summary[-1].append(text)
        return before + self._about_summary("response.reasoning_summary_text.delta", {"delta": text})

    def add_text(self, text: str) -> bytes:
        """Return the frames of more reasoning."""
        before = b""
        if self._has_open != "text":
            before = self._close_part()
            self._texts.append([])
            self._has_open = "text"
            before += self._about_text("response.content_part.added", {"part": _reasoning_part("")})
        self._texts[-1].append(text)
        return before + self._about_text("response.reasoning_text.delta", {"delta": text})

    def close(self, status: Status) -> bytes:
        """Return the frames that end the item."""
        return self._close_part() + self.place.done(self.item(status))

    def _close_part(self) -> bytes:
        kind, self._has_open = self._has_open, ""
        if kind == "summary":
            text = "".join(self._summary[-1])
            done = self._about_summary("response.reasoning_summary_text.done", {"text": text})
            part = {"part": _summary_part(text)}
            return done + self._about_summary("response.reasoning_summary_part.done", part)
        if kind == "text":
            text = "".join(self._texts[-1])
            done = self._about_text("response.reasoning_text.done", {"text": text})
            return done + self._about_text("response.content_part.done", {"part": _reasoning_part(text)})
        return b""

    def _about_summary(self, kind: str, said: dict[str, Any]) -> bytes:
        return self.place.about(kind, {"summary_index": len(self._summary) - 1, **said})

    def _about_text(self, kind: str, said: dict[str, Any]) -> bytes:
        return self.place.about(kind, {"content_index": len(self._texts) - 1, **said})


class ToolItem:
    """A tool call; a custom tool's has plain `input`, a function's has `arguments` as JSON text."""

    __slots__ = ("_call_id", "_is_custom", "_name", "_texts", "place")

    def __init__(self, place: Place, *, call_id: str, name: str, is_custom: bool) -> None:
        self.place = place
        self._call_id = call_id
        self._name = name
        self._is_custom = is_custom
        self._texts: list[str] = []

    def item(self, status: Status) -> dict[str, Any]:
        """Return the item's JSON."""
        said = "" if status == "in_progress" else "".join(self._texts)
        return {
            "id": self.place.id,
            "type": "custom_tool_call" if self._is_custom else "function_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._name,
            "input" if self._is_custom else "arguments": said,
        }

    def resume(self, texts: list[str]) -> None:
        """Take over the arguments of an item that somebody else began."""
        self._texts = texts

    def add(self, text: str) -> bytes:
        """Return the frame of more arguments."""
        self._texts.append(text)
        return self.place.about(f"response.{self._events}.delta", {"delta": text})

    def close(self, status: Status) -> bytes:
        """Return the frames that end the item; a call without arguments has an empty object."""
        before = b""
        if status == "completed" and not self._is_custom and not any(self._texts):
            before = self.add("{}")
        text = "".join(self._texts)
        said = {"input" if self._is_custom else "arguments": text}
        closing = self.place.about(f"response.{self._events}.done", said) + self.place.done(self.item(status))
        return before + closing

    @property
    def _events(self) -> str:
        return "custom_tool_call_input" if self._is_custom else "function_call_arguments"


Item = MessageItem | ReasoningItem | ToolItem


def _part(kind: PartKind, text: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _summary_part(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


def _reasoning_part(text: str) -> dict[str, Any]:
    return {"type": "reasoning_text", "text": text}
