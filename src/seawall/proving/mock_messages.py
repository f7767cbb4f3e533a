"""Anthropic's messages as the mock provider writes them: events, whole answers, errors; no I/O."""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from seawall.proving.mock_answers import LEAKS, Kind, Part, Plan
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_frames import UNKNOWN, Unstreamed, leaky_message, named_frame

ANTHROPIC_HEADERS: Final = f"anthropic-organization-id: {LEAKS[0]}\r\nrequest-id: req_mock\r\n"
"""Headers that a gateway must keep to itself."""

OVERLOADED: Final = 529

_KINDS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}
_FINISH: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "content_filter": "refusal",
}
_DELTAS: Final[Mapping[Kind, tuple[bytes, bytes]]] = {
    "text": (b"text_delta", b"text"),
    "refusal": (b"text_delta", b"text"),
    "thinking": (b"thinking_delta", b"thinking"),
    "tool": (b"input_json_delta", b"partial_json"),
}


def anthropic_error(status: int, message: str | None = None) -> bytes:
    """Write an error as Anthropic does; by default with words that must not leak."""
    kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message or leaky_message(status)}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": "req_mock"})


class MessagesWriter:
    """One message, streamed or whole.

    A refusal's words are text before the end. A late usage is one that the first event has nothing of, as
    some vendors do who speak this dialect; without usage there is none in either event.
    """

    headers = ANTHROPIC_HEADERS

    def __init__(self, plan: Plan, behaviour: Behaviour) -> None:
        self._plan, self._behaviour = plan, behaviour
        self._coming = list(reversed(plan.parts))
        self._part: Part | None = None
        self._first = self._until = 0
        self._index = -1
        self._before = b""

    def opening(self) -> bytes:
        """Return the message without its content, and a ping."""
        usage = self._usage(min(self._plan.tokens, 1))
        if self._behaviour.usage != "own":
            usage = {name: 0 if isinstance(value, int) else value for name, value in usage.items()}
        message = self._message([], usage) | {"stop_reason": None, "stop_sequence": None}
        if self._behaviour.usage == "none":
            del message["usage"]
        frames = named_frame({"type": "message_start", "message": message}) + named_frame({"type": "ping"})
        if self._behaviour.is_odd:
            return b": a comment\n\n" + frames + named_frame({"type": "x_unknown", "x_vendor": True})
        return frames

    def content(self, number: int) -> bytes:
        """Return the event that carries the pieces of one step; the first of a block after its start."""
        frames = self._next() if number >= self._until else b""
        part = self._part
        assert part is not None
        if number == 1 and self._behaviour.fault == "badjson":
            return frames + b'event: content_block_delta\ndata: {"type":"content_\n\n'
        text = "" if part.kind == "redacted" else self._plan.span(part, number - self._first)
        if not text and part.kind != "tool":
            return frames
        tail = b"}}\n\n"
        if self._behaviour.is_timed:
            tail = b'},"x_at_us":%d}\n\n' % (time.monotonic_ns() // 1000)
        return frames + self._before + msgspec.json.encode(text) + tail

    def closing(self) -> bytes:
        """Return the end of the last block, the reason with the usage, and the end of the message."""
        delta = {"stop_reason": _FINISH[self._plan.finish], "stop_sequence": self._plan.stop_sequence or None}
        delta |= self._stop_details()
        usage = {} if self._behaviour.usage == "none" else {"usage": self._final_usage()}
        return (
            self._end_block()
            + named_frame({"type": "message_delta", "delta": delta, **usage})
            + named_frame({"type": "message_stop"})
        )

    def failing(self, way: str) -> bytes:
        """Return an error event."""
        del way
        return b"event: error\ndata: " + anthropic_error(OVERLOADED) + b"\n\n"

    def whole(self) -> bytes:
        """Return the whole message."""
        plan = self._plan
        blocks = [_block(part, part.text()) for part in plan.parts if part.pieces]
        message = self._message(blocks, self._usage(plan.tokens) | _details(plan))
        message |= {"stop_reason": _FINISH[plan.finish], "stop_sequence": plan.stop_sequence or None}
        return msgspec.json.encode(message | self._stop_details() | UNKNOWN)

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        return anthropic_error(status)

    def _next(self) -> bytes:
        """End the block and start the next one that has content."""
        ended = self._end_block()
        part = self._coming.pop()
        while not part.pieces:
            part = self._coming.pop()
        self._part, self._index = part, self._index + 1
        self._first, self._until = self._until, self._until + self._plan.events_of(part)
        if part.kind in _DELTAS:
            self._before = (
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
                b'"delta":{"type":"%b","%b":' % (self._index, *_DELTAS[part.kind])
            )
        start = {
            "type": "content_block_start",
            "index": self._index,
            "content_block": _block(part, "", is_start=True),
        }
        return ended + named_frame(start)

    def _end_block(self) -> bytes:
        """Return the end of the block, reasoning's after its signature."""
        if self._part is None:
            return b""
        stop = named_frame({"type": "content_block_stop", "index": self._index})
        if self._part.kind != "thinking":
            return stop
        delta = {"type": "signature_delta", "signature": self._part.seal}
        return named_frame({"type": "content_block_delta", "index": self._index, "delta": delta}) + stop

    def _message(self, content: list[Any], usage: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a whole message and the first event of a stream share."""
        return {
            "id": self._plan.id, "type": "message", "role": "assistant", "model": self._plan.model,
            "content": content, "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip

    def _stop_details(self) -> dict[str, Any]:
        """Return what says more of a refusal."""
        if _FINISH[self._plan.finish] != "refusal":
            return {}
        return {"stop_details": {"type": "refusal", "category": None, "explanation": None}}

    def _usage(self, output: int) -> dict[str, Any]:
        """Return the usage with so many output tokens."""
        plan = self._plan
        return _input_usage(plan) | {
            "cache_creation": {
                "ephemeral_5m_input_tokens": plan.written_5m,
                "ephemeral_1h_input_tokens": plan.written_1h,
            },
            "output_tokens": output,
            "service_tier": "standard",
        }

    def _final_usage(self) -> dict[str, Any]:
        """Return the cumulative usage of a stream: exactly what is billed."""
        plan = self._plan
        return _input_usage(plan) | {"output_tokens": plan.tokens} | _details(plan)


class CountWriter(Unstreamed):
    """The number of tokens of a message."""

    headers = ANTHROPIC_HEADERS

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens

    def whole(self) -> bytes:
        """Return the number."""
        return msgspec.json.encode({"input_tokens": self._tokens})

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        return anthropic_error(status)


def _input_usage(plan: Plan) -> dict[str, Any]:
    """Return what the prompt took, in Anthropic's disjoint numbers."""
    written = plan.written_5m + plan.written_1h
    return {
        "input_tokens": plan.input_tokens - plan.cached - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": plan.cached,
    }


def _details(plan: Plan) -> dict[str, Any]:
    """Return how much of the output was reasoning, where there was any."""
    return {"output_tokens_details": {"thinking_tokens": plan.thinking}} if plan.thinking else {}


def _block(part: Part, text: str, *, is_start: bool = False) -> dict[str, Any]:
    """Return a block of content; a stream starts it without text and signature."""
    if part.kind == "thinking":
        return {"type": "thinking", "thinking": text, "signature": "" if is_start else part.seal}
    if part.kind == "redacted":
        return {"type": "redacted_thinking", "data": part.seal}
    if part.kind == "tool":
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": _object(text)}
    return {"type": "text", "text": text}


def _object(text: str) -> Any:
    """Read a tool call's arguments; those that were cut are shown as none."""
    try:
        return msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
