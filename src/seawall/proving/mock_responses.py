"""OpenAI's responses as the mock provider writes them: semantic events in order, whole answers; no I/O.

The order and the fields are those of OpenAI's API reference, "Streaming events" (2025).
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from seawall.proving.mock_answers import Part, Plan, sign
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_frames import OPENAI_HEADERS, UNKNOWN, error_body, leaky_message, named_frame
from seawall.proving.mock_responses_input import ENCRYPTED, Shelf, conversation

_DEFAULTS: Final[Mapping[str, Any]] = {
    "background": False, "instructions": None, "max_output_tokens": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "store": True, "temperature": 1.0,
    "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0,
    "truncation": "disabled", "user": None,
}  # fmt: skip
_DELTAS: Final[Mapping[str, str]] = {
    "text": "response.output_text.delta",
    "refusal": "response.refusal.delta",
    "thinking": "response.reasoning_summary_text.delta",
    "tool": "response.function_call_arguments.delta",
}


class ResponsesWriter:
    """One response, streamed or whole; kept once it is complete, where it is to be kept."""

    headers = OPENAI_HEADERS

    def __init__(self, plan: Plan, behaviour: Behaviour, body: Mapping[str, Any], shelf: Shelf) -> None:
        self._plan, self._behaviour, self._body, self._shelf = plan, behaviour, body, shelf
        self._items = conversation(body, shelf)
        self._parts = [part for part in plan.parts if part.pieces]
        self._place = -1
        self._first = self._until = self._number = 0
        self._where: dict[str, Any] = {}

    def opening(self) -> bytes:
        """Return that the response is created and in progress."""
        response = self._response("in_progress", [])
        frames = self._event("response.created", response=response)
        frames += self._event("response.in_progress", response=response)
        if self._behaviour.is_odd:
            return b": a comment\n\n" + frames + self._event("response.x_unknown", x_vendor=True)
        return frames

    def content(self, number: int) -> bytes:
        """Return the event that carries the pieces of one step; the first of an item after its start."""
        frames = self._next() if number >= self._until else b""
        if number == 1 and self._behaviour.fault == "badjson":
            return frames + b'event: response.output_text.delta\ndata: {"type":"resp\n\n'
        part = self._parts[self._place]
        text = "" if part.kind == "redacted" else self._plan.span(part, number - self._first)
        if not text and part.kind != "tool":
            return frames
        more: dict[str, Any] = {"logprobs": []} if part.kind == "text" else {}
        if self._behaviour.is_timed:
            more["x_at_us"] = time.monotonic_ns() // 1000
        return frames + self._event(_DELTAS[part.kind], **self._where, delta=text, **more)

    def closing(self) -> bytes:
        """Return the end of the last item, and the response as it has become."""
        frames = self._end_item() if self._place >= 0 else b""
        status = self._status()
        return frames + self._event(f"response.{status}", response=self._finished(status))

    def failing(self, way: str) -> bytes:
        """Return that the response has failed, or a bare error."""
        if way == "error":
            return self._event("error", code="server_error", message=leaky_message(500), param=None)
        return self._event("response.failed", response=self._failed())

    def whole(self) -> bytes:
        """Return the whole response."""
        if self._behaviour.breaks == "failed":
            return msgspec.json.encode(self._failed())
        return msgspec.json.encode(self._finished(self._status()) | UNKNOWN)

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        return error_body(status)

    def _next(self) -> bytes:
        """End the item and start the next one."""
        frames = self._end_item() if self._place >= 0 else b""
        self._place += 1
        part = self._parts[self._place]
        self._first, self._until = self._until, self._until + self._plan.events_of(part)
        item = self._item(self._place, "in_progress")
        frames += self._event("response.output_item.added", output_index=self._place, item=item)
        self._where = {"item_id": item["id"], "output_index": self._place}
        if part.kind in {"text", "refusal"}:
            self._where["content_index"] = 0
            frames += self._event("response.content_part.added", **self._where, part=_content(part, ""))
        elif part.kind == "thinking" and part.head:
            self._where["summary_index"] = 0
            empty = {"type": "summary_text", "text": ""}
            frames += self._event("response.reasoning_summary_part.added", **self._where, part=empty)
        return frames

    def _end_item(self) -> bytes:
        """Return the ends of an item's text, of its part and of itself."""
        part, where, frames = self._parts[self._place], self._where, b""
        text = part.text()
        if part.kind == "tool":
            frames = self._event(
                "response.function_call_arguments.done", **where, arguments=text, name=part.name
            )
        elif part.kind == "thinking" and part.head:
            frames = self._event("response.reasoning_summary_text.done", **where, text=text)
            summary = {"type": "summary_text", "text": text}
            frames += self._event("response.reasoning_summary_part.done", **where, part=summary)
        elif part.kind in {"text", "refusal"}:
            if part.kind == "text":
                frames = self._event("response.output_text.done", **where, text=text, logprobs=[])
            else:
                frames = self._event("response.refusal.done", **where, refusal=text)
            frames += self._event("response.content_part.done", **where, part=_content(part, text))
        item = self._item(self._place, self._item_status(self._place))
        return frames + self._event("response.output_item.done", output_index=self._place, item=item)

    def _event(self, kind: str, **fields: Any) -> bytes:
        """Write one event with the next sequence number."""
        number = self._number
        self._number += 1
        return named_frame({"type": kind, "sequence_number": number, **fields})

    def _item(self, place: int, status: str) -> dict[str, Any]:
        """Return an output item; one that is in progress has no text yet."""
        part, made = self._parts[place], self._plan.id.removeprefix("resp_")
        text = "" if status == "in_progress" else part.text()
        if part.kind == "tool":
            return {
                "id": f"fc_{made}_{place}", "type": "function_call", "status": status, "arguments": text,
                "call_id": part.id, "name": part.name,
            }  # fmt: skip
        if part.kind in {"text", "refusal"}:
            content = [] if status == "in_progress" else [_content(part, text)]
            return {
                "id": f"msg_{made}_{place}", "type": "message", "status": status, "role": "assistant",
                "content": content,
            }  # fmt: skip
        item: dict[str, Any] = {"id": f"rs_{made}_{place}", "type": "reasoning", "summary": []}
        if text and part.kind == "thinking":
            item["summary"] = [{"type": "summary_text", "text": text}]
        if ENCRYPTED in (self._body.get("include") or ()):
            item["encrypted_content"] = part.seal or sign(item["id"])
            self._shelf.seal(item["encrypted_content"])
        return item

    def _item_status(self, place: int) -> str:
        """Return whether an item is complete: the last one of an answer that was cut is not."""
        is_cut = self._status() == "incomplete" and place == len(self._parts) - 1
        return "incomplete" if is_cut else "completed"

    def _status(self) -> str:
        """Return how the response ends."""
        return "incomplete" if self._plan.finish in {"length", "content_filter"} else "completed"

    def _finished(self, status: str) -> dict[str, Any]:
        """Return the complete response, and keep it."""
        output = [self._item(place, self._item_status(place)) for place in range(len(self._parts))]
        response = self._response(status, output)
        if self._behaviour.usage != "none":
            response["usage"] = _usage(self._plan)
        if status == "incomplete":
            is_long = self._plan.finish == "length"
            response["incomplete_details"] = {"reason": "max_output_tokens" if is_long else "content_filter"}
        else:
            response["completed_at"] = int(time.time())
        if response["store"]:
            self._shelf.keep(self._plan.id, [*self._items, *output])
        return response

    def _failed(self) -> dict[str, Any]:
        """Return the response as one that has failed."""
        error = {"code": "server_error", "message": leaky_message(500)}
        return self._response("failed", []) | {"error": error}

    def _response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the response with the request's own settings, as OpenAI does."""
        plan, body = self._plan, self._body
        settings = {
            name: default if body.get(name) is None else body[name] for name, default in _DEFAULTS.items()
        }
        settings["tools"] = [
            {"strict": True, "parameters": None, **tool} if tool["type"] == "function" else tool
            for tool in settings["tools"]
        ]
        reasoning = {"effort": None, "summary": None, **(body.get("reasoning") or {})}
        return {
            "id": plan.id, "object": "response", "created_at": plan.created, "status": status, "error": None,
            "incomplete_details": None, "model": plan.model, "output": output, "reasoning": reasoning,
            "service_tier": "default", "usage": None, **settings,
        }  # fmt: skip


def _content(part: Part, text: str) -> dict[str, Any]:
    """Return a message's only part."""
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(plan: Plan) -> dict[str, Any]:
    """Return the usage as it is reported: exactly what is billed for the complete answer."""
    written = plan.written_5m + plan.written_1h
    return {
        "input_tokens": plan.input_tokens,
        "input_tokens_details": {"cached_tokens": plan.cached, "cache_write_tokens": written},
        "output_tokens": plan.tokens,
        "output_tokens_details": {"reasoning_tokens": plan.thinking},
        "total_tokens": plan.input_tokens + plan.tokens,
    }
