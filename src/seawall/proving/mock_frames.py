"""How the mock provider writes an answer down: heads, whole bodies, stream frames, errors; no I/O."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from seawall.proving.mock_answers import LEAKS, Plan
from seawall.proving.mock_behaviour import Behaviour

DONE: Final = b"data: [DONE]\n\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"openai-organization: "
    + LEAKS[0].encode()
    + b"\r\nx-request-id: req_mock\r\ntransfer-encoding: chunked\r\n"
)
_UNKNOWN: Final = {"x_vendor": {"kept": True, "note": "No client library knows this field."}}
_UNKNOWN_TAIL: Final = b',"x_vendor":{"kept":true}}\n\n'

_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def chunk(data: bytes) -> bytes:
    """Wrap data as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(value: Mapping[str, Any]) -> bytes:
    """Write a value as one server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def head_of(status: int, length: int, *, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Write the head of a JSON answer, with headers that a gateway must keep to itself."""
    more = "".join(f"{name}: {value}\r\n" for name, value in extra)
    return (
        f"HTTP/1.1 {status} {_phrase(status)}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n"
        f"openai-organization: {LEAKS[0]}\r\nx-request-id: req_mock\r\n{more}\r\n"
    ).encode("latin-1")


def whole_body(plan: Plan) -> bytes:
    """Write a whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": plan.text(), "refusal": None}
    if plan.tool:
        function = {"name": plan.tool, "arguments": message["content"]}
        message["tool_calls"] = [{"id": f"call_{plan.id}", "type": "function", "function": function}]
        message["content"] = None
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": plan.finish}
        for index in range(plan.choices)
    ]
    body = _envelope(plan, "chat.completion") | {"choices": choices, "usage": plan.usage()} | _UNKNOWN
    return msgspec.json.encode(body)


def error_body(status: int) -> bytes:
    """Write an error as OpenAI does, holding an organisation, part of a key and an address."""
    kind, code = _ERRORS.get(status, ("server_error", "server_error"))
    message = (
        f"Mock error {status} for organization {LEAKS[0]} with key {LEAKS[1]}. Visit {LEAKS[2]} for more."
    )
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


class Frames:
    """The frames of one stream; each method returns server-sent events, not yet chunked."""

    def __init__(self, plan: Plan, behaviour: Behaviour, *, reports_usage: bool) -> None:
        self._plan, self._behaviour = plan, behaviour
        self._own_usage = reports_usage and behaviour.usage == "own"
        envelope = msgspec.json.encode(_envelope(plan, "chat.completion.chunk"))
        self._start = b"data: " + envelope[:-1]
        self._tail = (b',"usage":null' if self._own_usage else b"") + _UNKNOWN_TAIL
        before, after = (
            (b'"tool_calls":[{"index":0,"function":{"arguments":', b"}}]")
            if plan.tool
            else (b'"content":', b"")
        )
        self._before = tuple(
            self._start + b',"choices":[{"index":%d,"delta":{' % index + before
            for index in range(plan.choices)
        )
        self._after = after + b'},"logprobs":null,"finish_reason":null}]'

    def opening(self) -> bytes:
        """Return what comes before the first content: the role, and the name of the tool that is called."""
        delta: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
        if self._plan.tool:
            function = {"name": self._plan.tool, "arguments": ""}
            call = {"index": 0, "id": f"call_{self._plan.id}", "type": "function", "function": function}
            delta = {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}
        frames = b"".join(self._choice(index, delta, None) for index in range(self._plan.choices))
        if self._behaviour.is_odd:
            return (
                b": a comment\n\nevent: ping\ndata: {}\n\n"
                + frames
                + self._start
                + b',"choices":[]'
                + self._tail
            )
        return frames

    def content(self, number: int) -> bytes:
        """Return the events that carry the pieces of one step, one for each choice."""
        plan = self._plan
        if number == 1 and self._behaviour.fault == "badjson":
            return b'data: {"id":"chatcmpl-\n\n'
        size = plan.pieces_per_event
        if size == 1:
            text = plan.piece(number)
        else:
            text = "".join(map(plan.piece, range(number * size, min(number * size + size, plan.pieces))))
        tail = self._tail
        if self._behaviour.is_timed:
            tail = b',"x_at_us":%d' % (time.monotonic_ns() // 1000) + tail
        ending = msgspec.json.encode(text) + self._after + tail
        return b"".join([before + ending for before in self._before])

    def closing(self) -> bytes:
        """Return the finish reasons, the usage where it was asked for, and [DONE]."""
        plan = self._plan
        late = plan.usage() if self._behaviour.usage == "late" else None
        last = plan.choices - 1
        frames = [
            self._choice(index, {}, plan.finish, usage=late if index == last else None)
            for index in range(plan.choices)
        ]
        if self._own_usage:
            usage = {"choices": [], "usage": plan.usage()} | _UNKNOWN
            frames.append(frame(_envelope(plan, "chat.completion.chunk") | usage))
        return b"".join(frames) + DONE

    def _choice(
        self,
        index: int,
        delta: Mapping[str, Any],
        finish: str | None,
        *,
        usage: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write one chunk of one choice; like OpenAI, with a null usage where a usage chunk will follow."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk_body = _envelope(self._plan, "chat.completion.chunk") | {"choices": [choice]}
        if usage is not None or self._own_usage:
            chunk_body["usage"] = usage
        return frame(chunk_body | _UNKNOWN)


def _envelope(plan: Plan, kind: str) -> dict[str, Any]:
    """Return the fields that every body and chunk of one answer shares."""
    return {
        "id": plan.id, "object": kind, "created": plan.created, "model": plan.model,
        "service_tier": "default", "system_fingerprint": "fp_mock",
    }  # fmt: skip


def _phrase(status: int) -> str:
    """Return the reason phrase of a status, known or not."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
